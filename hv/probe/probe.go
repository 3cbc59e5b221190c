// Package probe is the fixed list of points at which a Machine lets others
// look: explanations, traces, logs. A point without observers costs one
// compare; events are plain values that observers must not keep without
// copying. It is not the guest tracer's probes.
package probe

import "pvlab/hv/x86"

// Set holds the observers of every point. Observers run in the order in which
// they were added, on the machine's goroutine, and must not change the guest.
type Set struct {
	Frame      []func(*Frame)      // an event was delivered to the guest
	StoreFault []func(*StoreFault) // a word of a frame could not be stored
	Iret       []func(*Iret)       // the guest returned by HYPERVISOR_iret
	Hypercall  []func(*Hypercall)  // a hypercall begins
	Return     []func(*Hypercall)  // it ended; Result is valid
	PageTable  []func(*PageTable)  // an entry of a guest page table changed
	Emulated   []func(*Emulated)   // an instruction was emulated for the guest
	Mode       []func(*Mode)       // the vCPU changed between kernel and user mode
	Death      []func(*Death)      // the domain is being crashed
	Console    []func(line string) // Xen printed a line (without "(XEN) ")
}

// Fire calls all observers of a point.
func Fire[T any](to []func(*T), ev *T) {
	for _, f := range to {
		f(ev)
	}
}

// StoreFault is the word of a frame that could not be written.
type StoreFault struct {
	VCPU  int
	Slot  string // name of the slot, as in Frame
	Addr  uint64 // linear address of the slot
	Fault x86.Fault
}

// Iret is one HYPERVISOR_iret: the nine words read at At, in frame order
// (IRET-01).
type Iret struct {
	VCPU   int
	At     uint64
	Words  [9]uint64
	ToUser bool
	Sysret bool // VGCF_in_syscall
}

// Hypercall is one call. Args beyond NArgs mean nothing.
type Hypercall struct {
	VCPU   int
	Number uint64
	Name   string
	Op     string // its operation, if it has one that is known: "EVTCHNOP_send"
	Args   [5]uint64
	NArgs  int
	Result uint64
	Multi  bool   // an entry of a multicall
	RIP    uint64 // after the SYSCALL
}

// PageTable is one change of an entry.
type PageTable struct {
	VCPU  int
	PA    uint64 // machine address of the entry
	Level uint8
	New   uint64 // as the guest asked
	Error int64  // Xen errno, 0 = done
	Via   string // "mmu_update", "update_va_mapping", "emulation"
}

// Emulated is an instruction that Xen executed for the guest, or refused to.
type Emulated struct {
	VCPU int
	RIP  uint64
	What string // mnemonic
	Done bool   // false: the guest gets the fault
}

// Mode is a change between guest-kernel and guest-user mode (IRET-12).
type Mode struct {
	VCPU   int
	Kernel bool // the mode entered
	CR3    uint64
	GSBase uint64
}

// Death is the crash of the domain.
type Death struct {
	VCPU int
	Rule string // "CRASH-03"
	Text string // the line of Xen that says why
}
