package emul

import (
	"pvlab/hv/dom"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

// Result is Xen's answer to a fault.
type Result struct {
	// Handled is false when Xen has nothing to do with the instruction: the
	// guest gets the fault it raised.
	Handled bool
	// Fault, when valid, is what the guest gets instead: a fault of the
	// emulation (RIP at the instruction), or the #DB of a single step or I/O
	// breakpoint (RIP after it, virtual DR6 already set).
	Fault x86.Fault
	// Missing names what of Xen's emulation pvlab lacks.
	Missing error
}

// outcome is how one emulated instruction ended.
type outcome uint8

const (
	unhandled outcome = iota // give the guest its #GP
	retired                  // done, with what a completed instruction brings
	skipped                  // done early: no single-step trap (DBG-05)
	again                    // a piece of a REP is done; the instruction stays
	faulted                  // i.fault is the guest's
)

// inst is the instruction being emulated.
type inst struct {
	v       *dom.VCPU
	decoded decoded
	fault   x86.Fault
	bpmatch uint64 // DR6 bits of I/O breakpoints
	missing error
}

// Emulator emulates for one vCPU at a time; it keeps nothing between two
// instructions but the room that one takes.
type Emulator struct{ inst inst }

// Privileged handles a #GP(0) of guest code (PRIV-01;
// X/pv/emul-priv-op.c:pv_emulate_privileged_op).
func (e *Emulator) Privileged(v *dom.VCPU) Result {
	i := &e.inst
	*i = inst{v: v}
	if f := i.decoded.fetch(v); f.Valid {
		return Result{Handled: true, Fault: f}
	}
	op := find(&i.decoded)
	if op == nil {
		return Result{}
	}
	at := v.CPU.RIP
	out := op.run(i)
	if to := v.Dom.Probes.Emulated; len(to) != 0 {
		probe.Fire(to, &probe.Emulated{VCPU: v.ID, RIP: at, What: op.name, Done: out != unhandled && out != faulted})
	}
	switch out {
	case unhandled:
		return Result{Missing: i.missing}
	case faulted:
		return Result{Handled: true, Fault: i.fault}
	}
	c := v.CPU
	if out != again {
		c.RIP = at + uint64(i.decoded.length)
		c.SetFlags(c.Flags() &^ x86.FlagRF)
	}
	if out != skipped && c.Flags()&x86.FlagTF != 0 {
		i.bpmatch |= x86.DR6BS
	}
	if i.bpmatch != 0 {
		v.DR6 |= i.bpmatch | x86.DR6Init
		return Result{Handled: true, Fault: x86.NoCode(x86.VectorDB)}
	}
	return Result{Handled: true}
}

// kernel reports guest-kernel mode, which the emulator takes for ring 0.
func (i *inst) kernel() bool { return i.v.KernelMode }

func (i *inst) raise(f x86.Fault) outcome {
	i.fault = f
	return faulted
}

func (i *inst) gp0() outcome { return i.raise(x86.WithCode(x86.VectorGP, 0)) }
func (i *inst) ud() outcome  { return i.raise(x86.NoCode(x86.VectorUD)) }

// ioplOK compares the virtual IOPL with the guest's level: the kernel counts
// as ring 1, as ring 0 with VMASST_TYPE_architectural_iopl (BOOT-15).
func ioplOK(v *dom.VCPU) bool {
	level := uint8(3)
	if v.KernelMode {
		level = 1
		if v.Dom.Is(architecturalIOPL) {
			level = 0
		}
	}
	return v.IOPL >= level
}

const architecturalIOPL = 4 // VMASST_TYPE_architectural_iopl
