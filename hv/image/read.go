package image

import (
	"bytes"
	"io"
)

// headSize is what tells the format and, of an ELF, most often the program
// headers.
const headSize = 4096

// Read reads from in as much of a kernel file as Load looks at: an ELF to the
// end of its headers and segments, a bzImage to the end of its payload, an
// archive whole, of anything else the first bytes. limit is the guest's memory
// in bytes. So a pipe without end costs no more than its kernel; a file that
// can be read at any place is for Open.
//
// What is missing at the end is for Load to report. The error is an *Error,
// or what in gave, wrapped into one.
func Read(name string, in io.Reader, limit uint64) ([]byte, error) {
	f := fileReader{r: reporter(name), in: in}
	if err := f.upTo(headSize, "header"); err != nil {
		return nil, err
	}
	if err := f.kernel(limit); err != nil {
		return nil, err
	}
	return f.buf.Bytes(), nil
}

// fileReader collects the beginning of a file.
type fileReader struct {
	r   reporter
	in  io.Reader
	buf bytes.Buffer
}

// kernel reads the rest of what the bytes so far promise.
func (f *fileReader) kernel(limit uint64) *Error {
	head := f.buf.Bytes()
	switch {
	case isBzImage(head):
		_, end := bzPayloadAt(head)
		if end > limit {
			return f.r.errorf("bzImage payload_length", "the payload ends at %d, the guest's memory is %d bytes", end, limit)
		}
		return f.upTo(end, "bzImage payload")
	case bytes.HasPrefix(head, []byte(elfMagic)):
		return f.elf(limit)
	}
	for _, p := range packings {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			return f.archive(p.name, limit)
		}
	}
	return nil
}

func (f *fileReader) elf(limit uint64) *Error {
	for {
		need, done, err := f.r.extent(f.buf.Bytes())
		if err != nil {
			return err
		}
		if need > limit {
			return f.r.errorf("ELF header", "the headers reach to %d, the guest's memory is %d bytes", need, limit)
		}
		had := f.buf.Len()
		if err := f.upTo(need, "segments"); err != nil {
			return err
		}
		if done || f.buf.Len() == had { // the end of a truncated file
			return nil
		}
	}
}

func (f *fileReader) archive(name string, limit uint64) *Error {
	most := min(limit, maxPacked)
	if err := f.upTo(most+1, name); err != nil {
		return err
	}
	if n := uint64(f.buf.Len()); n > most {
		return f.r.errorf(name, "the archive has more than %d bytes, no kernel that fits into the guest's memory has", most)
	}
	return nil
}

// upTo reads on until the buffer has n bytes or the file ends.
func (f *fileReader) upTo(n uint64, field string) *Error {
	have := uint64(f.buf.Len())
	if n <= have {
		return nil
	}
	n -= have
	f.buf.Grow(int(min(n, 1<<20)) + bytes.MinRead) // it may promise anything; Copy wants to see the end, too
	_, err := io.Copy(&f.buf, io.LimitReader(f.in, int64(n)))
	if err != nil {
		return f.r.errorf(field, "%v", err)
	}
	return nil
}
