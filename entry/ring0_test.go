package entry_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pvlab/hv"
	"pvlab/hv/image"
)

// TestRing0AgainstQEMU runs the kernel of testdata/ring0 on plain QEMU and on
// the model: thousands of small cases of system instructions (ring0cases_test.go),
// each ending in exceptions whose frames and registers must be the same. Where
// QEMU's processor is known to be wrong the case says so and is not compared.
func TestRing0AgainstQEMU(t *testing.T) {
	qemu := tool(t, "qemu", "qemu-system-x86_64", "apt-get install qemu-system-x86")
	cc := tool(t, "cc", "cc", "apt-get install gcc binutils")
	if testing.Short() {
		t.Skip("boots QEMU")
	}
	for _, vendor := range []string{"intel", "amd"} {
		t.Run(vendor, func(t *testing.T) {
			cases := ring0Cases(vendor)
			elf := buildRing0(t, cc, cases)
			want := splitCases(t, runQEMU(t, qemu, elf, vendor), len(cases))
			got := splitCases(t, runModel(t, elf, vendor), len(cases))
			same, apart, shown := 0, 0, 0
			seen := map[string]bool{}
			for i, c := range cases {
				if c.qemu != "" {
					seen[c.qemu] = seen[c.qemu] || got[i] != want[i]
				}
				if got[i] == want[i] {
					same++
				} else if c.qemu != "" {
					apart++
				} else if shown++; shown <= 30 {
					t.Errorf("%s: % x\nmodel: %s\nQEMU:  %s", c.name, c.code, explainCase(got[i], want[i]), explainCase(want[i], got[i]))
				}
			}
			if shown > 30 {
				t.Errorf("%d cases differ", shown)
			}
			for _, k := range qemuFaults {
				if differs, met := seen[k.why]; met && !differs {
					t.Errorf("QEMU agrees in all of %v: no longer a known fault", k.cases)
				}
			}
			t.Logf("%d cases agree, %d not comparable (QEMU's known faults)", same, apart)
		})
	}
}

// tool finds a program; its absence is a failure when PVLAB_REQUIRE names it.
func tool(t *testing.T, name, program, install string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	text := fmt.Sprintf("%s is not installed: %s", program, install)
	if strings.Contains(","+os.Getenv("PVLAB_REQUIRE")+",", ","+name+",") {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

func buildRing0(t *testing.T, cc string, cases []ring0Case) string {
	t.Helper()
	dir := t.TempDir()
	var inc strings.Builder
	for i := range cases {
		cases[i].assemble(&inc)
	}
	if err := os.WriteFile(filepath.Join(dir, "cases.inc"), []byte(inc.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	elf := filepath.Join(dir, "ring0.elf")
	cmd := exec.Command(cc, "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none,-T,testdata/ring0/ring0.ld",
		"-I", dir, "-o", elf, "testdata/ring0/ring0.S")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return elf
}

func runQEMU(t *testing.T, qemu, elf, vendor string) string {
	t.Helper()
	model := "max,vendor=GenuineIntel,family=6,model=94,stepping=3"
	if vendor == "amd" {
		model = "max,vendor=AuthenticAMD,family=23,model=1,stepping=1"
	}
	out := filepath.Join(t.TempDir(), "serial")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, "-accel", "tcg", "-cpu", model, "-m", "64", "-nodefaults", "-no-reboot",
		"-display", "none", "-serial", "file:"+out, "-kernel", elf)
	text, failed := cmd.CombinedOutput()
	b, err := os.ReadFile(out)
	if failed != nil {
		lines := strings.Split(string(b), "\n")
		t.Fatalf("QEMU: %v after %s\n%s", failed, lines[max(0, len(lines)-2):], text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func runModel(t *testing.T, elf, vendor string) string {
	t.Helper()
	raw, err := os.ReadFile(elf)
	if err != nil {
		t.Fatal(err)
	}
	const memory = 64 << 20
	img, err := image.Load(elf, raw, memory)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	m, err := hv.New(img, hv.Config{Platform: hv.Native, Memory: memory, CPU: vendor, AsReference: true, Console: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r, err := m.Run(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	if r.End != hv.EndPowerOff {
		lines := strings.Split(out.String(), "\n")
		t.Fatalf("the model ended with %v %v after %s", r.End, r.Unmodelled, lines[max(0, len(lines)-2)])
	}
	return out.String()
}

// splitCases gives each case its lines.
func splitCases(t *testing.T, out string, n int) []string {
	t.Helper()
	lines := make([]string, n)
	for _, l := range strings.Split(strings.ReplaceAll(out, "\r", ""), "\n") {
		if l == "" {
			continue
		}
		var i int
		if _, err := fmt.Sscanf(l, "#%x", &i); err != nil || i >= n {
			t.Fatalf("line %q", l)
		}
		_, l, _ = strings.Cut(l, " ")
		lines[i] += withoutRF(l) + "\n"
	}
	return lines
}

// withoutRF clears RF in the saved flags, which QEMU keeps in its own way
// (clear for faults and between iterations, set for INT3); TestNativeFrames
// and the tests of hv/cpu say what it has to be.
func withoutRF(l string) string {
	f := strings.Fields(l)
	var v uint64
	if len(f) != len(ring0Fields) {
		return l
	}
	if _, err := fmt.Sscanf(f[10], "%x", &v); err == nil {
		f[10] = fmt.Sprintf("%016x", v&^fRF)
	}
	return strings.Join(f, " ")
}

var ring0Fields = []string{"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "vector", "error", "rip", "cs", "rflags", "rsp", "ss",
	"cr2", "dr6", "segs", "fsbase", "gsbase", "cr0"}

// explainCase names the vectors of a case, and the fields in which the first
// differing line differs from the other's.
func explainCase(s, other string) string {
	var b strings.Builder
	o := strings.Split(other, "\n")
	told := false
	for i, l := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		f := strings.Fields(l)
		if len(f) != len(ring0Fields) {
			fmt.Fprintf(&b, "[%s]", l)
			continue
		}
		fmt.Fprintf(&b, "[%s", strings.TrimLeft(f[6], "0")+"@"+strings.TrimLeft(f[8], "0"))
		var g []string
		if i < len(o) {
			g = strings.Fields(o[i])
		}
		if !told && len(g) == len(f) {
			for k := range f {
				if f[k] != g[k] {
					told = true
					fmt.Fprintf(&b, " %s=%s", ring0Fields[k], strings.TrimLeft(f[k], "0"))
				}
			}
		}
		b.WriteString("] ")
	}
	return b.String()
}
