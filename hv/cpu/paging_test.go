package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

const boxPage = 0x80000000 // a linear page of its own

func TestPaging(t *testing.T) {
	const (
		read  = "8a 03" // mov (%rbx),%al
		write = "88 03" // mov %al,(%rbx)
		jump  = "ff e3" // jmp *%rbx, then the fetch
		p     = x86.PFPresent
		w     = x86.PFWrite
		u     = x86.PFUser
		i     = x86.PFFetch
		rsvd  = x86.PFReserved
		none  = ^uint32(0)
		smep  = x86.CR4SMEP
		smap  = x86.CR4SMAP
	)
	for _, tc := range []struct {
		name string
		pte  uint64
		cpl  uint8
		code string
		prep func(*box)
		want uint32 // error code of the #PF
		set  uint64 // A and D as they end up
	}{
		{"read", pteP | pteW | pteU, 3, read, nil, none, pteA},
		{"write", pteP | pteW | pteU, 3, write, nil, none, pteA | pteD},
		{"fetch", pteP | pteU, 3, jump, nil, none, pteA},
		{"not present, read by the kernel", 0, 0, read, nil, 0, 0},
		{"not present, write by user code", 0, 3, write, nil, u | w, 0},
		{"not present, fetch with NX enabled", 0, 3, jump, nil, u | i, 0},
		{"not present, fetch with NX disabled", 0, 3, jump, func(b *box) { b.EFER &^= x86.EFERNXE }, u, 0},
		{"kernel page from user code", pteP | pteW, 3, read, nil, p | u, 0},
		{"read-only page, user write", pteP | pteU, 3, write, nil, p | u | w, 0},
		{"read-only page, kernel write with WP", pteP, 0, write, nil, p | w, 0},
		{"read-only page, kernel write without WP", pteP, 0, write, func(b *box) { b.CR0 &^= x86.CR0WP }, none, pteA | pteD},
		{"NX", pteP | pteU | pteNX, 3, jump, nil, p | u | i, 0},
		{"NX, but a read", pteP | pteU | pteNX, 3, read, nil, none, pteA},
		{"NX bit while it is reserved", pteP | pteU | pteNX, 3, read, func(b *box) { b.EFER &^= x86.EFERNXE }, p | u | rsvd, 0},
		{"address bits above MAXPHYADDR", pteP | pteU | 1<<51, 3, read, nil, p | u | rsvd, 0},
		{"SMEP: kernel fetch from a user page", pteP | pteU, 0, jump, func(b *box) { b.CR4 |= smep }, p | i, 0},
		{"SMEP: kernel fetch from a kernel page", pteP, 0, jump, func(b *box) { b.CR4 |= smep }, none, pteA},
		{"SMAP: kernel read of a user page", pteP | pteU, 0, read, func(b *box) { b.CR4 |= smap }, p, 0},
		{"SMAP lifted by AC", pteP | pteU, 0, read, func(b *box) { b.CR4 |= smap; b.SetFlags(x86.FlagAC) }, none, pteA},
		{"SMAP: user code is not concerned", pteP | pteU, 3, read, func(b *box) { b.CR4 |= smap }, none, pteA},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.mapPage(boxPage, boxTarget, tc.pte)
			if tc.prep != nil {
				tc.prep(b)
				// SMEP and SMAP mind the box's own pages: make them the kernel's.
				if tc.cpl == 0 {
					for _, va := range []uint64{boxCode, boxStack - 0x1000} {
						b.mapPage(va, va, pteP|pteW)
					}
				}
			}
			b.StateChanged()
			b.FlushTLB()
			b.put(boxTarget, "90 90 90")
			b.code(tc.code)
			b.R[x86.RBX] = boxPage + 1
			n := uint64(1)
			if tc.code == jump {
				n = 2
			}
			got := none
			if ex := b.Run(n); ex.Kind == ExitFault {
				if ex.Fault.Vector != x86.VectorPF || ex.Fault.Addr != boxPage+1 {
					t.Fatalf("%v at %#x", ex.Fault, ex.Fault.Addr)
				}
				got = ex.Fault.Code
			}
			if got != tc.want {
				t.Errorf("error code %#x, want %#x", got, tc.want)
			}
			if ad := b.get64(b.pte(boxPage)) & (pteA | pteD); ad != tc.set {
				t.Errorf("A and D bits %#x, want %#x", ad, tc.set)
			}
		})
	}
}

// Rights of the upper levels count, and their accessed bits are set.
func TestPagingUpperLevels(t *testing.T) {
	for level := 1; level <= 3; level++ {
		b := newBox(t, Intel)
		b.long(3)
		b.mapPage(boxPage, boxTarget, pteP|pteW|pteU)
		at := uint64(boxTables)
		for l := 3; l > level; l-- {
			at = b.get64(at+boxPage>>(12+9*l)&511*8) &^ 0xfff
		}
		at += boxPage >> (12 + 9*level) & 511 * 8
		old := b.get64(at)
		b.code("88 03 88 03")
		b.R[x86.RBX] = boxPage
		b.put64(at, old&^pteW)
		if f, want := b.step1(), x86.PageFault(7, boxPage); f != want {
			t.Errorf("level %d read-only: %v", level+1, f)
		}
		b.put64(at, old)
		b.FlushTLB()
		b.step1()
		if b.get64(at)&pteA == 0 || b.get64(at)&pteD != 0 {
			t.Errorf("level %d: %#x", level+1, b.get64(at))
		}
	}
}

func TestLargePages(t *testing.T) {
	b := newBox(t, Intel)
	b.mapPage(boxPage, 0, 0)
	l3 := b.get64(boxTables) &^ 0xfff
	l2 := b.get64(l3+boxPage>>30&511*8) &^ 0xfff
	const ps = 1 << 7
	b.put64(l2, 0x200000|pteP|pteW|pteU|ps)
	b.put64(0x212345, 0x1122334455667788)
	b.code("48 8b 03 48 8b 03")
	b.R[x86.RBX] = boxPage + 0x12345
	if f := b.step1(); f.Valid || b.R[x86.RAX] != 0x1122334455667788 {
		t.Errorf("2 MiB page: %v, %#x", f, b.R[x86.RAX])
	}
	// Bits 13-20 of a 2 MiB entry are reserved.
	b.put64(l2, 0x200000|1<<13|pteP|pteW|pteU|ps)
	b.FlushTLB()
	if f := b.step1(); f != x86.PageFault(x86.PFPresent|x86.PFReserved, boxPage+0x12345) {
		t.Errorf("reserved bits: %v", f)
	}
}

func TestCanonical(t *testing.T) {
	for _, tc := range []struct {
		name string
		code string
		addr uint64
		want x86.Fault
	}{
		{"data", "8a 03", 1 << 47, gp(0)},
		{"data, last byte", "48 8b 03", 1<<47 - 4, gp(0)},
		{"through RBP: the stack's fault", "8a 45 00", 1 << 47, x86.WithCode(x86.VectorSS, 0)},
		{"push", "50", 1 << 47, x86.WithCode(x86.VectorSS, 0)},
		{"indirect jump", "ff e3", 1 << 47, gp(0)},
	} {
		b := newBox(t, Intel)
		b.code(tc.code)
		b.R[x86.RBX], b.R[x86.RBP], b.R[x86.RSP] = tc.addr, tc.addr, tc.addr+8
		if f := b.step1(); f != tc.want || b.RIP != boxCode {
			t.Errorf("%s: %v, want %v", tc.name, f, tc.want)
		}
	}
}

func TestAlignmentCheck(t *testing.T) {
	b := newBox(t, Intel)
	b.long(3)
	b.CR0 |= x86.CR0AM
	b.SetFlags(x86.FlagAC)
	b.R[x86.RBX] = boxData + 1
	b.code("8b 03 8a 03")
	if f := b.step1(); f != x86.WithCode(x86.VectorAC, 0) {
		t.Errorf("4 bytes at an odd address: %v", f)
	}
	b.RIP += 2
	if f := b.step1(); f.Valid {
		t.Errorf("1 byte: %v", f)
	}
	b.long(0)
	b.CR0 |= x86.CR0AM
	b.SetFlags(x86.FlagAC)
	b.code("8b 03")
	if f := b.step1(); f.Valid {
		t.Errorf("in the kernel: %v", f)
	}
}

// Stale translations stay until flushed with KeepTLB, and go at once without.
func TestTLB(t *testing.T) {
	const (
		load   = "8a 03"
		invlpg = "0f 01 3b"
		cr3    = "0f 20 d8 0f 22 d8"
		cr4    = "0f 20 e0 48 0f ba f0 07 0f 22 e0 48 0f ba e8 07 0f 22 e0" // toggle CR4.PGE
	)
	for _, tc := range []struct {
		name   string
		keep   bool
		global uint64
		flush  string
		n      uint64
		want   byte // 1: stale, 2: new
	}{
		{"keep, no flush", true, 0, "", 0, 1},
		{"drop, no flush", false, 0, "", 0, 2},
		{"invlpg", true, 0, invlpg, 1, 2},
		{"CR3", true, 0, cr3, 2, 2},
		{"CR3, global", true, pteG, cr3, 2, 1},
		{"invlpg, global", true, pteG, invlpg, 1, 2},
		{"CR4.PGE, global", true, pteG, cr4, 5, 2},
		{"drop, global", false, pteG, "", 0, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.KeepTLB = tc.keep
			b.Mem.TrackTables = !tc.keep
			b.put(boxTarget, "01")
			b.put(boxTarget+0x1000, "02")
			b.mapPage(boxPage, boxTarget, pteP|pteW|pteU|tc.global)
			b.R[x86.RBX] = boxPage
			b.code(load)
			b.step1()
			if got := byte(b.R[x86.RAX]); got != 1 {
				t.Fatalf("first read: %d", got)
			}
			b.mapPage(boxPage, boxTarget+0x1000, pteP|pteW|pteU|tc.global)
			if tc.flush != "" {
				b.code(tc.flush)
				if ex := b.Run(tc.n); ex.Kind != ExitBudget {
					t.Fatalf("%+v", ex)
				}
			}
			b.code(load)
			b.step1()
			if got := byte(b.R[x86.RAX]); got != tc.want {
				t.Errorf("read %d, want %d", got, tc.want)
			}
		})
	}
}

// A page made more permissive needs no flush: the fault walks again.
func TestTLBUpgrade(t *testing.T) {
	b := newBox(t, Intel)
	b.mapPage(boxPage, boxTarget, pteP)
	b.R[x86.RBX] = boxPage
	b.code("8a 03 88 03")
	b.step1()
	if f := b.step1(); f.Vector != x86.VectorPF {
		t.Fatalf("write to a read-only page: %v", f)
	}
	b.mapPage(boxPage, boxTarget, pteP|pteW)
	if f := b.step1(); f.Valid {
		t.Errorf("after making it writable: %v", f)
	}
}

// Code is seen as it is in memory at each instruction, whoever wrote it.
func TestSelfModifyingCode(t *testing.T) {
	const loop = "40 b6 01 90 90 90 90" // mov $1,%sil; nops
	for _, tc := range []struct {
		name  string
		write func(*box, *CPU)
	}{
		{"through another mapping", func(b *box, _ *CPU) {
			b.mapPage(boxPage, boxCode, pteP|pteW)
			b.put(boxTarget, "c6 03 cc") // movb $0xcc,(%rbx)
			b.RIP, b.R[x86.RBX] = boxTarget, boxPage+3
			b.step1()
		}},
		{"from another processor", func(b *box, other *CPU) {
			b.put(boxTarget, "c6 03 cc")
			other.State = b.State
			other.RIP, other.R[x86.RBX] = boxTarget, boxCode+3
			other.StateChanged()
			other.Run(1)
		}},
		{"by a device or hypervisor", func(b *box, _ *CPU) { b.Mem.Write(boxCode+3, []byte{0xcc}) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			other := New(b.Mem, nil, Intel)
			b.code(loop)
			for range 3 { // so that the block is cached
				b.RIP = boxCode
				b.Run(4)
			}
			tc.write(b, other)
			b.RIP = boxCode
			if got := b.event(b.Run(4)); got != "int3+3" {
				t.Errorf("got %s, want the INT3", got)
			}
		})
	}
	t.Run("the next instruction of the same block", func(t *testing.T) {
		b := newBox(t, Intel)
		b.code("c6 05 00 00 00 00 cc 90 90") // movb $0xcc,0(%rip): the NOP after it
		if got := b.event(b.Run(2)); got != "int3+7" {
			t.Errorf("got %s, want the INT3", got)
		}
	})
	t.Run("an instruction across two pages", func(t *testing.T) {
		b := newBox(t, Intel)
		at := uint64(boxCode + 0x1000 - 2)
		b.put(at, "b8 01 00 00 00 90") // mov $1,%eax
		for _, want := range []uint64{1, 0x101} {
			b.RIP = at
			if b.step1(); b.R[x86.RAX] != want {
				t.Errorf("eax %#x, want %#x", b.R[x86.RAX], want)
			}
			b.Mem.Write(boxCode+0x1000, []byte{1})
		}
	})
}

// An instruction fetch that faults in its second page names that page.
func TestFetchAcrossPages(t *testing.T) {
	b := newBox(t, Intel)
	at := uint64(boxCode + 0x1000 - 2)
	b.put(at, "b8 01")
	b.mapPage(boxCode+0x1000, 0, 0)
	b.FlushTLB()
	b.RIP = at
	if f, want := b.step1(), x86.PageFault(x86.PFFetch, boxCode+0x1000); f != want || b.RIP != at {
		t.Errorf("%v at %#x, rip %#x", f, f.Addr, b.RIP)
	}
}
