package cpu

import (
	"fmt"
	"testing"

	"pvlab/hv/x86"
)

// event is an exit as the debug tests write it: "#DB+3 6=4000" is a #DB with
// RIP three bytes after boxCode and DR6 (less its fixed bits) 0x4000.
func (b *box) event(ex Exit) string {
	at := int64(b.RIP - boxCode)
	switch ex.Kind {
	case ExitFault:
		if ex.Fault.Vector == x86.VectorDB {
			return fmt.Sprintf("#DB+%d 6=%x", at, b.DR[6]&dr6Writable)
		}
		return fmt.Sprintf("%v+%d", ex.Fault, at)
	case ExitSoftInt:
		return fmt.Sprintf("int%d+%d", ex.Vector, at)
	case ExitUnmodelled:
		return ex.Unmodelled.Error()
	}
	return fmt.Sprintf("%v+%d", ex.Kind, at)
}

// A single-step trap comes after each instruction that began with TF set.
func TestSingleStep(t *testing.T) {
	for _, tc := range []struct {
		name  string
		code  string
		setup func(*box)
		want  []string // events in order; DR6 is cleared between them
	}{
		{"plain", "90 31 c0", nil, []string{"#DB+1 6=4000", "#DB+3 6=4000"}},
		{"pause", "f3 90 90", nil, []string{"#DB+2 6=4000", "#DB+3 6=4000"}},
		{"taken jump", "eb 05", nil, []string{"#DB+7 6=4000"}},
		{"a fault instead of the trap", "0f 0b", nil, []string{"#UD+0"}},
		{"POPF that sets TF traps after the next instruction", "9d 90 90",
			func(b *box) { b.SetFlags(2); b.push(8, x86.FlagTF) }, []string{"#DB+2 6=4000"}},
		{"POPF that clears TF still traps", "9d 90",
			func(b *box) { b.push(8, 0) }, []string{"#DB+1 6=4000", "budget+2"}},
		{"each iteration of a REP", "f3 a4 90",
			func(b *box) { b.R[x86.RCX], b.R[x86.RSI], b.R[x86.RDI] = 3, boxData, boxData+64 },
			[]string{"#DB+0 6=4000", "#DB+0 6=4000", "#DB+2 6=4000", "#DB+3 6=4000"}},
		{"REP with a zero count", "f3 a4 90", func(b *box) { b.R[x86.RCX] = 0 }, []string{"#DB+2 6=4000"}},
		{"MOV SS holds the trap", "8e d0 90 90",
			func(b *box) { b.R[x86.RAX] = selData0 }, []string{"#DB+3 6=4000", "#DB+4 6=4000"}},
		{"POP SS is not in 64-bit code, LSS holds nothing", "0f b2 1c 25 00 00 03 00",
			func(b *box) { b.put(boxData, "00 00 00 00 10 00") }, []string{"#DB+8 6=4000"}},
		{"MOV SS, then INT3: the trap is gone with TF", "8e d0 cc",
			func(b *box) { b.R[x86.RAX] = selData0 }, []string{"int3+2"}},
		{"STI does not hold it", "fb 90", nil, []string{"#DB+1 6=4000"}},
		{"INT3", "cc", nil, []string{"int3+0"}},
		{"ICEBP", "f1", nil, []string{"int1+0"}},
		{"INT n", "cd 20", nil, []string{"int32+0"}},
		{"HLT: the trap wakes it", "f4 90", nil, []string{"#DB+1 6=4000"}},
		{"IRETQ that sets TF traps after the target instruction", "48 cf",
			func(b *box) { b.SetFlags(2); b.push(8, boxCode+16, selCode64, x86.FlagTF, boxStack, selData0) },
			[]string{"#DB+17 6=4000"}},
		{"IRETQ that clears TF traps after itself", "48 cf",
			func(b *box) { b.push(8, boxCode+16, selCode64, 0, boxStack, selData0) },
			[]string{"#DB+16 6=4000", "budget+17"}},
		{"SYSCALL that masks TF does not trap", "0f 05", func(b *box) {
			b.STAR, b.LSTAR, b.SFMASK = selCode64<<32, boxCode+32, x86.FlagTF
		}, []string{"budget+33"}},
		{"SYSCALL that leaves TF traps at its target", "0f 05", func(b *box) {
			b.STAR, b.LSTAR = selCode64<<32, boxCode+32
		}, []string{"#DB+32 6=4000"}},
		{"SYSRET that sets TF traps before the target instruction", "48 0f 07", func(b *box) {
			b.SetFlags(2)
			b.STAR = (selData3&^3 - 8) << 48
			b.R[x86.RCX], b.R[x86.R11] = boxCode+16, x86.FlagTF
		}, []string{"#DB+16 6=4000"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.code(tc.code + " 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90")
			b.SetFlags(x86.FlagTF)
			if tc.setup != nil {
				tc.setup(b)
			}
			for i, want := range tc.want {
				b.DR[6] = x86.DR6Init
				if got := b.event(b.Run(2)); got != want && !(want[:6] == "budget" && got[:6] == "budget") {
					t.Fatalf("event %d: %s, want %s", i, got, want)
				}
			}
		})
	}
}

func TestBreakpoints(t *testing.T) {
	const (
		g0      = 1 << 1
		exec0   = g0
		write8  = g0 | 1<<16 | 2<<18
		access4 = g0 | 3<<16 | 3<<18
		write1  = g0 | 1<<16
	)
	for _, tc := range []struct {
		name string
		code string
		dr0  uint64
		dr7  uint64
		prep func(*box)
		want []string
	}{
		{"execution: before the instruction", "90 90 90", boxCode + 1, exec0, nil, []string{"#DB+1 6=1", "#DB+1 6=1"}},
		{"execution: RF skips it once", "90 90 90", boxCode, exec0, func(b *box) { b.SetFlags(x86.FlagRF) }, []string{"budget"}},
		{"execution: not in the middle", "66 90 90", boxCode + 1, exec0, nil, []string{"budget"}},
		{"execution: not after MOV SS", "8e d0 90 90", boxCode + 2, exec0, func(b *box) { b.R[x86.RAX] = selData0 }, []string{"budget"}},
		{"disabled", "90 90", boxCode, 0, nil, []string{"budget"}},
		{"write: after the instruction", "88 03 90", boxData, write1, nil, []string{"#DB+2 6=1"}},
		{"write: part of a larger one", "48 89 03 90", boxData + 5, write1, nil, []string{"#DB+3 6=1"}},
		{"write: not by a read", "8a 03 90", boxData, write1, nil, []string{"budget"}},
		{"access: by a read", "8a 03 90", boxData + 1, access4, nil, []string{"#DB+2 6=1"}},
		{"access: next to it", "8a 03 90", boxData + 4, access4, nil, []string{"budget"}},
		{"length 8", "8a 43 07 88 43 07 90", boxData, write8, nil, []string{"#DB+6 6=1"}},
		{"held by MOV SS", "8e 13 90 90", boxData, access4, func(b *box) { b.put64(boxData, selData0) }, []string{"#DB+3 6=1"}},
		{"MOV SS, then INT3: the trap waits for the handler", "8e 13 cc", boxData, access4,
			func(b *box) { b.put64(boxData, selData0) }, []string{"int3+2", "#DB+2 6=1"}},
		{"each iteration of a REP", "f3 aa 90", boxData + 1, write1,
			func(b *box) { b.R[x86.RCX], b.R[x86.RDI] = 3, boxData }, []string{"#DB+0 6=1", "budget"}},
		{"both a hit and TF", "88 03 90", boxData, write1, func(b *box) { b.SetFlags(x86.FlagTF) }, []string{"#DB+2 6=4001"}},
		{"INT3 does not trap on its own byte", "cc", boxCode, write1, nil, []string{"int3+0"}},
		{"a PUSH", "50 90", boxStack - 8, write1, nil, []string{"#DB+1 6=1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.code(tc.code)
			b.R[x86.RBX] = boxData
			b.SetDR(0, tc.dr0)
			b.SetDR(7, tc.dr7)
			if tc.prep != nil {
				tc.prep(b)
			}
			for i, want := range tc.want {
				b.DR[6] = x86.DR6Init
				got := b.event(b.Run(uint64(len(tc.code)+1) / 3))
				if want == "budget" && got[:6] == "budget" {
					continue
				}
				if got != want {
					t.Fatalf("event %d: %s, want %s", i, got, want)
				}
			}
		})
	}
}

// A fault leaves RF as it was, an instruction that completes clears it.
func TestResumeFlag(t *testing.T) {
	b := newBox(t, Intel)
	b.code("8a 03")
	b.R[x86.RBX] = 1 << 40
	b.SetFlags(x86.FlagRF)
	if f := b.step1(); f.Vector != x86.VectorPF || b.Flags()&x86.FlagRF == 0 {
		t.Errorf("after the fault %v: flags %#x", f, b.Flags())
	}
	b.R[x86.RBX] = boxData
	if b.step1(); b.Flags()&x86.FlagRF != 0 {
		t.Errorf("after the instruction: flags %#x", b.Flags())
	}
	// Between two iterations RF is set, so that a saved image resumes
	// without meeting an instruction breakpoint again.
	b.code("f3 a4 90")
	b.R[x86.RCX], b.R[x86.RSI], b.R[x86.RDI] = 2, boxData, boxData+64
	b.SetFlags(x86.FlagTF)
	if b.Run(1); b.Flags()&x86.FlagRF == 0 {
		t.Error("RF clear between two iterations")
	}
	if b.Run(1); b.Flags()&x86.FlagRF != 0 {
		t.Error("RF set after the last iteration")
	}
}

func TestInterruptShadows(t *testing.T) {
	for _, tc := range []struct {
		name  string
		code  string
		flags uint64
		attn  Attn
		want  string
	}{
		{"at once", "90", x86.FlagIF, AttnInterrupt, "interrupt+0"},
		{"masked", "90", 0, AttnInterrupt, "budget+1"},
		{"STI: after the next instruction", "fb 90 90", 0, AttnInterrupt, "interrupt+2"},
		{"STI with IF set blocks nothing", "fb 90 90", x86.FlagIF, AttnInterrupt, "interrupt+0"},
		{"STI, CLI", "fb fa 90", 0, AttnInterrupt, "budget+3"},
		{"STI, STI: the second blocks nothing", "fb fb 90", 0, AttnInterrupt, "interrupt+2"},
		{"MOV SS", "fb 8e d0 90 90", 0, AttnInterrupt, "interrupt+4"},
		{"NMI in spite of the mask", "90", 0, AttnNMI, "nmi+0"},
		{"NMI before an interrupt", "90", x86.FlagIF, AttnNMI | AttnInterrupt, "nmi+0"},
		{"POPF sets IF at once", "9d 90", 0, AttnInterrupt, "interrupt+1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.code(tc.code)
			b.R[x86.RAX] = selData0
			b.push(8, x86.FlagIF)
			b.SetFlags(tc.flags)
			b.Attn = tc.attn
			if got := b.event(b.Run(uint64(len(tc.code)+1) / 3)); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	b := newBox(t, Intel)
	b.code("90 90")
	b.Attn, b.NMIBlocked = AttnNMI, true
	if ex := b.Run(1); ex.Kind != ExitBudget {
		t.Errorf("a blocked NMI: %v", ex.Kind)
	}
}

func TestDebugRegisters(t *testing.T) {
	for _, tc := range []struct {
		name string
		code string
		cpl  uint8
		cr4  uint64
		dr7  uint64
		rax  uint64
		want x86.Fault
	}{
		{"write DR7", "0f 23 f8", 0, 0, 0, 0x1, noFault},
		{"user code", "0f 23 f8", 3, 0, 0, 0x1, gp(0)},
		{"DR4 is DR6", "0f 23 e0", 0, 0, 0, 0, noFault},
		{"DR4 with CR4.DE", "0f 23 e0", 0, x86.CR4DE, 0, 0, ud},
		{"DR8", "44 0f 23 c0", 0, 0, 0, 0, ud},
		{"upper half of DR7", "0f 23 f8", 0, 0, 0, 1 << 32, gp(0)},
		{"upper half of DR6", "0f 23 f0", 0, 0, 0, 1 << 32, gp(0)},
		{"general detect", "0f 21 c0", 0, 0, x86.DR7GD, 0, x86.Fault{Vector: x86.VectorDB, Valid: true, Addr: x86.DR6BD}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.CR4 |= tc.cr4
			b.SetDR(7, tc.dr7)
			b.code(tc.code)
			b.R[x86.RAX] = tc.rax
			if f := b.step1(); f != tc.want {
				t.Fatalf("%v, want %v", f, tc.want)
			}
			if tc.dr7 != 0 && (b.DR[6]&x86.DR6BD == 0 || b.DR[7]&x86.DR7GD != 0) {
				t.Errorf("DR6 %#x DR7 %#x", b.DR[6], b.DR[7])
			}
		})
	}
	b := newBox(t, Intel)
	b.code("0f 23 f0 0f 23 f8 0f 21 f1 0f 21 fa") // write DR6, DR7 with all ones; read both
	b.R[x86.RAX] = 0xffffffff &^ x86.DR7GD
	for range 4 {
		if f := b.step1(); f.Valid && f.Vector != x86.VectorDB {
			t.Fatal(f)
		}
	}
	if b.DR[6] != 0xffffcfff || b.DR[7] != 0xffff07ff {
		t.Errorf("fixed bits: DR6 %#x DR7 %#x", b.DR[6], b.DR[7])
	}
}
