package image

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"

	"github.com/pierrec/lz4/v4"
)

// Bounds on unpacking, beside the guest's memory.
const (
	// maxTail is how much may follow the ELF inside an archive (Linux appends
	// relocations).
	maxTail = 64 << 20
	// An archive that unpacks to more than explodeMin bytes and more than
	// explodeRatio times its size is refused: kernels pack 3 to 8 times.
	explodeMin   = 16 << 20
	explodeRatio = 50
	// maxPacked is the largest archive file; its content is several times that.
	maxPacked = 256 << 20
	// maxWindow bounds a decoder's history buffer: Linux packs with at most
	// 128 MiB (zstd --ultra -22).
	maxWindow = 128 << 20
)

// packing is one archive format.
type packing struct {
	name  string
	magic string
	open  func(packed []byte, limit uint64) (io.Reader, error)
}

var packings = []packing{
	{"gzip", "\x1f\x8b", openGzip},
	{"xz", "\xfd7zXZ\x00", openXZ},
	{"lz4", "\x02\x21\x4c\x18", openLZ4Legacy},
	{"lz4", "\x04\x22\x4d\x18", openLZ4},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
}

const elfMagic = "\x7fELF"

// unpack finds the ELF in raw: itself, the payload of a bzImage, packed or
// not. It unpacks at most limit bytes, and format tells what it met.
func (r reporter) unpack(raw []byte, limit uint64) (elf []byte, format string, err *Error) {
	field, format := "header", "ELF"
	sized := false // a word with the unpacked size follows the archive
	if isBzImage(raw) {
		if raw, err = r.bzPayload(raw); err != nil {
			return nil, "", err
		}
		field, format, sized = "bzImage payload", "bzImage", true
	}
	if bytes.HasPrefix(raw, []byte(elfMagic)) {
		return raw, format, nil
	}
	for _, p := range packings {
		if !bytes.HasPrefix(raw, []byte(p.magic)) {
			continue
		}
		if sized {
			format, field = format+" ("+p.name+")", field+" ("+p.name+")"
		} else {
			format, field = p.name, p.name
		}
		want, hasWant := uint32(0), false
		if n := len(raw); n >= 4 && (sized || p.name == "gzip") {
			want, hasWant = binary.LittleEndian.Uint32(raw[n-4:]), true
			if p.name != "gzip" { // gzip's own trailer is that word
				raw = raw[:n-4]
			}
		}
		in, e := p.open(raw, limit)
		if e != nil {
			return nil, "", r.corrupt(field, e)
		}
		elf, total, err := r.readELF(in, field, uint64(len(raw)), limit)
		if c, ok := in.(io.Closer); ok {
			c.Close()
		}
		if err != nil {
			return nil, "", err
		}
		if hasWant && uint32(total) != want {
			return nil, "", r.errorf(field, "unpacks to %d bytes, its last word says %d", total, want)
		}
		return elf, format, nil
	}
	if len(raw) < 4 {
		return nil, "", r.errorf(field, "%d bytes, expected an ELF", len(raw))
	}
	return nil, "", r.errorf(field, "begins with % x, expected an ELF (7f 45 4c 46), a bzImage, or gzip, xz, lz4 or zstd data", raw[:4])
}

// corrupt reports what an unpacker objects to.
func (r reporter) corrupt(field string, e error) *Error {
	if errors.Is(e, io.EOF) || errors.Is(e, io.ErrUnexpectedEOF) {
		return r.errorf(field, "corrupted archive: ends early")
	}
	return r.errorf(field, "corrupted archive: %v", e)
}

// readELF takes the ELF from the front of an archive's content and reads the
// rest for the archive's own checks. total is the whole content's size.
func (r reporter) readELF(in io.Reader, field string, packed, limit uint64) (elf []byte, total uint64, err *Error) {
	buf := make([]byte, ehdrSize)
	if n, e := io.ReadFull(in, buf); e != nil {
		if n > 0 && errors.Is(e, io.ErrUnexpectedEOF) {
			return nil, 0, r.errorf(field, "holds %d bytes, expected an ELF", n)
		}
		return nil, 0, r.corrupt(field, e)
	}
	if !bytes.HasPrefix(buf, []byte(elfMagic)) {
		return nil, 0, r.errorf(field, "content begins with % x, expected an ELF (7f 45 4c 46)", buf[:4])
	}
	for {
		need, done, e := r.extent(buf)
		if e != nil {
			return nil, 0, e
		}
		if need > limit {
			return nil, 0, r.errorf(field, "the ELF inside takes %d bytes, the guest's memory is %d", need, limit)
		}
		if need > explodeMin && need > packed*explodeRatio {
			return nil, 0, r.errorf(field, "exploding archive: %d bytes claim to hold %d", packed, need)
		}
		at := len(buf)
		if need > uint64(at) {
			// Host memory is touched as data arrives, not here.
			buf = append(make([]byte, 0, need), buf...)[:need]
			if n, e := io.ReadFull(in, buf[at:]); e != nil {
				if errors.Is(e, io.ErrUnexpectedEOF) || errors.Is(e, io.EOF) {
					return nil, 0, r.errorf(field, "truncated: content ends after %d bytes, the ELF takes %d", at+n, need)
				}
				return nil, 0, r.corrupt(field, e)
			}
		}
		if done {
			break
		}
	}
	tail, e := io.Copy(io.Discard, io.LimitReader(in, maxTail+1))
	if e != nil {
		return nil, 0, r.corrupt(field, e)
	}
	if tail > maxTail {
		return nil, 0, r.errorf(field, "exploding archive: more than %d bytes follow the ELF", int64(maxTail))
	}
	return buf, uint64(len(buf)) + uint64(tail), nil
}

func openGzip(packed []byte, _ uint64) (io.Reader, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return z, nil
}

func openLZ4(packed []byte, _ uint64) (io.Reader, error) {
	return lz4.NewReader(bytes.NewReader(packed)), nil
}
