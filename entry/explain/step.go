package explain

import "pvlab/hv/x86"

// Platform is whose rules of delivery and return hold.
type Platform uint8

// Platforms.
const (
	Native Platform = iota
	Xen
)

func (p Platform) String() string { return [...]string{"native", "xen"}[p] }

// MarshalText gives the platform's name in JSON.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Regs are the registers at an instruction boundary. R is in encoding order
// (x86.RAX ...).
type Regs struct {
	R      [16]uint64
	RIP    uint64
	RFLAGS uint64
	CS, SS uint16
	// FSBase and GSBase are for memory operands with a segment override.
	FSBase, GSBase uint64
}

// RSP is the stack pointer.
func (r *Regs) RSP() uint64 { return r.R[x86.RSP] }

// Step is one instruction that is about to execute.
type Step struct {
	Regs
	Number uint64 // retired instructions before it
	Code   []byte // bytes at RIP, up to 15; fewer if the rest is not readable
	// Kernel is true in guest-kernel mode: Xen's flag, or CPL 0 natively.
	Kernel bool
}

// Reader reads guest memory as the current code sees it, without side
// effects; it returns how many bytes from lin on are readable.
type Reader func(lin uint64, b []byte) int

func (read Reader) word(lin uint64) (uint64, bool) {
	var b [8]byte
	if read(lin, b[:]) != 8 {
		return 0, false
	}
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56, true
}
