package emul

import (
	"bytes"

	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// PageTableWrite handles a #PF of a kernel-mode store to an L1 page through a
// read-only mapping, with VMASST_TYPE_writable_pagetables on (MM-16;
// X/pv/ro-page-fault.c). The store is worked out by executing the instruction
// on the page itself; then the old entry is put back, and the new one goes
// through the page-type rules. An instruction that Xen would not emulate (a
// store that is not naturally aligned, or wider than an entry) or an entry
// that the rules refuse leaves everything as it was, and the guest gets its
// #PF.
func PageTableWrite(v *dom.VCPU, f x86.Fault) Result {
	if !v.KernelMode || !v.Dom.Is(abi.VMAssistWritablePagetables) ||
		f.Code&^x86.PFUser != x86.PFPresent|x86.PFWrite {
		return Result{}
	}
	at, ok := v.KernelL1At(f.Addr)
	if !ok {
		return Result{}
	}
	m := v.Dom.Mem
	e := pagetable.Entry(m.Read64(at))
	mfn := e.MFN()
	if !e.Has(pagetable.Present) || e.Has(pagetable.Writable) || mfn >= m.Frames() ||
		pagetable.Type(m.Info(mfn).Type) != pagetable.TypeL1 || m.Info(mfn).Owner != v.Dom.Owner() {
		return Result{}
	}
	c := v.CPU
	saved, rip, flags := c.State, c.RIP, c.Flags()
	pa := mfn<<mem.PageShift + f.Addr&mem.PageMask&^7
	old := m.Read64(pa)
	page := *(*[mem.PageSize]byte)(m.Frame(mfn))

	// Run the one instruction with the page writable, without a trap of its own.
	m.Write64(at, uint64(e|pagetable.Writable))
	c.FlushPage(f.Addr)
	c.SetFlags(c.Flags() &^ x86.FlagTF)
	ex := c.Run(1)
	val := m.Read64(pa)
	m.Write64(pa, old)
	one := bytes.Equal(page[:], m.Frame(mfn)) // nothing but the one entry changed
	m.Write(mfn<<mem.PageShift, page[:])
	m.Write64(at, uint64(e))
	c.FlushPage(f.Addr)

	undo := func() Result {
		retired := c.Retired
		c.State = saved
		c.Retired = retired
		c.StateChanged()
		return Result{}
	}
	if ex.Kind != cpu.ExitBudget || c.RIP == rip || !one || !natural(old, val, f.Addr) {
		return undo()
	}
	if val != old {
		if _, err := v.Dom.Rules.Emulated(pa, pagetable.Entry(val), v.Dom.Owner(), false, 0); err != 0 {
			return undo()
		}
	}
	if to := v.Dom.Probes.Emulated; len(to) != 0 {
		probe.Fire(to, &probe.Emulated{VCPU: v.ID, RIP: rip, What: "store to a page table", Done: true})
	}
	tf := flags & x86.FlagTF
	c.SetFlags(c.Flags()&^x86.FlagRF | tf)
	if tf == 0 {
		return Result{Handled: true}
	}
	v.DR6 |= x86.DR6BS | x86.DR6Init
	return Result{Handled: true, Fault: x86.NoCode(x86.VectorDB)} // DBG-06
}

// natural reports whether a change of an entry can be that of a naturally
// aligned store of 1, 2, 4 or 8 bytes that begins at addr.
func natural(old, val, addr uint64) bool {
	changed := old ^ val
	for size := uint64(1); size <= 8; size *= 2 {
		if addr%size != 0 {
			return false
		}
		mask := ^uint64(0) >> (64 - 8*size) << (8 * (addr & 7))
		if changed&^mask == 0 {
			return true
		}
	}
	return false
}
