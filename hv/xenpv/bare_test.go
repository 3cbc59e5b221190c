package xenpv_test

import (
	"testing"

	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hv/xenpv"
	"pvlab/hypercall/abi"
)

// Where a bare guest's one segment lies: pages of zeros, mapped read-write.
const (
	bareText  = elftest.VirtBase + 0x100000
	barePages = 16
)

// bare is a domain with nothing in it, whose exits the test makes up.
type bare struct {
	*dom.VCPU
	p   *xenpv.Platform
	mem *mem.Memory
	now uint64
	// unsure is what was not modelled, last.
	unsure string
}

func newBare(t testing.TB, dom0 bool, vcpus int) *bare {
	t.Helper()
	img, err := image.Load("bare", elftest.PV([]byte{0x90}, barePages<<mem.PageShift).Bytes(), 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	const pages = 1024
	m, err := mem.New(dom.ArenaFrames(pages) << mem.PageShift)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	b := &bare{mem: m}
	o := dom.Options{VCPUs: vcpus, Pages: pages, Privileged: dom0, Now: func() uint64 { return b.now },
		NewCPU: func(int) *cpu.CPU { return cpu.New(m, nil, cpu.Intel) }}
	if !dom0 {
		o.ID = 1
	}
	d, err := dom.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := image.BuildPV(m, d.P2M(), img, image.PVOptions{Dom0: dom0, SharedInfoMFN: d.SharedInfoMFN(),
		StoreEvtchn: dom.StorePort, ConsoleEvtchn: dom.ConsolePort})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AdoptTables(s.L4MFN); err != nil {
		t.Fatal(err)
	}
	d.SetStart(s.RIP, s.RSP, s.RSI)
	b.VCPU, b.p = d.VCPU[0], xenpv.New(d, xenpv.Options{Tolerant: true, Unsure: func(what string) { b.unsure = what }})
	return b
}

// call makes a hypercall and returns RAX.
func (b *bare) call(n uint64, args ...uint64) uint64 {
	c := b.CPU
	c.R[x86.RAX] = n
	for i, reg := range []int{x86.RDI, x86.RSI, x86.RDX, x86.R10, x86.R8} {
		c.R[reg] = 0
		if i < len(args) {
			c.R[reg] = args[i]
		}
	}
	if _, err := b.p.HandleExit(b.VCPU, &cpu.Exit{Kind: cpu.ExitSyscall, Next: c.RIP + 2}); err != nil {
		return ^uint64(0)
	}
	return c.R[x86.RAX]
}

// frame is the machine frame of a page of the guest.
func (b *bare) frame(t testing.TB, va uint64) uint64 {
	t.Helper()
	e, ok := b.KernelL1(va)
	if !ok {
		t.Fatalf("%#x is not mapped", va)
	}
	return e.MFN()
}

// TestContinuation: a long list is done in pieces, by executing the SYSCALL
// again with what is left (HC-07).
func TestContinuation(t *testing.T) {
	b := newBare(t, true, 1)
	const n = 2500
	list := uint64(bareText + 0x1000)
	data := b.frame(t, bareText+0xf000) << mem.PageShift
	for i := uint64(0); i < n; i++ {
		// Stores into a data page (MM-09), the last one telling that it came.
		b.Write64(list+16*i, data+i%512*8)
		b.Write64(list+16*i+8, i)
	}
	done := uint64(bareText)
	at := b.CPU.RIP
	calls := 0
	rax := b.call(abi.HypMMUUpdate, list, n, done, abi.DomIDSelf)
	for b.CPU.RIP == at {
		calls++
		if rax != abi.HypMMUUpdate || calls > 10 {
			t.Fatalf("continuation %d: rax %#x", calls, rax)
		}
		if left := b.CPU.R[x86.RSI]; left&abi.MMUUpdatePreempted == 0 || left&^abi.MMUUpdatePreempted >= n {
			t.Fatalf("continuation %d: count %#x", calls, left)
		}
		r := &b.CPU.R
		rax = b.call(rax, r[x86.RDI], r[x86.RSI], r[x86.RDX], r[x86.R10])
	}
	if rax != 0 || calls != 2 {
		t.Errorf("rax %#x after %d continuations", rax, calls)
	}
	if got, _ := b.Read32(done); got != n {
		t.Errorf("done %d, want %d", got, n)
	}
	if w := b.mem.Read64(data + (n-1)%512*8); w != n-1 {
		t.Errorf("last store: %d", w)
	}
}

// TestMulticallIret: an iret ends the batch (HC-12).
func TestMulticallIret(t *testing.T) {
	b := newBare(t, true, 1)
	list, frame := uint64(bareText+0x1000), uint64(bareText+0x2000)
	for i, w := range []uint64{7, 0, 0, 0, bareText + 0x123, 0xe030, x86.FlagIF, bareText + 0x3000, 0xe02b} {
		b.Write64(frame+uint64(8*i), w)
	}
	b.Write64(list, abi.HypIret)
	b.Write64(list+abi.MulticallSize, abi.HypVMAssist)
	b.Write64(list+abi.MulticallSize+abi.MulticallArgs+8, abi.VMAssistWritablePagetables)
	b.CPU.R[x86.RSP] = frame
	if rax := b.call(abi.HypMulticall, list, 2); rax != 7 {
		t.Errorf("rax %#x", rax)
	}
	if b.CPU.RIP != bareText+0x123 || b.Mask() != 0 {
		t.Errorf("rip %#x mask %d", b.CPU.RIP, b.Mask())
	}
	if b.Dom.Assist>>abi.VMAssistWritablePagetables&1 != 0 {
		t.Error("the entry after the iret was executed")
	}
}

// TestTimers: which ticks come when, and that a deadline is only what can
// change something (EVT-10, EVT-11).
func TestTimers(t *testing.T) {
	b := newBare(t, true, 1)
	d := b.Dom
	if ns, ok := d.Deadline(); ok {
		t.Errorf("nothing is bound, yet a deadline at %d", ns)
	}
	arg := uint64(bareText + 0x1000)
	b.Write64(arg, abi.VIRQTimer)
	if rax := b.call(abi.HypEventChannelOp, abi.EvtchnOpBindVIRQ, arg); rax != 0 {
		t.Fatalf("bind: %#x", rax)
	}
	port64, _ := b.Read64(arg + 8)
	port := port64 & 0xffffffff
	if ns, ok := d.Deadline(); !ok || ns != 10_000_000 {
		t.Errorf("the periodic tick: %d %v", ns, ok)
	}
	b.now = 10_000_000
	d.Advance()
	if !d.IsPending(port) {
		t.Error("no tick")
	}
	if _, ok := d.Deadline(); ok {
		t.Error("a tick that is still pending has a deadline")
	}
	d.ClearPending(port)
	b.call(abi.HypVCPUOp, abi.VCPUOpStopPeriodicTimer, 0)
	if _, ok := d.Deadline(); ok {
		t.Error("stopped, yet a deadline")
	}
	b.call(abi.HypSetTimerOp, 15_000_000)
	if ns, _ := d.Deadline(); ns != 15_000_000 {
		t.Errorf("single shot at %d", ns)
	}
	b.now = 15_000_000
	d.Advance()
	if !d.IsPending(port) {
		t.Error("no single shot")
	}
	d.ClearPending(port)
	b.call(abi.HypSetTimerOp, 1)
	if !d.IsPending(port) {
		t.Error("a time in the past does not fire at once")
	}
}

// TestPlatformSnapshot: what Save keeps is enough to run the same again.
func TestPlatformSnapshot(t *testing.T) {
	b := newBare(t, false, 2)
	snap, state, regs := b.mem.Snapshot(), b.p.Save(), b.CPU.State
	play := func() (out []uint64) {
		arg := uint64(bareText + 0x1000)
		b.Write64(arg, 0)
		for i := 0; i < 3; i++ {
			out = append(out, b.call(abi.HypEventChannelOp, abi.EvtchnOpBindIPI, arg))
			w, _ := b.Read64(arg)
			out = append(out, w)
		}
		out = append(out, b.call(abi.HypVMAssist, abi.VMAssistEnable, abi.VMAssistWritablePagetables), b.Dom.Assist,
			b.call(abi.HypStackSwitch, 0, 0x1234), b.KernelSP, b.call(abi.HypUpdateVAMapping, bareText+0x2000, 0, 0))
		b.Write64(arg, 0x123)
		out = append(out, b.call(abi.HypMemoryOp, abi.MemOpPopulatePhysmap, arg), b.Dom.TotPages)
		return out
	}
	first := play()
	for round := 0; round < 3; round++ {
		b.mem.Restore(snap)
		b.p.Load(state)
		b.CPU.State = regs
		b.CPU.StateChanged()
		b.CPU.FlushTLB()
		again := play()
		for i := range first {
			if first[i] != again[i] {
				t.Fatalf("round %d, value %d: %#x, first %#x", round, i, again[i], first[i])
			}
		}
	}
}
