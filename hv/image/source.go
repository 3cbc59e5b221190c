package image

import (
	"bytes"
	"errors"
	"io"
)

// Source is a kernel file that can be read at any place: *bytes.Reader,
// *io.SectionReader.
type Source interface {
	io.ReaderAt
	Size() int64
}

// Open reads a kernel from a file, which name stands for in errors. limit is
// the guest's memory in bytes; nothing larger is unpacked or accepted. A file
// that cannot be used is found out by its headers and notes, and an archive
// by unpacking it once without keeping anything, before its content takes
// memory.
//
// The error, if any, is an *Error. A loaded image fits at least one platform;
// CanXen and CanNative tell which.
func Open(name string, f Source, limit uint64) (*Image, error) {
	r := reporter(name)
	elf, format, err := r.unpack(f, limit)
	if err != nil {
		return nil, err
	}
	img, err := r.usable(elf, limit)
	if err != nil {
		return nil, err
	}
	img.Format = format
	return img, nil
}

// Load is Open of a file that is in memory already.
func Load(name string, raw []byte, limit uint64) (*Image, error) {
	return Open(name, bytes.NewReader(raw), limit)
}

// usable parses an ELF and refuses what fits no platform.
func (r reporter) usable(elf []byte, limit uint64) (*Image, *Error) {
	img, err := r.parse(elf, limit)
	if err != nil {
		return nil, err
	}
	if img.xen != nil && img.native != nil {
		if img.Xen.Phys32Entry != Unset && img.Xen.XenVersion == "" { // made for PVH alone
			return nil, img.native
		}
		return nil, img.xen
	}
	return img, nil
}

// span is a stretch of a file, from its first byte to behind its last.
type span struct{ from, to uint64 }

// part is a span of a Source as a Source.
func part(f Source, s span) *io.SectionReader {
	return io.NewSectionReader(f, int64(s.from), int64(s.to-s.from))
}

// earlyMost bounds what of an ELF is read before its segments are: headers and
// notes. An ELF with more of them is read whole and then judged.
const earlyMost = 4 << 20

// elfFile is an ELF that is read in pieces.
type elfFile struct {
	r    reporter
	f    Source
	size uint64
	// b is the ELF as far as it is known to reach. A long slice that is mostly
	// not written takes no memory.
	b    []byte
	read uint64 // bytes
}

// reach sets how far the ELF goes.
func (e *elfFile) reach(n uint64) {
	b := make([]byte, min(n, e.size))
	copy(b, e.b[:min(uint64(len(e.b)), ehdrSize)])
	e.b = b
}

// fill reads a span, as far as it lies within reach.
func (e *elfFile) fill(s span) *Error {
	s.to = min(s.to, uint64(len(e.b)))
	if s.from >= s.to {
		return nil
	}
	e.read += s.to - s.from
	if _, err := e.f.ReadAt(e.b[s.from:s.to], int64(s.from)); err != nil {
		if errors.Is(err, io.EOF) {
			return e.r.errorf("file", "became shorter while it was read")
		}
		return e.r.errorf("file", "%v", err)
	}
	return nil
}

// readFile reads the ELF that is the whole of f, to the end of its headers and
// segments.
func (r reporter) readFile(f Source, limit uint64) ([]byte, *Error) {
	e := &elfFile{r: r, f: f, size: uint64(f.Size())}
	h, err := e.headers(limit)
	if err != nil {
		return nil, err
	}
	if h.phEnd() <= e.size && h.shEnd() <= e.size { // else it is known to be truncated
		if err := e.notes(h); err != nil {
			return nil, err
		}
	}
	if e.read <= earlyMost {
		if _, err := r.usable(e.b, limit); err != nil {
			return nil, err
		}
	}
	if err := e.fill(span{0, uint64(len(e.b))}); err != nil {
		return nil, err
	}
	return e.b, nil
}

// headers reads the ELF header and both tables of headers.
func (e *elfFile) headers(limit uint64) (*header, *Error) {
	e.reach(ehdrSize)
	if err := e.fill(span{0, ehdrSize}); err != nil {
		return nil, err
	}
	h, err := e.r.readHeader(e.b)
	if err != nil {
		return nil, err
	}
	for need := h.phEnd(); ; {
		if min(need, e.size) > limit { // of what is not in the file parse will say so
			return nil, e.r.errorf("ELF header", "the headers reach to %d, the guest's memory is %d bytes", need, limit)
		}
		e.reach(need)
		if err := e.fill(span{h.phoff, h.phEnd()}); err != nil {
			return nil, err
		}
		more, _, err := e.r.extent(e.b)
		if err != nil {
			return nil, err
		}
		if more <= need {
			break
		}
		need = more
	}
	return &h, e.fill(span{h.shoff, h.shEnd()})
}

// notes reads what Load looks at for notes, or a part of it that is more than
// earlyMost.
func (e *elfFile) notes(h *header) *Error {
	if h.shstrndx < h.shnum {
		if s, ok := sectionSpan(e.b, h, h.shstrndx); ok {
			if s.to-s.from > earlyMost {
				e.read += s.to - s.from
				return nil
			}
			if err := e.fill(s); err != nil {
				return err
			}
		}
	}
	spans := noteSegments(e.b, h)
	for i, s := range readSections(e.b, h) {
		if s.typ == shtNote || s.name == guestInfoSection {
			if at, ok := sectionSpan(e.b, h, uint64(i)); ok {
				spans = append(spans, at)
			}
		}
	}
	for _, s := range spans {
		if e.read+(s.to-s.from) > earlyMost {
			e.read += s.to - s.from
			return nil
		}
		if err := e.fill(s); err != nil {
			return err
		}
	}
	return nil
}
