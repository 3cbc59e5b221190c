package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"pvlab/guest"
	"pvlab/hv/image"
)

// inputFile is a file named on the command line, open for reading.
type inputFile struct {
	*os.File
	name string
	size int64 // -1 if only reading tells
}

// pipeGrace is how long a named pipe may stand without a writer.
const pipeGrace = 500 * time.Millisecond

// openInput opens a regular file or a pipe. Other things have no end, or
// none that comes by itself. Opening a pipe that nobody writes to would wait
// for ever, so it is opened without waiting.
func openInput(name string) (*inputFile, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fileError(name, err)
	}
	in := &inputFile{file, name, -1}
	st, err := file.Stat()
	switch mode := st.Mode(); {
	case err != nil:
		err = fileError(name, err)
	case mode.IsDir():
		err = inputf("%s: is a directory", name)
	case mode.IsRegular():
		in.size = st.Size()
	case mode&fs.ModeNamedPipe == 0:
		err = inputf("%s: is a device, expected a file or a pipe", name)
	}
	if err == nil && in.size == 0 && strings.HasPrefix(name, "/proc/") {
		in.size = -1 // such files do not know
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return in, nil
}

// Read waits for the first byte of a pipe as long as it has a writer, or may
// yet get one.
func (f *inputFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	if f.size < 0 {
		for waited := time.Duration(0); n == 0 && err == io.EOF && waited < pipeGrace; waited += pipeGrace / 50 {
			time.Sleep(pipeGrace / 50)
			n, err = f.File.Read(b)
		}
		f.size = 0 // it has begun, or never will
	}
	return n, err
}

// fileError says what is wrong with a file, without the system call's name.
func fileError(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if name == "" {
		name = `""`
	}
	return inputf("%s: %v", name, err)
}

// openGuest loads a guest image: a file, or builtin:NAME. limit is the guest's
// memory in bytes.
func openGuest(name string, limit uint64) (*image.Image, error) {
	if n, ok := strings.CutPrefix(name, "builtin:"); ok {
		b, err := guest.Image(n)
		if err != nil {
			return nil, inputf("%s: no such embedded image: %s", name, strings.Join(guest.Names(), ", "))
		}
		return image.Load(name, b, limit)
	}
	file, err := openInput(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.size >= 0 {
		return image.Open(name, io.NewSectionReader(file.File, 0, file.size), limit)
	}
	b, err := image.Read(name, file, limit)
	if err != nil {
		return nil, err
	}
	return image.Load(name, b, limit)
}

// readInitrd reads a whole file of at most limit bytes.
func readInitrd(name string, limit uint64) ([]byte, error) {
	file, err := openInput(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.size >= 0 {
		if uint64(file.size) > limit {
			return nil, inputf("%s: size: %d bytes do not fit beside the kernel into guest memory (--mem), which has room for %d", name, file.size, limit)
		}
		b := make([]byte, file.size)
		n, err := io.ReadFull(file, b)
		if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF { // it may have shrunk
			return nil, fileError(name, err)
		}
		return b[:n], nil
	}
	b, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if len(b) == 0 {
		return nil, inputf("%s: nothing came through this pipe", name)
	}
	if uint64(len(b)) > limit {
		return nil, inputf("%s: size: more than the %d bytes that guest memory (--mem) has room for beside the kernel", name, limit)
	}
	return b, nil
}
