package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// vCPUs as domctl shows them.

// vcpuAt finds the vCPU of the number at off, nil if there is none.
func (c *Caller) vcpuAt(off int) *dom.VCPU {
	if id := c.req.u32(off); id < c.vcpus() {
		return c.D.VCPU[id]
	}
	return nil
}

// vcpuInfo: {vcpu u32, online u8, blocked u8, running u8, cpu_time u64, cpu
// u32}.
func vcpuInfo(c *Caller) abi.Errno {
	r := &c.req
	v := c.vcpuAt(16)
	if v == nil {
		return abi.EINVAL
	}
	info := v.RunstateInfo()
	for i, on := range [...]bool{!v.Down, v.Blocked, v == c.V} {
		r.b[20+i] = 0
		if on {
			r.b[20+i] = 1
		}
	}
	r.put64(24, le.Uint64(info[abi.RunstateTime+8*abi.RunstateRunning:]))
	r.put32(32, uint32(v.ID))
	return 0
}

// Affinity: {vcpu u32, flags u32, hard bitmap at 24, soft bitmap at 40}.
const (
	affinityHard  = 1 << 0
	affinitySoft  = 1 << 1
	affinityForce = 1 << 2 // ends a SCHEDOP_pin_override
	offHard       = 24
	offSoft       = 40
)

// affinityOf checks what both operations do (C/sched/core.c:
// vcpu_affinity_domctl).
func (c *Caller) affinityOf() (v *dom.VCPU, flags uint32, err abi.Errno) {
	r := &c.req
	v, flags = c.vcpuAt(16), r.u32(20)
	if v == nil || flags == 0 || flags&affinityHard != 0 && r.u64(offHard) == 0 || flags&affinitySoft != 0 && r.u64(offSoft) == 0 {
		return nil, 0, abi.EINVAL
	}
	return v, flags, 0
}

// getVCPUAffinity answers with what came of the soft mask if both are asked for.
func getVCPUAffinity(c *Caller) abi.Errno {
	v, flags, err := c.affinityOf()
	if err != 0 {
		return err
	}
	if flags&affinityHard != 0 {
		err = c.bitmapOut(offHard, c.D.Host.Hard[v.ID], c.cpus())
	}
	if flags&affinitySoft != 0 {
		err = c.bitmapOut(offSoft, c.D.Host.Soft[v.ID], c.cpus())
	}
	return err
}

// setVCPUAffinity answers what is in force of the new masks. The hard one goes
// back if the soft one cannot be read.
func setVCPUAffinity(c *Caller) abi.Errno {
	v, flags, err := c.affinityOf()
	if err != 0 {
		return err
	}
	h, n := &c.D.Host, c.cpus()
	old := h.Hard[v.ID]
	if flags&affinityForce != 0 {
		v.Override = false
	}
	if flags&affinityHard != 0 {
		mask, err := c.bitmapIn(offHard, n)
		switch {
		case err != 0:
			return err
		case mask == 0:
			return abi.EINVAL
		case v.Override:
			return abi.EBUSY
		}
		h.Hard[v.ID] = mask
		if err := c.bitmapOut(offHard, mask, n); err != 0 && flags&affinitySoft == 0 {
			return err
		}
	}
	if flags&affinitySoft != 0 {
		mask, err := c.bitmapIn(offSoft, n)
		if err != 0 {
			h.Hard[v.ID] = old
			return err
		}
		if v.Override {
			return abi.EBUSY
		}
		h.Soft[v.ID] = mask
		return c.bitmapOut(offSoft, mask&h.Hard[v.ID], n)
	}
	return 0
}

// sendTrigger: {trigger u32, vcpu u32}.
func sendTrigger(c *Caller) abi.Errno {
	const nmi, power, sleep = 0, 3, 4
	v := c.vcpuAt(20)
	if v == nil {
		return abi.ESRCH
	}
	switch c.req.u32(16) {
	case nmi:
		v.SendNMI()
		return 0
	case power, sleep:
		return abi.EINVAL
	}
	return abi.ENOSYS
}

// setVIRQHandler: {virq u32}.
func setVIRQHandler(c *Caller) abi.Errno {
	if virq := c.req.u32(16); virq >= abi.NrVIRQs || !dom.GlobalVIRQ(uint8(virq)) {
		return abi.EINVAL
	}
	return 0
}

// getExtContext: {vcpu u32, size u32, ...}.
func getExtContext(c *Caller) (uint64, error) {
	if v := c.vcpuAt(16); v == nil || v == c.V {
		return ret(abi.ESRCH)
	}
	return c.loud("another vCPU")
}

// vcpuExtState: {vcpu u32, ...}; a get gives the structure back in any case.
func vcpuExtState(c *Caller) (uint64, error) {
	const get = 63
	err := abi.EINVAL
	switch v := c.vcpuAt(16); {
	case v == nil:
		err = abi.ESRCH
	case v != c.V:
		return c.loud("another vCPU")
	}
	if c.req.cmd() == get && c.back(0, c.req.size) != 0 {
		err = abi.EFAULT
	}
	return ret(err)
}

// vcpuMSRs: {vcpu u32, msr_count u32, msrs}.
func vcpuMSRs(c *Caller) (uint64, error) {
	switch v := c.vcpuAt(16); {
	case v == nil:
		return ret(abi.ESRCH)
	case v == c.V:
		return ret(abi.EINVAL)
	}
	return c.loud("another vCPU")
}

// getVCPUContext: {vcpu u32, ctxt}: another vCPU's struct vcpu_guest_context
// (X/domain.c:arch_get_info_guest).
func getVCPUContext(c *Caller) (uint64, error) {
	r := &c.req
	v := c.vcpuAt(16)
	switch {
	case v == nil || v == c.V:
		return ret(abi.EINVAL)
	case !v.Initialised:
		return ret(abi.ENODATA)
	}
	err := abi.Errno(0)
	if !c.copyOut(r.u64(24), saveContext(v)) {
		err = abi.EFAULT
	}
	if c.back(0, r.size) != 0 {
		err = abi.EFAULT
	}
	return ret(err)
}

// saveContext is what loadContext and loadRegisters would take.
func saveContext(v *dom.VCPU) []byte {
	g := make([]byte, abi.VGCSize)
	put := func(off int, val uint64) { le.PutUint64(g[off:], val) }
	reg := func(off int, val uint64) { put(abi.VGCUserRegs+off, val) }
	k := v.CPU
	copy(g, k.FX[:])
	flags := uint64(abi.VGCFI387Valid)
	for _, f := range [...]struct {
		on  bool
		bit uint64
	}{{v.KernelMode, abi.VGCFInKernel}, {v.FailsafeMasks, abi.VGCFFailsafeDisableEvents},
		{v.SyscallMasks, abi.VGCFSyscallDisableEvents}, {!v.Down, abi.VGCFOnline}} {
		if f.on {
			flags |= f.bit
		}
	}
	put(abi.VGCFlags, flags)
	for i, off := range gprAt {
		reg(off, k.R[i])
	}
	reg(abi.RegsRIP, k.RIP)
	reg(abi.RegsRFLAGS, k.Flags()&^x86.FlagIOPL|uint64(v.IOPL)<<12)
	sel := [...]struct {
		off int
		reg int
	}{{abi.RegsCS, x86.CS}, {abi.RegsSS, x86.SS}, {abi.RegsDS, x86.DS}, {abi.RegsES, x86.ES}, {abi.RegsFS, x86.FS}, {abi.RegsGS, x86.GS}}
	for _, s := range sel {
		reg(s.off, uint64(k.Seg[s.reg].Sel))
	}
	for i, ti := range v.Trap {
		b := g[abi.VGCTrapTable+i*abi.TrapInfoSize:]
		b[0], b[1] = ti.Vector, ti.Flags
		le.PutUint16(b[2:], ti.CS)
		le.PutUint64(b[8:], ti.Address)
	}
	put(abi.VGCLDTBase, v.LDTBase)
	put(abi.VGCLDTEntries, uint64(v.LDTEntries))
	for i, f := range v.GDTFrames {
		put(abi.VGCGDTFrames+8*i, f)
	}
	put(abi.VGCGDTEntries, uint64(v.GDTEntries))
	put(abi.VGCKernelSS, v.KernelSS)
	put(abi.VGCKernelSP, v.KernelSP)
	if v.TS {
		put(abi.VGCCtrlReg, x86.CR0TS) // Xen keeps no other bit of it
	}
	put(abi.VGCCtrlReg+8*1, v.GuestTableUser<<mem.PageShift)
	put(abi.VGCCtrlReg+8*3, v.GuestTable<<mem.PageShift)
	put(abi.VGCCtrlReg+8*4, v.CR4)
	for _, i := range [...]uint64{0, 1, 2, 3, 6, 7} {
		dr, _ := v.GetDebugreg(i)
		put(abi.VGCDebugReg+8*int(i), dr)
	}
	put(abi.VGCEventEIP, v.Event)
	put(abi.VGCFailsafeEIP, v.Failsafe)
	put(abi.VGCSyscallEIP, v.Syscall)
	put(abi.VGCVMAssist, v.Dom.Assist)
	kernelGS, userGS := k.Seg[x86.GS].Base, k.KernelGSBase
	if !v.KernelMode {
		kernelGS, userGS = userGS, kernelGS
	}
	put(abi.VGCFSBase, k.Seg[x86.FS].Base)
	put(abi.VGCGSBaseKernel, kernelGS)
	put(abi.VGCGSBaseUser, userGS)
	return g
}
