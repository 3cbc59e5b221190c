package judge

import (
	"fmt"
	"strings"
)

// Platform is where a guest ran.
type Platform string

// The two platforms of a cell.
const (
	Xen    Platform = "xen"    // as dom0 of Xen 4.17
	Native Platform = "native" // ring 0 of a bare machine, entered through the PVH note
)

// End is how a run ended.
type End int

// The ends. Blocked and Hang are decided by the judge (docs/conformance.md says
// how), all others are reported by Xen or by QEMU.
const (
	EndUnknown       End = iota
	EndPoweroff          // SHUTDOWN_poweroff; natively the power-off port
	EndReboot            // SHUTDOWN_reboot; natively a reset that is no triple fault
	EndCrash             // the guest reported its own crash: PANIC line or SHUTDOWN_crash
	EndKilled            // Xen killed the domain
	EndBlocked           // every vCPU waits and nothing is armed that could wake one
	EndTripleFault       // native only
	EndShutdownOther     // another SHUTDOWN_ reason, see Outcome.Reason
	EndHang              // neither ended nor blocked within the time allowed
)

var endNames = [...]string{
	EndUnknown: "unknown", EndPoweroff: "poweroff", EndReboot: "reboot", EndCrash: "crash",
	EndKilled: "killed", EndBlocked: "blocked", EndTripleFault: "triple-fault",
	EndShutdownOther: "shutdown-other", EndHang: "hang",
}

func (e End) String() string {
	if e < 0 || int(e) >= len(endNames) {
		return fmt.Sprintf("End(%d)", int(e))
	}
	return endNames[e]
}

// MarshalText makes an End readable in JSON.
func (e End) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Outcome is what one run of a guest came to, as far as two runs must agree.
type Outcome struct {
	Platform Platform
	End      End
	Reason   int // the SHUTDOWN_ number behind EndShutdownOther

	// Crash is the rule id of the death ("CRASH-02"), "" if Xen killed nothing.
	Crash string
	// Vector is that of Xen's `Unhandled:` line, or natively the first of the
	// exceptions that became the triple fault; -1 if there is none.
	Vector  int
	Code    uint64 // the exception's error code, if HasCode
	HasCode bool

	Walks []Walk // the page walks Xen printed, in order
	Regs  *Regs  // at the death; nil when there was none
	// Stack holds the words from RSP upwards, at most StackWords of them, and
	// StackEnd why there are fewer.
	Stack    []uint64
	StackEnd StackEnd

	Transcript []string // the guest's own lines
	Xen        []string // Xen's own lines after its boot, without the "(XEN) " prefix

	// Traps are the exceptions raised by guest code, in order, at most MaxTraps.
	// Under Xen they include those that Xen handles without telling the guest.
	Traps []Trap
}

// StackWords is how many words Xen dumps: debug_stack_lines (20) of four
// (xen/arch/x86/traps.c:show_guest_stack).
const StackWords = 80

// MaxTraps bounds Outcome.Traps: a guest in an endless fault makes millions.
const MaxTraps = 1 << 14

// StackEnd is why a stack dump has fewer than StackWords words.
type StackEnd string

// The reasons, after Xen's own words for them.
const (
	StackFull         StackEnd = ""             // not cut short, or Xen's 32 KiB boundary
	StackFault        StackEnd = "fault"        // Fault while accessing guest memory.
	StackInaccessible StackEnd = "inaccessible" // Guest-inaccessible memory.
	StackEmpty        StackEnd = "empty"        // Stack empty.
)

// Walk returns the last page walk, which belongs to the death itself, or nil.
// (A #PF with neither handler nor stack prints two: CRASH-14.)
func (o Outcome) Walk() *Walk {
	if len(o.Walks) == 0 {
		return nil
	}
	return &o.Walks[len(o.Walks)-1]
}

// Summary is the outcome in one line for a table or a message.
func (o Outcome) Summary() string {
	var b strings.Builder
	b.WriteString(o.End.String())
	if o.End == EndShutdownOther {
		fmt.Fprintf(&b, " reason %d", o.Reason)
	}
	if o.Crash != "" {
		b.WriteString(" " + o.Crash)
	}
	if o.Vector >= 0 {
		fmt.Fprintf(&b, " vec %d", o.Vector)
		if o.HasCode {
			fmt.Fprintf(&b, "[%04x]", o.Code)
		}
	}
	if w := o.Walk(); w != nil {
		fmt.Fprintf(&b, " walk %016x", w.Addr)
		if l := w.Hole(); l != 0 {
			fmt.Fprintf(&b, " hole at L%d", l)
		}
	}
	if o.Regs != nil {
		fmt.Fprintf(&b, " at %04x:%016x", o.Regs.CS, o.Regs.RIP)
	}
	return b.String()
}

// Trap is one exception raised by guest code.
type Trap struct {
	Vector int
	Code   uint32
	// RIP is the one saved in the frame: after the instruction for INT3 and
	// INT n, at it for faults.
	RIP  uint64
	CS   uint16
	CPL  int
	RSP  uint64
	CR2  uint64 // #PF only
	Soft bool   // raised by INT3, INT n, INTO
}

// Walk is one `Pagetable walk from` block.
type Walk struct {
	Addr    uint64
	Entries []WalkEntry // from L4 down; none for a non-canonical address
}

// WalkEntry is one line of a walk.
type WalkEntry struct {
	Level     int    // 4 to 1
	Index     int    // 0 to 511
	Entry     uint64 // machine frame in bits 12-51: masked when compared
	PFN       uint64 // the guest's own number of that frame, all ones if it has none
	Superpage bool
}

// Hole is the level whose entry is not present, 0 when all printed are.
func (w *Walk) Hole() int {
	for _, e := range w.Entries {
		if e.Entry&1 == 0 {
			return e.Level
		}
	}
	return 0
}

// Regs is the register dump at a death.
type Regs struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RIP, RFLAGS                            uint64
	CR0, CR2, CR3, CR4                     uint64
	FSBase, GSBase                         uint64
	GSShadow                               uint64 // Xen only: the inactive GS base
	CS, SS, DS, ES, FS, GS                 uint16
	EM                                     bool // Xen only: evtchn_upcall_mask
}
