package entry

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

// bare is a processor with 2 MiB of identity-mapped memory, a GDT, an IDT of
// present interrupt gates and a TSS.
type bare struct {
	*cpu.CPU
	t      *testing.T
	native Native
}

const (
	bareGDT   = 0x5000
	bareIDT   = 0x6000
	bareTSS   = 0x7000
	bareUser  = 0x10000 // code of both levels
	bareStack = 0x21000
	bareRSP0  = 0x23008 // not aligned, on purpose
	bareIST1  = 0x25000
	bareEntry = 0x40000 // handler of vector v: bareEntry + 16v
	bareTop   = 0x100000

	selKCode   = 0x08
	selKData   = 0x10
	selKCode32 = 0x18
	selUCode32 = 0x23
	selUData   = 0x2b
	selUCode   = 0x33
	selAbsent  = 0x38 // 64-bit code, not present
	selTSS     = 0x40
	selConform = 0x50 // conforming 64-bit code

	gateAttr = x86.AttrP | gateIntr32
)

func newBare(t *testing.T) *bare {
	t.Helper()
	m, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	b := &bare{CPU: cpu.New(m, nil, cpu.Intel), t: t}
	for i, base := range []uint64{bareTop, bareTop + 0x1000, bareTop + 0x2000} {
		m.Write64(base, bareTop+0x1000*uint64(i+1)|7)
	}
	for i := range uint64(512) {
		m.Write64(bareTop+0x3000+8*i, i<<12|7)
	}
	const flat, code64 = 0xcf << 48, 0xaf << 48
	for sel, d := range map[uint64]uint64{
		selKCode: code64 | 0x9b<<40, selKData: flat | 0x93<<40, selKCode32: flat | 0x9b<<40,
		selUCode32: flat | 0xfb<<40, selUData: flat | 0xf3<<40, selUCode: code64 | 0xfb<<40,
		selAbsent: code64 | 0x1b<<40, selConform: code64 | 0x9f<<40,
	} {
		m.Write64(bareGDT+sel&^7, d|0xffff)
	}
	m.Write64(bareTSS+4, bareRSP0)
	m.Write64(bareTSS+36, bareIST1)
	b.GDTR = x86.Table{Base: bareGDT, Limit: 0xff}
	b.IDTR = x86.Table{Base: bareIDT, Limit: 0xfff}
	b.TR = x86.Segment{Sel: selTSS, Attr: x86.AttrP | x86.TypeTSSBusy, Limit: 0x67, Base: bareTSS}
	b.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0WP | x86.CR0ET
	b.CR4, b.CR3 = x86.CR4PAE, bareTop
	b.EFER = x86.EFERLME | x86.EFERLMA
	for v := range uint64(256) {
		b.gate(v, selKCode, bareEntry+16*v, gateAttr, 0)
	}
	b.level(0)
	return b
}

// gate writes a 64-bit IDT entry; attr is P, DPL and type as in a descriptor.
func (b *bare) gate(vector, sel, rip, attr, ist uint64) {
	at := bareIDT + 16*vector
	b.Mem.Write64(at, rip&0xffff|sel<<16|ist<<32|attr<<40|rip>>16&0xffff<<48)
	b.Mem.Write64(at+8, rip>>32)
}

func (b *bare) level(cpl uint8) {
	cs, ss := uint16(selKCode), uint16(selKData)
	if cpl == 3 {
		cs, ss = selUCode, selUData
	}
	b.SetFlat(x86.SS, ss, cpl)
	b.SetFlat(x86.CS, cs, cpl)
	b.RIP, b.R[x86.RSP] = bareUser, bareStack
	b.SetFlags(x86.FlagIF | x86.FlagOne)
	b.StateChanged()
	b.FlushTLB()
}

func fault(f x86.Fault) Event { return Event{Kind: Exception, Vector: f.Vector, Fault: f} }

func pf(code uint32, addr uint64) Event { return fault(x86.PageFault(code, addr)) }

func softInt(v uint8) Event { return Event{Kind: Software, Vector: v, Next: bareUser + 2} }

// entered is where the guest is after a delivery.
type entered struct {
	Vector uint8 // by the handler's address
	CPL    uint8
	RSP    uint64
	Frame  []uint64 // from RSP up: [error], rip, cs, rflags, rsp, ss
}

func (b *bare) where(words int) entered {
	e := entered{Vector: uint8((b.RIP - bareEntry) / 16), CPL: b.CPL, RSP: b.R[x86.RSP]}
	for i := range words {
		e.Frame = append(e.Frame, b.Mem.Read64(e.RSP+8*uint64(i)))
	}
	return e
}

func TestNativeFrames(t *testing.T) {
	const fl = x86.FlagIF | x86.FlagOne
	const rf = fl | x86.FlagRF
	const rsp0 = bareRSP0 &^ 15
	for _, tc := range []struct {
		name  string
		cpl   uint8
		ev    Event
		setup func(*bare)
		want  entered
	}{
		{"#PF in the kernel: error code, RF, same stack", 0, pf(2, 0xdead000), nil,
			entered{14, 0, bareStack - 48, []uint64{2, bareUser, selKCode, rf, bareStack, selKData}}},
		{"#PF in user code: RSP0, aligned to 16", 3, pf(6, 0xdead000), nil,
			entered{14, 0, rsp0 - 48, []uint64{6, bareUser, selUCode, rf, bareStack, selUData}}},
		{"the kernel's stack is aligned, too", 0, fault(x86.NoCode(x86.VectorUD)), func(b *bare) { b.R[x86.RSP] = bareStack - 3 },
			entered{6, 0, bareStack - 16 - 40, []uint64{bareUser, selKCode, rf, bareStack - 3, selKData}}},
		{"#DB trap: no error code, no RF", 3, fault(x86.NoCode(x86.VectorDB)), nil,
			entered{1, 0, rsp0 - 40, []uint64{bareUser, selUCode, fl, bareStack, selUData}}},
		{"INT3: RIP after it", 3, softInt(3), func(b *bare) { b.gate(3, selKCode, bareEntry+16*3, gateAttr|x86.AttrDPL, 0) },
			entered{3, 0, rsp0 - 40, []uint64{bareUser + 2, selUCode, fl, bareStack, selUData}}},
		{"INT n in the kernel needs no DPL", 0, softInt(0x80), nil,
			entered{0x80, 0, bareStack - 40, []uint64{bareUser + 2, selKCode, fl, bareStack, selKData}}},
		{"INT n refused by the gate: #GP(8n+2) at the instruction", 3, softInt(0x80), nil,
			entered{13, 0, rsp0 - 48, []uint64{0x80*8 + 2, bareUser, selUCode, rf, bareStack, selUData}}},
		{"INT3 refused by the gate", 3, softInt(3), nil,
			entered{13, 0, rsp0 - 48, []uint64{3*8 + 2, bareUser, selUCode, rf, bareStack, selUData}}},
		{"INT1 is not refused", 3, Event{Kind: Privileged, Vector: 1, Next: bareUser + 1}, nil,
			entered{1, 0, rsp0 - 40, []uint64{bareUser + 1, selUCode, fl, bareStack, selUData}}},
		{"an interrupt is not refused", 3, Event{Kind: Interrupt, Vector: 0x80}, nil,
			entered{0x80, 0, rsp0 - 40, []uint64{bareUser, selUCode, fl, bareStack, selUData}}},
		{"IST from user code", 3, Event{Kind: NMI, Vector: 2}, func(b *bare) { b.gate(2, selKCode, bareEntry+32, gateAttr, 1) },
			entered{2, 0, bareIST1 - 40, []uint64{bareUser, selUCode, fl, bareStack, selUData}}},
		{"IST from the kernel", 0, Event{Kind: NMI, Vector: 2}, func(b *bare) { b.gate(2, selKCode, bareEntry+32, gateAttr, 1) },
			entered{2, 0, bareIST1 - 40, []uint64{bareUser, selKCode, fl, bareStack, selKData}}},
		{"conforming handler stays at the level of the code", 3, fault(x86.NoCode(x86.VectorUD)), func(b *bare) { b.gate(6, selConform, bareEntry+96, gateAttr, 0) },
			entered{6, 3, bareStack - 40, []uint64{bareUser, selUCode, rf, bareStack, selUData}}},
		{"gate not present: #NP(8n+2), EXT for an exception", 0, fault(x86.NoCode(x86.VectorUD)), func(b *bare) { b.gate(6, selKCode, 0, gateIntr32, 0) },
			entered{11, 0, bareStack - 48, []uint64{6*8 + 2 + 1, bareUser, selKCode, rf, bareStack, selKData}}},
		{"gate not present, INT n: no EXT", 0, softInt(6), func(b *bare) { b.gate(6, selKCode, 0, gateIntr32, 0) },
			entered{11, 0, bareStack - 48, []uint64{6*8 + 2, bareUser, selKCode, rf, bareStack, selKData}}},
		{"no gate but something else: #GP", 0, softInt(6), func(b *bare) { b.gate(6, selKCode, 0, x86.AttrP|x86.TypeTSSAvail, 0) },
			entered{13, 0, bareStack - 48, []uint64{6*8 + 2, bareUser, selKCode, rf, bareStack, selKData}}},
		{"handler in user code: #GP(selector)", 0, softInt(6), func(b *bare) { b.gate(6, selUCode, 0, gateAttr, 0) },
			entered{13, 0, bareStack - 48, []uint64{selUCode &^ 3, bareUser, selKCode, rf, bareStack, selKData}}},
		{"handler's segment not present", 0, softInt(6), func(b *bare) { b.gate(6, selAbsent, 0, gateAttr, 0) },
			entered{11, 0, bareStack - 48, []uint64{selAbsent, bareUser, selKCode, rf, bareStack, selKData}}},
		{"handler in 32-bit code", 0, softInt(6), func(b *bare) { b.gate(6, selKCode32, 0, gateAttr, 0) },
			entered{13, 0, bareStack - 48, []uint64{selKCode32, bareUser, selKCode, rf, bareStack, selKData}}},
		{"handler's address not canonical", 0, softInt(6), func(b *bare) { b.gate(6, selKCode, 1<<47, gateAttr, 0) },
			entered{13, 0, bareStack - 48, []uint64{0, bareUser, selKCode, rf, bareStack, selKData}}},
		{"TSS too short for RSP0", 3, softInt(6), func(b *bare) {
			b.gate(6, selKCode, bareEntry, gateAttr|x86.AttrDPL, 0)
			b.gate(10, selConform, bareEntry+160, gateAttr, 0)
			b.TR.Limit = 8
		}, entered{10, 3, bareStack - 48, []uint64{selTSS, bareUser, selUCode, rf, bareStack, selUData}}},
		{"INT n beyond the limit of the IDT", 0, softInt(0x80), func(b *bare) { b.IDTR.Limit = 0x7ff },
			entered{13, 0, bareStack - 48, []uint64{0x80*8 + 2, bareUser, selKCode, rf, bareStack, selKData}}},
		{"#PF whose gate is missing: #DF", 0, pf(0, 0x1234), func(b *bare) { b.gate(14, selKCode, 0, gateIntr32, 0) },
			entered{8, 0, bareStack - 48, []uint64{0, bareUser, selKCode, fl, bareStack, selKData}}},
		{"#GP whose gate is missing: #DF", 0, fault(x86.WithCode(x86.VectorGP, 0)), func(b *bare) { b.gate(13, selKCode, 0, gateIntr32, 0) },
			entered{8, 0, bareStack - 48, []uint64{0, bareUser, selKCode, fl, bareStack, selKData}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBare(t)
			b.level(tc.cpl)
			if tc.setup != nil {
				tc.setup(b)
			}
			r := b.native.Deliver(b.CPU, tc.ev)
			if r.Triple || r.Unmodelled != nil {
				t.Fatalf("%+v", r)
			}
			got := b.where(len(tc.want.Frame))
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
			if b.Flags()&(x86.FlagIF|x86.FlagTF|x86.FlagNT|x86.FlagRF) != 0 {
				t.Errorf("flags in the handler: %#x", b.Flags())
			}
			if tc.ev.Vector == x86.VectorPF && b.CR2 != tc.ev.Fault.Addr {
				t.Errorf("CR2 %#x", b.CR2)
			}
		})
	}
}

func TestNativeTrapGate(t *testing.T) {
	b := newBare(t)
	b.gate(3, selKCode, bareEntry+48, x86.AttrP|gateTrap32, 0)
	b.SetFlags(x86.FlagIF | x86.FlagTF | x86.FlagNT | x86.FlagAC | x86.FlagDF)
	b.native.Deliver(b.CPU, softInt(3))
	if want := uint64(x86.FlagIF | x86.FlagAC | x86.FlagDF | x86.FlagOne); b.Flags() != want {
		t.Errorf("flags %#x, want %#x: a trap gate leaves IF", b.Flags(), want)
	}
}

// The frame reported is the frame in memory.
func TestNativeFrameRecord(t *testing.T) {
	b := newBare(t)
	b.level(3)
	var seen []Frame
	b.native.Probes = &probe.Set{Frame: []func(*probe.Frame){func(f *probe.Frame) { seen = append(seen, f.Clone()) }}}
	b.native.Deliver(b.CPU, pf(4, 0x1234))
	if len(seen) != 1 {
		t.Fatalf("%d frames", len(seen))
	}
	f := seen[0]
	if f.Vector != 14 || !f.FromUser || f.Handler != b.RIP || f.At != b.R[x86.RSP] || f.StackTop != bareRSP0&^15 {
		t.Errorf("%+v", f)
	}
	names := ""
	for i, s := range f.Slots {
		names += s.Name + " "
		if s.Addr != f.At+8*uint64(i) || b.Mem.Read64(s.Addr) != s.Value {
			t.Errorf("slot %v: memory has %#x", s, b.Mem.Read64(s.Addr))
		}
	}
	if names != "error rip cs rflags rsp ss " {
		t.Errorf("slots %s", names)
	}
}

func TestTripleFault(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ev    Event
		setup func(*bare)
		want  []string
	}{
		{"empty IDT", fault(x86.NoCode(x86.VectorUD)), func(b *bare) { b.IDTR.Limit = 0 },
			[]string{"#UD", "#GP[0x33]", "#GP[0x6b]", "#DF[0x0]", "#GP[0x43]"}},
		{"stack not mapped", pf(2, 0x1234), func(b *bare) { b.R[x86.RSP] = 0x8000_0000 },
			[]string{"#PF[0x2]", "#PF[0x2]", "#DF[0x0]", "#PF[0x2]"}},
		{"stack not canonical", fault(x86.WithCode(x86.VectorGP, 0)), func(b *bare) { b.R[x86.RSP] = 1<<47 + 0x1000 },
			[]string{"#GP[0x0]", "#SS[0x1]", "#DF[0x0]", "#SS[0x1]"}},
		{"INT n on a stack that is not mapped", softInt(0x80), func(b *bare) { b.R[x86.RSP] = 0x8000_0000 },
			[]string{"vec 128", "#PF[0x2]", "#PF[0x2]", "#DF[0x0]", "#PF[0x2]"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBare(t)
			tc.setup(b)
			r := b.native.Deliver(b.CPU, tc.ev)
			if !r.Triple {
				t.Fatalf("no triple fault: rip %#x", b.RIP)
			}
			var got []string
			for _, f := range r.Chain {
				got = append(got, f.String())
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// SMAP concerns the frame, too: a kernel stack on a user page.
func TestNativeStackUnderSMAP(t *testing.T) {
	b := newBare(t)
	b.CR4 |= x86.CR4SMAP
	b.FlushTLB()
	r := b.native.Deliver(b.CPU, softInt(0x80))
	if !r.Triple { // descriptor tables lie on user pages as well: nothing can be read
		t.Errorf("delivered with tables and stack on user pages: rip %#x", b.RIP)
	}
}

func TestProtectedModeDelivery(t *testing.T) {
	b := newBare(t)
	b.CR0 &^= x86.CR0PG
	b.EFER = 0
	b.Mem.Write64(bareTSS+4, bareRSP0|selKData<<32)
	gate32 := func(v, sel, off, attr uint64) {
		b.Mem.Write64(bareIDT+8*v, off&0xffff|sel<<16|attr<<40|off>>16<<48)
	}
	gate32(14, selKCode32, bareEntry, x86.AttrP|gateIntr32)
	gate32(0x20, selKCode32, bareEntry, x86.AttrP|gateTask)
	start := func(cpl uint8, cs, ss uint16) {
		b.SetFlat(x86.SS, ss, cpl)
		b.SetFlat(x86.CS, cs, cpl)
		b.RIP, b.R[x86.RSP] = bareUser, bareStack
		b.SetFlags(x86.FlagIF)
		b.StateChanged()
		b.FlushTLB()
	}
	words := func(n int) (w []uint64) {
		for i := range n {
			w = append(w, b.Mem.Read64(b.R[x86.RSP]+uint64(4*i))&0xffffffff)
		}
		return w
	}
	start(0, selKCode32, selKData)
	b.native.Deliver(b.CPU, pf(2, 0x1234))
	if b.R[x86.RSP] != bareStack-16 {
		t.Fatalf("same level: rsp %#x", b.R[x86.RSP])
	}
	if d := cmp.Diff([]uint64{2, bareUser, selKCode32, x86.FlagIF | x86.FlagRF | x86.FlagOne}, words(4)); d != "" {
		t.Error("same level:", d)
	}
	start(3, selUCode32, selUData)
	b.native.Deliver(b.CPU, pf(4, 0x1234))
	if b.R[x86.RSP] != bareRSP0-24 || b.Seg[x86.SS].Sel != selKData || b.CPL != 0 {
		t.Fatalf("from user code: rsp %#x ss %#x", b.R[x86.RSP], b.Seg[x86.SS].Sel)
	}
	if d := cmp.Diff([]uint64{4, bareUser, selUCode32, x86.FlagIF | x86.FlagRF | x86.FlagOne, bareStack, selUData}, words(6)); d != "" {
		t.Error("from user code:", d)
	}
	start(0, selKCode32, selKData)
	if r := b.native.Deliver(b.CPU, softInt(0x20)); r.Unmodelled == nil {
		t.Error("a task gate must be named as not modelled")
	}
}

func TestRealModeDelivery(t *testing.T) {
	b := newBare(t)
	b.Reset()
	b.RIP, b.R[x86.RSP] = 0x1234, 0x8000
	b.SetFlags(x86.FlagIF | x86.FlagCF)
	b.Seg[x86.CS].Sel, b.Seg[x86.CS].Base = 0x1000, 0x10000
	b.IDTR = x86.Table{Limit: 0x3ff}
	b.Mem.Write64(4*0x21, 0x40005678)
	b.StateChanged()
	b.native.Deliver(b.CPU, Event{Kind: Software, Vector: 0x21, Next: 0x1236})
	if b.RIP != 0x5678 || b.Seg[x86.CS].Sel != 0x4000 || b.Seg[x86.CS].Base != 0x40000 || b.R[x86.RSP] != 0x7ffa {
		t.Fatalf("%#x(%#x):%#x rsp %#x", b.Seg[x86.CS].Sel, b.Seg[x86.CS].Base, b.RIP, b.R[x86.RSP])
	}
	if got, want := b.Mem.Read64(0x7ffa)&0xffffffffffff, uint64(0x1236|0x1000<<16|0x203<<32); got != want {
		t.Errorf("pushed %#x, want %#x", got, want)
	}
	if b.Flags()&x86.FlagIF != 0 {
		t.Error("IF still set")
	}
}
