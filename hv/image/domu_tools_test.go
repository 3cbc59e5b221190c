package image_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pvlab/entry/judge"
	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// TestDomUAsToolsBuildIt builds domains with the toolstack's own library
// (libxenguest, through testdata/domu.c) and here, and compares start state
// and memory byte for byte. It needs cc and Debian's libxen-dev; with
// PVLAB_REQUIRE naming xenguest the absence is a failure.
func TestDomUAsToolsBuildIt(t *testing.T) {
	judge.Require(t, "cc", "xenguest")
	tool := filepath.Join(t.TempDir(), "domu")
	if out, err := exec.Command("cc", "-o", tool, "testdata/domu.c", "-lxenguest", "-lxenctrl").CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	const base = elftest.VirtBase
	num := elftest.Num
	unmapped, outside := num(abi.ELFNoteModStartPFN, 1), num(abi.ELFNoteInitP2M, 0x8000000000)
	plain := bytes.Repeat([]byte("ramdisk."), 9000)
	packed := gz(plain)
	broken := flip(packed, 30)
	for _, c := range []struct {
		name    string
		guest   elftest.File
		ramdisk []byte
		cmdline string
		mib     uint64
	}{
		{name: "small", guest: dumpGuest(base, 0x3000, 0), mib: 64},
		{name: "command line", guest: dumpGuest(base, 0x3000, 0), mib: 16, cmdline: "console=hvc0 quiet"},
		{name: "large", guest: dumpGuest(base, 9<<20, 0), mib: 300},
		{name: "odd size", guest: dumpGuest(base, 0x123457, 0), mib: 31},
		{name: "512 KiB left exactly", guest: dumpGuest(base, 0x400000-0x80000-0x100000-0x80000-0x9000, 0), mib: 256},
		{name: "less than 512 KiB left", guest: dumpGuest(base, 0x400000-0x80000-0x100000-0x80000-0x8000, 0), mib: 256},
		{name: "ramdisk", guest: dumpGuest(base, 0x3000, 0), ramdisk: plain, mib: 64},
		{name: "gzip ramdisk", guest: dumpGuest(base, 0x3000, 0), ramdisk: packed, mib: 64},
		{name: "broken gzip ramdisk", guest: dumpGuest(base, 0x3000, 0), ramdisk: broken, mib: 64},
		{name: "unmapped ramdisk", guest: dumpGuest(base, 0x3000, 0, unmapped), ramdisk: plain, mib: 64},
		{name: "p2m list outside", guest: dumpGuest(base, 0x3000, 0, outside), mib: 64},
		{name: "p2m list outside in the mapping's L4 slot", guest: dumpGuest(base, 0x3000, 0, num(abi.ELFNoteInitP2M, 0xffffff8000000000)), mib: 64},
		{name: "p2m list outside across tables", guest: dumpGuest(base, 0x3000, 0, num(abi.ELFNoteInitP2M, 0x7fffff000)), mib: 300},
		{name: "p2m list above the base", guest: dumpGuest(base, 0x3000, 0, num(abi.ELFNoteInitP2M, 0xffffffffc0000000)), mib: 64},
		{name: "as Linux asks for it", guest: dumpGuest(base, 0x803000, 0, outside, unmapped, elftest.Str(abi.ELFNotePAEMode, "yes")), ramdisk: packed, mib: 128},
		{name: "base between 4 MiB boundaries", guest: dumpGuest(0xffffffff80523000, 0x3000, 0), mib: 64},
		{name: "base 0", guest: dumpGuest(0, 0x3000, 0), mib: 64},
		{name: "two segments", guest: func() elftest.File {
			f := dumpGuest(base, 0x3000, 0)
			f.Segments = append(f.Segments, elftest.Segment{Paddr: 0x180010, Data: []byte("per-CPU"), Memsz: 0x5000})
			return f
		}(), mib: 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			const first = 0x123
			elf := c.guest.Bytes()
			dir := t.TempDir()
			kernel, ramdisk := filepath.Join(dir, "kernel"), "-"
			if err := os.WriteFile(kernel, elf, 0o644); err != nil {
				t.Fatal(err)
			}
			if c.ramdisk != nil {
				ramdisk = filepath.Join(dir, "ramdisk")
				if err := os.WriteFile(ramdisk, c.ramdisk, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command(tool, kernel, ramdisk, fmt.Sprint(c.mib), c.cmdline, fmt.Sprint(first)).Output()
			if err != nil {
				t.Fatalf("domu: %v", err)
			}
			line, pages, _ := bytes.Cut(out, []byte{'\n'})

			m, err := mem.New(c.mib<<20 + first<<12)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			img, err := image.Load("guest", elf, c.mib<<20)
			if err != nil {
				t.Fatal(err)
			}
			p2m := make([]uint64, c.mib<<8)
			for pfn := range p2m {
				p2m[pfn] = uint64(pfn) + first
			}
			s, err := image.BuildPV(m, p2m, img, image.PVOptions{Cmdline: c.cmdline, Initrd: c.ramdisk,
				SharedInfoMFN: 0x77, StoreEvtchn: 1, ConsoleEvtchn: 2})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%#x %#x %#x %#x", s.RIP, s.RSP, s.RSI, s.L4MFN); got != string(line) {
				t.Errorf("entry, stack, start info, L4: %s, the tools have %s", got, line)
			}
			l1 := map[uint64]bool{}
			for _, f := range s.Tables {
				l1[f.PFN] = f.Level == 1
			}
			written := map[uint64]bool{}
			for ; len(pages) > 0; pages = pages[8+4096:] {
				pfn, page := binary.LittleEndian.Uint64(pages), pages[8:8+4096]
				written[pfn] = true
				if l1[pfn] {
					page = validated(page)
				}
				got := m.Frame(p2m[pfn])
				for i := 0; i < 4096; i += 8 {
					if a, b := got[i:i+8], page[i:i+8]; !bytes.Equal(a, b) {
						t.Fatalf("PFN %#x offset %#x: %#x, the tools have %#x", pfn, i, binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b))
					}
				}
			}
			for pfn, mfn := range p2m {
				if !written[uint64(pfn)] && len(bytes.Trim(m.Frame(mfn), "\x00")) != 0 {
					t.Errorf("PFN %#x is not zero, the tools did not write it", pfn)
				}
			}
		})
	}
}

// validated is an L1 as Xen leaves it when the tools have pinned the L4: the
// user bit and bit 52 are set in present entries (X/pv/mm.h:adjust_guest_l1e).
func validated(page []byte) []byte {
	page = bytes.Clone(page)
	for i := 0; i < len(page); i += 8 {
		if e := binary.LittleEndian.Uint64(page[i:]); e&1 != 0 {
			binary.LittleEndian.PutUint64(page[i:], e|1<<2|1<<52)
		}
	}
	return page
}
