package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// eventChannelOp is hypercall 32 (EVT-12, EVT-13, EVT-19 to EVT-23;
// C/event_channel.c:do_event_channel_op).
func eventChannelOp(c *Caller) (uint64, error) {
	return c.evtchn(c.cmd32(0), c.args[1])
}

// eventChannelOpCompat is hypercall 16: {cmd u32, union} in one structure of
// 28 bytes.
func eventChannelOpCompat(c *Caller) (uint64, error) {
	var b [28]byte
	if !c.copyIn(c.args[0], b[:]) {
		return ret(abi.EFAULT)
	}
	cmd := le.Uint32(b[:])
	if cmd > abi.EvtchnOpUnmask {
		return ret(abi.ENOSYS) // the old interface ends here
	}
	return c.evtchn(uint64(cmd), c.args[0]+4)
}

// evtchnArgSize is the size of each command's structure.
var evtchnArgSize = [...]int{
	abi.EvtchnOpBindInterdomain: 12, abi.EvtchnOpBindVIRQ: 12, abi.EvtchnOpBindPIRQ: 12, abi.EvtchnOpClose: 4,
	abi.EvtchnOpSend: 4, abi.EvtchnOpStatus: 24, abi.EvtchnOpAllocUnbound: 8, abi.EvtchnOpBindIPI: 8,
	abi.EvtchnOpBindVCPU: 8, abi.EvtchnOpUnmask: 4, abi.EvtchnOpReset: 2, abi.EvtchnOpInitControl: 24,
	abi.EvtchnOpExpandArray: 8, abi.EvtchnOpSetPriority: 8, abi.EvtchnOpResetCont: 2,
}

func (c *Caller) evtchn(cmd, arg uint64) (uint64, error) {
	if cmd >= uint64(len(evtchnArgSize)) {
		return ret(abi.ENOSYS)
	}
	var buf [24]byte
	b := buf[:evtchnArgSize[cmd]]
	if !c.copyIn(arg, b) {
		return ret(abi.EFAULT)
	}
	var err abi.Errno
	back := false // the structure is an output too
	switch cmd {
	case abi.EvtchnOpBindInterdomain:
		err, back = c.bindInterdomain(b), true
	case abi.EvtchnOpBindVIRQ:
		err, back = c.bindVIRQ(b), true
	case abi.EvtchnOpBindPIRQ:
		err, back = c.bindPIRQ(b), true
	case abi.EvtchnOpBindIPI:
		err, back = c.bindIPI(b), true
	case abi.EvtchnOpAllocUnbound:
		err, back = c.allocUnbound(b), true
	case abi.EvtchnOpStatus:
		err, back = c.evtchnStatus(b), true
	case abi.EvtchnOpClose:
		return c.closePort(le.Uint32(b))
	case abi.EvtchnOpSend:
		err = c.send(uint64(le.Uint32(b)))
	case abi.EvtchnOpBindVCPU:
		err = c.bindVCPU(uint64(le.Uint32(b)), le.Uint32(b[4:]))
	case abi.EvtchnOpUnmask:
		switch p := uint64(le.Uint32(b)); {
		case c.D.Port(p) == nil:
			err = abi.EINVAL
		case c.D.Ports[p].State != abi.EvtchnStatClosed: // else nothing changes
			c.D.Unmask(p)
		}
	case abi.EvtchnOpReset, abi.EvtchnOpResetCont:
		return c.resetPorts(le.Uint16(b), cmd == abi.EvtchnOpResetCont, arg)
	case abi.EvtchnOpInitControl:
		err, back = c.initControl(b), true
	case abi.EvtchnOpExpandArray:
		err = c.D.ExpandArray(le.Uint64(b))
	case abi.EvtchnOpSetPriority:
		if p := c.D.Port(uint64(le.Uint32(b))); p != nil {
			err = c.D.SetPriority(p, le.Uint32(b[4:]))
		} else {
			err = abi.EINVAL
		}
	}
	if err == 0 && back && !c.copyOut(arg, b) {
		err = abi.EFAULT
	}
	return ret(err)
}

// otherDomain is why an operation on a domain that is not the caller fails:
// beside a domU there is dom0, which it may not manage; beside dom0 nobody.
func (c *Caller) otherDomain(id uint16) abi.Errno {
	if id == 0 {
		return abi.EPERM
	}
	return abi.ESRCH
}

// initControl: {control_gfn u64, offset u32, vcpu u32, link_bits u8 out, pad}.
func (c *Caller) initControl(b []byte) abi.Errno {
	vcpu := le.Uint32(b[12:])
	if vcpu >= uint32(len(c.D.VCPU)) {
		return abi.ENOENT
	}
	b[16] = abi.FIFOLinkBits
	return c.D.InitControl(c.D.VCPU[vcpu], le.Uint64(b), le.Uint32(b[8:]))
}

// bindVIRQ: {virq u32, vcpu u32, port u32 out}.
func (c *Caller) bindVIRQ(b []byte) abi.Errno {
	virq, vcpu := le.Uint32(b), le.Uint32(b[4:])
	switch {
	case virq >= abi.NrVIRQs || dom.GlobalVIRQ(uint8(virq)) && vcpu != 0:
		return abi.EINVAL
	case vcpu >= uint32(len(c.D.VCPU)):
		return abi.ENOENT
	}
	if _, bound := c.D.VCPU[vcpu].VIRQPort(uint8(virq)); bound {
		return abi.EEXIST
	}
	err := c.open(b[8:], dom.Port{State: abi.EvtchnStatVIRQ, VCPU: uint16(vcpu), VIRQ: uint8(virq)})
	if err == 0 {
		c.D.VCPU[vcpu].VIRQ[virq] = le.Uint32(b[8:])
	}
	return err
}

// bindPIRQ: {pirq u32, flags u32, port u32 out}.
func (c *Caller) bindPIRQ(b []byte) abi.Errno {
	port, err := c.D.BindPIRQ(le.Uint32(b))
	if err == 0 {
		le.PutUint32(b[8:], port)
	}
	return err
}

// bindIPI: {vcpu u32, port u32 out}.
func (c *Caller) bindIPI(b []byte) abi.Errno {
	vcpu := le.Uint32(b)
	if vcpu >= uint32(len(c.D.VCPU)) {
		return abi.ENOENT
	}
	return c.open(b[4:], dom.Port{State: abi.EvtchnStatIPI, VCPU: uint16(vcpu)})
}

// open takes a free port for p and stores its number in out.
func (c *Caller) open(out []byte, p dom.Port) abi.Errno {
	n, err := c.D.FreePort()
	if err != 0 {
		return err
	}
	c.D.Open(n, p)
	le.PutUint32(out, n)
	return 0
}

// allocUnbound: {dom u16, remote_dom u16, port u32 out}.
func (c *Caller) allocUnbound(b []byte) abi.Errno {
	if id := le.Uint16(b); !c.self(id) {
		return c.otherDomain(id)
	}
	remote := le.Uint16(b[2:])
	if remote == abi.DomIDSelf {
		remote = c.D.ID
	}
	return c.open(b[4:], dom.Port{State: abi.EvtchnStatUnbound, Remote: remote})
}

// bindInterdomain: {remote_dom u16, pad, remote_port u32, local_port u32 out}.
func (c *Caller) bindInterdomain(b []byte) abi.Errno {
	if id := le.Uint16(b); !c.self(id) {
		if id == 0 {
			return abi.EINVAL // no port of dom0's waits for this domain
		}
		return abi.ESRCH
	}
	local, err := c.D.FreePort() // which may make the other one valid
	if err != 0 {
		return err
	}
	remote := c.D.Port(uint64(le.Uint32(b[4:])))
	if remote == nil || remote.State != abi.EvtchnStatUnbound || remote.Remote != c.D.ID {
		return abi.EINVAL
	}
	remote.State, remote.Peer = abi.EvtchnStatInterdomain, local
	c.D.Open(local, dom.Port{State: abi.EvtchnStatInterdomain, Remote: c.D.ID, Peer: le.Uint32(b[4:])})
	le.PutUint32(b[8:], local)
	c.D.Raise(uint64(local)) // a wake-up may have been lost before
	return 0
}

// send raises the other end of a channel (EVT-13).
func (c *Caller) send(port uint64) abi.Errno {
	p := c.D.Port(port)
	if p == nil {
		return abi.EINVAL
	}
	switch p.State {
	case abi.EvtchnStatInterdomain:
		if p.Tools != dom.ToolNone {
			c.D.Notify(p.Tools)
		} else {
			c.D.Raise(uint64(p.Peer))
		}
	case abi.EvtchnStatIPI:
		c.D.Raise(port)
	case abi.EvtchnStatUnbound:
	default:
		return abi.EINVAL
	}
	return 0
}

func (c *Caller) closePort(port uint32) (uint64, error) {
	p := c.D.Port(uint64(port))
	switch {
	case p == nil || p.State == abi.EvtchnStatClosed:
		return ret(abi.EINVAL)
	case c.D.CrashesXen(p):
		return c.closesBrokenPIRQ()
	}
	c.D.Close(port)
	return ret(0)
}

func (c *Caller) closesBrokenPIRQ() (uint64, error) {
	return c.unmodelled("closing a PIRQ that was mapped anew while bound, which crashes Xen 4.17 itself,")
}

// evtchnStatus: {dom u16, pad, port u32, status u32, vcpu u32, union 8}.
func (c *Caller) evtchnStatus(b []byte) abi.Errno {
	if id := le.Uint16(b); !c.self(id) {
		return c.otherDomain(id)
	}
	p := c.D.Port(uint64(le.Uint32(b[4:])))
	if p == nil {
		return abi.EINVAL
	}
	le.PutUint32(b[8:], uint32(p.State))
	le.PutUint32(b[12:], uint32(p.VCPU))
	switch p.State {
	case abi.EvtchnStatUnbound:
		le.PutUint16(b[16:], p.Remote)
	case abi.EvtchnStatInterdomain:
		le.PutUint16(b[16:], p.Remote)
		le.PutUint32(b[20:], p.Peer)
	case abi.EvtchnStatPIRQ:
		le.PutUint32(b[16:], p.Peer)
	case abi.EvtchnStatVIRQ:
		le.PutUint32(b[16:], uint32(p.VIRQ))
	}
	return 0
}

// bindVCPU moves a port's notifications; those of an IPI and of a VIRQ of one
// vCPU stay (C/event_channel.c:evtchn_bind_vcpu).
func (c *Caller) bindVCPU(port uint64, vcpu uint32) abi.Errno {
	if vcpu >= uint32(len(c.D.VCPU)) {
		return abi.ENOENT
	}
	p := c.D.Port(port)
	if p == nil {
		return abi.EINVAL
	}
	switch p.State {
	case abi.EvtchnStatUnbound, abi.EvtchnStatInterdomain, abi.EvtchnStatPIRQ:
	case abi.EvtchnStatVIRQ:
		if !dom.GlobalVIRQ(p.VIRQ) {
			return abi.EINVAL
		}
	default:
		return abi.EINVAL
	}
	p.VCPU = uint16(vcpu)
	return 0
}

// resetPorts closes all channels; an event that can be delivered interrupts
// it, and it goes on as EVTCHNOP_reset_cont.
func (c *Caller) resetPorts(id uint16, goOn bool, arg uint64) (uint64, error) {
	if !c.self(id) {
		return ret(c.otherDomain(id))
	}
	if goOn != (c.D.NextReset != 0) {
		return ret(abi.EBUSY) // there is one already, or none to go on with
	}
	for i := range c.D.Ports {
		if c.D.CrashesXen(&c.D.Ports[i]) {
			return c.closesBrokenPIRQ()
		}
	}
	if !c.D.ResetPorts(c.V.Deliverable) {
		return c.proceed(abi.EvtchnOpResetCont, arg)
	}
	return ret(0)
}
