package image

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// Linux's boot header (Documentation/arch/x86/boot.rst), byte offsets in the
// file.
const (
	bzSetupSects    = 0x1f1 // u8: 512-byte sectors of real-mode code; 0 means 4
	bzMagic         = 0x202 // "HdrS"
	bzVersion       = 0x206 // u16
	bzPayloadOffset = 0x248 // u32: from the end of the real-mode code
	bzPayloadLength = 0x24c // u32
	bzHeaderEnd     = 0x250
	// bzMinVersion is the first with the payload fields.
	bzMinVersion = 0x208
)

func isBzImage(raw []byte) bool {
	return len(raw) >= bzHeaderEnd && string(raw[bzMagic:bzMagic+4]) == "HdrS"
}

func (r reporter) bzPayload(raw []byte) ([]byte, *Error) {
	le := binary.LittleEndian
	if v := le.Uint16(raw[bzVersion:]); v < bzMinVersion {
		return nil, r.errorf("bzImage version", "boot protocol %d.%02d, expected at least 2.08", v>>8, v&0xff)
	}
	start, end := bzPayloadAt(raw)
	if size := uint64(len(raw)); end > size {
		return nil, r.errorf("bzImage payload_length", "truncated: payload at %#x..%#x, the file has %#x bytes", start, end, size)
	}
	return raw[start:end], nil
}

// bzPayloadAt tells where in the file the boot header puts the payload.
func bzPayloadAt(raw []byte) (start, end uint64) {
	le := binary.LittleEndian
	sects := uint64(raw[bzSetupSects])
	if sects == 0 {
		sects = 4
	}
	start = (sects+1)*512 + uint64(le.Uint32(raw[bzPayloadOffset:]))
	return start, start + uint64(le.Uint32(raw[bzPayloadLength:]))
}

// lz4LegacyBlock is the most that one block of a legacy frame unpacks to.
const lz4LegacyBlock = 8 << 20

// lz4Legacy reads the legacy lz4 frame, which the Linux build uses: a magic
// word, then blocks of a 32-bit size and data; the magic may recur between
// blocks.
type lz4Legacy struct {
	in  []byte
	buf []byte // one unpacked block
	out []byte // what of it is still to be read
}

func openLZ4Legacy(packed []byte, _ uint64) (io.Reader, error) {
	return &lz4Legacy{in: packed}, nil
}

func (z *lz4Legacy) Read(p []byte) (int, error) {
	for len(z.out) == 0 {
		if len(z.in) == 0 {
			return 0, io.EOF
		}
		if len(z.in) < 4 {
			return 0, io.ErrUnexpectedEOF
		}
		n := binary.LittleEndian.Uint32(z.in)
		z.in = z.in[4:]
		if n == 0x184c2102 {
			continue
		}
		if uint64(n) > uint64(len(z.in)) {
			return 0, io.ErrUnexpectedEOF
		}
		if z.buf == nil {
			z.buf = make([]byte, lz4LegacyBlock)
		}
		k, err := lz4.UncompressBlock(z.in[:n], z.buf)
		if err != nil {
			return 0, fmt.Errorf("lz4 block: %w", err)
		}
		z.in, z.out = z.in[n:], z.buf[:k]
	}
	n := copy(p, z.out)
	z.out = z.out[n:]
	return n, nil
}
