package entry_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hv/xenpv"
	"pvlab/hypercall/abi"
)

// Addresses of the test guest: an image of zeros, mapped read-write.
const (
	guestBase  = 0xffffffff80000000
	guestText  = guestBase + 0x100000
	guestStack = guestText + 0x3000 // top of a stack, in the middle of the image
	userStack  = guestText + 0x5000
	handler    = guestText + 0x100
	gone       = guestBase + 0x30000000 // not mapped
)

// guest is a dom0 with nothing in it, ready to have exits reported.
type guest struct {
	*dom.VCPU
	t       *testing.T
	p       *xenpv.Platform
	console []string
	now     uint64
}

// newGuest builds it; vCPU 0 runs the image with its stack at guestStack, and
// every vector leads to handler+vector*16.
func newGuest(t *testing.T) *guest {
	t.Helper()
	file := elftest.File{Entry: guestText,
		Segments: []elftest.Segment{{Vaddr: guestText, Paddr: 0x100000, Memsz: 0x8000}},
		Notes: []elftest.Note{elftest.Str(abi.ELFNoteXenVersion, "xen-3.0"), elftest.Str(abi.ELFNoteLoader, "generic"),
			elftest.Num(abi.ELFNoteVirtBase, guestBase), elftest.Num(abi.ELFNoteEntry, guestText)}}
	img, err := image.Load("test", file.Bytes(), 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	const pages = 1024
	m, err := mem.New(dom.ArenaFrames(pages) << mem.PageShift)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	g := &guest{t: t}
	d, err := dom.New(m, dom.Options{VCPUs: 2, Pages: pages, Privileged: true, Now: func() uint64 { return g.now },
		NewCPU:  func(int) *cpu.CPU { return cpu.New(m, nil, cpu.Intel) },
		XenLine: func(s string) { g.console = append(g.console, s) }, Probes: &probe.Set{}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := image.BuildPV(m, d.P2M(), img, image.PVOptions{Dom0: true, SharedInfoMFN: d.SharedInfoMFN()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AdoptTables(s.L4MFN); err != nil {
		t.Fatal(err)
	}
	d.SetStart(s.RIP, guestStack, s.RSI)
	g.VCPU, g.p = d.VCPU[0], xenpv.New(d, xenpv.Options{})
	for i := range g.Trap {
		g.Trap[i] = abi.TrapInfo{Vector: uint8(i), CS: 0x10, Address: handlerOf(uint8(i))}
	}
	c := g.CPU
	c.RIP = guestText + 0x10
	for i := range c.R[:16] {
		if i != x86.RSP {
			c.R[i] = 0x1111111100000000 + uint64(i)
		}
	}
	return g
}

func handlerOf(vec uint8) uint64 { return handler + uint64(vec)*16 }

// user puts the vCPU into guest-user mode, on the kernel's own table.
func (g *guest) user() {
	if err := g.NewUserBaseptr(g.GuestTable); err != 0 {
		g.t.Fatal(err)
	}
	g.ToggleMode()
	g.KernelSP = guestStack
	g.CPU.R[x86.RSP] = userStack
}

// report gives an exit to Xen.
func (g *guest) report(ex cpu.Exit) xenpv.Action {
	g.t.Helper()
	a, err := g.p.HandleExit(g.VCPU, &ex)
	if err != nil {
		g.t.Fatal(err)
	}
	return a
}

// int3 reports an INT3 at RIP.
func (g *guest) int3() xenpv.Action {
	return g.report(cpu.Exit{Kind: cpu.ExitSoftInt, Soft: cpu.SoftINT3, Vector: 3, Next: g.CPU.RIP + 1})
}

func (g *guest) fault(f x86.Fault) xenpv.Action {
	return g.report(cpu.Exit{Kind: cpu.ExitFault, Fault: f})
}

func (g *guest) intN(vec uint8) xenpv.Action {
	return g.report(cpu.Exit{Kind: cpu.ExitSoftInt, Soft: cpu.SoftINT, Vector: vec, Next: g.CPU.RIP + 2})
}

func (g *guest) syscall(n uint64) xenpv.Action {
	g.CPU.R[x86.RAX] = n
	return g.report(cpu.Exit{Kind: cpu.ExitSyscall, Next: g.CPU.RIP + 2})
}

// word reads the guest's memory.
func (g *guest) word(addr uint64) uint64 {
	g.t.Helper()
	w, ok := g.Read64(addr)
	if !ok {
		g.t.Fatalf("nothing at %#x", addr)
	}
	return w
}

// frame reads n words from RSP.
func (g *guest) frame(n int) (w []uint64) {
	for i := 0; i < n; i++ {
		w = append(w, g.word(g.CPU.R[x86.RSP]+uint64(8*i)))
	}
	return w
}

// iret puts an iret frame (IRET-01) at RSP and makes the hypercall.
func (g *guest) iret(flags, rip, cs, rflags, rsp, ss uint64) xenpv.Action {
	c := g.CPU
	var b [abi.IretContextSize]byte
	for i, w := range []uint64{0xa, 0x11, 0xc, flags, rip, cs, rflags, rsp, ss} {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
	if !g.CopyTo(c.R[x86.RSP], b[:]) {
		g.t.Fatal("iret frame")
	}
	return g.syscall(abi.HypIret)
}

// says reports whether Xen printed a line with this text.
func (g *guest) says(text string) bool {
	for _, l := range g.console {
		if strings.Contains(l, text) {
			return true
		}
	}
	return false
}

// pend makes an event pending for the vCPU.
func (g *guest) pend() { g.MarkPending() }

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %#x, want %#x", what, got, want)
	}
}
