package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// Operations on a grant table as a whole: its size, version and frames.

// grantSetup is GNTTABOP_setup_table: {dom u16, nr_frames u32, status s16,
// frame_list handle}: MFNs, as a PV guest maps the table by them.
func grantSetup(c *Caller) (uint64, error) {
	var b [abi.GnttabSetupSize]byte
	at := c.args[1]
	switch {
	case c.cmd32(2) != 1:
		return ret(abi.EINVAL)
	case !c.copyIn(at, b[:]):
		return ret(abi.EFAULT)
	}
	n, list := le.Uint32(b[4:]), le.Uint64(b[16:])
	if !dom.AddrOK(list) {
		return ret(abi.EFAULT)
	}
	t, st := c.grantDomain(le.Uint16(b[0:]))
	switch {
	case st != 0:
	case !t.Size(n):
		st = abi.GrantGeneralError
	default:
		for i := uint32(0); i < n; i++ {
			if !c.V.Write64(list+8*uint64(i), t.SharedFrame(i)) {
				st = abi.GrantBadVirtAddr
			}
		}
	}
	return ret(c.putStatus(at+abi.GnttabSetupStatus, st))
}

// grantQuerySize is GNTTABOP_query_size: {dom u16, nr_frames u32,
// max_nr_frames u32, status s16}.
func grantQuerySize(c *Caller) (uint64, error) {
	var b [abi.GnttabQuerySizeSize]byte
	switch {
	case c.cmd32(2) != 1:
		return ret(abi.EINVAL)
	case !c.copyIn(c.args[1], b[:]):
		return ret(abi.EFAULT)
	}
	t, st := c.grantDomain(le.Uint16(b[0:]))
	if st == 0 {
		le.PutUint32(b[4:], t.Shared)
		le.PutUint32(b[8:], t.MaxFrames())
	}
	le.PutUint16(b[12:], uint16(st))
	return c.give(c.args[1], b[:])
}

// grantSetVersion is GNTTABOP_set_version: {version u32}, which becomes the
// version in force. The length of the list does not matter.
func grantSetVersion(c *Caller) (uint64, error) {
	var b [abi.GnttabSetVersionSize]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	t := c.D.GrantTable()
	err := t.SetVersion(le.Uint32(b[:]))
	le.PutUint32(b[:], uint32(t.Version))
	if !c.copyOut(c.args[1], b[:]) {
		err = abi.EFAULT
	}
	return ret(err)
}

// grantGetVersion is GNTTABOP_get_version: {dom u16, pad, version u32}.
func grantGetVersion(c *Caller) (uint64, error) {
	var b [abi.GnttabGetVersionSize]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	t, st := c.grantDomain(le.Uint16(b[:]))
	switch st {
	case abi.GrantBadDomain:
		return ret(abi.ESRCH)
	case abi.GrantPermissionDenied:
		return ret(abi.EPERM)
	}
	if !c.V.Write32(c.args[1]+abi.GnttabGetVersionOut, uint32(t.Version)) {
		return ret(abi.EFAULT)
	}
	return ret(0)
}

// grantStatusFrames is GNTTABOP_get_status_frames: {nr_frames u32, dom u16,
// status s16, frame_list handle}.
func grantStatusFrames(c *Caller) (uint64, error) {
	var b [abi.GnttabStatusFramesSize]byte
	at := c.args[1]
	switch {
	case c.cmd32(2) != 1:
		return ret(abi.EINVAL)
	case !c.copyIn(at, b[:]):
		return ret(abi.EFAULT)
	}
	n, list := le.Uint32(b[0:]), le.Uint64(b[8:])
	if !dom.AddrOK(list) {
		return ret(abi.EFAULT)
	}
	t, st := c.grantDomain(le.Uint16(b[4:]))
	switch {
	case st != 0:
	case n > t.Status:
		st = abi.GrantGeneralError
	default:
		for i := uint32(0); i < n; i++ {
			if !c.V.Write64(list+8*uint64(i), t.StatusFrame(i)) {
				st = abi.GrantBadVirtAddr
			}
		}
	}
	return ret(c.putStatus(at+abi.GnttabStatusFramesStat, st))
}
