package image

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

func openZstd(packed []byte, _ uint64) (io.Reader, error) {
	if err := zstdWhole(packed); err != nil {
		return nil, err
	}
	d, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// zstdWhole walks the blocks of the first frame (RFC 8878, section 3.1.1), so
// that a cut file is found before its content takes memory.
func zstdWhole(b []byte) error {
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		return err
	}
	for at := h.HeaderSize; ; {
		if len(b)-at < 3 {
			return io.ErrUnexpectedEOF
		}
		block := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16
		last, kind, size := block&1 != 0, block>>1&3, block>>3
		switch kind {
		case 1: // one byte repeated
			size = 1
		case 3:
			return errors.New("zstd: reserved block type")
		}
		if at += 3 + size; at > len(b) {
			return io.ErrUnexpectedEOF
		}
		if last {
			break
		}
	}
	return nil
}
