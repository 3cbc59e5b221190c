package judge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each file of testdata/xen is what real Xen 4.17.7 wrote after its boot when
// testdata/deaths_xen.S ran as dom0 with the file's name as its command line.
func sample(t *testing.T, name string) Outcome {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "xen", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return ParseConsole(string(text))
}

func TestParseConsoleEnds(t *testing.T) {
	for _, c := range []struct {
		log    string
		end    End
		reason int
		crash  string
	}{
		{"poweroff", EndPoweroff, 0, ""},
		{"reboot", EndReboot, 0, ""},
		{"suspend", EndShutdownOther, 2, ""},
		{"watchdog", EndShutdownOther, 4, ""},
		{"softreset", EndShutdownOther, 5, ""},
		{"crash", EndCrash, 0, ""},
		{"panic", EndCrash, 0, ""},
		{"partialoff", EndPoweroff, 0, ""},

		{"hole", EndKilled, 0, "CRASH-01"},
		{"stackholeend", EndKilled, 0, "CRASH-01"}, // last top that is refused (FRAME-15)
		{"bp", EndKilled, 0, "CRASH-02"},
		{"pf", EndKilled, 0, "CRASH-02"},
		{"callback", EndKilled, 0, "CRASH-02"},
		{"stackgone", EndKilled, 0, "CRASH-03"},
		{"stackro", EndKilled, 0, "CRASH-03"},
		{"stackhole", EndKilled, 0, "CRASH-03"},   // exactly the hole's start is allowed
		{"stackhole40", EndKilled, 0, "CRASH-03"}, // first top above the hole
		{"slot0", EndKilled, 0, "CRASH-03"},
		{"slotec1", EndKilled, 0, "CRASH-03"}, // no handler either: CRASH-14
		{"recurse", EndKilled, 0, "CRASH-03"}, // CRASH-15
		{"badiret", EndKilled, 0, "CRASH-04"},
		{"iretedge", EndKilled, 0, "CRASH-04"},
		{"iretuser", EndKilled, 0, "CRASH-05"},
	} {
		t.Run(c.log, func(t *testing.T) {
			o := sample(t, c.log)
			if o.End != c.end || o.Reason != c.reason || o.Crash != c.crash {
				t.Errorf("%s reason %d %q, want %s reason %d %q", o.End, o.Reason, o.Crash, c.end, c.reason, c.crash)
			}
			if (o.Regs != nil) != (c.end == EndKilled) {
				t.Errorf("registers: %v", o.Regs)
			}
		})
	}
}

// The vector and its error code come from the Unhandled line; the two kinds of
// death without one have neither.
func TestParseConsoleVector(t *testing.T) {
	for _, c := range []struct {
		log     string
		vector  int
		code    uint64
		hasCode bool
	}{
		{"de", 0, 0, false},
		{"db", 1, 0, false},
		{"bp", 3, 0, false},
		{"ud", 6, 0, false},
		{"gp", 13, 0, true},
		{"gpsel", 13, 0x18, true},
		{"intn", 13, 0x33*8 + 2, true},
		{"pf", 14, 0, true}, // the kernel's: no U bit (FRAME-20)
		{"pfw", 14, 3, true},
		{"pfx", 14, 0x10, true},
		{"callback", -1, 0, false},
		{"stackpf", -1, 0, false}, // the handler is there, the stack is not
	} {
		o := sample(t, c.log)
		if o.Vector != c.vector || o.Code != c.code || o.HasCode != c.hasCode {
			t.Errorf("%s: vector %d code %#x (%v), want %d %#x (%v)", c.log, o.Vector, o.Code, o.HasCode, c.vector, c.code, c.hasCode)
		}
	}
}

func TestParseConsoleWalk(t *testing.T) {
	for _, c := range []struct {
		log   string
		walks int
		addr  uint64
		hole  int
	}{
		{"bp", 0, 0, 0},
		{"pf", 1, 0x10, 4},
		{"pfw", 1, 0xffffffff80188000, 0}, // present, but read-only
		{"stackedge", 1, 0xffffffff7fffffe8, 3},
		{"walk2m", 1, 0xffffffff80400000, 2},
		{"recurse", 1, 0xffffffff80104ff8, 1},
		{"stackhole", 1, 0x7fff7ffffffffff8, 0}, // non-canonical: no entries
		{"slotec1", 2, 0xffffffff80104ff8, 1},   // first cr2's walk, then the slot's
	} {
		o := sample(t, c.log)
		if len(o.Walks) != c.walks {
			t.Errorf("%s: %d walks, want %d", c.log, len(o.Walks), c.walks)
			continue
		}
		if w := o.Walk(); w != nil && (w.Addr != c.addr || w.Hole() != c.hole) {
			t.Errorf("%s: walk from %016x, hole at L%d, want %016x, L%d", c.log, w.Addr, w.Hole(), c.addr, c.hole)
		}
	}
	w := sample(t, "stackro").Walk()
	want := WalkEntry{Level: 1, Index: 0x188, Entry: 0x001000003e988025, PFN: 0x188}
	if len(w.Entries) != 4 || w.Entries[3] != want {
		t.Errorf("stackro: entries %+v, want the last to be %+v", w.Entries, want)
	}
}

func TestParseConsoleRegisters(t *testing.T) {
	got := *sample(t, "hole").Regs
	want := Regs{
		RAX: got.RAX, RIP: got.RIP, // the program's own addresses
		RBX: 0x1111111111110001, RCX: 0x1111111111110002, RDX: 0x1111111111110003,
		RSI: 0x1111111111110004, RDI: 0x1111111111110005, RBP: 0x1111111111110006,
		R8: 0x1111111111110008, R9: 0x1111111111110009, R10: 0x1111111111110010,
		R11: 0x1111111111110011, R12: 0x1111111111110012, R13: 0x1111111111110013,
		R14: 0x1111111111110014, R15: 0xffffffff80187000, RSP: 0xffff820000000000,
		RFLAGS: 0x246, CR0: 0x80050033, CR3: 0x3e988000, CR4: 0x140660,
		CS: 0xe030, SS: 0xe02b, EM: true,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.RIP>>20 != 0xffffffff801 {
		t.Errorf("RIP %016x is not in the program", got.RIP)
	}
}

func TestParseConsoleStack(t *testing.T) {
	for _, c := range []struct {
		log   string
		words int
		end   StackEnd
	}{
		{"bp", StackWords, StackFull},
		{"stackend", 13, StackFault}, // a line of one word before the message
		{"stackgone", 0, StackFault},
		{"hole", 0, StackInaccessible},
		{"stacknoncanon", 0, StackInaccessible},
		{"stackzero", 0, StackEmpty},
		{"stack32k", 0, StackEmpty},
		{"stack32kbelow", 6, StackFull}, // cut at Xen's stack size, silently
		{"stack16k", StackWords, StackFull},
	} {
		o := sample(t, c.log)
		if len(o.Stack) != c.words || o.StackEnd != c.end {
			t.Errorf("%s: %d words, end %q, want %d, %q", c.log, len(o.Stack), o.StackEnd, c.words, c.end)
		}
	}
	// The dumped words are those that the program pushed: 1 to 64.
	stack := sample(t, "stackdump").Stack
	for i := range uint64(64) {
		if got := stack[7+i]; got != 1+i {
			t.Errorf("stackdump: word %d is %x, want %x", 7+i, got, 1+i)
		}
	}
}

// Guest text and Xen's text are told apart even inside one line.
func TestParseConsoleTranscript(t *testing.T) {
	for _, c := range []struct{ log, want string }{
		{"bp", "case bp"},
		{"panic", "case panic|PANIC: as asked"},
		{"partial", "case partial|half a line"},
	} {
		o := sample(t, c.log)
		if got := strings.Join(o.Transcript, "|"); got != c.want {
			t.Errorf("%s: transcript %q, want %q", c.log, got, c.want)
		}
		for _, s := range o.Xen {
			if strings.Contains(s, "half a line") || strings.HasPrefix(s, "(XEN)") {
				t.Errorf("%s: not Xen's own text: %q", c.log, s)
			}
		}
	}
}

// Whatever a guest prints, the parser ends and keeps all of it.
func FuzzParseConsole(f *testing.F) {
	for _, name := range []string{"bp", "pfw", "stackend", "slotec1", "iretuser", "partial"} {
		text, err := os.ReadFile(filepath.Join("testdata", "xen", name+".log"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := ParseConsole(text)
		if len(o.Stack) > strings.Count(text, " ")+1 || o.Vector < -1 {
			t.Errorf("%d words, vector %d", len(o.Stack), o.Vector)
		}
		if diffs := Compare(o, o); len(diffs) != 0 {
			t.Errorf("an outcome differs from itself: %v", diffs)
		}
	})
}
