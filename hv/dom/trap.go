package dom

import "pvlab/hv/x86"

// PermitSoftInt reports whether INT vec is allowed by the DPL of the guest's
// virtual IDT: 1 to 3 from kernel mode, 3 from user mode (FRAME-22;
// XI/regs.h:permit_softint).
func (v *VCPU) PermitSoftInt(vec uint8) bool {
	dpl := v.Trap[vec].DPL()
	if v.KernelMode {
		return dpl >= 1
	}
	return dpl == 3
}

// TakeDR6 moves what the processor noted in DR6 into the guest's, as Xen does
// at each #DB, and resets the processor's (DBG-10; X/traps.c:handle_DB).
func (v *VCPU) TakeDR6() {
	hw := v.CPU.DR[6]
	v.DR6 = (v.DR6 | hw&^x86.DR6Init) & (hw | ^uint64(x86.DR6Init))
	v.CPU.DR[6] = x86.DR6Init
}
