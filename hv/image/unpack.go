package image

import (
	"bytes"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"
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
	// An archive with more content than this is unpacked once only to see
	// whether it is whole: a broken one then takes no memory for its content.
	rehearseMin = 16 << 20
)

// packing is one archive format.
type packing struct {
	name  string
	magic string
	open  func(packed io.Reader) (io.Reader, error)
}

var packings = []packing{
	{"gzip", "\x1f\x8b", openGzip},
	{"xz", "\xfd7zXZ\x00", openXZ},
	{"lz4", "\x02\x21\x4c\x18", openLZ4Legacy},
	{"lz4", "\x04\x22\x4d\x18", openLZ4},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
}

const elfMagic = "\x7fELF"

// unpack finds the ELF in f: itself, the payload of a bzImage, packed or not.
// It unpacks at most limit bytes, and format tells what it met.
func (r reporter) unpack(f Source, limit uint64) (elf []byte, format string, err *Error) {
	head, err := r.head(f)
	if err != nil {
		return nil, "", err
	}
	field, format := "header", "ELF"
	sized := false // a word with the unpacked size follows the archive
	if isBzImage(head) {
		at, err := r.bzPayload(head, uint64(f.Size()))
		if err != nil {
			return nil, "", err
		}
		f = part(f, at)
		if head, err = r.head(f); err != nil {
			return nil, "", err
		}
		field, format, sized = "bzImage payload", "bzImage", true
	}
	if bytes.HasPrefix(head, []byte(elfMagic)) {
		elf, err := r.readFile(f, limit)
		return elf, format, err
	}
	for _, p := range packings {
		if !bytes.HasPrefix(head, []byte(p.magic)) {
			continue
		}
		if sized {
			format, field = format+" ("+p.name+")", field+" ("+p.name+")"
		} else {
			format, field = p.name, p.name
		}
		a := archive{r: r, p: p, f: f, field: field, limit: limit}
		if err := a.measure(sized); err != nil {
			return nil, "", err
		}
		elf, err := a.elf()
		return elf, format, err
	}
	if len(head) < 4 {
		return nil, "", r.errorf(field, "%d bytes, expected an ELF", len(head))
	}
	return nil, "", r.errorf(field, "begins with % x, expected an ELF (7f 45 4c 46), a bzImage, or gzip, xz, lz4 or zstd data", head[:4])
}

// head reads the first bytes of f.
func (r reporter) head(f Source) ([]byte, *Error) {
	b := make([]byte, min(headSize, f.Size()))
	if n, err := f.ReadAt(b, 0); err != nil && n < len(b) {
		return nil, r.errorf("file", "%v", err)
	}
	return b, nil
}

func openGzip(packed io.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return z, nil
}

func openLZ4(packed io.Reader) (io.Reader, error) { return lz4.NewReader(packed), nil }

func openZstd(packed io.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}
