package asm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// needCC skips, or fails where PVLAB_REQUIRE asks for it, when no compiler is
// installed.
func needCC(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("cc"); err == nil {
		return
	}
	const hint = "no C compiler on PATH; on Debian: apt install gcc"
	if strings.Contains(os.Getenv("PVLAB_REQUIRE"), "cc") {
		t.Fatal(hint)
	}
	t.Skip(hint)
}

func source(t testing.TB, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func assemble(t testing.TB, text string) *Object {
	t.Helper()
	needCC(t)
	o, err := Assemble(source(t, "stub.S", text), os.DirFS("../../guest/include"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Each relocation type is compared with what the value must be by the ABI's
// formula (S+A, or S+A-P), computed here from the addresses chosen.
func TestLinkAppliesRelocations(t *testing.T) {
	const base, ext = 0xffffffff80200000, 0xffffffff80100123
	tests := []struct {
		name, text string
		off, size  int
		want       uint64
	}{
		{"R_X86_64_64", "mov $ext, %rax\n.org 0\n.quad ext+8\n", 0, 8, ext + 8},
		{"R_X86_64_32S", ".byte 0x48,0xc7,0xc0\n.reloc ., R_X86_64_32S, ext\n.long 0\n", 3, 4, ext & 0xffffffff},
		{"R_X86_64_PC32", "lea ext(%rip), %rax\n", 3, 4, (ext - (base + 7)) & 0xffffffff},
		{"R_X86_64_PLT32", "call ext\n", 1, 4, (ext - (base + 5)) & 0xffffffff},
		{"R_X86_64_PC64", ".quad ext - .\n", 0, 8, (ext - base) & (1<<64 - 1)},
		{"local symbol in another section", "lea 1f(%rip), %rax\n.section .rodata\n.byte 9\n1: .long 7\n", 3, 4, 8 - 7},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.text
			if strings.Contains(text, ".org") {
				text = strings.SplitN(text, ".org 0\n", 2)[1]
			}
			l, err := Link(assemble(t, ".text\n"+text), base, func(n string) (uint64, bool) { return ext, n == "ext" })
			if err != nil {
				t.Fatal(err)
			}
			var b [8]byte
			copy(b[:], l.Code[tc.off:tc.off+tc.size])
			if got := binary.LittleEndian.Uint64(b[:]); got != tc.want {
				t.Errorf("got %#x, want %#x (code % x)", got, tc.want, l.Code)
			}
		})
	}
}

// A section that follows with a greater alignment begins aligned; in the case
// above .rodata has alignment 1 and so lies directly behind 7 bytes of text.
func TestLinkAlignsSections(t *testing.T) {
	l, err := Link(assemble(t, ".text\n.globl a\na: nop\n.section .rodata\n.balign 16\n.globl b\nb: .quad 5\n"), 0x1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l.Symbols["a"] != 0x1000 || l.Symbols["b"] != 0x1010 || len(l.Code) != 0x18 || l.Code[1] != 0xcc {
		t.Errorf("a=%#x b=%#x length %#x, gap %#x", l.Symbols["a"], l.Symbols["b"], len(l.Code), l.Code[1])
	}
}

func TestLines(t *testing.T) {
	o := assemble(t, "\t.text\n\tnop\n\tpush %rax\n\n\tpop %rax\n\t.section .text.far,\"ax\"\n\tret\n")
	l, err := Link(o, 0x4000, nil)
	if err != nil {
		t.Fatal(err)
	}
	type pos struct {
		line int
		ok   bool
	}
	want := map[uint64]pos{0x3fff: {}, 0x4000: {2, true}, 0x4001: {3, true}, 0x4002: {5, true}, 0x4003: {7, true}, 0x4004: {}}
	for addr, w := range want {
		file, line, ok := l.Lines.Line(addr)
		if (pos{line, ok}) != w {
			t.Errorf("%#x: line %d %v, want %v", addr, line, ok, w)
		}
		if ok && filepath.Base(file) != "stub.S" {
			t.Errorf("%#x: file %q", addr, file)
		}
	}
}

// A user's stub written with the guest's own macros: eight entry points, and
// every instruction of every reading has its line in the user's file.
func TestStubOfGuestMacros(t *testing.T) {
	needCC(t)
	p := source(t, "mine.S", `#include "stub.h"
STUB(mine)
	ADJUST
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(mine)
`)
	o, err := Assemble(p, os.DirFS("../../guest/include"), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Link(o, 0xffffffff80110000, func(n string) (uint64, bool) {
		return 0xffffffff80100000, n == "variant_handler" || n == "hypercall_page"
	})
	if err != nil {
		t.Fatal(err)
	}
	name, entries, err := l.Entries()
	if err != nil || name != "mine" {
		t.Fatalf("name %q, error %v", name, err)
	}
	for i, e := range entries {
		if e < l.Base || e >= l.Base+uint64(len(l.Code)) {
			t.Errorf("entry %s at %#x is outside the code", tableSlots[i], e)
		}
		wantLine := 3 // pop %rcx of ADJUST
		if i >= 4 {
			wantLine = 4 // ADJUST is empty on bare metal
		}
		if file, line, ok := l.Lines.Line(e); !ok || line != wantLine || filepath.Base(file) != "mine.S" {
			t.Errorf("entry %s: %s:%d %v, want line %d", tableSlots[i], file, line, ok, wantLine)
		}
	}
	if x, n := l.Code[entries[0]-l.Base], l.Code[entries[4]-l.Base]; x != 0x59 || n != 0x57 {
		t.Errorf("first opcodes: xen %#x (want pop %%rcx), native %#x (want push %%rdi)", x, n)
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	needCC(t)
	tests := []struct{ name, text, want string }{
		{"bad mnemonic", "nop\nfrobnicate %rax\n", "stub.S:2: "},
		{"missing include", "#include \"nowhere.h\"\n", "stub.S:1:"},
		{"error in a macro of the includes", "#include \"blocks.h\"\nSTUB_BEGIN 0, 3\nSTUB_BEGIN x, y, z\n", "stub.S:3: "},
		{"undefined symbol", "call nothere\njmp norhere\n", "undefined symbol: norhere, nothere"},
		{"data", ".data\n.quad 1\n", "section .data: writable memory"},
		{"bss", ".bss\n.zero 8\n", "section .bss: writable memory"},
		{"common", ".comm x, 8\nnop\n", "symbol x: common"},
		{"GOT", "mov x@GOTPCREL(%rip), %rax\n", "GOTPCREL"},
		{"out of range", ".long x\n", "does not fit the 4 bytes"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p := source(t, "stub.S", tc.text)
			o, err := Assemble(p, os.DirFS("../../guest/include"), nil)
			if err == nil {
				_, err = Link(o, 0xffffffff80000000, func(n string) (uint64, bool) { return 0xffffffff80000000, n == "x" })
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), p) {
				t.Errorf("error %v, want it to begin with the file and contain %q", err, tc.want)
			}
		})
	}
}

func TestMissingTool(t *testing.T) {
	p := source(t, "stub.S", "nop\n")
	t.Setenv("PATH", t.TempDir())
	_, err := Assemble(p, nil, nil)
	var missing *ToolMissing
	if !errors.As(err, &missing) || missing.Package != "gcc" {
		t.Fatalf("error %v, want *ToolMissing naming the package", err)
	}
}

func TestDefinitions(t *testing.T) {
	needCC(t)
	o, err := Assemble(source(t, "stub.S", "#ifdef FLAG\n.byte VALUE\n#endif\n"), nil, map[string]string{"FLAG": "", "VALUE": "42"})
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Sections[0].Data; !bytes.Equal(got, []byte{42}) {
		t.Errorf("got % x", got)
	}
}

func TestEntries(t *testing.T) {
	all := map[string]uint64{"helper": 1}
	for i, s := range tableSlots {
		all["mine_"+s] = uint64(i)
	}
	some := map[string]uint64{"mine_xen_pf": 1}
	two := map[string]uint64{"mine_xen_pf": 1, "yours_xen_pf": 2}
	tests := []struct {
		name    string
		symbols map[string]uint64
		want    string // in the error, empty: none
	}{
		{"complete", all, ""},
		{"one of eight", some, "mine_xen_bp, mine_xen_db, mine_xen_gp, mine_native_pf"},
		{"two stubs", two, "mine, yours"},
		{"none", map[string]uint64{"main": 0}, "no entry point"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := &Linked{File: "f.S", Symbols: tc.symbols}
			name, e, err := l.Entries()
			if tc.want == "" {
				if err != nil || name != "mine" || !cmp.Equal(e, [8]uint64{0, 1, 2, 3, 4, 5, 6, 7}) {
					t.Errorf("%q %v %v", name, e, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// Compose is shown on an image linked here: area and table get the bytes,
// nothing else of the file changes.
func TestCompose(t *testing.T) {
	needCC(t)
	dir := t.TempDir()
	guest := filepath.Join(dir, "guest.S")
	text := `.text
.globl _start, kernel_func
_start: nop
kernel_func: ret
.globl area
.type area, @object
area: .fill 64, 1, 0xcc
.size area, 64
.section .rodata
.globl table
table: .fill 8, 8, 0
.size table, 64
`
	if err := os.WriteFile(guest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "guest.elf")
	if msg, err := exec.Command("cc", "-nostdlib", "-static", "-o", out, guest).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	image, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	g, err := OpenGuest("guest.elf", image, "area", "table")
	if err != nil {
		t.Fatal(err)
	}
	if g.AreaSize != 64 {
		t.Fatalf("area size %d", g.AreaSize)
	}
	stub := ""
	for _, s := range tableSlots {
		stub += ".globl s_" + s + "\ns_" + s + ":\n"
	}
	l, err := Link(assemble(t, stub+"jmp kernel_func\n"), g.Area, g.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i := range image {
		if got[i] != image[i] {
			changed++
		}
	}
	// 5 bytes of code over 0xcc, and eight pointers of which only the low
	// three bytes differ from zero (0x40xxxx).
	if changed < 5 || changed > 5+8*4 || len(got) != len(image) {
		t.Errorf("%d bytes changed of %d", changed, len(image))
	}
	if _, err := OpenGuest("guest.elf", image, "area", "nothere"); err == nil || !strings.Contains(err.Error(), "symbol nothere") {
		t.Errorf("missing table: %v", err)
	}
	big, err := Link(assemble(t, stub+".fill 65, 1, 0x90\n"), g.Area, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Compose(big); err == nil || !strings.Contains(err.Error(), "65 bytes, the guest image has room for 64") {
		t.Errorf("too large: %v", err)
	}
}

// An object file is untrusted: whatever it holds, Parse and Link end with a
// value or an error.
func FuzzParse(f *testing.F) {
	if _, err := exec.LookPath("cc"); err == nil {
		for _, text := range []string{"nop\n", "call x\n.section .rodata\n.quad x\n", ".globl a_xen_pf\na_xen_pf: lea 1f(%rip),%rax\n.data\n1:\n"} {
			p := filepath.Join(f.TempDir(), "seed.S")
			o := p + ".o"
			if os.WriteFile(p, []byte(text), 0o600) == nil && exec.Command("cc", "-c", "-g", "-o", o, p).Run() == nil {
				if b, err := os.ReadFile(o); err == nil {
					f.Add(b)
				}
			}
		}
	}
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Parse("fuzz.o", b)
		if err != nil {
			var oe *ObjectError
			if !errors.As(err, &oe) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		l, err := Link(o, 0xffffffff80000000, func(string) (uint64, bool) { return 0xffffffff80000000, true })
		if err == nil && len(l.Code) > MaxCode+maxSections*4096 {
			t.Fatalf("%d bytes of code", len(l.Code))
		}
	})
}

// A unit that ends inside a number makes debug/dwarf give out the same empty
// entry for ever; the reader of lines has to end all the same.
func TestLinesEndOnBrokenUnit(t *testing.T) {
	o := &Object{File: "f.o", debug: []Section{
		{Name: ".debug_info", Data: []byte{8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 0xff}},
		{Name: ".debug_abbrev", Data: []byte{0}},
		{Name: ".debug_line", Data: []byte{0}},
	}}
	if l := o.lines(nil); l != nil {
		t.Errorf("lines out of nothing: %v", l)
	}
}
