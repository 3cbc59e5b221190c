package cpu

import (
	"unsafe"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// Vendor chooses between the two families where they differ: SYSCALL in
// 32-bit code (AMD only), SYSENTER in long mode (Intel only), and a few
// corners.
type Vendor uint8

// Vendors.
const (
	Intel Vendor = iota
	AMD
)

// Bus is what lies beyond memory. All of it is slow path.
type Bus interface {
	// In and Out access I/O ports; size is 1, 2 or 4 bytes.
	In(port uint16, size int) uint32
	Out(port uint16, size int, v uint32)
	// ReadPhys and WritePhys access physical addresses outside the arena or
	// inside an MMIO window (see CPU.MMIO); size is 1, 2, 4 or 8 bytes.
	ReadPhys(pa uint64, size int) uint64
	WritePhys(pa uint64, size int, v uint64)
	// ReadMSR and WriteMSR serve the registers the CPU itself does not keep;
	// false means #GP(0).
	ReadMSR(n uint32) (uint64, bool)
	WriteMSR(n uint32, v uint64) bool
	// CPUID answers a leaf.
	CPUID(leaf, sub uint32) (a, b, c, d uint32)
	// TSC is the time-stamp counter now.
	TSC() uint64
}

// Intercept selects instructions that end Run with an Exit instead of being
// executed.
type Intercept uint8

// Intercepts.
const (
	InterceptSyscall  Intercept = 1 << iota // SYSCALL, wherever it would not be #UD
	InterceptSysenter                       // SYSENTER, wherever it would not be #UD
)

// zeroReg is the index in R that is always 0: "no base", "no index".
const zeroReg = 16

// State is the architectural state of one processor. It holds no pointers,
// so a copy of it is a snapshot.
type State struct {
	// R holds the general registers 0-15 in encoding order (x86.RAX ...).
	// R[16] is always zero; the rest is unused (a power of two spares bounds
	// checks).
	R   [32]uint64
	RIP uint64

	// The arithmetic flags are computed lazily: read them by Flags, write
	// them by SetFlags. rflags holds all other bits.
	rflags uint64
	lazy   lazyFlags

	Seg  [6]x86.Segment
	LDTR x86.Segment
	TR   x86.Segment
	GDTR x86.Table
	IDTR x86.Table

	CR0, CR2, CR3, CR4, CR8 uint64
	EFER                    uint64
	DR                      [8]uint64 // 0-3 addresses, 6 status, 7 control

	STAR, LSTAR, CSTAR, SFMASK            uint64
	KernelGSBase                          uint64
	SysenterCS, SysenterESP, SysenterEIP  uint64
	TSCAux, PAT, APICBase, XCR0, MiscEnab uint64

	// FX is the x87/SSE state in FXSAVE64 layout (SDM vol. 1, "Layout of the
	// 64-bit-mode FXSAVE64 Map"); XMMs start at 160, MXCSR is at 24.
	FX [512]byte

	// Shadow blocks interrupts and (after MOV SS/POP SS) debug traps for one
	// instruction (SDM vol. 3, "Masking Exceptions and Interrupts When
	// Switching Stacks").
	Shadow Shadow
	// NMIBlocked is set from the delivery of an NMI to the next IRET.
	NMIBlocked bool
	// Halted is set by HLT until an interrupt is delivered.
	Halted bool
	// PendingDB holds DR6 bits of a #DB that is due at the next instruction
	// boundary (after a MOV SS shadow).
	PendingDB uint64

	// CPL is the current privilege level (CS.RPL in effect).
	CPL uint8

	// Retired counts retired instructions: the clock of everything.
	Retired uint64
	// Random is the state of the generator behind RDRAND and RDSEED.
	Random uint64
}

// Shadow is the kind of one-instruction blocking in force.
type Shadow uint8

// Shadows.
const (
	ShadowNone  Shadow = iota
	ShadowSTI          // interrupts blocked
	ShadowMovSS        // interrupts, NMI and debug traps blocked
)

// CPU is one processor: its state and what makes it fast.
type CPU struct {
	State

	Mem       *mem.Memory
	Bus       Bus
	Vendor    Vendor
	Intercept Intercept
	// Policy is how the processor identifies itself by CPUID.
	Policy Policy
	// MaxPA is the number of physical address bits.
	MaxPA uint
	// Addresses from AltFrom up to AltTo are translated by the root at physical
	// address AltCR3 instead of CR3's; none when that is 0.
	AltFrom, AltTo, AltCR3 uint64
	// KeepTLB keeps stale translations until the guest flushes them
	// (`--tlb keep`); otherwise any write to a walked table drops them.
	KeepTLB bool
	// MMIO is a window of physical addresses inside the arena's range that
	// goes to the Bus (the local APIC page); empty when lo == hi.
	MMIOLo, MMIOHi uint64

	// Attn asks the loop to look before the next instruction: a pending
	// interrupt or NMI, a stop request. Set by the machine between slices;
	// see run.go.
	Attn Attn

	base      unsafe.Pointer // host address of physical address 0
	absent    feature        // what the model lacks
	mode      Mode           // derived from CS, CR0 and EFER: see updateMode
	tlb       *[tlbSize]tlbEntry
	tlbs      [tlbModes][tlbSize]tlbEntry
	gen       uint64 // low 12 bits of a valid read/exec tag
	wgen      uint64 // same of a valid write tag
	arch      uint64 // even: generation of ordinary translations
	archAll   uint64 // even: generation at the last full flush; |1 tags global ones
	archTop   uint64 // the last generation given out; arch may have gone back
	genTop    uint64 // same of gen and wgen
	wgenTop   uint64
	other     tlbSpace // of the root that was loaded before
	largeSeen bool     // a large page was cached since the last full flush
	seen      uint64   // mem.Revocations when wgen was last known good
	seenT     uint64   // mem.TableWrites when the TLB was last dropped

	fault x86.Fault // why a function returned stFault
	unmod *Unmodelled
	exit  Exit   // why a function returned stExit
	hit   uint64 // DR6 bits of data breakpoints hit by the running instruction
	watch bool   // DR7 enables a data breakpoint: accesses must be compared
	armed bool   // DR7 enables an instruction or data breakpoint: every instruction is stepped
	// tfAfter says whether the running instruction ends with a single-step
	// trap: TF as it was before it, unless the instruction rules otherwise
	// (SYSCALL, SYSRET, task switch).
	tfAfter bool
	// See exact: the instruction runs by itself; it must; it asked for it.
	stepping, forceStep, retry bool
	inRun                      bool // within Run: see exact
	// outside is set by a write to a device; repDone counts the iterations of
	// a REP turn that was interrupted to go on by itself: see repeat.
	outside bool
	repDone uint64

	blocks blockCache
	across [acrossSlots]acrossBlock
	one    block // scratch block of the stepping path
	// stepInst is the instruction that step executes; here it costs no
	// allocation.
	stepInst Inst
}

// Attn bits.
type Attn uint32

// Attention flags.
const (
	AttnInterrupt Attn = 1 << iota // leave Run as soon as a maskable interrupt can be taken
	AttnNMI                        // leave Run as soon as an NMI can be taken
	AttnStop                       // leave Run at the next boundary
)

// Mode says how instructions are decoded and addresses formed.
type Mode uint8

// Modes.
const (
	Mode16 Mode = iota // real mode, or a 16-bit code segment
	Mode32             // 32-bit code segment, compatibility mode included
	Mode64             // 64-bit code segment
)

// Mode returns the current decode mode.
func (c *CPU) Mode() Mode { return c.mode }

// Long reports whether long mode is active (EFER.LMA).
func (c *CPU) Long() bool { return c.EFER&x86.EFERLMA != 0 }

// Protected reports whether CR0.PE is set.
func (c *CPU) Protected() bool { return c.CR0&x86.CR0PE != 0 }
