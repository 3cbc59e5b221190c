package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// listArgs decodes the arguments common to mmu_update and mmuext_op: a list,
// its length with Xen's continuation flag, and where the number done goes.
func (c *Caller) listArgs() (list uint64, count uint32, done uint32) {
	count = uint32(c.args[1])
	if count&abi.MMUUpdatePreempted != 0 {
		count &^= abi.MMUUpdatePreempted
		if c.args[2] != 0 {
			done, _ = c.V.Read32(c.args[2])
		}
	}
	return c.args[0], count, done
}

// finishList reports how many elements were done, and continues a list that
// was left off without error.
func (c *Caller) finishList(list uint64, size, i, count, done uint32, err abi.Errno) (uint64, error) {
	if c.args[2] != 0 {
		c.V.Write32(c.args[2], done+i)
	}
	if err == 0 && i < count {
		return c.proceed(list+uint64(i)*uint64(size), uint64(count-i)|abi.MMUUpdatePreempted)
	}
	return ret(err)
}

// owner resolves a domain id that says whose frames are meant
// (X/mm.c:get_pg_owner). The caller itself may only be named as DOMID_SELF.
func (c *Caller) owner(id uint16) (uint16, abi.Errno) {
	switch id {
	case abi.DomIDSelf:
		return c.D.Owner(), 0
	case abi.DomIDIO:
		return pagetable.OwnerIO, 0
	case abi.DomIDXen:
		return pagetable.OwnerXen, 0
	case c.D.ID:
		return 0, abi.ESRCH
	case 0: // beside a domU there is dom0
		return pagetable.OwnerOf(0), 0
	}
	return 0, abi.ESRCH
}

// mayUse reports whether the caller may work with frames of owner: a domU with
// its own, dom0 with all.
func (c *Caller) mayUse(owner uint16) bool { return c.D.Privileged || owner == c.D.Owner() }

// mayMapOf is mayUse for mappings, where I/O is a matter of each frame.
func (c *Caller) mayMapOf(owner uint16) bool { return c.mayUse(owner) || owner == pagetable.OwnerIO }

// deferred reports a call as Xen makes it to itself when it has put off taking
// a table apart: no list, and no count but the continuation flag. Then the
// fourth argument is the result. A guest may make it, too.
func (c *Caller) deferred() bool {
	return uint32(c.args[1]) == abi.MMUUpdatePreempted && c.args[0] == 0
}

// mmuUpdate is hypercall 1 (MM-08, MM-09, MM-11; X/mm.c:do_mmu_update).
func mmuUpdate(c *Caller) (uint64, error) {
	if c.deferred() {
		return value(uint64(int64(int32(c.args[3]))))
	}
	list, count, done := c.listArgs()
	if !dom.AddrOK(list) { // the number done stays as it is
		return ret(abi.EFAULT)
	}
	foreign := c.cmd32(3)
	tables := c.D.ID
	if pt := uint16(foreign >> 16); pt != 0 {
		tables = pt - 1
	}
	if tables != c.D.ID && tables != 0 {
		return ret(abi.ESRCH)
	}
	pgOwner, err := c.owner(uint16(foreign))
	if err != 0 {
		return c.finishList(list, abi.MMUUpdateSize, 0, count, done, err)
	}
	var i uint32
	for ; i < count && c.more(uint64(i)); i++ {
		var b [abi.MMUUpdateSize]byte
		if !c.copyIn(list+uint64(i)*abi.MMUUpdateSize, b[:]) {
			err = abi.EFAULT
			break
		}
		if err = c.updateOne(le.Uint64(b[0:]), le.Uint64(b[8:]), tables, pgOwner); err != 0 {
			break
		}
	}
	return c.finishList(list, abi.MMUUpdateSize, i, count, done, err)
}

// updateOne does one update of a table of domain tables.
func (c *Caller) updateOne(ptr, val uint64, tables, pgOwner uint16) abi.Errno {
	cmd := ptr & abi.MMUCommandMask
	pa := ptr &^ abi.MMUCommandMask
	r, mfn := c.D.Rules, pa>>mem.PageShift
	switch cmd {
	case abi.MMUNormalUpdate, abi.MMUUpdatePreserveAD, abi.MMUUpdateNoTranslate:
		if !c.mayMapOf(pgOwner) || tables != c.D.ID {
			return abi.EPERM
		}
		if !r.GetPage(mfn, c.D.Owner()) {
			return abi.EINVAL
		}
		level, err := r.Apply(pa, pagetable.Entry(val), c.D.Owner(), pgOwner, cmd == abi.MMUUpdatePreserveAD)
		r.PutPage(mfn)
		c.noteEntry(pa, level, val, err, "mmu_update")
		return err
	case abi.MMUMachphysUpdate:
		if !c.mayMapOf(pgOwner) || tables != c.D.ID {
			return abi.EPERM
		}
		if !r.GetPage(mfn, pgOwner) {
			return abi.EINVAL
		}
		c.D.SetM2P(mfn, val)
		r.PutPage(mfn)
		return 0
	}
	return abi.ENOSYS
}

func (c *Caller) noteEntry(pa uint64, level uint8, val uint64, err abi.Errno, via string) {
	if to := c.D.Probes.PageTable; len(to) != 0 {
		probe.Fire(to, &probe.PageTable{VCPU: c.V.ID, PA: pa, Level: level, New: val, Error: int64(err), Via: via})
	}
}

// updateVAMapping is hypercall 14 (MM-10; X/mm.c:__do_update_va_mapping).
func updateVAMapping(c *Caller) (uint64, error) {
	return ret(c.updateVA(c.args[0], c.args[1], c.args[2], c.D.Owner()))
}

// updateVAMappingOther is hypercall 22.
func updateVAMappingOther(c *Caller) (uint64, error) {
	owner, err := c.owner(uint16(c.args[3]))
	if err != 0 {
		return ret(err)
	}
	// A domU may name DOMID_IO to mmu_update alone (xen/include/xsm/dummy.h:
	// xsm_mmu_update, xsm_update_va_mapping).
	if !c.mayMapOf(owner) || owner == pagetable.OwnerIO && !c.D.Privileged {
		return ret(abi.EPERM)
	}
	return ret(c.updateVA(c.args[0], c.args[1], c.args[2], owner))
}

func (c *Caller) updateVA(va, val, flags uint64, pgOwner uint16) abi.Errno {
	r := c.D.Rules
	pa, ok := c.V.KernelL1At(va)
	if !ok {
		return abi.EINVAL
	}
	mfn := pa >> mem.PageShift
	if !r.GetPage(mfn, c.D.Owner()) {
		return abi.EINVAL
	}
	err := abi.EINVAL
	if p := c.D.Mem.Info(mfn); p.Type == pagetable.TypeL1 && p.TypeCount != 0 {
		_, err = r.Apply(pa, pagetable.Entry(val), c.D.Owner(), pgOwner, false)
	}
	r.PutPage(mfn)
	c.noteEntry(pa, pagetable.TypeL1, val, err, "update_va_mapping")
	if err != 0 {
		return err
	}
	kind := flags & abi.UVMFFlushMask
	switch bitmap := flags &^ abi.UVMFFlushMask; {
	case kind == abi.UVMFNone || kind == abi.UVMFFlushMask:
	case bitmap == abi.UVMFLocal:
		c.flushOne(c.V.ID, kind, va)
	case bitmap == abi.UVMFAll:
		for i := range c.D.VCPU {
			c.flushOne(i, kind, va)
		}
	default:
		return c.flushBitmap(bitmap, kind, va)
	}
	return 0
}

// flushOne does one vCPU's flush of a UVMF_* kind.
func (c *Caller) flushOne(v int, kind, va uint64) {
	k := c.D.VCPU[v].CPU
	if kind == abi.UVMFInvlpg {
		k.FlushPage(va)
	} else {
		k.FlushTLB()
	}
}

// flushBitmap flushes the vCPUs named by a bitmap in guest memory; nothing is
// flushed when that cannot be read (X/mm.c:vcpumask_to_pcpumask).
func (c *Caller) flushBitmap(at, kind, va uint64) abi.Errno {
	var words [2]uint64 // as many vCPUs as a domain can have
	for i := range words {
		if i*64 >= len(c.D.VCPU) {
			break
		}
		w, ok := c.V.Read64(at + uint64(8*i))
		if !ok {
			return abi.EFAULT
		}
		words[i] = w
	}
	for i := range c.D.VCPU {
		if words[i/64]>>(i%64)&1 != 0 {
			c.flushOne(i, kind, va)
		}
	}
	return 0
}
