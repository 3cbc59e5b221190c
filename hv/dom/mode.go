package dom

import (
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Control registers as Xen runs a PV guest on the judged machine (a Skylake
// without SMAP under page-table isolation): what register dumps show.
const (
	HostCR0 = x86.CR0PG | x86.CR0AM | x86.CR0WP | x86.CR0NE | x86.CR0ET | x86.CR0MP | x86.CR0PE
	HostCR4 = x86.CR4PAE | x86.CR4MCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4OSXSAVE | x86.CR4SMEP
)

// The CR4 bits a guest may choose, and those of Xen it sees (PRIV-06;
// XI/pv/domain.h:PV_CR4_GUEST_MASK).
const (
	cr4Guest   = x86.CR4TSD | x86.CR4DE | x86.CR4FSGSBASE | x86.CR4OSXSAVE
	cr4Visible = x86.CR4PAE | x86.CR4MCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT
)

// FixCR4 is what a guest that writes val to CR4 gets to see
// (X/pv/domain.c:pv_fixup_guest_cr4).
func (v *VCPU) FixCR4(val uint64) uint64 { return val&cr4Guest | HostCR4&cr4Visible }

// SetCR4 sets the virtual CR4 and what of it is real
// (X/pv/domain.c:pv_make_cr4).
func (v *VCPU) SetCR4(val uint64) {
	v.CR4 = v.FixCR4(val)
	v.CPU.CR4 = HostCR4 | v.CR4&(x86.CR4TSD|x86.CR4FSGSBASE)
	v.CPU.StateChanged()
}

// SetTS sets the virtual CR0.TS, which is the real one too.
func (v *VCPU) SetTS(on bool) {
	v.TS = on
	if on {
		v.CPU.CR0 |= x86.CR0TS
	} else {
		v.CPU.CR0 &^= x86.CR0TS
	}
}

// LoadRoot loads the page table of the current mode, dropping what the last
// one left in the TLB.
func (v *VCPU) LoadRoot() {
	mfn := v.root()
	v.CPU.CR3 = mfn << mem.PageShift
	v.CPU.FlushTLBNonGlobal()
	v.Toggled = v.Dom.Changes
}

// root is the frame of the current mode's top table.
func (v *VCPU) root() uint64 {
	if v.KernelMode {
		return v.GuestTable
	}
	return v.GuestTableUser
}

// ReloadCR3 loads CR3 on the way into the guest, as Xen does under page-table
// isolation; where no page table has changed since, that shows nowhere.
func (v *VCPU) ReloadCR3() {
	if v.Reloaded != v.Dom.Changes {
		v.Reloaded = v.Dom.Changes
		v.CPU.FlushTLB()
	}
}

// ToggleTable switches between the kernel's and the user's page table without
// touching GS: what Xen does to look at kernel memory from user mode.
func (v *VCPU) ToggleTable() {
	v.KernelMode = !v.KernelMode
	if v.Toggled != v.Dom.Changes {
		v.LoadRoot()
		return
	}
	v.CPU.SwitchRoot(v.root() << mem.PageShift)
}

// ToggleMode is the switch between guest-kernel and guest-user mode: page
// table and GS base, always together (IRET-12; X/pv/domain.c:
// toggle_guest_mode). Area updates that waited for the kernel's page table
// are made.
func (v *VCPU) ToggleMode() {
	c := v.CPU
	gs := &c.Seg[x86.GS]
	gs.Base, c.KernelGSBase = c.KernelGSBase, gs.Base
	v.ToggleTable()
	if v.KernelMode && v.AreaPending {
		v.updateAreas()
	}
	if to := v.Dom.Probes.Mode; len(to) != 0 {
		probe.Fire(to, &probe.Mode{VCPU: v.ID, Kernel: v.KernelMode, CR3: c.CR3, GSBase: gs.Base})
	}
}

// AdoptTables makes the tables that the builder laid out at frame l4 vCPU 0's:
// validated, pinned and loaded (BOOT-08). The counts come out as if the guest
// had built them by hypercalls.
func (d *Domain) AdoptTables(l4 uint64) error {
	if err := d.Rules.Pin(l4, d.owner(), pagetable.TypeL4); err != 0 {
		return &AdoptError{MFN: l4, Err: err}
	}
	if err := d.Rules.GetPageAndType(l4, d.owner(), pagetable.TypeL4); err != 0 {
		return &AdoptError{MFN: l4, Err: err}
	}
	v := d.VCPU[0]
	v.showM2P(l4, true)
	v.GuestTable = l4
	v.Runstate = abi.RunstateRunning
	v.Initialised, v.Down = true, false
	v.KernelMode = true
	v.LoadRoot()
	return nil
}

// AdoptError says that the builder's page tables break the rules of PV page
// tables: a defect of the builder.
type AdoptError struct {
	MFN uint64
	Err abi.Errno
}

func (e *AdoptError) Error() string {
	return "dom: the start-of-day page tables do not validate: " + e.Err.Error()
}

// SetStart sets vCPU 0's start state (BOOT-04, BOOT-11).
func (d *Domain) SetStart(rip, rsp, rsi uint64) {
	v := d.VCPU[0]
	v.CPU.RIP = rip
	clear(v.CPU.R[:]) // a processor's reset leaves its signature in EDX
	v.CPU.R[x86.RSP] = rsp
	v.CPU.R[x86.RSI] = rsi
	if !d.Privileged {
		v.KernelSP = rsp
	}
	v.KernelSS = abi.FlatKernelSS
	if d.Privileged {
		v.KernelSS = 0
	}
}

// NewBaseptr makes mfn the kernel's root (MM-06; X/mm.c:new_guest_cr3).
func (v *VCPU) NewBaseptr(mfn uint64) abi.Errno {
	d := v.Dom
	old := v.GuestTable
	if old == mfn && old != 0 {
		v.CPU.FlushTLBNonGlobal()
		return 0
	}
	if err := d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeL4); err != 0 {
		return err
	}
	v.DropLDT()
	v.showM2P(mfn, true)
	v.GuestTable = mfn
	if v.KernelMode {
		v.LoadRoot()
	}
	if old != 0 {
		d.Rules.PutPageAndType(old)
	}
	return 0
}

// NewUserBaseptr makes mfn the user's root, 0 none.
func (v *VCPU) NewUserBaseptr(mfn uint64) abi.Errno {
	d := v.Dom
	old := v.GuestTableUser
	if old == mfn {
		return 0
	}
	if mfn != 0 {
		if err := d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeL4); err != 0 {
			return err
		}
		if d.Is(abi.VMAssistM2PStrict) {
			v.showM2P(mfn, false)
		}
	}
	v.GuestTableUser = mfn
	if old != 0 {
		d.Rules.PutPageAndType(old)
	}
	return 0
}

// showM2P fills or clears slot 256 of a root (MM-21).
func (v *VCPU) showM2P(root uint64, show bool) {
	d := v.Dom
	if show && d.Is(abi.VMAssistM2PStrict) {
		return
	}
	e := pagetable.Entry(0)
	if show {
		e = d.Rules.XenSlots[abi.L4M2PSlot-abi.L4FirstXenSlot]
	}
	if at := root<<mem.PageShift + 8*abi.L4M2PSlot; pagetable.Entry(d.Mem.Read64(at)) != e {
		d.Changes++
		d.Mem.Write64(at, uint64(e))
	}
}
