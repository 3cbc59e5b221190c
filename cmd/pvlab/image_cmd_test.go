package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/ulikunitz/xz"

	"pvlab/guest"
)

// imageCmd is `image FILE EDIT...`: writes the bench guest's ELF with edits
// made in order:
//
//	cut=N/D         the first N/D of the file
//	at=OFF:N=V      the N-byte little-endian word at OFF is V
//	ph=I:FIELD=V    a field of program header I
//	flip=SEED:N     N random bits turned over
//	break=N/D       one bit turned over after the first N/D of the file
//	zeros=N         N zero bytes added
//	noise=N         N bytes added that pack to about a half
//	gzip, zstd, xz  packed
//	sparse=N        the file is N bytes long, the added ones a hole
func imageCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: image FILE EDIT...")
	}
	b, err := guest.Image("bench")
	ts.Check(err)
	b = bytes.Clone(b)
	length := int64(-1)
	for _, e := range args[1:] {
		name, arg, _ := strings.Cut(e, "=")
		if name == "sparse" {
			length, err = strconv.ParseInt(arg, 0, 64)
		} else {
			b, err = edit(b, name, arg)
		}
		if err != nil {
			ts.Fatalf("image: %s: %v", e, err)
		}
	}
	file := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(file, b, 0o600))
	if length >= 0 {
		ts.Check(os.Truncate(file, length))
	}
}

func edit(b []byte, name, arg string) ([]byte, error) {
	var x, y uint64
	switch name {
	case "cut":
		if _, err := fmt.Sscanf(arg, "%d/%d", &x, &y); err != nil {
			return nil, err
		}
		return b[:uint64(len(b))*x/y], nil
	case "at":
		var v uint64
		if _, err := fmt.Sscanf(arg, "%v:%v=%v", &x, &y, &v); err != nil {
			return nil, err
		}
		return b, put(b[x:], y, v)
	case "ph":
		where, value, _ := strings.Cut(arg, "=")
		index, field, _ := strings.Cut(where, ":")
		i, err := strconv.ParseUint(index, 0, 16)
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseUint(value, 0, 64)
		if err != nil {
			return nil, err
		}
		off, ok := map[string]uint64{"p_offset": 8, "p_vaddr": 16, "p_paddr": 24, "p_filesz": 32, "p_memsz": 40}[field]
		if !ok {
			return nil, fmt.Errorf("no field %q", field)
		}
		phoff := binary.LittleEndian.Uint64(b[32:])
		return b, put(b[phoff+i*56+off:], 8, v)
	case "flip":
		if _, err := fmt.Sscanf(arg, "%d:%d", &x, &y); err != nil {
			return nil, err
		}
		rng := rand.New(rand.NewPCG(x, 0))
		for range y {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		return b, nil
	case "break":
		if _, err := fmt.Sscanf(arg, "%d/%d", &x, &y); err != nil {
			return nil, err
		}
		b[uint64(len(b))*x/y] ^= 0x10
		return b, nil
	case "noise":
		n, err := strconv.Atoi(arg)
		rng := rand.New(rand.NewPCG(1, 0))
		for range n {
			b = append(b, byte(rng.Uint32()&0x0f))
		}
		return b, err
	case "zeros":
		n, err := strconv.Atoi(arg)
		return append(b, make([]byte, n)...), err
	case "gzip", "zstd", "xz":
		return pack(name, b)
	}
	return nil, io.ErrUnexpectedEOF
}

func pack(name string, b []byte) ([]byte, error) {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		w, err = gzip.NewWriterLevel(&out, gzip.BestSpeed)
	case "zstd":
		w, err = zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	case "xz":
		w, err = xz.NewWriter(&out)
	}
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// put writes an n-byte word.
func put(b []byte, n, v uint64) error {
	var w [8]byte
	binary.LittleEndian.PutUint64(w[:], v)
	if n > 8 || n > uint64(len(b)) {
		return fmt.Errorf("no room for %d bytes", n)
	}
	copy(b, w[:n])
	return nil
}
