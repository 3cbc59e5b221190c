package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

const (
	// lz4LegacyBlock is the most that one block of a legacy frame unpacks to.
	lz4LegacyBlock = 8 << 20
	lz4LegacyMagic = 0x184c2102
)

// lz4Legacy reads the legacy lz4 frame, which the Linux build uses: a magic
// word, then blocks of a 32-bit size and data; the magic may recur between
// blocks.
type lz4Legacy struct {
	in     io.Reader
	packed []byte
	buf    []byte // one unpacked block
	out    []byte // what of it is still to be read
}

func openLZ4Legacy(packed io.Reader) (io.Reader, error) {
	return &lz4Legacy{in: packed}, nil
}

func (z *lz4Legacy) Read(p []byte) (int, error) {
	for len(z.out) == 0 {
		if err := z.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.out)
	z.out = z.out[n:]
	return n, nil
}

// block unpacks the next block; io.EOF if there is none.
func (z *lz4Legacy) block() error {
	var word [4]byte
	if _, err := io.ReadFull(z.in, word[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(word[:])
	if n == lz4LegacyMagic {
		return nil
	}
	if n > uint32(lz4.CompressBlockBound(lz4LegacyBlock)) {
		return fmt.Errorf("lz4: a block of %d packed bytes, more than any", n)
	}
	if z.buf == nil {
		z.buf = make([]byte, lz4LegacyBlock)
	}
	if uint32(cap(z.packed)) < n {
		z.packed = make([]byte, n)
	}
	z.packed = z.packed[:n]
	if _, err := io.ReadFull(z.in, z.packed); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	k, err := lz4.UncompressBlock(z.packed, z.buf)
	if err != nil {
		return fmt.Errorf("lz4 block: %w", err)
	}
	z.out = z.buf[:k]
	return nil
}
