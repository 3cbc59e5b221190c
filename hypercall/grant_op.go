package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
	"pvlab/hypercall/grant"
)

func grantTableOps() Ops {
	const noCaches = "caches are not modelled"
	return Ops{inArg, grantCmdMask, []SubOp{
		{abi.GnttabMapGrantRef, "GNTTABOP_map_grant_ref", Full, Full, "", grantList(abi.GnttabMapSize, grantMap)},
		{abi.GnttabUnmapGrantRef, "GNTTABOP_unmap_grant_ref", Full, Full, "", grantUnmapRef},
		{abi.GnttabSetupTable, "GNTTABOP_setup_table", Full, Full, "", grantSetup},
		{abi.GnttabDumpTable, "GNTTABOP_dump_table", NoSys, NoSys, "", nil},
		{abi.GnttabTransfer, "GNTTABOP_transfer", Full, Full, "", grantList(abi.GnttabTransferSize, grantTransfer)},
		{abi.GnttabCopy, "GNTTABOP_copy", Full, Full, "", grantCopy},
		{abi.GnttabQuerySize, "GNTTABOP_query_size", Full, Full, "", grantQuerySize},
		{abi.GnttabUnmapAndReplace, "GNTTABOP_unmap_and_replace", Full, Full, "", grantUnmapAndReplace},
		{abi.GnttabSetVersion, "GNTTABOP_set_version", Full, Full, "", grantSetVersion},
		{abi.GnttabGetStatusFrames, "GNTTABOP_get_status_frames", Full, Full, "", grantStatusFrames},
		{abi.GnttabGetVersion, "GNTTABOP_get_version", Full, Full, "", grantGetVersion},
		{abi.GnttabSwapGrantRef, "GNTTABOP_swap_grant_ref", Full, Full, "", grantList(abi.GnttabSwapSize, grantSwap)},
		{abi.GnttabCacheFlush, "GNTTABOP_cache_flush", Full, Full, noCaches, grantCacheFlush},
	}}
}

// The bits above the command are the place within an element at which a
// cache_flush is continued.
const grantCmdMask = 1<<12 - 1

// grantTableOp is hypercall 20: a command, a list, its length
// (C/grant_table.c:do_grant_table_op).
func grantTableOp(c *Caller) (uint64, error) {
	cmd := c.cmd32(0)
	if int32(c.args[2]) < 0 || cmd&^grantCmdMask != 0 && cmd&grantCmdMask != abi.GnttabCacheFlush {
		return ret(abi.EINVAL)
	}
	op := c.table[abi.HypGrantTableOp].Ops.find(cmd & grantCmdMask)
	if op == nil || op.run == nil {
		return ret(abi.ENOSYS)
	}
	return op.run(c)
}

// grantActor is the caller as one who uses grants.
func (c *Caller) grantActor() *grant.Actor {
	return &grant.Actor{Table: c.D.GrantTable(), VCPU: c.V.ID, Mapper: grantMapper{c}}
}

// grantDomain finds a domain for an operation on a table as a whole, on which
// a domU has no rights but on its own.
func (c *Caller) grantDomain(id uint16) (*grant.Table, abi.GrantStatus) {
	if id == abi.DomIDSelf {
		id = c.D.ID
	}
	t := c.D.Grants.Table(id)
	switch {
	case t == nil:
		return nil, abi.GrantBadDomain
	case id != c.D.ID && !c.D.Privileged:
		return nil, abi.GrantPermissionDenied
	}
	return t, 0
}

// grantList makes a handler of what does one element, of size bytes at at,
// for lists that can be left off after any element. Its errno ends the list.
func grantList(size uint64, one func(c *Caller, at uint64) abi.Errno) handler {
	return func(c *Caller) (uint64, error) {
		list, n := c.args[1], c.cmd32(2)
		if !dom.AddrOK(list) {
			return ret(abi.EFAULT)
		}
		for i := uint64(0); i < n; i++ {
			if !c.more(i) {
				return c.proceed(c.cmd32(0), list+i*size, n-i)
			}
			if err := one(c, list+i*size); err != 0 {
				return ret(err)
			}
		}
		return ret(0)
	}
}

// putStatus writes the status of an operation into its structure.
func (c *Caller) putStatus(at uint64, st abi.GrantStatus) abi.Errno {
	var b [2]byte
	le.PutUint16(b[:], uint16(st))
	if !c.copyOut(at, b[:]) {
		return abi.EFAULT
	}
	return 0
}

// grantSwap is GNTTABOP_swap_grant_ref: {ref_a u32, ref_b u32, status s16}.
func grantSwap(c *Caller, at uint64) abi.Errno {
	var b [abi.GnttabSwapSize]byte
	if !c.copyIn(at, b[:]) {
		return abi.EFAULT
	}
	return c.putStatus(at+abi.GnttabSwapStatus, c.D.GrantTable().Swap(le.Uint32(b[0:]), le.Uint32(b[4:])))
}
