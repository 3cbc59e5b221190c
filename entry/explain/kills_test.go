package explain

import (
	"strings"
	"testing"

	"pvlab/hv/x86"
)

// What Xen itself does to a guest, without any stub having run.
func TestKills(t *testing.T) {
	walk := []string{"Pagetable walk from 0000000000007ff8:", " L4[0x000] = 0000000000000000 ffffffffffffffff"}
	tests := []struct {
		name, kind, rule string
		end              Ending
		want             string
	}{
		{"no handler", "no-handler", "FRAME-16", Ending{How: "killed", Rule: "CRASH-02", Console: []string{"d0v0 Unhandled: vec 3, #BP[ffffffff]"}}, "#BP (vector 3)"},
		{"no callback", "no-callback", "FRAME-16", Ending{How: "killed", Rule: "CRASH-02"}, "callback"},
		{"bad stack", "bad-stack", "FRAME-14", Ending{How: "killed", Rule: "CRASH-03", Slot: "ss", Addr: 0x7ff8, Console: walk}, "its word ss would lie at 0x7ff8"},
		{"stack in Xen's hole", "hole-stack", "FRAME-15", Ending{How: "killed", Rule: "CRASH-01"}, "0x80000"},
		{"iret frame unreadable", "iret-unreadable", "IRET-02", Ending{How: "killed", Rule: "CRASH-04"}, "0x80000"},
		{"an entry that leaks", "l1tf", "MM-19", Ending{How: "killed", Rule: "CRASH-09"}, "without P"},
		{"no user table", "no-user-table", "IRET-04", Ending{How: "killed", Rule: "CRASH-05"}, "RPL 3"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f := newFlat(t, Xen)
			f.c.RIP = hitRIP
			s := f.step()
			f.t.Before(&s)
			r := f.regs()
			f.t.After(&r)
			tc.end.Regs = r
			x := Explain(f.t, &tc.end, &Symbols{})
			if x.Cause == nil || x.Cause.Kind != tc.kind || x.Cause.Rule != tc.rule || !strings.Contains(x.Cause.Verdict, tc.want) {
				t.Errorf("cause %+v, want %s (%s) naming %q", x.Cause, tc.kind, tc.rule, tc.want)
			}
			if strings.ContainsAny(x.Cause.Verdict+x.Cause.Fix+x.Cause.Other, "{}") {
				t.Errorf("a name was not filled in: %s", x.Cause.Verdict)
			}
			if x.Misleading != "" {
				t.Errorf("a true symptom is called misleading: %s", x.Misleading)
			}
		})
	}
}

// swapgs in a #GP stub: each #GP comes a frame deeper, until Xen cannot store
// one. Cause is the swapgs, not the stack that the console speaks of.
func TestRecursionBySwapgs(t *testing.T) {
	f := newFlat(t, Xen)
	f.write(hitRIP, insns["mov (%rdi),%rax"])
	f.write(flatCode, insns["swapgs"])
	f.c.RIP = hitRIP
	at := uint64(hitRSP)
	for range 5 {
		values := frameValues(Xen, xenSlotsCode, false)
		values[2], values[3] = 0, f.c.RIP
		at -= 8 * uint64(len(xenSlotsCode))
		fr := f.frame(xenSlotsCode, values, at)
		fr.Vector = x86.VectorGP
		f.deliver(fr)
	}
	x := Explain(f.t, &Ending{How: "killed", Rule: "CRASH-03", Slot: "ss", Addr: Word(at - 8),
		Console: []string{"Pagetable walk from 000000000007fec0:"}, Regs: f.regs()}, &Symbols{})
	if x.Cause == nil || x.Cause.Rule != "PRIV-04" || x.Cause.At != flatCode {
		t.Fatalf("cause %+v, want PRIV-04 at the swapgs", x.Cause)
	}
	if !strings.Contains(x.Misleading, "0x7fec0") {
		t.Errorf("the page-table walk is not called misleading: %q", x.Misleading)
	}
	if s := strings.Join(x.Consequences, "\n"); !strings.Contains(s, "each 64 bytes deeper") {
		t.Errorf("consequences do not tell of the recursion: %s", s)
	}
}

// A fault whose address came from a slot of the frame names that slot.
func TestFaultThroughSlot(t *testing.T) {
	f := newFlat(t, Xen)
	f.write(hitRIP, []byte{0xcc})
	f.write(flatCode, append(insns["mov 16(%rsp),%rdi"], insns["mov (%rdi),%rax"]...))
	f.c.RIP = hitRIP
	values := frameValues(Xen, xenSlots, false)
	values[2] = 0x5000_0000_0000_0000 // rip: not canonical, so that using it faults
	f.deliver(f.frame(xenSlots, values, hitRSP-8*uint64(len(xenSlots))))
	f.run(2)
	x := Explain(f.t, &Ending{How: "crash", Regs: f.regs()}, &Symbols{})
	const want = "the address is in rdi, which has the slot that holds rip"
	if x.Cause == nil || !strings.Contains(x.Cause.Verdict, want) {
		t.Errorf("cause %+v, want it to say %q", x.Cause, want)
	}
}

// Every rule that a kind names has its sentence, and every {name} of a
// sentence is one that is filled in.
func TestKindsAreComplete(t *testing.T) {
	for name, k := range kinds {
		if k.rule != "" && RuleTitle(k.rule) == "" {
			t.Errorf("%s: rule %s has no sentence in rules.txt", name, k.rule)
		}
		if k.verdict == "" {
			t.Errorf("%s: no verdict", name)
		}
	}
	for insn, rule := range privileged {
		if RuleTitle(rule) == "" {
			t.Errorf("%s: rule %s has no sentence in rules.txt", insn, rule)
		}
	}
}

// A #DB handler that returns with VGCF_in_syscall and TF set never gets on
// (DBG-02); without an end of its own the run stops at the limit of steps.
func TestStepThatNeverMoves(t *testing.T) {
	f := newFlat(t, Xen)
	f.c.EFER |= x86.EFERSCE
	f.write(hitRIP, []byte{0xcc})
	code, _ := assembleStub(t, "pop %rcx; pop %r11; push $0x100; HYPERVISOR_iret")
	f.write(flatCode, code)
	f.c.RIP = hitRIP
	values := frameValues(Xen, xenSlots, false)
	values[4] |= x86.FlagTF
	fr := f.frame(xenSlots, values, hitRSP-8*uint64(len(xenSlots)))
	fr.Vector = x86.VectorDB
	f.deliver(fr)
	f.run(8)
	x := Explain(f.t, &Ending{How: "step-limit", Regs: f.regs()}, &Symbols{})
	if x.Cause == nil || x.Cause.Rule != "DBG-02" {
		t.Errorf("cause %+v, want DBG-02", x.Cause)
	}
}
