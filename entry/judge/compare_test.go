package judge

import (
	"strings"
	"testing"
)

// mutate changes one thing of a killed guest's outcome; fields are the first
// words of the differences that must follow.
type mutation struct {
	name   string
	change func(o *Outcome)
	field  string // "" means the mask hides it
}

// Everything that item 7 of the issue names is compared, and what the mask
// names is not.
func TestCompareSeesEveryField(t *testing.T) {
	muts := []mutation{
		{"end", func(o *Outcome) { o.End = EndCrash }, "end"},
		{"reason", func(o *Outcome) { o.Reason = 4 }, "reason"},
		{"rule", func(o *Outcome) { o.Crash = "CRASH-03" }, "crash"},
		{"vector", func(o *Outcome) { o.Vector = 13 }, "vector"},
		{"code", func(o *Outcome) { o.Code ^= 4 }, "code"},
		{"no code", func(o *Outcome) { o.HasCode = false }, "code"},
		{"no walk", func(o *Outcome) { o.Walks = nil }, "walks"},
		{"walked address", func(o *Outcome) { o.Walks[0].Addr++ }, "walk[0].addr"},
		{"hole", func(o *Outcome) { o.Walks[0].Entries[3].Entry &^= 1 }, "walk[0].hole"},
		{"writable bit", func(o *Outcome) { o.Walks[0].Entries[3].Entry ^= 2 }, "walk[0].L1.entry"},
		{"software bit", func(o *Outcome) { o.Walks[0].Entries[3].Entry ^= 1 << 52 }, "walk[0].L1.entry"},
		{"nx", func(o *Outcome) { o.Walks[0].Entries[3].Entry ^= 1 << 63 }, "walk[0].L1.entry"},
		{"machine frame", func(o *Outcome) { o.Walks[0].Entries[3].Entry ^= 0x12345000 }, ""},
		{"pfn", func(o *Outcome) { o.Walks[0].Entries[3].PFN++ }, "walk[0].L1.pfn"},
		{"a level less", func(o *Outcome) { o.Walks[0].Entries = o.Walks[0].Entries[:3] }, "walk[0].levels"},
		{"no registers", func(o *Outcome) { o.Regs = nil }, "regs"},
		{"cr3", func(o *Outcome) { o.Regs.CR3 ^= 0x1000 }, ""},
		{"em", func(o *Outcome) { o.Regs.EM = !o.Regs.EM }, "regs.em"},
		{"a stack word", func(o *Outcome) { o.Stack[3] ^= 1 << 32 }, "stack[3]"},
		{"a shorter stack", func(o *Outcome) { o.Stack = o.Stack[:8] }, "stack.words"},
		{"stack's end", func(o *Outcome) { o.StackEnd = StackFault }, "stack.end"},
		{"transcript", func(o *Outcome) { o.Transcript[0] = "case PFW" }, "transcript[0]"},
		{"a line more", func(o *Outcome) { o.Transcript = append(o.Transcript, "") }, "transcript.lines"},
		{"xen address", text("fault at ffff82d040204b78", "fault at ffff82d0aaaaaaaa"), ""},
		{"xen offset", text("+0x14f/0x177", "+0x14e/0x177"), "xen[6]"},
		{"banner", text("Xen-4.17.7 ", "Xen-4.17.9 "), ""},
		{"cpu", text("on cpu#0", "on cpu#3"), ""},
		{"blanks", text("RFLAGS: ", "RFLAGS:  "), "xen[11]"},
	}
	for _, g := range gprs {
		if g.xen != "cr3" {
			muts = append(muts, mutation{g.xen, func(o *Outcome) { *g.at(o.Regs) ^= 1 << 13 }, "regs." + g.xen})
		}
	}
	for _, s := range sregs {
		muts = append(muts, mutation{s.name, func(o *Outcome) { *s.at(o.Regs) ^= 4 }, "regs." + s.name})
	}
	for _, m := range muts {
		t.Run(m.name, func(t *testing.T) {
			model, real := sample(t, "pfw"), sample(t, "pfw")
			m.change(&model)
			diffs := Compare(model, real)
			if m.field == "" {
				if len(diffs) != 0 {
					t.Errorf("not masked: %v", diffs)
				}
				return
			}
			if len(diffs) == 0 || diffs[0].Field != m.field {
				t.Errorf("differences %v, want the first to be %s", diffs, m.field)
			}
		})
	}
}

// text replaces text in Xen's own lines.
func text(from, to string) func(*Outcome) {
	return func(o *Outcome) {
		for i, s := range o.Xen {
			o.Xen[i] = strings.ReplaceAll(s, from, to)
		}
	}
}

// What Xen says apart from the death, as between boot and guest, is no matter.
func TestCompareReportsOnly(t *testing.T) {
	model, real := sample(t, "bp"), sample(t, "bp")
	real.Xen = append([]string{"Scrubbing done"}, real.Xen...)
	if diffs := Compare(model, real); len(diffs) != 0 {
		t.Error(diffs)
	}
}

func TestMask(t *testing.T) {
	if _, err := parseMask(maskText); err != nil {
		t.Error(err)
	}
	for src, want := range map[string]string{
		"text a":          "mask.txt:1: no ` => `",
		"\ntext ( => x":   "mask.txt:2: error parsing regexp",
		"bits regs.rip 1": "mask.txt:1: no field regs.rip",
		"bits regs.cr3":   "mask.txt:1: want FIELD HEX",
		"bits regs.cr3 x": "mask.txt:1: strconv",
		"drop everything": "mask.txt:1: no rule drop",
	} {
		if _, err := parseMask(src); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", src, err, want)
		}
	}
}

func TestWeigh(t *testing.T) {
	planned := func(name string, traps ...Trap) Outcome {
		o := sample(t, name)
		o.Transcript = append([]string{"plan vec=14 err=0 rip=1000 rsp=0 cr2=0"}, o.Transcript...)
		o.Traps = traps
		return o
	}
	pf := Trap{Vector: 14, RIP: 0x1000}
	badInt := Trap{Vector: 13, Code: 0x332}
	quirks := knownQuirks()
	for i := range quirks {
		quirks[i].Here = quirks[i].Real
	}
	faulty := append(Quirks{}, quirks...)
	faulty[0].Here = "vec=13 code=0332"

	for _, c := range []struct {
		name        string
		model, real Outcome
		quirks      Quirks
		want        Verdict
	}{
		{"equal", planned("pf", pf), planned("pf", pf), quirks, Agree},
		{"different", planned("bp", pf), planned("pf", pf), quirks, Disagree},
		{"the model never raised it", planned("pf"), planned("pf", pf), quirks, NotSeen},
		{"the reference never raised it", planned("pf", pf), planned("pf"), quirks, NotSeen},
		{"raised elsewhere", planned("pf", pf), planned("pf", Trap{Vector: 14, RIP: 0x1001}), quirks, NotSeen},
		{"a fault of QEMU, not here", planned("bp", pf), planned("pf", pf, badInt), quirks, Disagree},
		{"a fault of QEMU, here", planned("bp", pf), planned("pf", pf, badInt), faulty, NotComparable},
		{"a fault without effect", planned("pf", pf), planned("pf", pf, badInt), faulty, Agree},
	} {
		if j := Weigh(c.model, c.real, c.quirks, true); j.Verdict != c.want {
			t.Errorf("%s: %s (%v), want %s", c.name, j.Verdict, j.Differences, c.want)
		}
	}
	if ok, why := faulty.Comparable(planned("pf", badInt)); ok || why != string(QuirkIntN) {
		t.Errorf("comparable %v, %q", ok, why)
	}
}

// Which traps of a run come past which fault of QEMU.
func TestQuirksTouched(t *testing.T) {
	quirks := knownQuirks()
	for i := range quirks {
		quirks[i].Here = "wrong"
	}
	const nonCanonical = 0x0000900000000000
	for _, c := range []struct {
		name  string
		traps []Trap
		want  string
	}{
		{"plain #GP", []Trap{{Vector: 13}}, ""},
		{"#GP with a selector", []Trap{{Vector: 13, Code: 0x18}}, ""},
		{"refused INT n", []Trap{{Vector: 13, Code: 0x19a, RIP: 5}}, "int-n-code"},
		{"INT3 without a gate", []Trap{{Vector: 3, Soft: true, RIP: 6}, {Vector: 11, Code: 0x1a, RIP: 5}}, "absent-gate-code"},
		{"#DB without a gate", []Trap{{Vector: 1, RIP: 6}, {Vector: 11, Code: 0xa, RIP: 6}}, "absent-gate-code, ext-bit"},
		{"stack in no man's land", []Trap{{Vector: 13, RSP: nonCanonical}}, "ss-non-canonical"},
		{"#PF there", []Trap{{Vector: 14, RSP: nonCanonical}}, ""},
	} {
		_, why := quirks.Comparable(Outcome{Traps: c.traps})
		if why != c.want {
			t.Errorf("%s: %q, want %q", c.name, why, c.want)
		}
	}
}
