package cell

import (
	"pvlab/entry/judge"
	"pvlab/hv"
	"pvlab/hv/cpu"
	"pvlab/hv/x86"
)

// Outcome puts what the model did into the judge's terms. text is everything
// the guest and the hypervisor printed, in order.
func Outcome(m *hv.Machine, r hv.Result, text string) judge.Outcome {
	o := judge.ParseConsole(text)
	if m.Config().Platform == hv.Native {
		o.Platform = judge.Native
	}
	switch r.End {
	case hv.EndPowerOff:
		if o.End != judge.EndCrash { // a PANIC line counts, as with the judge
			o.End = judge.EndPoweroff
		}
	case hv.EndReboot:
		o.End = judge.EndReboot
	case hv.EndGuestCrash:
		o.End = judge.EndCrash
	case hv.EndKilled:
		o.End = judge.EndKilled
		if r.Triple != nil {
			o.End = judge.EndTripleFault
			fillTriple(m, r.Triple, &o)
		}
	case hv.EndBlocked:
		o.End = judge.EndBlocked
	case hv.EndOther:
		o.End, o.Reason = judge.EndShutdownOther, r.Reason
	case hv.EndRunning, hv.EndStepLimit:
		o.End = judge.EndHang
	default:
		o.End = judge.EndUnknown
	}
	return o
}

// fillTriple takes registers and stack of a native triple fault.
func fillTriple(m *hv.Machine, t *hv.TripleFault, o *judge.Outcome) {
	s := &t.State
	o.Vector, o.Code, o.HasCode = t.First, uint64(t.Code), x86.VectorHasCode(uint8(t.First))
	o.Regs = &judge.Regs{
		RAX: s.R[x86.RAX], RBX: s.R[x86.RBX], RCX: s.R[x86.RCX], RDX: s.R[x86.RDX],
		RSI: s.R[x86.RSI], RDI: s.R[x86.RDI], RBP: s.R[x86.RBP], RSP: s.R[x86.RSP],
		R8: s.R[x86.R8], R9: s.R[x86.R9], R10: s.R[x86.R10], R11: s.R[x86.R11],
		R12: s.R[x86.R12], R13: s.R[x86.R13], R14: s.R[x86.R14], R15: s.R[x86.R15],
		RIP: s.RIP, RFLAGS: m.CPU(m.Current()).Flags(),
		CR0: s.CR0, CR2: s.CR2, CR3: s.CR3, CR4: s.CR4,
		FSBase: s.Seg[x86.FS].Base, GSBase: s.Seg[x86.GS].Base,
		CS: s.Seg[x86.CS].Sel, SS: s.Seg[x86.SS].Sel, DS: s.Seg[x86.DS].Sel,
		ES: s.Seg[x86.ES].Sel, FS: s.Seg[x86.FS].Sel, GS: s.Seg[x86.GS].Sel,
	}
	c := m.CPU(m.Current())
	for i := 0; i < judge.StackWords; i++ {
		w, f := c.ReadLinear64(cpu.ViewHypervisor, s.R[x86.RSP]+uint64(i)*8)
		if f.Valid {
			o.StackEnd = judge.StackFault
			break
		}
		o.Stack = append(o.Stack, w)
	}
}

// trapWatch collects the exceptions raised by guest code.
type trapWatch struct{ seen []judge.Trap }

// watchTraps records what the processor raised, before anybody handled it.
func watchTraps(m *hv.Machine) *trapWatch {
	w := &trapWatch{}
	m.OnExit(func(v int, ex *cpu.Exit) {
		if len(w.seen) >= judge.MaxTraps {
			return
		}
		c := m.CPU(v)
		t := judge.Trap{RIP: c.RIP, CS: c.Seg[x86.CS].Sel, CPL: int(c.CPL), RSP: c.R[x86.RSP]}
		switch ex.Kind {
		case cpu.ExitFault:
			t.Vector, t.Code = int(ex.Fault.Vector), ex.Fault.Code
			if t.Vector == x86.VectorPF {
				t.CR2 = ex.Fault.Addr
			}
		case cpu.ExitSoftInt:
			t.Vector, t.RIP, t.Soft = int(ex.Vector), ex.Next, true
		default:
			return
		}
		w.seen = append(w.seen, t)
	})
	return w
}
