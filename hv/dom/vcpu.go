package dom

import (
	"fmt"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// VCPU is one virtual processor. While the guest does not run, the registers
// in CPU are the interrupted context (Xen's struct cpu_user_regs).
type VCPU struct {
	CPU *cpu.CPU
	Dom *Domain
	ID  int
	VCPUState

	running bool // this is the vCPU Xen works for
}

// VCPUState is what Xen keeps of a vCPU beside its registers. It holds no
// pointers: a copy is a snapshot.
type VCPUState struct {
	Trap [256]abi.TrapInfo

	// Callback addresses; 0 = none (CB-*).
	Event, Failsafe, Syscall, Syscall32, Sysenter uint64
	FailsafeMasks, SyscallMasks                   bool
	Syscall32Masks, SysenterMasks                 bool

	KernelSP uint64
	KernelSS uint64 // as given to stack_switch, RPL forced; never loaded (FRAME-10)

	// Roots: machine frame numbers, 0 = none.
	GuestTable, GuestTableUser uint64
	// KernelMode is TF_kernel_mode: which of the two is loaded, whose GS base
	// is live, and whether SYSCALL is a hypercall.
	KernelMode bool

	IOPL        uint8 // virtual IOPL, 0-3 (BOOT-15)
	IOBitmap    uint64
	IOBitmapLen uint32 // ports

	CR2 uint64 // what MOV from CR2 gives (FRAME-19)
	CR4 uint64 // as the guest sees it
	TS  bool   // virtual CR0.TS

	DR6, DR7 uint64 // virtual; DR0-3 are the CPU's
	DR7Emul  uint64 // enable bits of I/O breakpoints (DBG-11)

	GDTFrames  [abi.FirstReservedGDTPage]uint64
	GDTEntries uint32
	LDTBase    uint64
	LDTEntries uint32
	LDTMapped  uint32 // bit n: page n of the LDT is mapped (SEG-06)

	NMIPending bool
	// AsyncMask and NMIOldMask are async_exception_mask and the value
	// do_iret puts back (CB-11).
	AsyncMask, NMIOldMask uint8

	InfoMFN    uint64 // frame of vcpu_info
	InfoOffset uint64
	InfoMoved  bool // register_vcpu_info was done

	VIRQ [abi.NrVIRQs]uint32 // port each virtual IRQ is bound to, 0 = none
	FIFO FIFOQueues

	Initialised bool
	Down        bool // VPF_down
	Blocked     bool
	Polling     bool
	PollPort    int32 // -1: any; 0: not polling
	PollAt      uint64

	Periodic     uint64 // ns, 0 = off
	PeriodicLast uint64
	Singleshot   uint64 // absolute ns, 0 = off

	Runstate      uint32
	RunstateEntry uint64
	RunstateTime  [4]uint64
	RunstateArea  uint64 // guest address, 0 = none
	TimeArea      uint64
	AreaPending   bool // an update waits for kernel mode (EVT-18)

	// Sysret says that the return to the guest goes by SYSRET: set by a
	// SYSCALL and by a bounce, cleared by other exits and by iret (TRAP_syscall).
	Sysret bool
	// Reload says that CS and SS are to be loaded by their selectors, which
	// were changed.
	Reload bool

	// Kicked says that something became pending while the vCPU was in the
	// guest or not running: it must pass through Xen before its next
	// instruction.
	Kicked bool

	// RawFlags is the context's RFLAGS while it has bits that a processor has
	// no room for: 4.17 takes them from an iret frame as they are and shows
	// them until the guest is entered (HIST-25). Valid with FlagsRaw.
	RawFlags uint64
	FlagsRaw bool

	// Override says that SCHEDOP_pin_override is in force.
	Override bool

	// Switched says that another vCPU has had the processor since this one ran:
	// its segments are still to be loaded again (SEG-08).
	Switched bool

	// Toggled is State.Changes as it was when a root was last loaded and all
	// translations dropped.
	Toggled uint64
	// Reloaded is State.Changes as it was when the guest's translations were
	// last dropped on the way into it.
	Reloaded uint64

	// Yielded asks the scheduler to run somebody else next.
	Yielded bool

	// Fresh is set from VCPUOP_initialise until the vCPU first runs: its data
	// segments and bases are still to be loaded.
	Fresh            bool
	StartSel         [4]uint16 // DS, ES, FS, GS
	StartFS, StartGS uint64
}

// AsyncNMI is the bit of NMI in AsyncMask.
const AsyncNMI = 1 << 1

func (d *Domain) newVCPU(id int) *VCPU {
	v := &VCPU{Dom: d, ID: id}
	v.Down = id != 0
	v.Periodic = 10_000_000 // EVT-10
	v.DR6, v.DR7 = x86.DR6Init, x86.DR7Init
	v.InfoMFN = d.space.sharedInfo
	v.InfoOffset = uint64(id) * abi.VCPUInfoSize
	v.Runstate = abi.RunstateOffline
	if id < abi.SharedInfoVCPUs {
		v.SetMask(1)
	} else {
		v.InfoMFN = 0 // no legacy slot: dummy until registered (EVT-16)
	}
	v.CPU = d.NewCPU(id)
	if d.space.isolated != 0 {
		v.CPU.AltFrom, v.CPU.AltTo = abi.HypervisorVirtStart, abi.HypervisorVirtEnd
		v.CPU.AltCR3 = d.space.isolated << mem.PageShift
	}
	v.resetCPU()
	v.CR4 = v.FixCR4(0)
	return v
}

// resetCPU puts the processor into the state in which Xen runs a PV guest.
func (v *VCPU) resetCPU() {
	c := v.CPU
	c.Reset()
	c.CR0 = HostCR0
	c.CR4 = HostCR4
	c.EFER = x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	c.PAT = 0x050100070406 // XEN_MSR_PAT, MM-27
	c.XCR0 = 3             // x87 and SSE
	c.LoadFPU(nil)
	c.GDTR = x86.Table{Base: GDTBase(v.ID), Limit: abi.LastReservedGDTByte}
	// Xen's own, as SIDT tells the guest (PRIV-05); no gate is read from it here.
	c.IDTR = x86.Table{Base: v.Dom.Version.Text.IDT, Limit: 256*16 - 1}
	c.LDTR = x86.Segment{}
	c.TR = x86.Segment{Sel: abi.TSSSelector, Attr: x86.AttrP | x86.TypeTSSBusy, Limit: 0x67, Base: GDTBase(v.ID) + tssPage<<mem.PageShift}
	c.Intercept = cpu.InterceptSyscall | cpu.InterceptSysenter
	for _, s := range []int{x86.DS, x86.ES, x86.FS, x86.GS} {
		c.Seg[s] = x86.Segment{}
	}
	c.SetFlat(x86.CS, abi.FlatKernelCS, 3)
	c.SetFlat(x86.SS, abi.FlatKernelSS, 3)
	c.SetFlags(x86.FlagOne | x86.FlagIF)
	c.DR[6], c.DR[7] = x86.DR6Init, x86.DR7Init
	c.FlushTLB()
	c.StateChanged()
}

// Name is how Xen prints a vCPU: "d0v0".
func (v *VCPU) Name() string { return fmt.Sprintf("d%dv%d", v.Dom.ID, v.ID) }

// infoPage is the frame that holds vcpu_info.
func (v *VCPU) info() []byte {
	return v.Dom.Mem.Frame(v.InfoMFN)[v.InfoOffset : v.InfoOffset+abi.VCPUInfoSize]
}

// HasInfo reports whether the vCPU has a vcpu_info at all.
func (v *VCPU) HasInfo() bool { return v.InfoMFN != 0 }

// Mask is evtchn_upcall_mask.
func (v *VCPU) Mask() uint8 {
	if v.InfoMFN == 0 {
		return 1
	}
	return v.Dom.Mem.Frame(v.InfoMFN)[v.InfoOffset+abi.VCPUInfoUpcallMask]
}

// SetMask writes evtchn_upcall_mask.
func (v *VCPU) SetMask(m uint8) {
	if v.InfoMFN != 0 {
		v.Dom.Mem.PrepareWrite(v.InfoMFN)
		v.Dom.Mem.Frame(v.InfoMFN)[v.InfoOffset+abi.VCPUInfoUpcallMask] = m
	}
}

// MaskWord is the 8 bytes of vcpu_info that begin with the mask: what Xen
// puts into the upper half of a frame's CS slot (FRAME-07).
func (v *VCPU) MaskWord() uint64 {
	if v.InfoMFN == 0 {
		return 1
	}
	return v.Dom.Mem.Read64(v.InfoMFN<<mem.PageShift + v.InfoOffset + abi.VCPUInfoUpcallMask)
}

// Pending is evtchn_upcall_pending.
func (v *VCPU) Pending() uint8 {
	if v.InfoMFN == 0 {
		return 0
	}
	return v.Dom.Mem.Frame(v.InfoMFN)[v.InfoOffset+abi.VCPUInfoUpcallPending]
}

// Deliverable reports whether an upcall is due: pending and unmasked as whole
// bytes (EVT-02).
func (v *VCPU) Deliverable() bool { return v.Pending() != 0 && v.Mask() == 0 }

// PublishCR2 makes addr the guest's CR2, in vcpu_info too (FRAME-19).
func (v *VCPU) PublishCR2(addr uint64) {
	v.CR2 = addr
	if v.InfoMFN != 0 {
		v.Dom.Mem.Write64(v.InfoMFN<<mem.PageShift+v.InfoOffset+abi.VCPUInfoCR2, addr)
	}
}

// InfoCR2 is the CR2 in vcpu_info, which the guest may have changed.
func (v *VCPU) InfoCR2() uint64 {
	if v.InfoMFN == 0 {
		return v.CR2
	}
	return v.Dom.Mem.Read64(v.InfoMFN<<mem.PageShift + v.InfoOffset + abi.VCPUInfoCR2)
}

// Runnable reports whether the scheduler may run the vCPU.
func (v *VCPU) Runnable() bool { return !v.Down && !v.Blocked && !v.Dom.ShutDown }

// Enter and Leave bracket Xen's work for this vCPU: it is Xen's "current".
func (v *VCPU) Enter() { v.running = true }

// Running reports whether it is.
func (v *VCPU) Running() bool { return v.running }

// Leave ends it.
func (v *VCPU) Leave() { v.running = false }
