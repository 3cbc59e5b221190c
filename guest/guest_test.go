package guest_test

import (
	"bytes"
	"crypto/sha256"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pvlab/guest"
)

// kernelBase is where the image's physical address 0 is seen (include/arch.h).
const kernelBase = 0xffffffff80000000

func benchELF(t *testing.T) *elf.File {
	t.Helper()
	image, err := guest.Image(guest.Bench)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func symbols(t *testing.T, f *elf.File) map[string]elf.Symbol {
	t.Helper()
	list, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]elf.Symbol{}
	for _, s := range list {
		byName[s.Name] = s
	}
	return byName
}

func TestAnUnknownImageIsAnError(t *testing.T) {
	_, err := guest.Image("no such image")
	if err == nil || !strings.Contains(err.Error(), "no such image") {
		t.Errorf("error = %v, want one that names the image", err)
	}
}

func TestAnImageMayBePatchedByItsCaller(t *testing.T) {
	first, err := guest.Image(guest.Bench)
	if err != nil {
		t.Fatal(err)
	}
	first[0] = 0
	second, err := guest.Image(guest.Bench)
	if err != nil {
		t.Fatal(err)
	}
	if second[0] != 0x7f {
		t.Error("a change to one copy of the image is seen in the next")
	}
}

func TestChecksumsAreThoseOfTheImages(t *testing.T) {
	var want strings.Builder
	for _, name := range guest.Names() {
		image, err := guest.Image(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, "%x  %s.elf\n", sha256.Sum256(image), name)
	}
	got, err := os.ReadFile("elf/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("elf/SHA256SUMS (-images +file), run `make -C guest`:\n%s", diff)
	}
}

// The loaders' view: Xen places segments by physical address and enters by the
// ENTRY note, a PVH loader by the physical address in note 18.
func TestImageCarriesTheNotesOfBothLoaders(t *testing.T) {
	f := benchELF(t)
	syms := symbols(t, f)
	quad := func(v uint64) string { return string(binary.LittleEndian.AppendUint64(nil, v)) }
	want := map[uint32]string{
		1:  quad(syms["start_xen"].Value),              // ENTRY
		2:  quad(syms["hypercall_page"].Value),         // HYPERCALL_PAGE
		3:  quad(kernelBase),                           // VIRT_BASE
		5:  "xen-3.0\x00",                              // XEN_VERSION
		6:  "pvlab bench\x00",                          // GUEST_OS
		7:  "1\x00",                                    // GUEST_VERSION
		8:  "generic\x00",                              // LOADER
		9:  "yes\x00",                                  // PAE_MODE
		10: "\x00",                                     // FEATURES
		18: quad(syms["start_pvh"].Value - kernelBase), // PHYS32_ENTRY
	}
	got := map[uint32]string{}
	for _, p := range f.Progs {
		if p.Type == elf.PT_NOTE {
			parseNotes(t, p, got)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func parseNotes(t *testing.T, p *elf.Prog, into map[uint32]string) {
	t.Helper()
	data := make([]byte, p.Filesz)
	if _, err := p.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	align := func(n uint32) uint32 { return (n + 3) &^ 3 }
	for len(data) >= 12 {
		owner := binary.LittleEndian.Uint32(data)
		size := binary.LittleEndian.Uint32(data[4:])
		kind := binary.LittleEndian.Uint32(data[8:])
		data = data[12:]
		if string(data[:owner]) != "Xen\x00" {
			t.Errorf("note of owner %q", data[:owner])
		}
		into[kind] = string(data[align(owner) : align(owner)+size])
		data = data[align(owner)+align(size):]
	}
}

func TestSegmentsAreAlignedSeparateAndSmall(t *testing.T) {
	end := uint64(0x100000)
	for _, p := range benchELF(t).Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Paddr != (end+0xfff)&^0xfff {
			t.Errorf("segment at %#x, want it on the page after %#x", p.Paddr, end)
		}
		if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
			t.Errorf("segment at %#x is writable and executable", p.Paddr)
		}
		end = p.Paddr + p.Memsz
	}
	if end > 0x200000 {
		t.Errorf("image ends at %#x, want it within its first MiB", end)
	}
}

func TestEachVariantHasSourceStubsAndAText(t *testing.T) {
	syms := symbols(t, benchELF(t))
	var names []string
	for _, v := range guest.Variants() {
		names = append(names, v.Name)
		if len(v.Title) > 34 || v.Title == "" {
			t.Errorf("%s: title %q has %d characters, want 1 to 34", v.Name, v.Title, len(v.Title))
		}
		if !strings.HasSuffix(v.What, ".") {
			t.Errorf("%s: %q is no sentence", v.Name, v.What)
		}
		if !strings.Contains(guest.VariantSource(v.Name), "STUB("+v.Name+")") {
			t.Errorf("%s: source defines no stub of that name", v.Name)
		}
		for _, platform := range []string{"xen", "native"} {
			for _, vector := range guest.Vectors() {
				name := guest.StubSymbol(v.Name, platform, vector)
				s, ok := syms[name]
				if !ok {
					t.Errorf("no symbol %s", name)
				}
				if none := v.Name == "unregistered"; (s.Value == 0) != none {
					t.Errorf("%s = %#x, want a handler: %v", name, s.Value, !none)
				}
			}
		}
	}
	files, err := filepath.Glob("src/bench/variants/*.S")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".S")
	}
	slices.Sort(names)
	if diff := cmp.Diff(files, names); diff != "" {
		t.Errorf("variants (-source files +Variants):\n%s", diff)
	}
}

func TestAUserStubFindsTheSymbolsItMayCall(t *testing.T) {
	syms := symbols(t, benchELF(t))
	for _, name := range []string{
		"variant_handler", "hypercall_page", "empty_function", "kernel_handler_pf",
		"kernel_handler_bp", "kernel_handler_db", "kernel_handler_gp", "snap_round",
	} {
		if syms[name].Value < kernelBase {
			t.Errorf("no symbol %s", name)
		}
	}
	if size := syms["user_stub_area_end"].Value - syms["user_stub_area"].Value; size != 8192 {
		t.Errorf("user_stub_area has %d bytes, want 8192", size)
	}
	if size := syms["user_stub_table"].Size; size != 8*8 {
		t.Errorf("user_stub_table has %d bytes, want 8 pointers", size)
	}
	for _, name := range []string{"user_stub_area", "user_stub_table"} {
		if !inFile(benchELF(t), syms[name].Value) {
			t.Errorf("%s is not in the file, so cannot be patched", name)
		}
	}
}

func inFile(f *elf.File, address uint64) bool {
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool {
		return p.Type == elf.PT_LOAD && address >= p.Vaddr && address < p.Vaddr+p.Filesz
	})
}

func TestTheLineTableNamesTheSourceOfAStub(t *testing.T) {
	f := benchELF(t)
	data, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"retq16", "poppop", "chain"} {
		for _, platform := range []string{"xen", "native"} {
			address := symbols(t, f)[guest.StubSymbol(name, platform, "gp")].Value
			line := lineOf(t, data, address)
			source := strings.Split(guest.VariantSource(name), "\n")
			if want := "guest/" + guest.VariantPath(name); line.File.Name != want {
				t.Errorf("%s: first instruction is of %q, want %q", name, line.File.Name, want)
			}
			before := source[line.Line-2]
			if before != "STUB("+name+")" {
				t.Errorf("%s: first instruction is of line %d, below %q", name, line.Line, before)
			}
		}
	}
}

func lineOf(t *testing.T, data *dwarf.Data, address uint64) dwarf.LineEntry {
	t.Helper()
	unit, err := data.Reader().SeekPC(address)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := data.LineReader(unit)
	if err != nil {
		t.Fatal(err)
	}
	var entry dwarf.LineEntry
	if err := lines.SeekPC(address, &entry); err != nil {
		t.Fatal(err)
	}
	return entry
}

func TestIncludeHasTheStubHeaders(t *testing.T) {
	for _, name := range []string{"stub.h", "blocks.h", "arch.h", "xen.h"} {
		if _, err := fs.Stat(guest.Include(), name); err != nil {
			t.Error(err)
		}
	}
}
