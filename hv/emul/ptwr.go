package emul

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// PageTableWrite handles a #PF of a kernel-mode store to an L1 page through a
// read-only mapping, with VMASST_TYPE_writable_pagetables on, or in dom0 at
// any time (MM-16; X/traps.c:fixup_page_fault, X/pv/ro-page-fault.c). The
// store is worked out by executing the instruction on the page itself; then
// the old contents are put back, and the new entry goes through the page-type
// rules. An instruction that Xen would not emulate (a store that is not
// naturally aligned, or wider than an entry) or an entry that the rules
// refuse leaves everything as it was, and the guest gets its #PF.
func PageTableWrite(v *dom.VCPU, f x86.Fault) Result {
	d := v.Dom
	if !v.KernelMode || !(d.Is(abi.VMAssistWritablePagetables) || d.Privileged) ||
		f.Code&^x86.PFUser != x86.PFPresent|x86.PFWrite {
		return Result{}
	}
	at, ok := v.KernelL1At(f.Addr)
	if !ok {
		return Result{}
	}
	m := d.Mem
	e := pagetable.Entry(m.Read64(at))
	if !e.Has(pagetable.Present) || e.Has(pagetable.Writable) || !d.Rules.GetPage(e.MFN(), d.Owner()) {
		return Result{}
	}
	defer d.Rules.PutPage(e.MFN())
	if info := m.Info(e.MFN()); info.Type != pagetable.TypeL1 || info.TypeCount == 0 {
		return Result{}
	}
	var st store
	if rf := st.decode(v); rf.Valid {
		return Result{Handled: true, Fault: rf}
	}
	odd := f.Addr&uint64(st.size-1) != 0
	if st.size == 0 || odd && (!st.compares || f.Addr&mem.PageMask > mem.PageSize-uint64(st.size)) {
		return Result{}
	}
	t := trial{v: v, entry: e, entryAt: at, lin: f.Addr, frame: e.MFN(), single: st.rep}
	val, done, rf := t.run()
	if !done {
		return t.failed(rf)
	}
	if st.compares && v.CPU.Flags()&x86.FlagZF == 0 {
		return t.done()
	}
	if odd {
		t.undo()
		return Result{}
	}
	if e := pagetable.Entry(val); !e.Has(pagetable.Present) && d.Rules.L1TF != nil {
		// The registers that a dump shows are those before the store.
		after := v.CPU.State
		t.undo()
		if d.Rules.Leaks(e, pagetable.TypeL1) {
			return Result{Handled: true}
		}
		v.CPU.State = after
		v.CPU.StateChanged()
	}
	if _, err := d.Rules.Emulated(t.pa(), pagetable.Entry(val), d.Owner(), false, 0); err != 0 {
		t.undo()
		return Result{}
	}
	if to := d.Probes.Emulated; len(to) != 0 {
		probe.Fire(to, &probe.Emulated{VCPU: v.ID, RIP: t.saved.RIP, What: "store to a page table", Done: true})
	}
	if to := d.Probes.PageTable; len(to) != 0 {
		probe.Fire(to, &probe.PageTable{VCPU: v.ID, PA: t.pa(), Level: 1, New: val, Via: "emulation"})
	}
	return t.done()
}

// failed is what becomes of a store that could not be made: the guest gets
// its #PF, or that of another operand.
func (t *trial) failed(rf x86.Fault) Result {
	t.undo()
	if rf.Vector == x86.VectorPF {
		return Result{Handled: true, Fault: x86.PageFault(0, rf.Addr)}
	}
	return Result{}
}

// done is what follows a store that was made (DBG-06).
func (t *trial) done() Result {
	if !t.stepping {
		return Result{Handled: true}
	}
	if t.v.Dom.Version.PTWRStepSetsBS() {
		t.v.DR6 |= x86.DR6BS | x86.DR6Init
	}
	return Result{Handled: true, Fault: x86.NoCode(x86.VectorDB)}
}

// trial executes one instruction with the page it stores to made writable.
type trial struct {
	v        *dom.VCPU
	entry    pagetable.Entry // that maps the page
	entryAt  uint64
	lin      uint64 // of the store
	frame    uint64 // that takes it: the page itself, or another in its place
	single   bool   // stop after one iteration of a REP
	stepping bool   // the guest had TF set
	saved    cpu.State
	page     [mem.PageSize]byte
}

// pa is the machine address of the entry stored to.
func (t *trial) pa() uint64 { return t.frame<<mem.PageShift + t.lin&mem.PageMask&^7 }

// run returns the 8-byte entry as the instruction leaves it. The page itself
// is as before afterwards.
func (t *trial) run() (val uint64, done bool, f x86.Fault) {
	v, c, m := t.v, t.v.CPU, t.v.Dom.Mem
	t.saved = c.State
	flags := c.Flags()
	t.stepping = flags&x86.FlagTF != 0
	copy(t.page[:], m.Frame(t.frame))
	attn := c.Attn
	c.Attn = 0
	if v.DR7&0xff != 0 {
		c.SetDR(7, x86.DR7Init) // Xen's own accesses hit no watchpoint
	}
	m.Write64(t.entryAt, uint64(pagetable.Make(t.frame, t.entry&^pagetable.AddrMask|pagetable.Writable)))
	c.FlushPage(t.lin)
	c.SetFlags(flags&^x86.FlagTF | flagIf(t.single, x86.FlagTF))

	ex := c.Run(1)
	val = m.Read64(t.pa())
	m.Write(t.frame<<mem.PageShift, t.page[:])
	m.Write64(t.entryAt, uint64(t.entry))
	c.FlushPage(t.lin)
	c.Attn = attn
	if v.DR7&0xff != 0 {
		c.SetDR(7, v.DR7)
	}
	c.DR[6] = t.saved.DR[6]
	switch {
	case ex.Kind == cpu.ExitFault && !(t.single && ex.Fault.Vector == x86.VectorDB):
		return 0, false, ex.Fault
	case ex.Kind != cpu.ExitFault && ex.Kind != cpu.ExitBudget:
		return 0, false, x86.Fault{}
	}
	c.SetFlags(c.Flags()&^(x86.FlagRF|x86.FlagTF) | flags&x86.FlagTF)
	return val, true, x86.Fault{}
}

func flagIf(on bool, f uint64) uint64 {
	if on {
		return f
	}
	return 0
}

// undo puts the registers back; retired instructions stay counted.
func (t *trial) undo() {
	c := t.v.CPU
	retired := c.Retired
	c.State = t.saved
	c.Retired = retired
	c.StateChanged()
}
