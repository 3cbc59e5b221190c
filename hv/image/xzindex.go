package image

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

// The end of an xz stream (xz-file-format.txt 1.1.0, 2.1.2 and 4): the index
// tells of each block how long it is and what it unpacks to, and the footer
// repeats the stream's flags.

// xzBlock is a block's record in the index.
type xzBlock struct {
	size     uint64 // header, packed data and check, without padding
	unpacked uint64
}

var errXZIndex = errors.New("xz: the index does not tell of the blocks that are there")

// xzEnd checks index and footer, at the beginning of b, against the blocks
// met. What follows the stream is nobody's business here.
func xzEnd(b []byte, flags []byte, met []xzBlock) error {
	at := 1 // the byte that is 0 instead of a block header's size
	number := func() (v uint64, err error) {
		v, n := binary.Uvarint(b[at:])
		if n == 0 {
			return 0, errXZShort
		}
		if n < 0 || n > 9 {
			return 0, errXZIndex
		}
		at += n
		return v, nil
	}
	count, err := number()
	if err != nil {
		return err
	}
	if count != uint64(len(met)) {
		return errXZIndex
	}
	for _, want := range met {
		var got xzBlock
		if got.size, err = number(); err != nil {
			return err
		}
		if got.unpacked, err = number(); err != nil {
			return err
		}
		if got != want {
			return errXZIndex
		}
	}
	pad := (at + 3) &^ 3
	if len(b) < pad+4+xzHeaderSize {
		return errXZShort
	}
	foot := b[pad+4:][:xzHeaderSize]
	le := binary.LittleEndian
	switch {
	case !allZero(b[at:pad]):
		return errXZIndex
	case crc32.ChecksumIEEE(b[:pad]) != le.Uint32(b[pad:]):
		return errors.New("xz: index checksum is wrong")
	case string(foot[10:]) != "YZ" || !slices.Equal(foot[8:10], flags),
		(uint64(le.Uint32(foot[4:]))+1)*4 != uint64(pad+4):
		return errors.New("xz: the stream's footer does not fit its header")
	case crc32.ChecksumIEEE(foot[4:10]) != le.Uint32(foot):
		return errors.New("xz: footer checksum is wrong")
	}
	return nil
}
