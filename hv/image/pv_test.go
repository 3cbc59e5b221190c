package image_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// tb is testing.T or rapid.T.
type tb interface {
	rapid.TB
	Cleanup(func())
}

// newDomain loads an ELF and builds it as a domain of mib MiB.
func newDomain(t tb, elf []byte, mib uint64, o image.PVOptions) (*mem.Memory, []uint64, *image.PVStart, error) {
	t.Helper()
	const first = 0x123
	m, err := mem.New((mib+4)<<20 + first<<12)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	img, err := image.Load("FILE", elf, mib<<20)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.LayoutPV(mib<<8, img, o)
	if err != nil {
		return nil, nil, nil, err
	}
	p2m, end := l.Frames(first)
	if end > m.Frames() {
		t.Fatalf("frames end at %#x of %#x", end, m.Frames())
	}
	s, err := image.BuildPV(m, p2m, img, o)
	return m, p2m, s, err
}

// TestDomULayout has the addresses and PFNs that follow from the order of a
// domU's start of day (BOOT-07): image, ramdisk, p2m list, start info,
// xenstore, console, page tables, boot stack, 512 KiB, up to a multiple of 4
// MiB; then what is not mapped.
func TestDomULayout(t *testing.T) {
	const mib = 256 // p2m list: 0x80 pages
	note := elftest.Num
	unmapped := note(abi.ELFNoteModStartPFN, 1)
	outside := note(abi.ELFNoteInitP2M, 0x8000000000)
	for _, c := range []struct {
		name    string
		memsz   uint64
		notes   []elftest.Note
		ramdisk int
		want    string
	}{
		{name: "small", memsz: 0x3000,
			want: "kernel 100000-103000 p2m 103000-183000 info 183000 store 184000 console 185000 tables 186000-18b000 stack 18b000 end 400000"},
		{name: "pages are not split", memsz: 0x2001,
			want: "kernel 100000-102001 p2m 103000-183000 info 183000 store 184000 console 185000 tables 186000-18b000 stack 18b000 end 400000"},
		{name: "ramdisk", memsz: 0x3000, ramdisk: 0x1001,
			want: "kernel 100000-103000 ramdisk 103000-104001 p2m 105000-185000 info 185000 store 186000 console 187000 tables 188000-18d000 stack 18d000 end 400000"},
		{name: "512 KiB left exactly", memsz: 0x400000 - 0x80000 - 0x100000 - 0x80000 - 0x9000,
			want: "kernel 100000-2f7000 p2m 2f7000-377000 info 377000 store 378000 console 379000 tables 37a000-37f000 stack 37f000 end 400000"},
		{name: "less than 512 KiB left", memsz: 0x400000 - 0x80000 - 0x100000 - 0x80000 - 0x8000,
			want: "kernel 100000-2f8000 p2m 2f8000-378000 info 378000 store 379000 console 37a000 tables 37b000-382000 stack 382000 end 800000"},
		{name: "p2m list outside", memsz: 0x3000, notes: []elftest.Note{outside},
			want: "kernel 100000-103000 info 103000 store 104000 console 105000 tables 106000-10b000 stack 10b000 end 400000 p2m at pfn 400+83"},
		{name: "p2m list outside, ramdisk unmapped", memsz: 0x3000, notes: []elftest.Note{outside, unmapped}, ramdisk: 0x1001,
			want: "kernel 100000-103000 info 103000 store 104000 console 105000 tables 106000-10b000 stack 10b000 end 400000 ramdisk at pfn 400+2 p2m at pfn 402+83"},
		// The tools ignore INIT_P2M above VIRT_BASE.
		{name: "p2m list above", memsz: 0x3000, notes: []elftest.Note{note(abi.ELFNoteInitP2M, 0xffffffffc0000000)},
			want: "kernel 100000-103000 p2m 103000-183000 info 183000 store 184000 console 185000 tables 186000-18b000 stack 18b000 end 400000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			elf := elftest.PV([]byte{0xf4}, c.memsz, c.notes...).Bytes()
			_, _, s, err := newDomain(t, elf, mib, image.PVOptions{Initrd: make([]byte, c.ramdisk)})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			off := func(a uint64) uint64 { return a - elftest.VirtBase }
			fmt.Fprintf(&b, "kernel %x-%x", off(s.Kernel.Start), off(s.Kernel.End))
			if s.Ramdisk.End != 0 {
				fmt.Fprintf(&b, " ramdisk %x-%x", off(s.Ramdisk.Start), off(s.Ramdisk.End))
			}
			if s.NrP2MFrames == 0 {
				fmt.Fprintf(&b, " p2m %x-%x", off(s.P2M.Start), off(s.P2M.End))
			}
			fmt.Fprintf(&b, " info %x store %x console %x tables %x-%x stack %x end %x", off(s.StartInfo.Start), off(s.Xenstore.Start),
				off(s.Console.Start), off(s.PageTables.Start), off(s.PageTables.End), off(s.Stack.Start), off(s.VEnd))
			if s.Ramdisk.End == 0 && c.ramdisk != 0 {
				fmt.Fprintf(&b, " ramdisk at pfn %x+%x", s.RamdiskPFN, s.RamdiskPages)
			}
			if s.NrP2MFrames != 0 {
				fmt.Fprintf(&b, " p2m at pfn %x+%x", s.FirstP2MPFN, s.NrP2MFrames)
			}
			if got := b.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestDomUStartInfo reads every field of a domU's start_info (BOOT-05).
func TestDomUStartInfo(t *testing.T) {
	ramdisk := gz(bytes.Repeat([]byte("initial "), 1000))
	elf := elftest.PV([]byte{0xf4}, 0x3000, elftest.Str(abi.ELFNotePAEMode, "yes")).Bytes()
	m, p2m, s, err := newDomain(t, elf, 64, image.PVOptions{
		Cmdline: "root=/dev/x " + strings.Repeat("y", 2000), Initrd: ramdisk,
		SharedInfoMFN: 0x77, StoreEvtchn: 3, ConsoleEvtchn: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	si := m.Frame(p2m[s.PFN(s.RSI)])
	u64 := func(off int) uint64 { return binary.LittleEndian.Uint64(si[off:]) }
	u32 := func(off int) uint64 { return uint64(binary.LittleEndian.Uint32(si[off:])) }
	if magic, _, _ := bytes.Cut(si[:32], []byte{0}); string(magic) != "xen-3.0-x86_64" {
		t.Errorf("magic %q", magic)
	}
	// The tools unpack a gzip ramdisk, into 16 bytes more than its size word.
	const ramdiskLen = 8000 + 16
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"nr_pages", u64(32), 64 << 8},
		{"shared_info", u64(40), 0x77000},
		{"flags", u32(48), 0},
		{"store_mfn", u64(56), p2m[s.PFN(s.Xenstore.Start)]},
		{"store_evtchn", u32(64), 3},
		{"console.domU.mfn", u64(72), p2m[s.PFN(s.Console.Start)]},
		{"console.domU.evtchn", u32(80), 5},
		{"pt_base", u64(88), s.PageTables.Start},
		{"nr_pt_frames", u64(96), 5},
		{"mfn_list", u64(104), s.P2M.Start},
		{"mod_start", u64(112), s.Ramdisk.Start},
		{"mod_len", u64(120), ramdiskLen},
		{"end of cmd_line", uint64(si[1151]), 0},
		{"last of cmd_line", uint64(si[1150]), 'y'},
		{"first_p2m_pfn", u64(1152), 0},
		{"nr_p2m_frames", u64(1160), 0},
		{"StoreMFN", s.StoreMFN, u64(56)},
		{"ConsoleMFN", s.ConsoleMFN, u64(72)},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x, want %#x", c.name, c.got, c.want)
		}
	}
	got := m.Frame(p2m[s.RamdiskPFN])[:16]
	if string(got) != "initial initial " {
		t.Errorf("the ramdisk begins with %q", got)
	}
}

// TestBuiltDomain builds random domains by both builders and looks at each
// through its own page tables, as the guest will.
func TestBuiltDomain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dom0 := rapid.Bool().Draw(t, "dom0")
		base := rapid.SampledFrom([]uint64{elftest.VirtBase, 0, 0xffffffff80123000, 0x7fc0000000, 0xffff880000000000}).Draw(t, "base")
		code := rapid.SliceOfN(rapid.Byte(), 1, 20000).Draw(t, "code")
		memsz := uint64(len(code)) + uint64(rapid.IntRange(0, 6<<20).Draw(t, "bss"))
		// From 20 MiB on there is room for the p2m list behind the first allocation.
		mib := uint64(rapid.IntRange(20, 40).Draw(t, "MiB"))
		o := image.PVOptions{Dom0: dom0, Initrd: bytes.Repeat([]byte{'r'}, rapid.IntRange(0, 100000).Draw(t, "ramdisk")),
			SharedInfoMFN: 1, HypercallPage: ring3Page}
		var notes []elftest.Note
		if rapid.Bool().Draw(t, "INIT_P2M") {
			notes = append(notes, elftest.Num(abi.ELFNoteInitP2M, 0x10000000000))
		}
		if rapid.Bool().Draw(t, "MOD_START_PFN") {
			notes = append(notes, elftest.Num(abi.ELFNoteModStartPFN, 1))
		}
		f := elftest.PV(code, memsz, notes...)
		f.Notes[3] = elftest.Num(abi.ELFNoteVirtBase, base)
		f.Notes[4] = elftest.Num(abi.ELFNoteEntry, base+0x100000)
		m, p2m, s, err := newDomain(t, f.Bytes(), mib, o)
		if err != nil {
			t.Fatal(err)
		}

		cr3 := s.L4MFN << 12
		read := func(va, n uint64) []byte {
			var out []byte
			for ; n > 0; va++ {
				w := pagetable.Translate(m, cr3, va, 46, true)
				if !w.Mapped {
					t.Fatalf("%#x is not mapped", va)
				}
				k := min(n, 4096-va%4096)
				b := make([]byte, k)
				m.Read(w.PA, b)
				out = append(out, b...)
				n, va = n-k, va+k-1
			}
			return out
		}
		level := map[uint64]int{}
		for _, f := range s.Tables {
			level[p2m[f.PFN]] = f.Level
		}
		present := uint64(0)
		for va := s.VStart; va != s.VEnd; va += 4096 {
			w := pagetable.Translate(m, cr3, va, 46, true)
			if !w.Mapped || w.Size != 4096 || w.PA>>12 != p2m[s.PFN(va)] {
				t.Fatalf("%#x maps to %#x, want MFN %#x", va, w.PA, p2m[s.PFN(va)])
			}
			if table := level[w.PA>>12] != 0; w.Writable == table {
				t.Fatalf("%#x: writable %v, page table %v (BOOT-08)", va, w.Writable, table)
			}
			if !w.User || w.NX {
				t.Fatalf("%#x: user %v, NX %v", va, w.User, w.NX)
			}
			for l := 4; l > 1; l-- {
				if got := level[w.At[l-1]>>12]; got != l {
					t.Fatalf("%#x: the walk's level-%d table is listed as level %d", va, l, got)
				}
			}
			present++
		}
		total := uint64(0)
		for mfn, l := range level {
			if l == 1 {
				for i := uint64(0); i < 512; i++ {
					total += m.Read64(mfn<<12+i*8) & 1
				}
			}
		}
		if s.NrP2MFrames != 0 {
			present += (s.NrPages*8 + 4095) / 4096
		}
		if total != present {
			t.Fatalf("%d pages are mapped, want %d", total, present)
		}

		if !bytes.Equal(read(base+0x100000, uint64(len(code))), code) {
			t.Fatal("the kernel's code differs")
		}
		list := read(s.P2M.Start, s.NrPages*8)
		for pfn, mfn := range p2m {
			if got := binary.LittleEndian.Uint64(list[pfn*8:]); got != mfn {
				t.Fatalf("p2m list: PFN %#x is %#x, want %#x", pfn, got, mfn)
			}
		}
		for i := uint64(0); i < uint64(len(o.Initrd)); i += 4096 {
			if b := m.Frame(p2m[s.RamdiskPFN+i/4096])[0]; b != 'r' {
				t.Fatalf("ramdisk page %d begins with %#x", i/4096, b)
			}
		}
		if s.VEnd-s.Stack.End < 512<<10 || s.VEnd%(4<<20) != 0 {
			t.Fatalf("the mapping ends at %#x, the stack at %#x (BOOT-07)", s.VEnd, s.Stack.End)
		}
	})
}

// TestBuildPVRefuses: what only shows when a domain is built.
func TestBuildPVRefuses(t *testing.T) {
	num := elftest.Num
	for _, c := range []struct {
		name  string
		notes []elftest.Note
		mib   uint64
		dom0  bool
		rd    int
		field string
		msg   string
	}{
		{"dom0 without support for it", []elftest.Note{num(abi.ELFNoteSupportedFeatures, 1)}, 16, true, 0, "note SUPPORTED_FEATURES", "does not support dom0"},
		{"domU with a dom0 kernel", []elftest.Note{elftest.Str(abi.ELFNoteFeatures, "!dom0")}, 16, false, 0, "note FEATURES", "unprivileged (domU)"},
		{"dom0 too small", nil, 3, true, 0, "memory", "too few for the kernel image"},
		{"domU too small", nil, 3, false, 0, "memory", "too few for the initial mapping"},
		{"ramdisk too large for dom0", []elftest.Note{num(abi.ELFNoteModStartPFN, 1)}, 8, true, 5 << 20, "memory", "too few"},
		{"ramdisk too large for a domU", []elftest.Note{num(abi.ELFNoteModStartPFN, 1)}, 8, false, 5 << 20, "memory", "too few for the ramdisk"},
		{"hypercall page below", []elftest.Note{num(abi.ELFNoteHypercallPage, elftest.VirtBase-4096)}, 16, true, 0, "note HYPERCALL_PAGE", "BOOT-03"},
		{"hypercall page above", []elftest.Note{num(abi.ELFNoteHypercallPage, elftest.VirtBase+0x400000)}, 16, false, 0, "note HYPERCALL_PAGE", "BOOT-03"},
		{"hypercall page in the tables", []elftest.Note{num(abi.ELFNoteHypercallPage, elftest.VirtBase+0x10d000)}, 16, true, 0, "note HYPERCALL_PAGE", "page tables"},
		{"p2m list over the mapping", []elftest.Note{num(abi.ELFNoteInitP2M, elftest.VirtBase+0x300000)}, 16, true, 0, "note INIT_P2M", "overlaps"},
		{"p2m list between pages", []elftest.Note{num(abi.ELFNoteInitP2M, 0x8000000800)}, 16, true, 0, "note INIT_P2M", "multiple of 4096"},
		{"p2m list in Xen's part", []elftest.Note{num(abi.ELFNoteInitP2M, 0xffff830000000000)}, 16, true, 0, "note INIT_P2M", "leaves the guest's part"},
		{"mapping past the top", []elftest.Note{num(abi.ELFNoteVirtBase, 0xffffffffffe00000), num(abi.ELFNoteEntry, 0xfffffffffff00000)}, 16, true, 0, "note VIRT_BASE", "BOOT-14"},
		{"domU mapping past the top", []elftest.Note{num(abi.ELFNoteVirtBase, 0xffffffffffe00000), num(abi.ELFNoteEntry, 0xfffffffffff00000)}, 16, false, 0, "note VIRT_BASE", "BOOT-14"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := elftest.PV([]byte{0xf4}, 0x3000)
			for _, n := range c.notes {
				f.SetNote(n)
			}
			elf := f.Bytes()
			_, _, _, err := newDomain(t, elf, c.mib, image.PVOptions{Dom0: c.dom0, Initrd: make([]byte, c.rd)})
			var e *image.Error
			if !errors.As(err, &e) || e.Field != c.field || !strings.Contains(e.Msg, c.msg) {
				t.Errorf("%v, want field %q and %q", err, c.field, c.msg)
			}
		})
	}
}

// TestSegmentWithoutAddress: segments go by p_paddr; Linux's per-CPU segment
// has p_vaddr 0.
func TestSegmentWithoutAddress(t *testing.T) {
	f := elftest.PV([]byte{0xf4}, 0x1000)
	f.Segments = append(f.Segments, elftest.Segment{Vaddr: 0, Paddr: 0x180000, Data: []byte("per-CPU")})
	m, p2m, s, err := newDomain(t, f.Bytes(), 16, image.PVOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Frame(p2m[0x180])[:7]; string(got) != "per-CPU" {
		t.Errorf("PFN 0x180 begins with %q", got)
	}
	if want := uint64(elftest.VirtBase + 0x180007); s.Kernel.End != want {
		t.Errorf("the kernel ends at %#x, want %#x", s.Kernel.End, want)
	}
}

func BenchmarkBuildPV(b *testing.B) {
	img, err := image.Load("FILE", elftest.PV(make([]byte, 300<<10), 400<<10).Bytes(), 256<<20)
	if err != nil {
		b.Fatal(err)
	}
	for _, mib := range []uint64{128, 256} {
		b.Run(fmt.Sprintf("%dMiB", mib), func(b *testing.B) {
			m, err := mem.New((mib + 8) << 20)
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			o := image.PVOptions{Dom0: true}
			l, err := image.LayoutPV(mib<<8, img, o)
			if err != nil {
				b.Fatal(err)
			}
			p2m, _ := l.Frames(0)
			for b.Loop() {
				if _, err := image.BuildPV(m, p2m, img, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestKernelAtTheTop: a kernel whose last page ends the address space, with
// the default VIRT_BASE of 0, must not wrap into a small domain.
func TestKernelAtTheTop(t *testing.T) {
	f := elftest.PV([]byte{0xf4}, 0xfff)
	f.Segments[0].Paddr = ^uint64(0) - 0xfff
	f.SetNote(elftest.Num(abi.ELFNoteVirtBase, 0))
	f.SetNote(elftest.Num(abi.ELFNoteEntry, ^uint64(0)-0xfff))
	for _, dom0 := range []bool{true, false} {
		_, _, _, err := newDomain(t, f.Bytes(), 16, image.PVOptions{Dom0: dom0})
		var e *image.Error
		if !errors.As(err, &e) || !strings.Contains(e.Msg, "BOOT-14") {
			t.Errorf("dom0 %v: %v", dom0, err)
		}
	}
}
