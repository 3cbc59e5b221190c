package emul

import (
	"pvlab/hv/dom"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/pagetable"
)

// ReadOnlyIO handles a #PF of a dom0 kernel's store to a frame of I/O that it
// may only look at: the store is dropped (MM-35; X/pv/ro-page-fault.c:
// mmio_ro_do_page_fault). That holds for instructions that store and read no
// memory, naturally aligned; others leave the guest its #PF.
func ReadOnlyIO(v *dom.VCPU, f x86.Fault) Result {
	d := v.Dom
	if !v.KernelMode || !d.Privileged || f.Code&^x86.PFUser != x86.PFPresent|x86.PFWrite {
		return Result{}
	}
	at, ok := v.KernelL1At(f.Addr)
	if !ok {
		return Result{}
	}
	e := pagetable.Entry(d.Mem.Read64(at))
	if !e.Has(pagetable.Present) || e.Has(pagetable.Writable) || !pagetable.ReadOnlyIO(e.MFN()) {
		return Result{}
	}
	if mfn := e.MFN(); mfn < d.Mem.Frames() && d.Mem.Info(mfn).Owner != pagetable.OwnerIO {
		return Result{}
	}
	var st store
	if rf := st.decode(v); rf.Valid {
		return Result{Handled: true, Fault: rf}
	}
	if st.size == 0 || st.reads || f.Addr&uint64(st.size-1) != 0 {
		return Result{}
	}
	t := trial{v: v, entry: e, entryAt: at, lin: f.Addr, frame: d.ScratchMFN(), single: st.rep}
	if _, done, rf := t.run(); !done {
		return t.failed(rf)
	}
	if to := d.Probes.Emulated; len(to) != 0 {
		probe.Fire(to, &probe.Emulated{VCPU: v.ID, RIP: t.saved.RIP, What: "store to read-only I/O", Done: true})
	}
	return t.done()
}
