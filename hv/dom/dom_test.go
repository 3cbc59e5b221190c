package dom

import (
	"bytes"
	"testing"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

const testPages = 1024

func newDomain(t *testing.T, o Options) *Domain {
	t.Helper()
	m, err := mem.New(ArenaFrames(testPages) << mem.PageShift)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	o.VCPUs, o.Pages = max(o.VCPUs, 1), testPages
	if o.Now == nil {
		o.Now = func() uint64 { return 0 }
	}
	o.NewCPU = func(int) *cpu.CPU { return cpu.New(m, nil, cpu.Intel) }
	d, err := New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFrames: every page of the domain is a frame of its own with another
// number, and the M2P says so (BOOT-09, MM-21).
func TestFrames(t *testing.T) {
	d := newDomain(t, Options{})
	for pfn, mfn := range d.P2M() {
		if uint64(pfn) == mfn {
			t.Fatalf("PFN %#x is MFN %#x", pfn, mfn)
		}
		if got := d.M2P(mfn); got != uint64(pfn) {
			t.Fatalf("M2P of %#x: %#x, want %#x", mfn, got, pfn)
		}
		if p := d.Mem.Info(mfn); p.Owner != d.Owner() || p.Count != 1 || p.TypeCount != 0 {
			t.Fatalf("frame %#x: %+v", mfn, p)
		}
	}
	for _, mfn := range []uint64{0, 1, d.SharedInfoMFN(), d.P2M()[0] - 1, d.Mem.Frames() - 1} {
		if got := d.M2P(mfn); got != ^uint64(0) {
			t.Errorf("M2P of %#x, not the domain's: %#x", mfn, got)
		}
	}
	if p := d.Mem.Info(d.Mem.Frames() - 1); p != (mem.PageInfo{}) {
		t.Errorf("the last frame should be free: %+v", p)
	}
}

// TestArena: the arena holds Xen's part and the domain, whatever its size.
func TestArena(t *testing.T) {
	for pages := uint64(1); pages < 8<<20; pages = pages*3 + 1 {
		total := ArenaFrames(pages)
		if total%superFrames != 0 || ReservedFrames(total)+pages > total {
			t.Errorf("%d pages: arena of %d frames, %d reserved", pages, total, ReservedFrames(total))
		}
	}
}

// TestAllocFrames: extents are aligned and zero, and end with the memory.
func TestAllocFrames(t *testing.T) {
	d := newDomain(t, Options{Privileged: true})
	seen := map[uint64]bool{}
	for _, order := range []uint32{0, 3, 0, 5, 9, 1} {
		first, ok := d.AllocFrames(order, 0)
		if !ok || first&(1<<order-1) != 0 {
			t.Fatalf("order %d: %#x %v", order, first, ok)
		}
		for mfn := first; mfn < first+1<<order; mfn++ {
			if seen[mfn] || d.Mem.Info(mfn).Owner != d.Owner() {
				t.Errorf("frame %#x given twice or not at all", mfn)
			}
			seen[mfn] = true
		}
	}
	n := 0
	for ok := true; ok && n < 10000; n++ {
		_, ok = d.AllocFrames(0, 0)
	}
	if n == 10000 {
		t.Error("memory never ends")
	}
	if _, ok := newDomain(t, Options{ID: 1}).AllocFrames(9, 0); ok {
		t.Error("a domU gets more than its maximum")
	}
}

// TestTSCScale: ticks turn into nanoseconds by multiplier and shift as guests
// compute them.
func TestTSCScale(t *testing.T) {
	for _, hz := range []uint64{1_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 2_596_120_000, 5_000_000_000} {
		mul, shift := TSCScale(hz)
		ticks := hz // one second
		if shift < 0 {
			ticks >>= -shift
		} else {
			ticks <<= shift
		}
		ns := ticks >> 16 * uint64(mul) >> 16
		if ns < 999_900_000 || ns > 1_000_100_000 {
			t.Errorf("%d Hz: multiplier %#x, shift %d: a second is %d ns", hz, mul, shift, ns)
		}
	}
}

// TestConsoleRing: a domU's output and input go through its ring page, and it
// is told when something moved.
func TestConsoleRing(t *testing.T) {
	var out bytes.Buffer
	d := newDomain(t, Options{ID: 1, Console: func(b []byte) { out.Write(b) }})
	mfn := d.P2M()[7]
	page := mfn << mem.PageShift
	text := "hello\n"
	for i := range text { // across the end of the ring
		d.Mem.Write(page+ringOut+(ringOutSize-3+uint64(i))%ringOutSize, []byte{text[i]})
	}
	d.put32(mfn, ringOutCons, ringOutSize-3)
	d.put32(mfn, ringOutProd, ringOutSize-3+uint32(len(text)))
	if err := d.ShareRings(mfn, mfn+1); err != nil {
		t.Fatal(err)
	}
	d.Notify(ToolConsole)
	if out.String() != text {
		t.Errorf("output %q", &out)
	}
	if !d.IsPending(ConsolePort) {
		t.Error("the guest was not told")
	}
	d.Type([]byte("abc"))
	var in [3]byte
	d.Mem.Read(page+ringIn, in[:])
	if string(in[:]) != "abc" || len(d.Typed) != 0 {
		t.Errorf("input %q, %d bytes left", in, len(d.Typed))
	}
	d.put32(mfn, ringOutProd, 5) // further than the ring is long
	out.Reset()
	d.Notify(ToolConsole)
	if out.Len() != 0 {
		t.Errorf("bad indices: %d bytes", out.Len())
	}
}

// TestShutdownLines: what the console says when dom0 ends, and which reason
// counts (EVT-09).
func TestShutdownLines(t *testing.T) {
	for _, c := range []struct {
		latch, reason int
		want          string
	}{
		{-1, abi.ShutdownPoweroff, "Hardware Dom0 halted: halting machine"},
		{-1, abi.ShutdownReboot, "Hardware Dom0 shutdown: rebooting machine"},
		{-1, abi.ShutdownCrash, "Hardware Dom0 crashed: rebooting machine in 5 seconds."},
		{-1, 99, "Hardware Dom0 shutdown (unknown reason 99): rebooting machine in 5 seconds."},
		{abi.ShutdownReboot, abi.ShutdownPoweroff, "Hardware Dom0 shutdown: rebooting machine"},
	} {
		var said string
		d := newDomain(t, Options{Privileged: true, XenLine: func(s string) { said = s }})
		if c.latch >= 0 {
			d.LatchShutdown(uint8(c.latch))
			d.LatchShutdown(uint8(c.reason)) // the first one counts
		}
		d.Shutdown(uint8(c.reason))
		if said != c.want {
			t.Errorf("latched %d, reason %d: %q, want %q", c.latch, c.reason, said, c.want)
		}
	}
}

// TestXenIsNotMapped: of Xen's part of the address space a guest's root leads
// to the M2P and its descriptor tables only (BOOT-14).
func TestXenIsNotMapped(t *testing.T) {
	d := newDomain(t, Options{})
	root := d.P2M()[0]
	if err := d.AdoptTables(root); err != nil { // an empty root is a valid one
		t.Fatal(err)
	}
	for lin, want := range map[uint64]bool{
		0xffff800000000000: true, GDTBase(0): true, GDTBase(0) + abi.FirstReservedGDTPage<<12: true,
		LDTBase(0): false, 0xffff808000000000: false, 0xffff810000000000: false, 0xffff828000000000: false,
		0xffff82d040200000: false, 0xffff830000000000: false, 0xffff87ffffffffff: false,
	} {
		w := pagetable.Translate(d.Mem, root<<mem.PageShift, lin, 46, true)
		if w.Mapped != want {
			t.Errorf("%#x: mapped %v, want %v", lin, w.Mapped, want)
		}
	}
}
