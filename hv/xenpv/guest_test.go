package xenpv_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pvlab/entry/judge"
	"pvlab/hv"
	"pvlab/hv/image"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew from real Xen")

// The guests under testdata make hypercalls (calls.c), run instructions that
// trap, in the kernel (traps.c) and in user mode (user.c), and take events,
// NMIs and a second vCPU (events.c), and print what came of each;
// testdata/NAME.txt is what they print on real Xen 4.17 as dom0.
var guests = []struct {
	name  string
	vcpus int
}{{"calls", 1}, {"traps", 1}, {"user", 1}, {"events", 2}}

// compile builds a guest of testdata.
func compile(t *testing.T, name string) []byte {
	t.Helper()
	judge.Require(t, "cc")
	dir := t.TempDir()
	object, elf := filepath.Join(dir, "guest.o"), filepath.Join(dir, "guest.elf")
	for _, args := range [][]string{
		{"-c", "-O1", "-ffreestanding", "-fno-stack-protector", "-mno-red-zone", "-mno-sse", "-mcmodel=kernel", "-fno-pic",
			"-fcf-protection=none", "-o", object, "testdata/" + name + ".c"},
		{"-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
			"-Wl,-T,testdata/guest.ld", "-o", elf, "testdata/start.S", object},
	} {
		if text, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	raw, err := os.ReadFile(elf)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// boot runs a guest as dom0 and returns what it prints and what Xen prints.
func boot(t *testing.T, raw []byte, cmdline string, change func(*hv.Config)) (guest, xen []string) {
	t.Helper()
	img, err := image.Load("guest.elf", raw, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cfg := hv.Config{Platform: hv.Xen, Dom0: true, Memory: 256 << 20, Cmdline: cmdline, VCPUs: 1, Console: &out,
		Hypervisor: func(line string) { xen = append(xen, line) }, AsReference: true}
	if change != nil {
		change(&cfg)
	}
	m, err := hv.New(img, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r, err := m.Run(20_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if r.Unmodelled != nil {
		t.Errorf("not modelled: %v", r.Unmodelled)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), xen
}

func sample(name string) string { return filepath.Join("testdata", name+".txt") }

// same reports the first lines in which two transcripts differ, with the last
// line before that names a case.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	bad, title := 0, ""
	for i := 0; i < max(len(got), len(want)) && bad < 20; i++ {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if !strings.HasPrefix(w, " ") {
			title = w
		}
		if g != w {
			t.Errorf("%s, line %d (%s): got %q, want %q", what, i+1, title, g, w)
			bad++
		}
	}
}

func readSample(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile(sample(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// TestAnswersAsRealXen: each hypercall and each trap comes out as on real Xen.
func TestAnswersAsRealXen(t *testing.T) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			got, _ := boot(t, compile(t, g.name), "", func(c *hv.Config) { c.VCPUs = g.vcpus })
			same(t, g.name, got, readSample(t, g.name))
		})
	}
}

// TestSamplesAreTrue runs the guests on real Xen again.
func TestSamplesAreTrue(t *testing.T) {
	judge.Require(t, "xen", "qemu")
	j, err := judge.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range guests {
		name := g.name
		t.Run(name, func(t *testing.T) {
			o, err := j.Run(t.Context(), judge.Run{Platform: judge.Xen, Image: compile(t, name), VCPUs: g.vcpus})
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				text := strings.Join(o.Transcript, "\n") + "\n"
				if err := os.WriteFile(sample(name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			same(t, name, o.Transcript, readSample(t, name))
		})
	}
}
