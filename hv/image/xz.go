package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// The .xz container (xz-file-format.txt 1.1.0). The library's own reader
// refuses every filter but LZMA2, and Linux packs with x86 BCJ before it; so
// the container is read here and only LZMA2 is the library's.

const (
	xzHeaderSize  = 12
	xzFilterBCJ   = 0x04 // x86
	xzFilterLZMA2 = 0x21
	xzMaxDict     = 128 << 20
)

var errXZShort = errors.New("xz: ends early")

// xzReader yields the content of one stream, block after block.
type xzReader struct {
	in      []byte // not yet parsed
	limit   uint64 // content bytes still allowed
	newHash func() hash.Hash
	size    int // bytes of a block's check

	r    io.Reader // content of the current block; nil between blocks
	sum  hash.Hash
	want []byte // the block's stored check

	flags  []byte    // of the stream
	blocks []xzBlock // so far, for the index
}

func openXZ(packed []byte, limit uint64) (io.Reader, error) {
	if len(packed) < xzHeaderSize {
		return nil, errXZShort
	}
	flags := packed[6:8]
	if crc32.ChecksumIEEE(flags) != binary.LittleEndian.Uint32(packed[8:]) {
		return nil, errors.New("xz: stream header checksum is wrong")
	}
	x := &xzReader{in: packed[xzHeaderSize:], limit: limit + maxTail, flags: flags}
	switch flags[1] {
	case 0:
	case 1:
		x.size, x.newHash = 4, func() hash.Hash { return crc32.NewIEEE() }
	case 4:
		x.size, x.newHash = 8, func() hash.Hash { return crc64.New(crc64.MakeTable(crc64.ECMA)) }
	case 10:
		x.size, x.newHash = 32, sha256.New
	default:
		return nil, fmt.Errorf("xz: check type %d is not supported", flags[1])
	}
	return x, nil
}

func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if x.r == nil {
			if err := x.block(); err != nil {
				return 0, err
			}
		}
		n, err := x.r.Read(p)
		if x.sum != nil {
			x.sum.Write(p[:n])
		}
		if err == io.EOF {
			if x.sum != nil && !bytes.Equal(xzSum(x.sum), x.want) {
				return n, errors.New("xz: block checksum is wrong")
			}
			x.r, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// xzSum is the check as stored: CRCs are little-endian, SHA-256 is as it is.
func xzSum(h hash.Hash) []byte {
	s := h.Sum(nil)
	if len(s) < sha256.Size {
		for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
			s[i], s[j] = s[j], s[i]
		}
	}
	return s
}

// block begins the next block, or ends with io.EOF at the index.
func (x *xzReader) block() error {
	if len(x.in) == 0 {
		return errXZShort
	}
	if x.in[0] == 0 { // index: the blocks are over
		if err := xzEnd(x.in, x.flags, x.blocks); err != nil {
			return err
		}
		return io.EOF
	}
	n := (int(x.in[0]) + 1) * 4
	if n > len(x.in) {
		return errXZShort
	}
	head := x.in[:n-4]
	if crc32.ChecksumIEEE(head) != binary.LittleEndian.Uint32(x.in[n-4:]) {
		return errors.New("xz: block header checksum is wrong")
	}
	dict, bcj, err := xzFilters(head[1:])
	if err != nil {
		return err
	}
	x.in = x.in[n:]
	packed, unpacked, err := lzma2Extent(x.in)
	if err != nil {
		return err
	}
	if unpacked > x.limit {
		return fmt.Errorf("xz: content exceeds %d bytes", x.limit)
	}
	x.limit -= unpacked
	end := (packed + 3) &^ 3
	if end+x.size > len(x.in) {
		return errXZShort
	}
	// A dictionary larger than the content is never used.
	if dict > unpacked {
		dict = unpacked
	}
	lz, err := lzma.Reader2Config{DictCap: max(int(dict), lzma.MinDictCap)}.NewReader2(bytes.NewReader(x.in[:packed]))
	if err != nil {
		return err
	}
	x.r = lz
	if bcj {
		x.r = &bcjReader{in: lz}
	}
	if x.newHash != nil {
		x.sum = x.newHash()
	}
	x.want = x.in[end : end+x.size]
	x.blocks = append(x.blocks, xzBlock{uint64(n + packed + x.size), unpacked})
	x.in = x.in[end+x.size:]
	return nil
}

// xzFilters reads a block header behind its size byte: LZMA2 alone, or behind
// x86 BCJ with start offset 0.
func xzFilters(b []byte) (dict uint64, bcj bool, err error) {
	flags := b[0]
	b = b[1:]
	vli := func() (v uint64) {
		for shift := uint(0); err == nil; shift += 7 {
			if len(b) == 0 || shift > 56 {
				err = errors.New("xz: bad number in block header")
				return 0
			}
			c := b[0]
			b = b[1:]
			v |= uint64(c&0x7f) << shift
			if c&0x80 == 0 {
				break
			}
		}
		return v
	}
	if flags&0x3c != 0 {
		return 0, false, errors.New("xz: reserved block flags are set")
	}
	if flags&0x40 != 0 {
		vli() // packed size: the LZMA2 chunks tell it, too
	}
	if flags&0x80 != 0 {
		vli()
	}
	count := int(flags&3) + 1
	for i := 0; i < count; i++ {
		id, size := vli(), vli()
		if err != nil {
			return 0, false, err
		}
		if size > uint64(len(b)) {
			return 0, false, errors.New("xz: bad filter properties")
		}
		props := b[:size]
		b = b[size:]
		last := i == count-1
		switch {
		case id == xzFilterBCJ && !last && !bcj && (size == 0 || size == 4 && binary.LittleEndian.Uint32(props) == 0):
			bcj = true
		case id == xzFilterLZMA2 && last && size == 1 && props[0] <= 40:
			// 2 or 3 shifted: 4 KiB, 6 KiB, 8 KiB, ... 4 GiB.
			dict = (2 | uint64(props[0]&1)) << (props[0]/2 + 11)
			if dict > xzMaxDict {
				return 0, false, fmt.Errorf("xz: dictionary of %d bytes, expected at most %d", dict, int64(xzMaxDict))
			}
		default:
			return 0, false, fmt.Errorf("xz: filter %#x is not supported, expected LZMA2, or x86 BCJ and LZMA2", id)
		}
	}
	return dict, bcj, nil
}

// lzma2Extent walks the LZMA2 chunk headers at b: how many bytes they take
// and how many they unpack to.
func lzma2Extent(b []byte) (packed int, unpacked uint64, err error) {
	for at := 0; at < len(b); {
		c := b[at]
		switch {
		case c == 0:
			return at + 1, unpacked, nil
		case c <= 2: // stored
			if at+3 > len(b) {
				return 0, 0, errXZShort
			}
			n := int(binary.BigEndian.Uint16(b[at+1:])) + 1
			unpacked += uint64(n)
			at += 3 + n
		case c >= 0x80:
			if at+5 > len(b) {
				return 0, 0, errXZShort
			}
			unpacked += uint64(c&0x1f)<<16 + uint64(binary.BigEndian.Uint16(b[at+1:])) + 1
			n := int(binary.BigEndian.Uint16(b[at+3:])) + 1
			at += 5 + n
			if c >= 0xc0 { // a properties byte follows the sizes
				at++
			}
		default:
			return 0, 0, fmt.Errorf("xz: bad LZMA2 chunk type %#x", c)
		}
	}
	return 0, 0, errXZShort
}
