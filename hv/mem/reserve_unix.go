//go:build unix

package mem

import "syscall"

// reserve asks the host for zero pages that cost memory only when touched.
func reserve(size uint64) ([]byte, func(), error) {
	b, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	return b, func() { _ = syscall.Munmap(b) }, nil
}
