// Package emul is what Xen does with an instruction that faulted in a PV
// guest and that Xen executes on the guest's behalf: the privileged ones
// (PRIV-*) and the forced-emulation CPUID. It knows no frames: its answer
// says whether the instruction is done, or which fault the guest gets.
package emul
