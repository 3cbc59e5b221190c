package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

func TestFPUStateFaults(t *testing.T) {
	const (
		fninit  = "db e3"
		fwait   = "9b"
		fxsave  = "0f ae 03"
		fxrstor = "0f ae 0b"
		ldmxcsr = "0f ae 13"
		xsave   = "0f ae 23"
		xrstor  = "0f ae 2b"
		xsetbv  = "0f 01 d1"
		emms    = "0f 77"
		ts      = x86.CR0TS
		em      = x86.CR0EM
		fx      = x86.CR4OSFXSR
		osx     = x86.CR4OSXSAVE
	)
	for _, tc := range []struct {
		name     string
		code     string
		cr0, cr4 uint64
		rbx      uint64
		want     x86.Fault
	}{
		{"fninit", fninit, 0, 0, boxData, noFault},
		{"fninit, TS", fninit, ts, 0, boxData, nm},
		{"fninit, EM", fninit, em, 0, boxData, nm},
		{"fwait, TS alone", fwait, ts, 0, boxData, noFault},
		{"fwait, TS and MP", fwait, ts | x86.CR0MP, 0, boxData, nm},
		{"fxsave", fxsave, 0, fx, boxData, noFault},
		{"fxsave, TS", fxsave, ts, fx, boxData, nm},
		{"fxsave, not aligned", fxsave, 0, fx, boxData + 8, gp(0)},
		{"fxsave, not mapped", fxsave, 0, fx, 0x7000_0000, x86.PageFault(x86.PFWrite, 0x7000_0000)},
		{"fxrstor with a bad MXCSR", fxrstor, 0, fx, boxData + 0x400, gp(0)},
		{"ldmxcsr without OSFXSR", ldmxcsr, 0, 0, boxData, ud},
		{"ldmxcsr, EM", ldmxcsr, em, fx, boxData, ud},
		{"ldmxcsr, TS", ldmxcsr, ts, fx, boxData, nm},
		{"ldmxcsr, reserved bits", ldmxcsr, 0, fx, boxData + 0x400 + 24, gp(0)},
		{"emms, EM", emms, em, 0, boxData, ud},
		{"emms, TS", emms, ts, 0, boxData, nm},
		{"xsave without OSXSAVE", xsave, 0, fx, boxData, ud},
		{"xsave, TS", xsave, ts, osx, boxData, nm},
		{"xsave, not aligned to 64", xsave, 0, osx, boxData + 32, gp(0)},
		{"xrstor with unknown components", xrstor, 0, osx, boxData + 0x800, gp(0)},
		{"xsetbv without x87", xsetbv, 0, osx, boxData, gp(0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.CR0 |= tc.cr0
			b.CR4 |= tc.cr4
			b.put64(boxData+0x400+24, 0xffffffff) // MXCSR
			b.put64(boxData+0x800+512, 1<<7)      // XSTATE_BV
			b.code(tc.code)
			b.R[x86.RBX], b.R[x86.RAX] = tc.rbx, 2
			if f := b.step1(); f != tc.want {
				t.Errorf("%v at %#x, want %v", f, f.Addr, tc.want)
			}
		})
	}
}

// What is saved comes back, by each pair of instructions.
func TestFPUStateRoundTrip(t *testing.T) {
	for _, tc := range []struct {
		name, save, restore string
	}{
		{"fxsave64", "48 0f ae 03", "48 0f ae 0b"},
		{"xsave", "48 0f ae 23", "48 0f ae 2b"},
		{"xsaveopt", "48 0f ae 33", "48 0f ae 2b"},
		{"xsavec", "48 0f c7 23", "48 0f ae 2b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.CR4 |= x86.CR4OSFXSR | x86.CR4OSXSAVE
			b.XCR0 = xcr0All
			b.R[x86.RBX], b.R[x86.RAX], b.R[x86.RDX] = boxData, ^uint64(0), ^uint64(0)
			for i := range b.FX[:fxEnd] {
				b.FX[i] = byte(i*7 + 3)
			}
			for i := fxST; i < fxXMM; i += 16 { // padding of the registers
				clear(b.FX[i+10 : i+16])
			}
			b.FX[5] = 0
			b.setFX16(fxFCW, 0x27f)
			b.setMXCSR(0x1fa0)
			copy(b.FX[fxMask:], []byte{0xff, 0xff, 0, 0})
			want := b.FX
			b.code(tc.save + "db e3" + tc.restore)
			if f := b.step1(); f.Valid {
				t.Fatal(f)
			}
			b.step1()
			for i := fxXMM; i < fxEnd; i++ {
				b.FX[i] = 0
			}
			b.setMXCSR(mxcsrInit)
			if f := b.step1(); f.Valid {
				t.Fatal(f)
			}
			for i := range want {
				if b.FX[i] != want[i] {
					t.Fatalf("byte %d: %#x, want %#x", i, b.FX[i], want[i])
				}
			}
		})
	}
}

// XRSTOR puts components that XSTATE_BV leaves out into their initial state,
// and leaves those alone that EDX:EAX does not ask for.
func TestXRSTORComponents(t *testing.T) {
	b := newBox(t, Intel)
	b.CR4 |= x86.CR4OSXSAVE
	b.XCR0 = xcr0All
	fill := func() {
		for i := fxST; i < fxEnd; i++ {
			b.FX[i] = 0xee
		}
	}
	for _, tc := range []struct {
		mask     uint64
		x87, sse byte // what a byte of each becomes
	}{{3, 0, 0}, {1, 0, 0xee}, {2, 0xee, 0}, {0, 0xee, 0xee}} {
		fill()
		b.code("0f ae 2b")
		b.R[x86.RBX], b.R[x86.RAX], b.R[x86.RDX] = boxData, tc.mask, 0
		b.put64(boxData+24, mxcsrInit)
		if f := b.step1(); f.Valid {
			t.Fatal(f)
		}
		if b.FX[fxST] != tc.x87 || b.FX[fxXMM] != tc.sse {
			t.Errorf("mask %d: x87 %#x, sse %#x", tc.mask, b.FX[fxST], b.FX[fxXMM])
		}
	}
}

func TestFPUControlWords(t *testing.T) {
	b := newBox(t, Intel)
	b.R[x86.RBX], b.R[x86.RAX] = boxData, ^uint64(0)
	b.code("db e3 d9 3b df e0") // fninit; fnstcw (%rbx); fnstsw %ax
	for range 3 {
		if f := b.step1(); f.Valid {
			t.Fatal(f)
		}
	}
	if cw := b.get64(boxData) & 0xffff; cw != 0x37f || b.R[x86.RAX]&0xffff != 0 {
		t.Errorf("control word %#x, status %#x", cw, b.R[x86.RAX]&0xffff)
	}
	// An unmasked pending exception waits for the next waiting instruction.
	b.setFX16(fxFCW, 0x37e)
	b.setFX16(fxFSW, 1)
	b.code("9b")
	if f := b.step1(); f != x86.NoCode(x86.VectorMF) {
		t.Errorf("fwait with a pending exception: %v", f)
	}
	// Transcendental functions are not modelled and say so.
	b = newBox(t, Intel)
	b.code("d9 fe")
	if ex := b.Run(1); ex.Kind != ExitUnmodelled || ex.Unmodelled.RIP != boxCode {
		t.Errorf("fsin: %v", ex.Kind)
	}
}
