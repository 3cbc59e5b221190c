package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

const (
	boxSTAR  = selCode64<<32 | (selCode32U&^3)<<48 // SYSRET: +0 32-bit, +8 stack, +16 64-bit
	boxLSTAR = 0x48000
	boxCSTAR = 0x49000
)

func (b *box) syscallMSRs() {
	b.STAR, b.LSTAR, b.CSTAR, b.SFMASK = boxSTAR, boxLSTAR, boxCSTAR, x86.FlagIF|x86.FlagDF
	b.SysenterCS, b.SysenterEIP, b.SysenterESP = selCode64, boxLSTAR, boxRSP1
}

func TestFastSystemCalls(t *testing.T) {
	const (
		syscall  = "0f 05"
		sysret   = "0f 07"
		sysretq  = "48 0f 07"
		sysenter = "0f 34"
		sysexit  = "0f 35"
		sysexitq = "48 0f 35"
	)
	both := []Vendor{Intel, AMD}
	for _, tc := range []struct {
		name    string
		vendors []Vendor
		mode    func(*box, uint8)
		cpl     uint8
		code    string
		setup   func(*box)
		want    x86.Fault
		rip     uint64
		to      uint8 // CPL
	}{
		{"syscall, 64-bit", both, (*box).long, 3, syscall, nil, noFault, boxLSTAR, 0},
		{"syscall from the kernel", both, (*box).long, 0, syscall, nil, noFault, boxLSTAR, 0},
		{"syscall, 32-bit, AMD", []Vendor{AMD}, (*box).compat, 3, syscall, nil, noFault, boxCSTAR, 0},
		{"syscall, 32-bit, Intel", []Vendor{Intel}, (*box).compat, 3, syscall, nil, ud, 0, 0},
		{"syscall without SCE", both, (*box).long, 3, syscall, func(b *box) { b.EFER &^= x86.EFERSCE }, ud, 0, 0},
		{"sysretq", both, (*box).long, 0, sysretq, nil, noFault, boxTarget, 3},
		{"sysret to 32-bit code", both, (*box).long, 0, sysret, func(b *box) { b.R[x86.RCX] |= 1 << 40 }, noFault, boxTarget, 3},
		{"sysret in user code", both, (*box).long, 3, sysretq, nil, gp(0), 0, 0},
		{"sysret in 32-bit code, Intel", []Vendor{Intel}, (*box).compat, 0, sysret, nil, ud, 0, 0},
		{"sysret in 32-bit code, AMD", []Vendor{AMD}, (*box).compat, 0, sysret, nil, noFault, boxTarget, 3},
		{"sysretq to a non-canonical RIP, Intel: in the kernel", []Vendor{Intel}, (*box).long, 0, sysretq,
			func(b *box) { b.R[x86.RCX] = 1 << 47 }, gp(0), 0, 0},
		{"sysretq to a non-canonical RIP, AMD: in user code", []Vendor{AMD}, (*box).long, 0, sysretq,
			func(b *box) { b.R[x86.RCX] = 1 << 47 }, noFault, 1 << 47, 3},
		{"sysenter, Intel", []Vendor{Intel}, (*box).long, 3, sysenter, nil, noFault, boxLSTAR, 0},
		{"sysenter, 32-bit code, Intel", []Vendor{Intel}, (*box).compat, 3, sysenter, nil, noFault, boxLSTAR, 0},
		{"sysenter in long mode, AMD", []Vendor{AMD}, (*box).long, 3, sysenter, nil, ud, 0, 0},
		{"sysenter in protected mode", both, (*box).legacy, 3, sysenter, nil, noFault, boxLSTAR, 0},
		{"sysenter without a selector", []Vendor{Intel}, (*box).long, 3, sysenter, func(b *box) { b.SysenterCS = 3 }, gp(0), 0, 0},
		{"sysexit, Intel", []Vendor{Intel}, (*box).long, 0, sysexitq, nil, noFault, boxTarget, 3},
		{"sysexit in user code", []Vendor{Intel}, (*box).long, 3, sysexit, nil, gp(0), 0, 0},
		{"sysexit to a non-canonical RIP", []Vendor{Intel}, (*box).long, 0, sysexitq, func(b *box) { b.R[x86.RDX] = 1 << 47 }, gp(0), 0, 0},
		{"sysexit in long mode, AMD", []Vendor{AMD}, (*box).long, 0, sysexit, nil, ud, 0, 0},
	} {
		for _, v := range tc.vendors {
			t.Run(tc.name, func(t *testing.T) {
				b := newBox(t, v)
				tc.mode(b, tc.cpl)
				b.syscallMSRs()
				b.code(tc.code)
				b.R[x86.RCX], b.R[x86.RDX] = boxTarget, boxTarget
				if tc.setup != nil {
					tc.setup(b)
				}
				before := b.State
				f := b.step1()
				if f != tc.want {
					t.Fatalf("vendor %d: %v, want %v", v, f, tc.want)
				}
				if f.Valid {
					if b.RIP != before.RIP || b.CPL != before.CPL || b.R != before.R {
						t.Error("the fault changed the state")
					}
					return
				}
				if b.RIP != tc.rip || b.CPL != tc.to {
					t.Errorf("vendor %d: rip %#x cpl %d", v, b.RIP, b.CPL)
				}
			})
		}
	}
}

func TestSyscallState(t *testing.T) {
	b := newBox(t, Intel)
	b.long(3)
	b.syscallMSRs()
	flags := uint64(x86.FlagIF | x86.FlagDF | x86.FlagZF | x86.FlagOne)
	b.SetFlags(flags)
	b.code("0f 05")
	b.step1()
	if b.R[x86.RCX] != boxCode+2 || b.R[x86.R11] != flags || b.Flags() != x86.FlagZF|x86.FlagOne {
		t.Errorf("syscall: rcx %#x r11 %#x flags %#x", b.R[x86.RCX], b.R[x86.R11], b.Flags())
	}
	if b.Seg[x86.CS].Sel != selCode64 || b.Seg[x86.SS].Sel != selCode64+8 || b.R[x86.RSP] != boxStack {
		t.Errorf("syscall: cs %#x ss %#x rsp %#x", b.Seg[x86.CS].Sel, b.Seg[x86.SS].Sel, b.R[x86.RSP])
	}
	b.put(boxLSTAR, "48 0f 07")
	b.step1()
	if b.RIP != boxCode+2 || b.Flags() != flags || b.Seg[x86.CS].Sel != selCode64U || b.Seg[x86.SS].Sel != selData3 {
		t.Errorf("sysret: rip %#x flags %#x cs %#x ss %#x", b.RIP, b.Flags(), b.Seg[x86.CS].Sel, b.Seg[x86.SS].Sel)
	}

	// SYSRET's SS: AMD loads the selector only.
	for v, want := range map[Vendor]bool{Intel: true, AMD: false} {
		b := newBox(t, v)
		b.syscallMSRs()
		b.set(x86.SS, 0)
		b.code("48 0f 07")
		b.step1()
		if got := b.Seg[x86.SS].Attr&x86.AttrP != 0; got != want {
			t.Errorf("vendor %d: SS usable after SYSRET from a null SS: %v", v, got)
		}
	}
}

func TestIntercepts(t *testing.T) {
	b := newBox(t, Intel)
	b.long(3)
	b.Intercept = InterceptSyscall | InterceptSysenter
	b.R[x86.RCX] = 1234
	for code, kind := range map[string]ExitKind{"0f 05": ExitSyscall, "0f 34": ExitSysenter} {
		b.code(code)
		ex := b.Run(1)
		if ex.Kind != kind || b.RIP != boxCode || ex.Next != boxCode+2 || b.R[x86.RCX] != 1234 || b.CPL != 3 {
			t.Errorf("%v: rip %#x next %#x rcx %d", ex.Kind, b.RIP, ex.Next, b.R[x86.RCX])
		}
	}
	b.compat(3)
	b.code("0f 05")
	if f := b.step1(); f != ud {
		t.Errorf("SYSCALL in 32-bit code on Intel: %v", f)
	}
}

func TestBases(t *testing.T) {
	for _, tc := range []struct {
		name string
		code string
		cpl  uint8
		cr4  uint64
		rax  uint64
		want x86.Fault
	}{
		{"swapgs", "0f 01 f8", 0, 0, 0, noFault},
		{"swapgs in user code", "0f 01 f8", 3, 0, 0, gp(0)},
		{"wrfsbase", "f3 48 0f ae d0", 3, x86.CR4FSGSBASE, 0x1234, noFault},
		{"wrfsbase without CR4.FSGSBASE", "f3 48 0f ae d0", 3, 0, 0x1234, ud},
		{"wrgsbase, not canonical", "f3 48 0f ae d8", 3, x86.CR4FSGSBASE, 1 << 47, gp(0)},
		{"wrgsbase, 32 bits", "f3 0f ae d8", 3, x86.CR4FSGSBASE, 1<<47 | 5, noFault},
		{"rdfsbase", "f3 48 0f ae c0", 3, x86.CR4FSGSBASE, 0, noFault},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.CR4 |= tc.cr4
			b.Seg[x86.FS].Base, b.Seg[x86.GS].Base, b.KernelGSBase = 1, 2, 3
			b.code(tc.code)
			b.R[x86.RAX] = tc.rax
			if f := b.step1(); f != tc.want {
				t.Errorf("%v, want %v", f, tc.want)
			}
		})
	}
	b := newBox(t, Intel)
	b.Seg[x86.GS].Base, b.KernelGSBase = 2, 3
	b.code("0f 01 f8")
	if b.step1(); b.Seg[x86.GS].Base != 3 || b.KernelGSBase != 2 {
		t.Errorf("swapgs: %d %d", b.Seg[x86.GS].Base, b.KernelGSBase)
	}
	b.compat(0)
	b.code("0f 01 f8")
	if f := b.step1(); f != ud {
		t.Errorf("swapgs in 32-bit code: %v", f)
	}
}
