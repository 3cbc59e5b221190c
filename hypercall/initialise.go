package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// guestContext gives access to a struct vcpu_guest_context.
type guestContext []byte

func (g guestContext) u64(off int) uint64 { return le.Uint64(g[off:]) }
func (g guestContext) reg(off int) uint64 { return le.Uint64(g[abi.VGCUserRegs+off:]) }
func (g guestContext) sel(off int) uint16 { return le.Uint16(g[abi.VGCUserRegs+off:]) }

// initialise is VCPUOP_initialise (EVT-14; X/domain.c:arch_initialise_vcpu,
// arch_set_info_guest).
func (c *Caller) initialise(v *dom.VCPU, arg uint64) abi.Errno {
	if !v.HasInfo() {
		return abi.EINVAL
	}
	g := make(guestContext, abi.VGCSize)
	if !c.copyIn(arg, g) {
		return abi.EFAULT
	}
	if v.Initialised {
		return abi.EEXIST
	}
	if err := checkContext(g); err != 0 {
		return err
	}
	var frames [abi.FirstReservedGDTPage]uint64
	for i := range frames {
		frames[i] = g.u64(abi.VGCGDTFrames + 8*i)
	}
	// Xen counts the pages of the GDT, and then its entries, in 32 bits.
	entries := uint32(g.u64(abi.VGCGDTEntries))
	if uint32((g.u64(abi.VGCGDTEntries)+511)/512) > gdtFrames || entries > abi.FirstReservedGDTEntry {
		return abi.EINVAL
	}
	loadContext(v, g)
	if err := v.SetGDT(frames[:(entries+511)/512], entries); err != 0 {
		return err
	}
	err := v.NewBaseptr(mfnOfCR3(g.u64(abi.VGCCtrlReg + 8*3)))
	if user := g.u64(abi.VGCCtrlReg + 8*1); err == 0 && user != 0 {
		err = v.NewUserBaseptr(mfnOfCR3(user))
	}
	if err != 0 {
		v.DropGDT()
		return err
	}
	loadRegisters(v, g)
	v.Initialised = true
	v.Down = g.u64(abi.VGCFlags)&abi.VGCFOnline == 0
	return 0
}

// gdtFrames is the room for them in the context.
const gdtFrames = 16

// mfnOfCR3 undoes the folding of xen_pfn_to_cr3, which on 64 bits is a shift.
func mfnOfCR3(cr3 uint64) uint64 { return cr3 >> mem.PageShift }

// checkContext makes the tests that come before anything is changed.
func checkContext(g guestContext) abi.Errno {
	for _, off := range [...]int{
		abi.VGCUserRegs + abi.RegsRIP, abi.VGCUserRegs + abi.RegsRSP, abi.VGCKernelSP, abi.VGCFSBase,
		abi.VGCGSBaseKernel, abi.VGCGSBaseUser, abi.VGCEventEIP, abi.VGCSyscallEIP, abi.VGCFailsafeEIP,
	} {
		if !dom.Canonical(g.u64(off)) {
			return abi.EINVAL
		}
	}
	for i := 0; i < 256; i++ {
		if !dom.Canonical(g.u64(abi.VGCTrapTable + i*abi.TrapInfoSize + 8)) {
			return abi.EINVAL
		}
	}
	base, n := g.u64(abi.VGCLDTBase), g.u64(abi.VGCLDTEntries)
	if n != 0 && !dom.Canonical(base) || !dom.AddrOK(base) || base&mem.PageMask != 0 || n > abi.MaxLDTEntries {
		return abi.EINVAL
	}
	if g.u64(abi.VGCFlags)&abi.VGCFInKernel == 0 && g.u64(abi.VGCCtrlReg+8) == 0 {
		return abi.EINVAL // a user-mode start needs a user page table
	}
	return 0
}

// loadContext takes over what Xen keeps of the context.
func loadContext(v *dom.VCPU, g guestContext) {
	flags := g.u64(abi.VGCFlags)
	for i := range v.Trap {
		off := abi.VGCTrapTable + i*abi.TrapInfoSize
		ti := abi.DecodeTrapInfo(g[off : off+abi.TrapInfoSize])
		ti.Vector, ti.CS = uint8(i), ti.CS|3
		v.Trap[i] = ti
	}
	v.KernelMode = flags&abi.VGCFInKernel != 0
	if flags&abi.VGCFI387Valid != 0 {
		v.CPU.LoadFPU((*[512]byte)(g[:512]))
	} else {
		v.CPU.LoadFPU(nil)
	}
	v.FailsafeMasks = flags&abi.VGCFFailsafeDisableEvents != 0
	v.SyscallMasks = flags&abi.VGCFSyscallDisableEvents != 0
	v.Event, v.Failsafe, v.Syscall = g.u64(abi.VGCEventEIP), g.u64(abi.VGCFailsafeEIP), g.u64(abi.VGCSyscallEIP)
	v.KernelSS, v.KernelSP = g.u64(abi.VGCKernelSS)|3, g.u64(abi.VGCKernelSP)
	v.IOPL = uint8(g.reg(abi.RegsRFLAGS) >> 12 & 3)
	v.SetTS(g.u64(abi.VGCCtrlReg)&x86.CR0TS != 0)
	v.SetCR4(g.u64(abi.VGCCtrlReg + 8*4))
	for _, reg := range [...]uint64{0, 1, 2, 3, 6, 7} {
		v.SetDebugreg(reg, g.u64(abi.VGCDebugReg+8*int(reg))) // bad values are dropped
	}
}

// gprAt are the offsets of the general registers in struct cpu_user_regs, in
// encoding order.
var gprAt = [16]int{abi.RegsRAX, abi.RegsRCX, abi.RegsRDX, abi.RegsRBX, abi.RegsRSP, abi.RegsRBP, abi.RegsRSI, abi.RegsRDI,
	abi.RegsR8, abi.RegsR9, abi.RegsR10, abi.RegsR11, abi.RegsR12, abi.RegsR13, abi.RegsR14, abi.RegsR15}

// loadRegisters sets the vCPU's processor; it starts when the vCPU is first
// scheduled, by IRET (entry.Xen.Start).
func loadRegisters(v *dom.VCPU, g guestContext) {
	k := v.CPU
	for i, off := range gprAt {
		k.R[i] = g.reg(off)
	}
	k.RIP = g.reg(abi.RegsRIP)
	k.SetFlags(g.reg(abi.RegsRFLAGS)&^(x86.FlagIOPL|x86.FlagVM) | x86.FlagIF)
	k.Seg[x86.CS].Sel, k.Seg[x86.SS].Sel = g.sel(abi.RegsCS)|3, g.sel(abi.RegsSS)|3
	v.SetLDT(g.u64(abi.VGCLDTBase), uint32(g.u64(abi.VGCLDTEntries)))
	v.StartSel = [4]uint16{g.sel(abi.RegsDS), g.sel(abi.RegsES), g.sel(abi.RegsFS), g.sel(abi.RegsGS)}
	kernelGS, userGS := g.u64(abi.VGCGSBaseKernel), g.u64(abi.VGCGSBaseUser)
	if !v.KernelMode {
		kernelGS, userGS = userGS, kernelGS
	}
	v.StartFS, v.StartGS = g.u64(abi.VGCFSBase), kernelGS
	k.KernelGSBase = userGS
	v.Fresh = true
	v.LoadRoot()
}
