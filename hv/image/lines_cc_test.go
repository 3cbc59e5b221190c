package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pvlab/entry/judge"
	"pvlab/hv/image"
)

// linesSource is a kernel whose labels are lines apart.
const linesSource = `	.pushsection .note.Xen, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long first
	.popsection
	.text
	.globl first, second
first:
	nop
	nop			/* line 10 */
second:
	hlt			/* line 12 */
	ret
`

// TestLine reads source lines from what the compiler makes of linesSource, in
// the DWARF versions and packings that it offers.
func TestLine(t *testing.T) {
	judge.Require(t, "cc")
	dir := t.TempDir()
	src := filepath.Join(dir, "lines.S")
	if err := os.WriteFile(src, []byte(linesSource), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, flags := range []string{"-g", "-gdwarf-4", "-gdwarf-5", "-g -gz=zlib", "-g -Wl,--compress-debug-sections=zlib", "-g0"} {
		t.Run(flags, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "lines.elf")
			args := append(strings.Fields(flags), "-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x100000", "-Wl,-e,first", "-Wl,--build-id=none", "-o", out, src)
			if b, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
				t.Fatalf("cc %v: %v\n%s", args, err, b)
			}
			raw, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			img, err := image.Load(out, raw, 64<<20)
			if err != nil {
				t.Fatal(err)
			}
			first, ok := img.Lookup("first")
			if !ok {
				t.Fatal("no symbol first")
			}
			second, _ := img.Lookup("second")
			for _, c := range []struct {
				addr uint64
				line int
			}{{first.Addr, 9}, {first.Addr + 1, 10}, {second.Addr, 12}, {second.Addr + 1, 13}, {second.Addr + 2, 0}, {first.Addr - 1, 0}} {
				file, line, ok := img.Line(c.addr)
				want := c.line
				if flags == "-g0" {
					want = 0
				}
				if line != want || ok != (want != 0) || ok && filepath.Base(file) != "lines.S" {
					t.Errorf("%#x is %s:%d (%v), want line %d", c.addr, file, line, ok, want)
				}
			}
		})
	}
}
