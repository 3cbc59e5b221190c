package image

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// archive is a packed ELF.
type archive struct {
	r     reporter
	p     packing
	f     Source
	field string // in errors
	limit uint64 // of the content, in bytes

	// The content's size modulo 2^32, where the file tells it.
	want    uint32
	hasWant bool
}

// measure takes off the word with the content's size that ends a bzImage's
// payload; gzip's own trailer is that word.
func (a *archive) measure(sized bool) *Error {
	size := a.f.Size()
	if size < 4 || !sized && a.p.name != "gzip" {
		return nil
	}
	var b [4]byte
	if _, err := a.f.ReadAt(b[:], size-4); err != nil {
		return a.r.errorf("file", "%v", err)
	}
	a.want, a.hasWant = binary.LittleEndian.Uint32(b[:]), true
	if a.p.name != "gzip" {
		a.f = part(a.f, span{0, uint64(size - 4)})
	}
	return nil
}

// open begins to unpack.
func (a *archive) open() (*content, *Error) {
	in, err := a.p.open(bufio.NewReaderSize(part(a.f, span{0, uint64(a.f.Size())}), 64<<10))
	if err != nil {
		return nil, a.corrupt(err)
	}
	return &content{Reader: in}, nil
}

// content is an archive's content, read from its beginning.
type content struct {
	io.Reader
	at uint64 // bytes read
}

func (c *content) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.at += uint64(n)
	return n, err
}

func (c *content) close() {
	if z, ok := c.Reader.(io.Closer); ok {
		z.Close()
	}
}

// corrupt reports what an unpacker objects to.
func (a *archive) corrupt(e error) *Error {
	if errors.Is(e, io.EOF) || errors.Is(e, io.ErrUnexpectedEOF) {
		return a.r.errorf(a.field, "corrupted archive: ends early")
	}
	return a.r.errorf(a.field, "corrupted archive: %v", e)
}

// elf takes the ELF from the front of the content and reads the rest for the
// archive's own checks.
func (a *archive) elf() ([]byte, *Error) {
	in, err := a.open()
	if err != nil {
		return nil, err
	}
	defer func() { in.close() }()
	buf := make([]byte, ehdrSize)
	if n, e := io.ReadFull(in, buf); e != nil {
		if n > 0 && errors.Is(e, io.ErrUnexpectedEOF) {
			return nil, a.r.errorf(a.field, "holds %d bytes, expected an ELF", n)
		}
		return nil, a.corrupt(e)
	}
	if !bytes.HasPrefix(buf, []byte(elfMagic)) {
		return nil, a.r.errorf(a.field, "content begins with % x, expected an ELF (7f 45 4c 46)", buf[:4])
	}
	for rehearsed, done := false, false; !done; {
		var need uint64
		if need, done, err = a.r.extent(buf); err == nil {
			err = a.checkSize(need)
		}
		if err != nil {
			return nil, err
		}
		if need > rehearseMin && !rehearsed {
			if err := a.rehearse(in, buf, need, done); err != nil {
				return nil, err
			}
			in.close()
			if in, err = a.open(); err != nil {
				return nil, err
			}
			rehearsed, buf = true, buf[:0]
		}
		if err := a.extend(in, &buf, need); err != nil {
			return nil, err
		}
	}
	return buf, a.finish(in, uint64(len(buf)))
}

func (a *archive) checkSize(need uint64) *Error {
	packed := uint64(a.f.Size())
	if need > a.limit {
		return a.r.errorf(a.field, "the ELF inside takes %d bytes, the guest's memory is %d", need, a.limit)
	}
	if need > explodeMin && need/explodeRatio > packed {
		return a.r.errorf(a.field, "exploding archive: %d bytes claim to hold %d", packed, need)
	}
	return nil
}

// extend reads on until the ELF has need bytes.
func (a *archive) extend(in *content, buf *[]byte, need uint64) *Error {
	at := uint64(len(*buf))
	if need <= at {
		return nil
	}
	// Memory is touched as data arrives, not here.
	b := append(make([]byte, 0, need), *buf...)[:need]
	if _, e := io.ReadFull(in, b[at:]); e != nil {
		return a.short(in, need, e)
	}
	*buf = b
	return nil
}

// short reports that the content could not be read up to need.
func (a *archive) short(in *content, need uint64, e error) *Error {
	if errors.Is(e, io.ErrUnexpectedEOF) || errors.Is(e, io.EOF) {
		return a.r.errorf(a.field, "truncated: content ends after %d bytes, the ELF takes %d", in.at, need)
	}
	return a.corrupt(e)
}

// finish reads what follows the ELF, and checks the content's size.
func (a *archive) finish(in *content, elf uint64) *Error {
	tail, e := io.Copy(io.Discard, io.LimitReader(in, maxTail+1))
	if e != nil {
		return a.corrupt(e)
	}
	if tail > maxTail {
		return a.r.errorf(a.field, "exploding archive: more than %d bytes follow the ELF", int64(maxTail))
	}
	if total := elf + uint64(tail); a.hasWant && uint32(total) != a.want {
		return a.r.errorf(a.field, "unpacks to %d bytes, its last word says %d", total, a.want)
	}
	return nil
}

// rehearse unpacks the rest of in without keeping it, but for what tells
// whether the ELF can be used: buf, its beginning, and where that has all
// program headers, the notes.
func (a *archive) rehearse(in *content, buf []byte, need uint64, headers bool) *Error {
	e := &elfFile{r: a.r, b: make([]byte, need)} // sparse
	copy(e.b, buf)
	var spans []span
	if headers {
		h, err := a.r.readHeader(buf)
		if err != nil {
			return err
		}
		spans = noteSegments(buf, &h)
	}
	var chunk [64 << 10]byte
	for in.at < need {
		at := in.at
		n, err := io.ReadFull(in, chunk[:min(uint64(len(chunk)), need-at)])
		if err != nil {
			return a.short(in, need, err)
		}
		for _, s := range spans {
			if from, to := max(s.from, at), min(s.to, at+uint64(n)); from < to && e.read < earlyMost {
				e.read += uint64(copy(e.b[from:to], chunk[from-at:to-at]))
			}
		}
	}
	if err := a.finish(in, need); err != nil {
		return err
	}
	if e.read == 0 || e.read >= earlyMost {
		return nil // no notes but perhaps in sections
	}
	clear(e.b[eShoff : eShoff+8])
	clear(e.b[eShnum : eShnum+2])
	img, err := a.r.parse(e.b, a.limit)
	if err != nil || len(img.Notes) == 0 {
		return err
	}
	_, err = a.r.usable(e.b, a.limit)
	return err
}
