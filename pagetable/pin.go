package pagetable

import "pvlab/hypercall/abi"

// Pin validates a frame as a page table of type t and holds that type until
// Unpin (MM-07; X/mm.c:do_mmuext_op).
func (r *Rules) Pin(mfn uint64, owner uint16, t Type) abi.Errno {
	if !r.getPage(mfn, owner) {
		return abi.EINVAL
	}
	if err := r.GetType(mfn, t); err != 0 {
		r.PutPage(mfn)
		return err
	}
	p := r.M.Info(mfn)
	if p.Flags&Pinned != 0 {
		r.PutPageAndType(mfn)
		return abi.EINVAL
	}
	p.Flags |= Pinned
	r.M.SetInfo(mfn, p)
	return 0
}

// Unpin gives the pin's references back.
func (r *Rules) Unpin(mfn uint64, owner uint16) abi.Errno {
	if !r.getPage(mfn, owner) {
		return abi.EINVAL
	}
	p := r.M.Info(mfn)
	if p.Flags&Pinned == 0 {
		r.PutPage(mfn)
		return abi.EINVAL
	}
	p.Flags &^= Pinned
	r.M.SetInfo(mfn, p)
	r.PutPageAndType(mfn)
	r.PutPage(mfn)
	return 0
}
