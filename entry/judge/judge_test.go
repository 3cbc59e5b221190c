package judge

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// deaths assembles testdata/deaths_PLATFORM.S.
func deaths(t *testing.T, p Platform) []byte {
	t.Helper()
	Require(t, "cc")
	return assemble(t, filepath.Join("testdata", "deaths_"+string(p)))
}

func assemble(t *testing.T, base string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.elf")
	cmd := exec.Command("cc", "-nostdlib", "-static", "-no-pie", "-fno-pic", "-s", "-Wl,--build-id=none",
		"-Wl,--no-warn-rwx-segments", "-Wl,-T,"+base+".ld", "-o", out, base+".S")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	image, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func open(t *testing.T, tools ...string) *Judge {
	t.Helper()
	Require(t, tools...)
	j, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	return j
}

var update = flag.Bool("update", false, "write testdata/xen anew from real Xen")

// TestXenAgreesWithSamples: every death that real Xen reports is reported again, the same but for what
// the mask names: the samples are true, and two runs of one guest agree.
func TestXenAgreesWithSamples(t *testing.T) {
	j := open(t, "xen", "qemu")
	image := deaths(t, Xen)
	logs, err := filepath.Glob("testdata/xen/*.log")
	if err != nil || len(logs) < 40 {
		t.Fatalf("%d samples: %v", len(logs), err)
	}
	if testing.Short() {
		logs = []string{"pf.log", "hole.log", "slotec1.log", "iretuser.log", "stackend.log", "poweroff.log"}
	}
	if *update {
		updateSamples(t, j, image, logs)
	}
	var names []string
	var runs []Run
	for _, l := range logs {
		name := strings.TrimSuffix(filepath.Base(l), ".log")
		r := Run{Platform: Xen, Image: image, Cmdline: name}
		if name == "spin" {
			r.Timeout = 2 * time.Second
		}
		names, runs = append(names, name), append(runs, r)
	}
	j.RunAll(t.Context(), runs, func(i int, r Result) {
		t.Run(names[i], func(t *testing.T) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			want := sample(t, names[i])
			switch names[i] { // the console does not tell
			case "block":
				want = Outcome{Platform: Xen, Vector: -1, End: EndBlocked, Transcript: want.Transcript}
			case "spin":
				want = Outcome{Platform: Xen, Vector: -1, End: EndHang, Transcript: want.Transcript}
			}
			for _, d := range Compare(want, r.Outcome) {
				t.Errorf("%s: sample %s, now %s", d.Field, d.Model, d.Real)
			}
		})
	})
}

// updateSamples runs each case and keeps what real Xen says.
func updateSamples(t *testing.T, j *Judge, image []byte, logs []string) {
	file := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(file, image, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		name := strings.TrimSuffix(filepath.Base(l), ".log")
		r := Run{Platform: Xen, Cmdline: name, Timeout: 2 * time.Second}.withDefaults()
		w, err := j.bootXen(t.Context(), r, file, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l, []byte(w.text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The trap log knows whether the announced trap came, whatever the guest says.
func TestPlannedTrapUnderXen(t *testing.T) {
	j := open(t, "xen", "qemu")
	image := deaths(t, Xen)
	for cmdline, want := range map[string]bool{"survive": true, "misplanned": false} {
		o, err := j.Run(t.Context(), Run{Platform: Xen, Image: image, Cmdline: cmdline})
		if err != nil {
			t.Fatal(err)
		}
		if o.End != EndPoweroff || PlannedTrapSeen(o) != want {
			t.Errorf("%s: %s, trap seen: %v (%+v)", cmdline, o.Summary(), PlannedTrapSeen(o), o.Traps)
		}
	}
}

func TestNativeEnds(t *testing.T) {
	j := open(t, "qemu")
	image := deaths(t, Native)
	for _, c := range []struct {
		cmdline string
		end     End
		vector  int
		planned bool
	}{
		{"poweroff", EndPoweroff, -1, false},
		{"panic", EndCrash, -1, false}, // PANIC line, then power-off
		{"reboot", EndReboot, -1, false},
		{"halt", EndBlocked, -1, false},
		{"spin", EndHang, -1, false},
		{"bp", EndTripleFault, 3, false},
		{"pf", EndTripleFault, 14, false},
		{"np", EndTripleFault, 3, false},    // #BP, #NP of its gate, #DF
		{"stack", EndTripleFault, 3, false}, // no stack either
		{"survive", EndPoweroff, -1, true},
	} {
		t.Run(c.cmdline, func(t *testing.T) {
			o, err := j.Run(t.Context(), Run{
				Platform: Native, Image: image, Cmdline: c.cmdline,
				Timeout: 2 * time.Second, Quiet: 300 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			if o.End != c.end || o.Vector != c.vector || PlannedTrapSeen(o) != c.planned {
				t.Errorf("%s, planned trap seen: %v", o.Summary(), PlannedTrapSeen(o))
			}
			if len(o.Transcript) == 0 || o.Transcript[0] != "case "+c.cmdline {
				t.Errorf("transcript %q", o.Transcript)
			}
		})
	}
}

// After a triple fault the registers and the stack are those of the instruction
// that began it.
func TestNativeTripleFaultState(t *testing.T) {
	j := open(t, "qemu")
	image := deaths(t, Native)
	o, err := j.Run(t.Context(), Run{Platform: Native, Image: image, Cmdline: "pf"})
	if err != nil {
		t.Fatal(err)
	}
	r := o.Regs
	if r == nil {
		t.Fatal(o.Summary())
	}
	if r.RBX != 0x1111111111110001 || r.R12 != 0x1111111111110012 || r.RAX != 0x7fff00001010 ||
		r.CR2 != 0x7fff00001010 || r.CS != 8 || r.SS != 16 || r.CR4 != 0x20 {
		t.Errorf("registers %+v", r)
	}
	if !o.HasCode || o.Code != 0 {
		t.Errorf("error code %#x (%v), want a read of an absent page", o.Code, o.HasCode)
	}
	// `bp` pushed one word first; nothing below the stack's page is mapped away.
	o, err = j.Run(t.Context(), Run{Platform: Native, Image: image, Cmdline: "bp"})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Stack) != StackWords || o.Stack[0] != 0x1234 {
		t.Errorf("%d words, %x", len(o.Stack), o.Stack)
	}
	o, err = j.Run(t.Context(), Run{Platform: Native, Image: image, Cmdline: "stack"})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Stack) != 0 || o.StackEnd != StackFault {
		t.Errorf("unmapped stack: %d words, end %q", len(o.Stack), o.StackEnd)
	}
}

// The embedded probe is what its source says, and this QEMU's faults are those
// that the documentation lists.
func TestProbe(t *testing.T) {
	j := open(t, "qemu")
	quirks, err := j.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range quirks {
		t.Logf("%-22s here %s, real %s", q.ID, q.Here, q.Real)
	}
	if Need("cc") != nil {
		Require(t, "cc")
	}
	o, err := j.Run(t.Context(), Run{Platform: Native, Image: assemble(t, "probe/probe"), MemMiB: 32})
	if err != nil {
		t.Fatal(err)
	}
	rebuilt, err := readProbe(o)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range rebuilt {
		if q.Here != quirks[i].Here {
			t.Errorf("%s: the source gives %q, the embedded image %q: go generate ./entry/judge", q.ID, q.Here, quirks[i].Here)
		}
	}
}

// A guest that is no guest is an error that says what the oracle thought of it.
func TestRunRefusals(t *testing.T) {
	j := open(t, "xen", "qemu")
	for _, p := range []Platform{Xen, Native} {
		_, err := j.Run(t.Context(), Run{Platform: p, Image: []byte("no kernel at all"), Timeout: 3 * time.Second})
		if err == nil {
			t.Errorf("%s: no error", p)
		} else {
			t.Logf("%s: %v", p, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Run(ctx, Run{Platform: Native, Image: probeImage}); err == nil {
		t.Error("a run in an ended context gave an outcome")
	}
}
