package xenpv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pvlab/entry/judge"
	"pvlab/hv"
)

// deathsGuest assembles the kernel that ends in the way its command line
// names; its runs on real Xen are the samples beside it.
func deathsGuest(t *testing.T) []byte {
	t.Helper()
	judge.Require(t, "cc")
	base := filepath.Join("..", "..", "entry", "judge", "testdata", "deaths_xen")
	out := filepath.Join(t.TempDir(), "deaths.elf")
	cmd := exec.Command("cc", "-nostdlib", "-static", "-no-pie", "-fno-pic", "-s", "-Wl,--build-id=none",
		"-Wl,--no-warn-rwx-segments", "-Wl,-T,"+base+".ld", "-o", out, base+".S")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// console boots the guest as dom0 and returns what the serial line shows.
func console(t *testing.T, raw []byte, cmdline string) string {
	t.Helper()
	var out strings.Builder
	_, _ = boot(t, raw, cmdline, func(c *hv.Config) {
		c.Console = &out
		c.Hypervisor = func(line string) { out.WriteString(line + "\n") }
	})
	return out.String()
}

// frames hides machine frame numbers: bits 12 to 51 of a printed page-table
// entry and of cr3, and the PFN column.
var frames = regexp.MustCompile(`(L\d\[0x[0-9a-f]{3}\] = [0-9a-f]{3})[0-9a-f]{10}([0-9a-f]{3}) [0-9a-f]{16}|(cr3: )[0-9a-f]{16}`)

func masked(s string) string { return frames.ReplaceAllString(s, "$1-$2$3") }

// holdsFrames are the cases in which registers or stack words hold machine
// addresses: page-table entries, or the address of shared_info.
var holdsFrames = map[string]*regexp.Regexp{
	"callback": regexp.MustCompile(`(rsi: 0000000)[0-9a-f]{6}(067)`),
	"stackro":  regexp.MustCompile(`( [08]000000)[0-9a-f]{6}(0[26][35])`),
}

// TestDeathsAsRealXenPrintsThem: for each sample the console of the model is
// the console of real Xen, byte for byte, but for machine frame numbers.
func TestDeathsAsRealXenPrintsThem(t *testing.T) {
	raw := deathsGuest(t)
	logs, err := filepath.Glob("../../entry/judge/testdata/xen/*.log")
	if err != nil || len(logs) < 40 {
		t.Fatalf("%d samples: %v", len(logs), err)
	}
	for _, log := range logs {
		name := strings.TrimSuffix(filepath.Base(log), ".log")
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			got, expect := masked(console(t, raw, name)), masked(string(want))
			if re := holdsFrames[name]; re != nil {
				got, expect = re.ReplaceAllString(got, "$1-$2"), re.ReplaceAllString(expect, "$1-$2")
			}
			if got != expect {
				t.Errorf("got\n%s\nwant\n%s", got, expect)
			}
		})
	}
}
