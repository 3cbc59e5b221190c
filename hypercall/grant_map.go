package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
	"pvlab/hypercall/grant"
	"pvlab/pagetable"
)

// grantMap is one element of GNTTABOP_map_grant_ref.
func grantMap(c *Caller, at uint64) abi.Errno {
	var b [abi.GnttabMapSize]byte
	if !c.copyIn(at, b[:]) {
		return abi.EFAULT
	}
	op := abi.DecodeGrantMap(b[:])
	c.D.Grants.Map(c.grantActor(), &op)
	op.Encode(b[:])
	if !c.copyOut(at, b[:]) {
		return abi.EFAULT
	}
	return 0
}

// grantUnmapRef is GNTTABOP_unmap_grant_ref: {host_addr u64, dev_bus_addr
// u64, handle u32, status s16}.
func grantUnmapRef(c *Caller) (uint64, error) {
	return c.grantUnmaps(abi.GnttabUnmapSize, abi.GnttabUnmapStatus, func(b []byte) grant.Unmap {
		return grant.Unmap{HostAddr: le.Uint64(b[0:]), DevBusAddr: le.Uint64(b[8:]), Handle: le.Uint32(b[16:])}
	})
}

// grantUnmapAndReplace is GNTTABOP_unmap_and_replace: {host_addr u64,
// new_addr u64, handle u32, status s16}.
func grantUnmapAndReplace(c *Caller) (uint64, error) {
	return c.grantUnmaps(abi.GnttabReplaceSize, abi.GnttabReplaceStatus, func(b []byte) grant.Unmap {
		return grant.Unmap{HostAddr: le.Uint64(b[0:]), NewAddr: le.Uint64(b[8:]), Handle: le.Uint32(b[16:])}
	})
}

// unmapBatch is the number of mappings taken away before translations are
// flushed and their references dropped.
const unmapBatch = 32

// grantUnmaps does a list of unmaps in batches.
func (c *Caller) grantUnmaps(size, status uint64, decode func(b []byte) grant.Unmap) (uint64, error) {
	list, n := c.args[1], c.cmd32(2)
	if !dom.AddrOK(list) {
		return ret(abi.EFAULT)
	}
	a := c.grantActor()
	for i := uint64(0); i < n; {
		if !c.more(i) {
			return c.proceed(c.cmd32(0), list+i*size, n-i)
		}
		k := min(n-i, unmapBatch)
		c.work += k - 1
		err := c.unmapBatch(a, list+i*size, size, status, k, decode)
		if err != 0 {
			return ret(err)
		}
		i += k
	}
	return ret(0)
}

func (c *Caller) unmapBatch(a *grant.Actor, list, size, status, n uint64, decode func(b []byte) grant.Unmap) (err abi.Errno) {
	var done [unmapBatch]grant.Unmap
	k := uint64(0)
	for ; k < n && err == 0; k++ {
		var b [abi.GnttabUnmapSize]byte
		at := list + k*size
		if !c.copyIn(at, b[:size]) {
			err = abi.EFAULT
			break
		}
		done[k] = decode(b[:])
		err = c.putStatus(at+status, c.D.Grants.Unmap(a, &done[k]))
	}
	c.D.FlushTLB()
	for i := range done[:k] {
		c.D.Grants.Finish(&done[i])
	}
	return err
}

// grantMapper changes the page tables of the caller for its grant mappings
// (X/pv/grant_table.c).
type grantMapper struct{ c *Caller }

// grantEntry is the L1 entry of a mapping.
func grantEntry(mfn uint64, flags uint32) pagetable.Entry {
	e := pagetable.Make(mfn, pagetable.Present|pagetable.Accessed|pagetable.Dirty|pagetable.NX)
	if flags&abi.GntmapApplicationMap != 0 {
		e |= pagetable.User
	}
	if flags&abi.GntmapReadonly == 0 {
		e |= pagetable.Writable
	}
	return e | pagetable.Entry(flags>>abi.GntmapGuestAvail)<<9&pagetable.AvailLow
}

// slot is the machine address of the L1 entry that addr stands for.
func (m grantMapper) slot(addr uint64, flags uint32) (pa uint64, ok bool) {
	if flags&abi.GntmapContainsPTE != 0 {
		return addr, addr&7 == 0
	}
	return m.c.V.KernelL1At(addr)
}

// Create writes the entry of a new mapping.
func (m grantMapper) Create(addr, mfn uint64, flags uint32) abi.GrantStatus {
	pa, ok := m.slot(addr, flags)
	e := grantEntry(mfn, flags)
	if !ok || !m.c.D.Rules.MapGrant(pa, e, m.c.D.Owner()) {
		return abi.GrantGeneralError
	}
	m.c.noteEntry(pa, pagetable.TypeL1, m.c.D.Mem.Read64(pa), 0, "grant_table_op")
	return 0
}

// Replace takes the entry of a mapping away, or moves that of newAddr there.
func (m grantMapper) Replace(addr, mfn, newAddr uint64, flags uint32) abi.GrantStatus {
	r, owner := m.c.D.Rules, m.c.D.Owner()
	var moved pagetable.Entry
	if newAddr != 0 {
		from, ok := m.c.V.KernelL1At(newAddr)
		if flags&abi.GntmapContainsPTE != 0 || !ok {
			return abi.GrantGeneralError
		}
		if moved, ok = r.StealL1(from, owner); !ok {
			return abi.GrantGeneralError
		}
	}
	pa, ok := m.slot(addr, flags)
	if !ok || !r.UnmapGrant(pa, grantEntry(mfn, flags), moved, owner) {
		r.DropL1(moved)
		return abi.GrantGeneralError
	}
	m.c.noteEntry(pa, pagetable.TypeL1, uint64(moved), 0, "grant_table_op")
	return 0
}
