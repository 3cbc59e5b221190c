package explain

import (
	"testing"

	"pvlab/entry"
	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// Where things lie in the flat test machine.
const (
	flatCode                   = 0x10000
	flatStack                  = 0x80000 // stack pointer of the interrupted code
	flatGDT                    = 0x4000
	flatKernelCS, flatKernelSS = 0x08, 0x10
)

// flat is a processor in 64-bit mode, ring 0, 4 MiB mapped one to one, with a
// Tracker beside it. Frames are delivered by hand, so that the tests need no
// hypervisor.
type flat struct {
	tb testing.TB
	c  *cpu.CPU
	t  *Tracker
}

func newFlat(tb testing.TB, p Platform) *flat {
	tb.Helper()
	m, err := mem.New(4 << 20)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.Close)
	const pml4, pdpt, pd = 0x1000, 0x2000, 0x3000
	m.Write64(pml4, pdpt|7)
	m.Write64(pdpt, pd|7)
	m.Write64(pd, 0|0x87)
	m.Write64(pd+8, 0x200000|0x87)
	m.Write64(flatGDT+flatKernelCS, 0x00af9b000000ffff)
	m.Write64(flatGDT+flatKernelSS, 0x00cf93000000ffff)
	f := &flat{tb: tb, c: cpu.New(m, nil, cpu.Intel)}
	f.reset(p)
	return f
}

// reset makes everything as new but the memory.
func (f *flat) reset(p Platform) {
	c := f.c
	c.Reset()
	c.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0WP | x86.CR0NE | x86.CR0ET
	c.CR4 = x86.CR4PAE
	c.CR3 = 0x1000
	c.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	c.SetFlags(0)
	c.Seg[x86.CS] = x86.Segment{Sel: flatKernelCS, Attr: x86.AttrP | x86.AttrS | x86.AttrL | 0xb, Limit: 0xffffffff}
	c.Seg[x86.SS] = x86.Segment{Sel: flatKernelSS, Attr: x86.AttrP | x86.AttrS | x86.AttrDB | 3, Limit: 0xffffffff}
	c.GDTR = x86.Table{Base: flatGDT, Limit: 0x17}
	c.Intercept = cpu.InterceptSyscall
	for i := range c.R[:16] {
		c.R[i] = 0x1111_0000_0000_0000 | uint64(i+1)<<32
	}
	c.R[x86.RSP] = flatStack
	c.StateChanged()
	c.FlushTLB()
	f.t = NewTracker(p, f.read)
}

func (f *flat) read(lin uint64, b []byte) int {
	n, _ := f.c.ReadLinear(cpu.ViewHypervisor, lin, b)
	return n
}

func (f *flat) write(lin uint64, b []byte) {
	f.tb.Helper()
	if _, fault := f.c.WriteLinear(cpu.ViewHypervisor, lin, b); fault.Valid {
		f.tb.Fatalf("write at %#x: %v", lin, fault)
	}
}

func (f *flat) write64(lin, v uint64) {
	f.tb.Helper()
	if fault := f.c.WriteLinear64(cpu.ViewHypervisor, lin, v); fault.Valid {
		f.tb.Fatalf("write at %#x: %v", lin, fault)
	}
}

func (f *flat) regs() Regs {
	r := Regs{RIP: f.c.RIP, RFLAGS: f.c.Flags(), CS: f.c.Seg[x86.CS].Sel, SS: f.c.Seg[x86.SS].Sel}
	copy(r.R[:], f.c.R[:16])
	return r
}

func (f *flat) step() Step {
	s := Step{Regs: f.regs(), Number: f.c.Retired, Kernel: true, Code: make([]byte, 15)}
	s.Code = s.Code[:f.read(s.RIP, s.Code)]
	return s
}

// frameAt lays a frame out from address at upwards and stores it.
func (f *flat) frame(names []string, values []uint64, at uint64) entry.Frame {
	fr := entry.Frame{Kind: "exception", Vector: 3, At: at, Handler: flatCode, StackTop: at + 8*uint64(len(names))}
	for i, n := range names {
		a := at + 8*uint64(i)
		f.write64(a, values[i])
		fr.Slots = append(fr.Slots, entry.Slot{Name: n, Addr: a, Value: values[i]})
	}
	return fr
}

// deliver executes the instruction at RIP for the tracker only, and puts the
// frame on the stack as the platform would.
func (f *flat) deliver(fr entry.Frame) {
	s := f.step()
	f.t.Before(&s)
	f.t.Delivered(&fr)
	f.c.RIP = fr.Handler
	f.c.R[x86.RSP] = fr.At
	if f.t.platform == Xen {
		f.c.R[x86.RCX], f.c.R[x86.R11] = fr.Handler, 0x246 // FRAME-02
	}
	f.c.StateChanged()
	r := f.regs()
	f.t.After(&r)
}

// run executes up to n instructions under the tracker; it ends early at an
// exit, which it returns. A fault is told to the tracker as a delivery that
// nobody handles.
func (f *flat) run(n int) (ex cpu.Exit) {
	for range n {
		s := f.step()
		f.t.Before(&s)
		ex = f.c.Run(1)
		if ex.Kind == cpu.ExitFault {
			fr := entry.Frame{Kind: "exception", Vector: int(ex.Fault.Vector), At: 0x1000, Slots: []entry.Slot{{Name: "rip", Addr: 0x1000, Value: f.c.RIP}}}
			f.t.Delivered(&fr)
		}
		r := f.regs()
		f.t.After(&r)
		if ex.Kind != cpu.ExitBudget {
			return ex
		}
	}
	return ex
}

var (
	xenSlots     = []string{"rcx", "r11", "rip", "cs", "rflags", "rsp", "ss"}
	xenSlotsCode = []string{"rcx", "r11", "error", "rip", "cs", "rflags", "rsp", "ss"}
	natSlots     = []string{"rip", "cs", "rflags", "rsp", "ss"}
	natSlotsCode = []string{"error", "rip", "cs", "rflags", "rsp", "ss"}
)
