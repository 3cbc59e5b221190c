package abi

import "fmt"

// Errno is Xen's own error numbering (Xen public errno.h). The values are
// positive; a hypercall that fails returns the negated number in RAX.
type Errno int64

// Error numbers that a PV guest can meet.
const (
	EPERM         Errno = 1
	ENOENT        Errno = 2
	ESRCH         Errno = 3
	EINTR         Errno = 4
	EIO           Errno = 5
	ENXIO         Errno = 6
	E2BIG         Errno = 7
	EBADF         Errno = 9
	EAGAIN        Errno = 11
	ENOMEM        Errno = 12
	EACCES        Errno = 13
	EFAULT        Errno = 14
	EBUSY         Errno = 16
	EEXIST        Errno = 17
	EXDEV         Errno = 18
	ENODEV        Errno = 19
	EINVAL        Errno = 22
	ENOSPC        Errno = 28
	EDOM          Errno = 33
	ERANGE        Errno = 34
	ENOSYS        Errno = 38
	ENODATA       Errno = 61
	ETIME         Errno = 62
	EOVERFLOW     Errno = 75
	EILSEQ        Errno = 84
	ERESTART      Errno = 85
	EOPNOTSUPP    Errno = 95
	EADDRNOTAVAIL Errno = 99
	ENOBUFS       Errno = 105
)

var errnoNames = map[Errno]string{
	EPERM: "EPERM", ENOENT: "ENOENT", ESRCH: "ESRCH", EINTR: "EINTR", EIO: "EIO", ENXIO: "ENXIO", E2BIG: "E2BIG",
	EBADF: "EBADF", EAGAIN: "EAGAIN", ENOMEM: "ENOMEM", EACCES: "EACCES", EFAULT: "EFAULT", EBUSY: "EBUSY",
	EEXIST: "EEXIST", EXDEV: "EXDEV", ENODEV: "ENODEV", EINVAL: "EINVAL", ENOSPC: "ENOSPC",
	EDOM: "EDOM", ERANGE: "ERANGE", ENOSYS: "ENOSYS", ENODATA: "ENODATA", ETIME: "ETIME", EOVERFLOW: "EOVERFLOW",
	EILSEQ: "EILSEQ", ERESTART: "ERESTART", EOPNOTSUPP: "EOPNOTSUPP", EADDRNOTAVAIL: "EADDRNOTAVAIL", ENOBUFS: "ENOBUFS",
}

// String prints as "-EINVAL", the way a guest sees it; 0 is "0".
func (e Errno) String() string {
	if e == 0 {
		return "0"
	}
	if n, ok := errnoNames[e]; ok {
		return "-" + n
	}
	return fmt.Sprintf("%d", -int64(e))
}

// Error makes an Errno an error.
func (e Errno) Error() string { return e.String() }

// Result is the value of RAX for the error: the number negated, 0 for
// success.
func (e Errno) Result() uint64 { return uint64(-int64(e)) }
