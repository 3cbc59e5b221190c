package xenstore

import "encoding/binary"

// Errno is an error as it is sent in a message of type Error: its name.
// Empty means none.
type Errno string

// Errors that the daemon answers with.
const (
	ok     Errno = ""
	EINVAL Errno = "EINVAL"
	EACCES Errno = "EACCES"
	EEXIST Errno = "EEXIST"
	ENOENT Errno = "ENOENT"
	ENOMEM Errno = "ENOMEM"
	ENOSPC Errno = "ENOSPC"
	EIO    Errno = "EIO"
	ENOSYS Errno = "ENOSYS"
	EBUSY  Errno = "EBUSY"
	EAGAIN Errno = "EAGAIN"
	E2BIG  Errno = "E2BIG"
	EPERM  Errno = "EPERM"
)

// Type is a kind of message (P/io/xs_wire.h: xsd_sockmsg_type).
type Type uint32

// Types of messages. Number 20 was XS_RESTRICT.
const (
	Control Type = iota
	Directory
	Read
	GetPerms
	Watch
	Unwatch
	TransactionStart
	TransactionEnd
	Introduce
	Release
	GetDomainPath
	Write
	Mkdir
	Rm
	SetPerms
	WatchEvent
	Error
	IsDomainIntroduced
	Resume
	SetTarget
	_
	ResetWatches
	DirectoryPart
)

// Header begins every message: type, request id, transaction id and length of
// what follows, four 32-bit words.
type Header struct {
	Type Type
	Req  uint32 // echoed in the answer
	Tx   uint32 // 0: in no transaction
	Len  uint32 // bytes that follow
}

// Limits of the protocol, in bytes.
const (
	HeaderSize = 16
	PayloadMax = 4096
	relPathMax = 2048 // below /local/domain/ID/, and of other paths
)

func (h Header) bytes() (b [HeaderSize]byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], uint32(h.Type))
	le.PutUint32(b[4:], h.Req)
	le.PutUint32(b[8:], h.Tx)
	le.PutUint32(b[12:], h.Len)
	return b
}

func parseHeader(b []byte) Header {
	le := binary.LittleEndian
	return Header{Type(le.Uint32(b[0:])), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])}
}
