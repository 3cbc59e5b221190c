package image_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// FuzzLoad feeds files to the loader and what it accepts to the builders:
// each either works or says in one line what is wrong.
func FuzzLoad(f *testing.F) {
	elf := sample(func(f *elftest.File) {
		f.Segments[0].Data = []byte("\xf4code")
		f.Symbols = []elftest.Symbol{{Name: "start", Addr: entry, Size: 4, Info: 0x12}}
		f.Sections = []elftest.Section{{Name: ".debug_line", Data: make([]byte, 64)}, {Name: ".debug_abbrev", Flags: 0x800, Data: make([]byte, 40)}}
	})
	small := elf[:64+2*56] // headers; the rest makes the fuzzer slow
	legacy := elftest.File{
		Segments: []elftest.Segment{{Paddr: entry, Vaddr: entry, Data: make([]byte, 4)}}, Entry: entry,
		Sections: []elftest.Section{{Name: "__xen_guest", Data: []byte("LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000\x00")}},
	}.Bytes()
	for _, seed := range [][]byte{nil, elf, small, legacy, x86XZ, gz(elf), xzPack(elf), zst(elf), lz4Frame(elf), lz4Legacy(elf),
		bzImage(gz(elf), -1), bzImage(zst(elf), len(elf)), sample(func(f *elftest.File) { f.NotesInSections = true }),
		withNote(elftest.Num(abi.ELFNoteInitP2M, 0x8000000000)), withNote(elftest.Num(abi.ELFNoteHypercallPage, entry)),
		withNote(elftest.Num(abi.ELFNoteModStartPFN, 1))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { build(t, raw, bytes.Repeat(raw, 2)) })
}

// build loads a file, asks it everything and builds it on every platform.
func build(t *testing.T, raw, ramdisk []byte) {
	const size = 8 << 20
	img, err := image.Load("FILE", raw, size)
	sameAsRead(t, raw, size, img, err)
	if err != nil {
		checkError(t, err)
		return
	}
	for _, a := range []uint64{img.Xen.Entry, img.Phys32Entry, img.ELFEntry} {
		img.Symbol(a)
		img.Line(a)
	}
	img.Lookup("start")
	m, err := mem.New(size)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := image.BuildPVH(m, img, image.NativeOptions{Initrd: ramdisk}); err != nil {
		checkError(t, err)
	}
	for _, dom0 := range []bool{true, false} {
		o := image.PVOptions{Dom0: dom0, Initrd: ramdisk, HypercallPage: ring3Page}
		const first = 0x100
		l, err := image.LayoutPV(size>>12-first, img, o)
		if err != nil {
			checkError(t, err)
			continue
		}
		p2m, _ := l.Frames(first)
		if _, err := image.BuildPV(m, p2m, img, o); err != nil {
			checkError(t, err)
		}
	}
}

// sameAsRead: what Read takes of a file is as good as all of it.
func sameAsRead(t *testing.T, raw []byte, limit uint64, want *image.Image, wantErr error) {
	t.Helper()
	part, err := image.Read("FILE", bytes.NewReader(raw), limit)
	if err != nil {
		checkError(t, err)
		return
	}
	got, err := image.Load("FILE", part, limit)
	switch {
	case (err == nil) != (wantErr == nil), err != nil && err.Error() != wantErr.Error():
		t.Fatalf("of %d bytes %d read: %v, all of them: %v", len(raw), len(part), err, wantErr)
	case err == nil && (got.Format != want.Format || got.Xen.Entry != want.Xen.Entry):
		t.Fatalf("of %d bytes %d read: %s at %#x, all of them: %s at %#x", len(raw), len(part), got.Format, got.Xen.Entry, want.Format, want.Xen.Entry)
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var e *image.Error
	if !errors.As(err, &e) || e.File != "FILE" || e.Field == "" || e.Msg == "" || strings.Contains(err.Error(), "\n") {
		t.Fatalf("error %q does not name file and field in one line", err)
	}
}

// FuzzBuild gives the builders images whose addresses are arbitrary.
func FuzzBuild(f *testing.F) {
	f.Add(uint64(elftest.VirtBase), uint64(0), uint64(entry), uint64(0x100000), uint64(0x3000), uint64(entry+0x1000), uint64(0x8000000000), uint16(100), uint8(0xff))
	f.Add(uint64(0), uint64(0), ^uint64(0)-0xfff, ^uint64(0)-0xfff, uint64(0xfff), uint64(0), uint64(0), uint16(0), uint8(0))
	f.Add(uint64(0x7fffffe00000), uint64(0x100000), uint64(0x7fffffe00000), uint64(0x100000), uint64(0x1000), uint64(0x7fffffe01800), uint64(0x1000), uint16(9000), uint8(0x1f))
	f.Fuzz(func(t *testing.T, base, offset, start, paddr, memsz, hypercall, initP2M uint64, ramdisk uint16, has uint8) {
		file := elftest.PV([]byte{0xf4}, 1, elftest.Num(abi.ELFNotePhys32Entry, start&0xffffffff))
		file.Segments[0].Paddr, file.Segments[0].Memsz = paddr, memsz
		file.SetNote(elftest.Num(abi.ELFNoteVirtBase, base))
		file.SetNote(elftest.Num(abi.ELFNoteEntry, start))
		for i, n := range []elftest.Note{
			elftest.Num(abi.ELFNotePaddrOffset, offset), elftest.Num(abi.ELFNoteHypercallPage, hypercall),
			elftest.Num(abi.ELFNoteInitP2M, initP2M), elftest.Num(abi.ELFNoteModStartPFN, 1),
		} {
			if has>>i&1 != 0 {
				file.SetNote(n)
			}
		}
		build(t, file.Bytes(), make([]byte, ramdisk))
	})
}
