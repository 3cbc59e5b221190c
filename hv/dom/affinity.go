package dom

import (
	"math/bits"

	"pvlab/hypercall/abi"
)

// Which processor of the machine a vCPU runs on: vCPU v always on number v
// modulo their count, as the scheduler has it.

// PCPU is the vCPU's processor.
func (v *VCPU) PCPU() int { return v.ID % v.Dom.PCPUs }

// Pinned reports whether Xen may run the vCPU on one processor only: dom0's
// may run on each, unless it has asked for fewer.
func (v *VCPU) Pinned() bool {
	hard := uint64(1)<<v.Dom.PCPUs - 1
	if v.ID < len(v.Dom.Host.Hard) {
		hard &= v.Dom.Host.Hard[v.ID]
	}
	return v.Override || bits.OnesCount64(hard) == 1
}

// PinOverride is SCHEDOP_pin_override for the vCPU itself: a processor, or a
// negative number to be free again (C/sched/core.c:vcpu_temporary_affinity).
func (v *VCPU) PinOverride(pcpu int32) abi.Errno {
	switch {
	case pcpu < 0 && !v.Override, pcpu >= int32(v.Dom.PCPUs):
		return abi.EINVAL
	case pcpu < 0:
		v.Override = false
	case v.Override:
		return abi.EBUSY
	default:
		v.Override = true
	}
	return 0
}
