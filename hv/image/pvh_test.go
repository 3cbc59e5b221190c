package image_test

import (
	"errors"
	"strings"
	"testing"

	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

func TestBuildPVHRefuses(t *testing.T) {
	at := func(pa uint64, n int) []byte {
		return elftest.File{
			Segments: []elftest.Segment{{Paddr: pa, Data: make([]byte, n)}},
			Notes:    []elftest.Note{elftest.Num(abi.ELFNotePhys32Entry, pa)},
		}.Bytes()
	}
	good := at(0x100000, 4096)
	for _, c := range []struct {
		name  string
		raw   []byte
		bytes uint64
		o     image.NativeOptions
		field string
		msg   string
	}{
		{"no PVH note", elftest.PV([]byte{0xf4}, 0x1000).Bytes(), 16 << 20, image.NativeOptions{}, "note PHYS32_ENTRY", "missing"},
		{"little memory", good, 2 << 20, image.NativeOptions{}, "memory", "the native platform takes"},
		{"more memory than below the PC's hole", good, 0xe0001000, image.NativeOptions{}, "memory", "the native platform takes"},
		{"long command line", good, 16 << 20, image.NativeOptions{Cmdline: strings.Repeat("x", 4096)}, "command line", "at most 4095"},
		{"kernel over the start info", at(0x2000, 4096), 16 << 20, image.NativeOptions{}, "program header 0 p_paddr", "free memory is"},
		{"kernel in the BIOS", at(0xf0000, 4096), 16 << 20, image.NativeOptions{}, "program header 0 p_paddr", "free memory is"},
		{"kernel over the ACPI tables", at(16<<20-4096, 4096), 16 << 20, image.NativeOptions{}, "program header 0 p_paddr", "free memory is"},
		{"ramdisk over the kernel", good, 16 << 20, image.NativeOptions{Initrd: make([]byte, 15<<20)}, "ramdisk", "do not fit"},
		{"ramdisk larger than memory", good, 16 << 20, image.NativeOptions{Initrd: make([]byte, 17<<20)}, "ramdisk", "do not fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := mem.New(c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			img, err := image.Load("FILE", c.raw, c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			_, err = image.BuildPVH(m, img, c.o)
			var e *image.Error
			if !errors.As(err, &e) || e.Field != c.field || !strings.Contains(e.Msg, c.msg) {
				t.Errorf("%v, want field %q and %q", err, c.field, c.msg)
			}
		})
	}
}

// TestBuildPVHLow: a segment may lie in free memory below 1 MiB, and is placed
// by p_paddr whatever its p_vaddr.
func TestBuildPVHLow(t *testing.T) {
	f := elftest.PVH([]byte{0xf4})
	f.Segments = append(f.Segments, elftest.Segment{Vaddr: elftest.VirtBase, Paddr: 0x8000, Data: []byte("trampoline")})
	m, err := mem.New(16 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	img, err := image.Load("FILE", f.Bytes(), 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	s, err := image.BuildPVH(m, img, image.NativeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Entry != 0x100000 {
		t.Errorf("entry %#x", s.Entry)
	}
	if got := string(m.Frame(8)[:10]); got != "trampoline" {
		t.Errorf("at 0x8000: %q", got)
	}
}
