package x86

import "fmt"

// Exception vectors (SDM vol. 3, "Exception and Interrupt Vectors").
const (
	VectorDE  = 0  // divide error
	VectorDB  = 1  // debug
	VectorNMI = 2  // non-maskable interrupt
	VectorBP  = 3  // breakpoint
	VectorOF  = 4  // overflow
	VectorBR  = 5  // bound range
	VectorUD  = 6  // invalid opcode
	VectorNM  = 7  // device not available
	VectorDF  = 8  // double fault
	VectorTS  = 10 // invalid TSS
	VectorNP  = 11 // segment not present
	VectorSS  = 12 // stack segment
	VectorGP  = 13 // general protection
	VectorPF  = 14 // page fault
	VectorMF  = 16 // x87 error
	VectorAC  = 17 // alignment check
	VectorMC  = 18 // machine check
	VectorXM  = 19 // SIMD floating point
	VectorVE  = 20 // virtualization
	VectorCP  = 21 // control protection
)

var vectorNames = [32]string{
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
	"#DF", "#9", "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
	"#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "#22", "#23",
	"#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
}

// VectorName returns the manual's mnemonic ("#PF") or "vec N" above 31.
func VectorName(v uint8) string {
	if int(v) < len(vectorNames) {
		return vectorNames[v]
	}
	return fmt.Sprintf("vec %d", v)
}

// VectorHasCode reports whether a hardware exception of this vector pushes an
// error code (SDM vol. 3, table "Protected-Mode Exceptions and Interrupts").
func VectorHasCode(v uint8) bool {
	const has = 1<<8 | 1<<10 | 1<<11 | 1<<12 | 1<<13 | 1<<14 | 1<<17 | 1<<21
	return v < 32 && has>>v&1 != 0
}

// Fault is an exception the guest may see. It is comparable; the zero value
// with Valid false means "no fault".
type Fault struct {
	Vector  uint8
	HasCode bool
	Valid   bool
	Code    uint32 // error code when HasCode
	Addr    uint64 // CR2 for #PF, DR6 bits to merge for #DB
}

// NoCode makes a fault without an error code.
func NoCode(v uint8) Fault { return Fault{Vector: v, Valid: true} }

// WithCode makes a fault with an error code.
func WithCode(v uint8, code uint32) Fault {
	return Fault{Vector: v, HasCode: true, Valid: true, Code: code}
}

// PageFault makes a #PF; addr is the linear address that CR2 gets.
func PageFault(code uint32, addr uint64) Fault {
	return Fault{Vector: VectorPF, HasCode: true, Valid: true, Code: code, Addr: addr}
}

// String prints as "#PF[0x3]" or "#UD".
func (f Fault) String() string {
	if !f.Valid {
		return "none"
	}
	if f.HasCode {
		return fmt.Sprintf("%s[%#x]", VectorName(f.Vector), f.Code)
	}
	return VectorName(f.Vector)
}

// Page-fault error code bits (SDM vol. 3, "Page-Fault Exceptions").
const (
	PFPresent  = 1 << 0 // protection violation, not a missing page
	PFWrite    = 1 << 1
	PFUser     = 1 << 2
	PFReserved = 1 << 3
	PFFetch    = 1 << 4
)
