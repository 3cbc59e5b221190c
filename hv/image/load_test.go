package image_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hypercall/abi"
)

const guestMem = 64 << 20

// entry is where the sample kernel begins.
const entry = elftest.VirtBase + 0x100000

// sample is a good kernel for both platforms; with changes it becomes a bad
// one.
func sample(change func(f *elftest.File)) []byte {
	f := elftest.PV(bytes.Repeat([]byte("\xf4code"), 2000), 0x4000,
		elftest.Note{Type: abi.ELFNotePhys32Entry, Desc: []byte{0x10, 0, 0x10, 0}})
	if change != nil {
		change(&f)
	}
	return f.Bytes()
}

func patched(change func(b []byte)) []byte {
	return sample(func(f *elftest.File) { f.Patch = change })
}

// withNote replaces the note of its type, or adds it.
func withNote(n elftest.Note) []byte {
	return sample(func(f *elftest.File) { f.SetNote(n) })
}

func withoutNotes(types ...uint32) []byte {
	return sample(func(f *elftest.File) {
		var kept []elftest.Note
		for _, n := range f.Notes {
			drop := false
			for _, t := range types {
				drop = drop || n.Type == t
			}
			if !drop {
				kept = append(kept, n)
			}
		}
		f.Notes = kept
	})
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func xzPack(b []byte) []byte {
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err != nil {
		panic(err)
	}
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zst(b []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(b, nil)
}

func lz4Frame(b []byte) []byte {
	var out bytes.Buffer
	w := lz4.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// lz4Legacy packs as the Linux build does.
func lz4Legacy(b []byte) []byte {
	out := []byte{0x02, 0x21, 0x4c, 0x18}
	for len(b) > 0 {
		n := min(len(b), 8<<20)
		block := make([]byte, lz4.CompressBlockBound(n))
		k, err := lz4.CompressBlock(b[:n], block, nil)
		if err != nil || k == 0 {
			panic("incompressible sample")
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(k))
		out = append(out, block[:k]...)
		b = b[n:]
	}
	return out
}

// bzImage puts a payload where Linux's boot header says. size is the word
// with the unpacked size behind it, left out for gzip, which has its own.
func bzImage(payload []byte, size int) []byte {
	if size >= 0 {
		payload = binary.LittleEndian.AppendUint32(bytes.Clone(payload), uint32(size))
	}
	b := make([]byte, 3*512+0x100)
	b[0x1f1] = 2
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x206:], 0x20f)
	binary.LittleEndian.PutUint32(b[0x248:], 0x100)
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	return append(b, payload...)
}

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0xff
	return b
}

// x86XZ is dump.bin in an ELF, packed as Linux packs:
// xz --x86 --lzma2=preset=9 --check=crc32.
//
//go:embed testdata/dump.x86.xz
var x86XZ []byte

func TestLoadUnpacks(t *testing.T) {
	elf := sample(nil)
	for _, c := range []struct {
		format string
		raw    []byte
	}{
		{"ELF", elf},
		{"gzip", gz(elf)},
		{"xz", xzPack(elf)},
		{"xz", x86XZ},
		{"lz4", lz4Frame(elf)},
		{"lz4", lz4Legacy(elf)},
		{"zstd", zst(elf)},
		{"bzImage", bzImage(elf, -1)},
		{"bzImage (gzip)", bzImage(gz(elf), -1)},
		{"bzImage (xz)", bzImage(xzPack(elf), len(elf))},
		{"bzImage (lz4)", bzImage(lz4Legacy(elf), len(elf))},
		{"bzImage (zstd)", bzImage(zst(elf), len(elf))},
		// Linux appends relocations to the ELF.
		{"bzImage (zstd)", bzImage(zst(append(bytes.Clone(elf), 1, 2, 3)), len(elf)+3)},
	} {
		img, err := image.Load("k", c.raw, guestMem)
		if err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		if img.Format != c.format {
			t.Errorf("format %q, want %q", img.Format, c.format)
		}
		if err := img.CanXen(); err != nil || img.Xen.Entry != entry {
			t.Errorf("%s: CanXen %v, entry %#x", c.format, err, img.Xen.Entry)
		}
	}
}

// TestLoadRefuses lists unusable files: what is said, in one line that names
// file and field, within a second and 64 MiB.
func TestLoadRefuses(t *testing.T) {
	elf := sample(nil)
	put16 := func(at int, v uint16) []byte {
		return patched(func(b []byte) { binary.LittleEndian.PutUint16(b[at:], v) })
	}
	put64 := func(at int, v uint64) []byte {
		return patched(func(b []byte) { binary.LittleEndian.PutUint64(b[at:], v) })
	}
	// Fields of the first program header.
	const phOffset, phPaddr, phFilesz, phMemsz = 64 + 8, 64 + 24, 64 + 32, 64 + 40
	second := func(s elftest.Segment) []byte {
		return sample(func(f *elftest.File) { f.Segments = append(f.Segments, s) })
	}
	zeros := make([]byte, 256<<20)
	// A good ELF whose first segment takes more of the file than there is
	// memory.
	claims := put64(phFilesz, 1<<40)
	for _, c := range []struct {
		name  string
		raw   []byte
		field string
		msg   string
	}{
		{"empty", nil, "header", "0 bytes"},
		{"text", []byte("#!/bin/sh\n"), "header", "begins with 23 21 2f 62, expected an ELF"},
		{"zeros", make([]byte, 4096), "header", "begins with 00 00 00 00"},
		{"magic only", []byte("\x7fELF"), "ELF header", "truncated: 4 bytes, expected 64"},
		{"32-bit", patched(func(b []byte) { b[4] = 1 }), "e_ident[EI_CLASS]", "a 32-bit ELF"},
		{"big-endian", patched(func(b []byte) { b[5] = 2 }), "e_ident[EI_DATA]", "expected 1 (little-endian)"},
		{"arm", put16(18, 183), "e_machine", "183, expected 62 (x86-64)"},
		{"object file", put16(16, 1), "e_type", "expected 2"},
		{"no program headers", put16(56, 0), "e_phnum", "0, expected 1"},
		{"odd header size", put16(54, 32), "e_phentsize", "32, expected 56"},
		{"program headers past the end", put64(32, 1<<40), "program headers", "truncated"},
		{"program headers past 64 bits", put64(32, ^uint64(0)-8), "e_phoff", "beyond any file"},
		{"cut in the program headers", elf[:100], "program headers", "truncated"},
		{"section headers past the end", patched(func(b []byte) {
			binary.LittleEndian.PutUint16(b[60:], 9)
			binary.LittleEndian.PutUint64(b[40:], 1<<30)
		}), "section headers", "truncated"},
		{"cut in a segment", elf[:0x1800], "program header 0 p_filesz", "truncated"},
		{"segment offset past 64 bits", put64(phOffset, ^uint64(0)), "program header 0 p_filesz", "exceed 64 bits"},
		{"file larger than memory", put64(phMemsz, 16), "program header 0 p_memsz", "at least p_filesz"},
		{"huge segment", put64(phMemsz, 1<<40), "program header 0 p_memsz", "huge"},
		{"segment past 64 bits", put64(phPaddr, ^uint64(0)-4096), "program header 0 p_memsz", "exceeds 64 bits"},
		{"nothing to load", patched(func(b []byte) { b[64] = 0 }), "program headers", "no PT_LOAD"},
		{"overlapping segments", second(elftest.Segment{Paddr: 0x102000, Vaddr: entry, Data: make([]byte, 10)}), "program header 1 p_paddr", "0x102000 overlaps program header 0, which takes 0x100000..0x104000"},
		{"image larger than memory", second(elftest.Segment{Paddr: 1 << 30, Data: make([]byte, 10)}), "program headers", "image larger than memory"},

		{"no notes", withoutNotes(4, 5, 6, 8, 1, 3, 18), "notes", "no Xen ELF notes"},
		{"notes of others", sample(func(f *elftest.File) {
			for i := range f.Notes {
				f.Notes[i].Owner = "GNU"
			}
		}), "notes", "no Xen ELF notes"},
		{"PVH entry outside", elftest.File{Segments: []elftest.Segment{{Paddr: 0x100000, Data: make([]byte, 16)}},
			Notes: []elftest.Note{elftest.Num(abi.ELFNotePhys32Entry, 0x200000)}}.Bytes(), "note PHYS32_ENTRY", "outside the image"},
		{"PVH entry beyond 32 bits", elftest.File{Segments: []elftest.Segment{{Paddr: 0x100000, Data: make([]byte, 16)}},
			Notes: []elftest.Note{elftest.Num(abi.ELFNotePhys32Entry, 1<<32)}}.Bytes(), "note PHYS32_ENTRY", "expected a 32-bit"},
		{"contradictory notes", sample(func(f *elftest.File) {
			f.Notes = append(f.Notes, elftest.Num(abi.ELFNoteVirtBase, 0))
		}), "note VIRT_BASE", "contradictory"},
		{"unknown required feature", withNote(elftest.Str(abi.ELFNoteFeatures, "dom0|!flying")), "note FEATURES", `unknown required feature "flying"`},
		{"cut note", patched(func(b []byte) {
			off := binary.LittleEndian.Uint64(b[64+56+8:])
			binary.LittleEndian.PutUint32(b[off+4:], 1<<31)
		}), "program header 1 (PT_NOTE)", "truncated"},

		{"gzip of text", gz([]byte(strings.Repeat("hello ", 100))), "gzip", "content begins with 68 65 6c 6c"},
		{"gzip of little", gz([]byte("\x7fELF")), "gzip", "holds 4 bytes"},
		{"cut gzip", cut(gz(elf), 20), "gzip", "truncated: content ends after"},
		{"cut gzip header", gz(elf)[:5], "gzip", "corrupted archive"},
		{"gzip with a wrong checksum", flip(gz(elf), -8), "gzip", "corrupted archive"},
		{"corrupted gzip", flip(gz(elf), 30), "gzip", "corrupted archive"},
		{"gzip bomb", gz(zeros), "gzip", "content begins with 00 00 00 00"},
		{"gzip bomb behind an ELF", gz(append(bytes.Clone(elf), zeros...)), "gzip", "exploding archive: more than 67108864 bytes follow"},
		{"gzip that claims much", gz(claims), "gzip", "the ELF inside takes 1099511631872 bytes, the guest's memory is 67108864"},
		{"gzip that claims what it cannot hold", gz(put64(phFilesz, 60<<20)), "gzip", "exploding archive"},
		{"gzip of half an ELF", gz(elf[:5000]), "gzip", "truncated: content ends after 5000 bytes"},
		{"cut xz", cut(xzPack(elf), 80), "xz", "corrupted archive"},
		{"corrupted xz", flip(xzPack(elf), 100), "xz", "corrupted archive"},
		{"xz bomb", xzPack(append(bytes.Clone(elf), zeros[:80<<20]...)), "xz", "exploding archive"},
		{"cut lz4", cut(lz4Legacy(elf), 9), "lz4", "corrupted archive: ends early"},
		{"corrupted lz4", flip(lz4Frame(elf), 40), "lz4", "corrupted archive"},
		{"lz4 bomb", lz4Frame(append(bytes.Clone(elf), zeros...)), "lz4", "exploding archive"},
		{"cut zstd", cut(zst(elf), 9), "zstd", "corrupted archive"},
		{"corrupted zstd", flip(zst(elf), 60), "zstd", "corrupted archive"},
		{"zstd bomb", zst(append(bytes.Clone(elf), zeros...)), "zstd", "exploding archive"},
		{"bzImage payload past the end", cut(bzImage(elf, -1), 1), "bzImage payload_length", "truncated"},
		{"old bzImage", func() []byte {
			b := bzImage(elf, -1)
			b[0x206] = 7
			b[0x207] = 2
			return b
		}(), "bzImage version", "boot protocol 2.07, expected at least 2.08"},
		{"bzImage with a wrong size word", bzImage(zst(elf), len(elf)+1), "bzImage payload (zstd)", "its last word says"},
		{"bzImage of noise", bzImage([]byte("noise"), -1), "bzImage payload", "expected an ELF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := image.Load("FILE", c.raw, guestMem)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			var e *image.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want an *image.Error", err)
			}
			if e.Field != c.field || !strings.Contains(e.Msg, c.msg) {
				t.Errorf("says\n  %v\nwant field %q and %q", err, c.field, c.msg)
			}
			if line := err.Error(); !strings.HasPrefix(line, "FILE: ") || strings.Contains(line, "\n") {
				t.Errorf("not one line that names the file: %q", line)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("took %d MiB", n>>20)
			}
			if took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestLoadManySegments: tables at their limits cost no more than their size.
func TestLoadManySegments(t *testing.T) {
	f := elftest.PV([]byte{0xf4}, 1)
	f.Segments = nil
	for i := uint64(0); i < 60000; i++ {
		f.Segments = append(f.Segments, elftest.Segment{Paddr: 0x100000 + i*16, Memsz: 16})
	}
	raw := f.Bytes()
	start := time.Now()
	img, err := image.Load("FILE", raw, guestMem)
	if err != nil {
		t.Fatal(err)
	}
	img.Symbol(entry)
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestXenChecks lists images that Xen's loader refuses, and that a PVH entry
// still makes usable natively.
func TestXenChecks(t *testing.T) {
	num, str := elftest.Num, elftest.Str
	for _, c := range []struct {
		name  string
		raw   []byte
		field string
		msg   string
	}{
		{"another loader", withNote(str(abi.ELFNoteLoader, "grub")), "notes LOADER and GUEST_OS", "BOOT-01"},
		{"another Xen", withNote(str(abi.ELFNoteXenVersion, "xen-4.0")), "note XEN_VERSION", `"xen-4.0", expected "xen-3.0"`},
		{"no version", withoutNotes(abi.ELFNoteXenVersion), "note XEN_VERSION", "BOOT-01"},
		{"entry one byte before the image", withNote(num(abi.ELFNoteEntry, entry-1)), "note ENTRY", "outside the image"},
		{"entry behind the image", withNote(num(abi.ELFNoteEntry, entry+0x4001)), "note ENTRY", "BOOT-02"},
		{"PADDR_OFFSET alone", sample(func(f *elftest.File) {
			f.Notes = append(f.Notes[:3:3], num(abi.ELFNoteEntry, 0x100000), num(abi.ELFNotePaddrOffset, 0), f.Notes[len(f.Notes)-1])
		}), "note PADDR_OFFSET", "without VIRT_BASE"},
		{"base above the image", sample(func(f *elftest.File) {
			f.Notes = append(f.Notes, num(abi.ELFNotePaddrOffset, 0x200000))
			f.Notes[4] = num(abi.ELFNoteEntry, entry-0x200000)
		}), "note VIRT_BASE", "above the image"},
		{"image past the top", sample(func(f *elftest.File) {
			f.Notes[3], f.Notes[4] = num(abi.ELFNoteVirtBase, ^uint64(0)-0x101fff), num(abi.ELFNoteEntry, 0)
		}), "note VIRT_BASE", "expected it below 2^64"},
		{"base in Xen's part", sample(func(f *elftest.File) {
			f.Notes[3], f.Notes[4] = num(abi.ELFNoteVirtBase, 0xffff830000000000), num(abi.ELFNoteEntry, 0xffff830000100000)
		}), "note VIRT_BASE", "BOOT-14"},
		{"base between pages", sample(func(f *elftest.File) {
			f.Notes[3], f.Notes[4] = num(abi.ELFNoteVirtBase, 0x1234), num(abi.ELFNoteEntry, 0x101234)
		}), "note VIRT_BASE", "multiple of 4096"},
		{"p2m list inside the image", withNote(num(abi.ELFNoteInitP2M, entry)), "note INIT_P2M", "inside the image"},
		{"symbol table wanted", withNote(str(abi.ELFNoteBSDSymtab, "yes")), "note BSD_SYMTAB", "not modelled"},
		{"ring 0 wanted", withNote(str(abi.ELFNoteFeatures, "!supervisor_mode_kernel")), "note FEATURES", "no PV guest has it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := image.Load("FILE", c.raw, guestMem)
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			if err := img.CanNative(); err != nil {
				t.Errorf("CanNative: %v", err)
			}
			var e *image.Error
			if !errors.As(img.CanXen(), &e) || e.Field != c.field || !strings.Contains(e.Msg, c.msg) {
				t.Errorf("CanXen: %v\nwant field %q and %q", img.CanXen(), c.field, c.msg)
			}
		})
	}
}

// TestNotesElsewhere: without a PT_NOTE segment Xen looks into SHT_NOTE
// sections, and then for a __xen_guest section.
func TestNotesElsewhere(t *testing.T) {
	legacy := "GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,HYPERCALL_PAGE=0x101," +
		"VIRT_ENTRY=0xffffffff80100010,FEATURES=!writable_page_tables|dom0,PAE=yes[extended-cr3],ELF_PADDR_OFFSET=0\x00"
	for _, c := range []struct {
		name string
		raw  []byte
		want image.XenParms
	}{
		{"section", sample(func(f *elftest.File) { f.NotesInSections = true }),
			image.XenParms{Entry: entry, HypercallPage: image.Unset}},
		{"legacy section", sample(func(f *elftest.File) {
			f.Notes = nil
			f.Sections = []elftest.Section{{Name: "__xen_guest", Data: []byte(legacy)}}
		}), image.XenParms{Entry: entry + 0x10, HypercallPage: entry + 0x1000, Legacy: true, Required: 1}},
	} {
		img, err := image.Load("FILE", c.raw, guestMem)
		if err != nil || img.CanXen() != nil {
			t.Errorf("%s: %v, %v", c.name, err, img.CanXen())
			continue
		}
		p := img.Xen
		got := image.XenParms{Entry: p.Entry, HypercallPage: p.HypercallPage, Legacy: p.Legacy, Required: p.Required}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestLegacyPaddrOffset: with a __xen_guest section physical addresses are
// virtual ones unless it says otherwise (BOOT-02).
func TestLegacyPaddrOffset(t *testing.T) {
	img, err := image.Load("FILE", elftest.File{
		Segments: []elftest.Segment{{Paddr: entry, Vaddr: entry, Data: make([]byte, 64)}},
		Entry:    entry,
		Sections: []elftest.Section{{Name: "__xen_guest", Data: []byte("LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000\x00")}},
	}.Bytes(), guestMem)
	if err != nil || img.CanXen() != nil {
		t.Fatal(err)
	}
	if img.Xen.KStart != entry || img.Xen.PaddrOffset != elftest.VirtBase {
		t.Errorf("KStart %#x, PaddrOffset %#x", img.Xen.KStart, img.Xen.PaddrOffset)
	}
}

func TestSymbols(t *testing.T) {
	const fn, object = 2, 1
	global := byte(1 << 4)
	raw := sample(func(f *elftest.File) {
		f.Symbols = []elftest.Symbol{
			{Name: "start", Addr: entry, Size: 0x20, Info: fn | global},
			{Name: "inner_label", Addr: entry + 0x10},
			{Name: "label", Addr: entry + 0x40},
			{Name: "alias", Addr: entry + 0x80, Info: 0},
			{Name: "worker", Addr: entry + 0x80, Size: 0x10, Info: fn | global},
			{Name: "table", Addr: entry + 0x3000, Size: 0x100, Info: object},
		}
	})
	img, err := image.Load("FILE", raw, guestMem)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		addr uint64
		name string
		off  uint64
	}{
		{entry, "start", 0},
		{entry + 0x18, "start", 0x18}, // a label inside a function does not hide it
		{0x100018, "start", 0x18},     // the same place before paging
		{entry + 0x48, "label", 8},
		{entry + 0x88, "worker", 8},
		{entry + 0x30ff, "table", 0xff},
		{entry - 1, "", 0},
		{entry + 0x4000, "", 0},
		{0, "", 0},
	} {
		name, off, ok := img.Symbol(c.addr)
		if name != c.name || off != c.off || ok != (c.name != "") {
			t.Errorf("%#x is %s+%#x (%v), want %s+%#x", c.addr, name, off, ok, c.name, c.off)
		}
	}
	if s, ok := img.Lookup("worker"); !ok || s.Addr != entry+0x80 || s.Size != 0x10 || !s.Func {
		t.Errorf("Lookup: %+v, %v", s, ok)
	}
	if _, ok := img.Lookup("worke"); ok {
		t.Error("Lookup found a prefix")
	}
}

// TestLoadLarge: an archive that is unpacked twice, first to see whether it is
// whole, gives the same kernel.
func TestLoadLarge(t *testing.T) {
	data := make([]byte, 20<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(data); i += 16 {
		data[i] = byte(rng.Uint32())
	}
	elf := sample(func(f *elftest.File) {
		f.Segments[0].Data = data
		f.Segments[0].Memsz = uint64(len(data))
	})
	for name, packed := range map[string][]byte{"gzip": gz(elf), "xz": xzPack(elf), "lz4": lz4Legacy(elf), "zstd": zst(elf)} {
		img, err := image.Load("FILE", packed, guestMem)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(img.Segments[0].Data, data) {
			t.Errorf("%s: the segment has other data", name)
		}
		if _, err := image.Load("FILE", flip(packed, len(packed)*9/10), guestMem); err == nil && name != "lz4" { // which has no checksum
			t.Errorf("%s: a changed byte went unnoticed", name)
		}
		if _, err := image.Load("FILE", cut(packed, 5000), guestMem); err == nil {
			t.Errorf("%s: the missing end went unnoticed", name)
		}
	}
}

// TestXZBlockHeader gives the xz reader block headers that the packers at hand
// do not make.
func TestXZBlockHeader(t *testing.T) {
	head := func(filters ...byte) []byte {
		b := append([]byte{0, 0}, filters...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		b[0] = byte(len(b) / 4)
		b[1] = byte(filters[0] & 3)
		copy(b[2:], append(filters[1:], 0))
		return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	stream := append([]byte("\xfd7zXZ\x00\x00\x00"), 0xff, 0x12, 0xd9, 0x41)
	for _, c := range []struct {
		name string
		head []byte
		msg  string
	}{
		{"ARM filter and no data", head(1, 7, 0, 0x21, 1, 8), "truncated or corrupt"},
		{"no LZMA2", head(0, 4, 0), "options not supported"},
		{"4 GiB dictionary", head(0, 0x21, 1, 40), "dictionary size exceeds max"},
		{"endless number", head(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "options not supported"},
	} {
		_, err := image.Load("FILE", append(bytes.Clone(stream), c.head...), guestMem)
		if err == nil || !strings.Contains(err.Error(), c.msg) {
			t.Errorf("%s: %v, want %q", c.name, err, c.msg)
		}
	}
}
