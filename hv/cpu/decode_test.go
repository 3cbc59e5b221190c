package cpu

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"pvlab/hv/x86"
)

// TestDecodeRules are the rules of prefixes, modes and lengths (SDM vol. 2,
// chapter 2; AMD APM vol. 3, chapter 1).
func TestDecodeRules(t *testing.T) {
	const undefined, tooLong, missing = "(undefined)", "(too long)", "(short)"
	tests := []struct {
		about string
		mode  Mode
		code  string
		want  string // row's name
		size  uint8  // operand size, when it matters
	}{
		{"REX.W makes 64 bits", Mode64, "48 01 d8", "ADD", 8},
		{"66 makes 16 bits", Mode64, "66 01 d8", "ADD", 2},
		{"REX.W wins over 66", Mode64, "66 48 01 d8", "ADD", 8},
		{"a REX before another prefix is ignored", Mode64, "48 66 01 d8", "ADD", 2},
		{"the last of two REX counts", Mode64, "48 40 01 d8", "ADD", 4},
		{"40-4F are INC and DEC outside 64-bit code", Mode32, "48", "DEC", 4},
		{"66 makes 16 bits in 32-bit code", Mode32, "66 01 d8", "ADD", 2},
		{"66 makes 32 bits in 16-bit code", Mode16, "66 01 d8", "ADD", 4},
		{"PUSH is 64 bits without REX.W", Mode64, "50", "PUSH", 8},
		{"PUSH is 16 bits with 66", Mode64, "66 50", "PUSH", 2},
		{"Intel ignores 66 on near branches", Mode64, "66 e8 00 00 00 00", "CALL", 8},
		{"MOV with a 64-bit immediate", Mode64, "48 b8 1122334455667788", "MOV", 8},
		{"MOV with a 64-bit address", Mode64, "a1 1122334455667788", "MOV", 4},
		{"... and a 32-bit one with 67", Mode64, "67 a1 11223344", "MOV", 4},
		{"the last of F2 and F3 chooses", Mode64, "f2 f3 0f b8 c1", "POPCNT", 4},
		{"F3 chooses before 66", Mode64, "f3 66 0f bc c1", "TZCNT", 2},
		{"LOCK on a memory destination", Mode64, "f0 01 03", "ADD", 4},
		{"LOCK on a register destination", Mode64, "f0 01 d8", undefined, 0},
		{"LOCK on a load", Mode64, "f0 03 03", undefined, 0},
		{"LOCK on CMP", Mode64, "f0 39 03", undefined, 0},
		{"LOCK on MOV", Mode64, "f0 89 03", undefined, 0},
		{"LOCK on XCHG", Mode64, "f0 87 03", "XCHG", 4},
		{"PUSH ES is gone in 64-bit code", Mode64, "06", undefined, 0},
		{"AAA is gone in 64-bit code", Mode64, "37", undefined, 0},
		{"AAA in 32-bit code", Mode32, "37", "AAA", 0},
		{"PUSHA is gone in 64-bit code", Mode64, "60", undefined, 0},
		{"82 is gone in 64-bit code", Mode64, "82 c0 01", undefined, 0},
		{"far JMP with an immediate is gone", Mode64, "ea", undefined, 0},
		{"LEA of a register", Mode64, "8d c0", undefined, 0},
		{"POP r/m with a digit other than 0", Mode64, "8f c8", undefined, 0},
		{"C4 is LES with memory in 32-bit code", Mode32, "c4 03", "LES", 4},
		{"C4 is VEX with a register in 32-bit code", Mode32, "c4 e2 70 f2 c1", "ANDN", 4},
		{"VEX after 66", Mode64, "66 c4 e2 70 f2 c1", undefined, 0},
		{"VEX after REX", Mode64, "48 c4 e2 70 f2 c1", undefined, 0},
		{"VEX.L on a general register instruction", Mode64, "c4 e2 74 f2 c1", undefined, 0},
		{"VEX.vvvv where there is no operand", Mode64, "c4 e3 73 f0 c1 03", undefined, 0},
		{"UD2", Mode64, "0f 0b", undefined, 0},
		{"fifteen bytes", Mode64, "66 66 66 66 66 66 66 66 66 66 66 66 66 01 d8", "ADD", 2},
		{"sixteen bytes", Mode64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 01 d8", tooLong, 0},
		{"cut off in the opcode", Mode64, "0f", missing, 0},
		{"cut off in ModRM", Mode64, "01", missing, 0},
		{"cut off in the displacement", Mode64, "01 83 00 00", missing, 0},
		{"cut off in the immediate", Mode64, "81 c0 00 00 00", missing, 0},
		{"prefixes alone", Mode64, "66 67", missing, 0},
		{"AVX is not announced", Mode64, "c5 f4 58 c2", "(undefined)", 0},
		{"nor is AVX-512", Mode64, "62 f1 74 48 58 c2", "(undefined)", 0},
	}
	for _, tt := range tests {
		code := unhex(t, tt.code)
		c := newModelCPU(t, Intel)
		c.mode = tt.mode
		var in Inst
		got := missing
		if c.decode(code[:min(len(code), maxInst)], 0x1000, &in) {
			got = table.rows[in.Op>>3].name
		}
		if got != tt.want {
			t.Errorf("%s (% x): got %s, want %s", tt.about, code, got, tt.want)
			continue
		}
		if got[0] != '(' && (int(in.Len) != len(code) || tt.size != 0 && in.Size != tt.size) {
			t.Errorf("%s (% x): length %d size %d, want %d and %d", tt.about, code, in.Len, in.Size, len(code), tt.size)
		}
	}
}

// TestDecodeAddress are the addressing forms: base + index<<scale +
// displacement in segment.
func TestDecodeAddress(t *testing.T) {
	const no = zeroReg
	tests := []struct {
		mode               Mode
		code               string
		base, index, scale uint8
		disp               int64
		seg                uint8
	}{
		{Mode64, "8b 03", x86.RBX, no, 0, 0, x86.DS},
		{Mode64, "8b 45 f8", x86.RBP, no, 0, -8, x86.SS},
		{Mode64, "8b 04 24", x86.RSP, no, 0, 0, x86.SS},
		{Mode64, "41 8b 04 24", x86.R12, no, 0, 0, x86.DS},
		{Mode64, "41 8b 45 00", x86.R13, no, 0, 0, x86.DS},
		{Mode64, "8b 44 8b 10", x86.RBX, x86.RCX, 2, 16, x86.DS},
		{Mode64, "42 8b 04 23", x86.RBX, x86.R12, 0, 0, x86.DS},
		{Mode64, "8b 04 25 00 10 00 80", no, no, 0, -0x7ffff000, x86.DS},
		{Mode64, "8b 05 10 00 00 00", no, no, 0, 0x1000 + 6 + 16, x86.DS},
		{Mode64, "c7 05 10 00 00 00 01 02 03 04", no, no, 0, 0x1000 + 10 + 16, x86.DS},
		{Mode64, "65 8b 04 25 28 00 00 00", no, no, 0, 0x28, x86.GS},
		{Mode64, "3e 8b 45 00", x86.RBP, no, 0, 0, x86.SS}, // DS override is ignored
		{Mode64, "64 2e 8b 03", x86.RBX, no, 0, 0, x86.FS}, // so is CS, and FS stays
		{Mode32, "8b 05 10 00 00 00", no, no, 0, 16, x86.DS},
		{Mode32, "3e 8b 45 00", x86.RBP, no, 0, 0, x86.DS},
		{Mode32, "67 8b 42 10", x86.RBP, x86.RSI, 0, 16, x86.SS},
		{Mode16, "8b 01", x86.RBX, x86.RDI, 0, 0, x86.DS},
		{Mode16, "8b 0e 34 12", no, no, 0, 0x1234, x86.DS},
		{Mode16, "67 8b 43 10", x86.RBX, no, 0, 16, x86.DS},
	}
	for _, tt := range tests {
		code := unhex(t, tt.code)
		c := newModelCPU(t, Intel)
		c.mode = tt.mode
		var in Inst
		if !c.decode(code, 0x1000, &in) || int(in.Len) != len(code) {
			t.Errorf("% x: length %d", code, in.Len)
			continue
		}
		if in.Base != tt.base || in.Index != tt.index || in.Scale != tt.scale || in.Disp != tt.disp || in.Seg != tt.seg {
			t.Errorf("%v-bit % x: got base %d index %d scale %d disp %#x seg %d", tt.mode.Bits(), code, in.Base, in.Index, in.Scale, in.Disp, in.Seg)
		}
	}
}

// TestDecodeLength compares lengths with x86asm on random bytes, wherever
// both see an instruction. (MOV to and from CR and DR ignores ModRM.mod, which
// x86asm does not know.)
func TestDecodeLength(t *testing.T) {
	m := newModelCPU(t, Intel)
	rng := rand.New(rand.NewPCG(7, 7))
	prefixes := []byte{0x66, 0x67, 0xf2, 0xf3, 0x48, 0x41, 0xc4, 0xc5}
	same := 0
	for range 400000 {
		var b [maxInst]byte
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		at := 0
		if rng.IntN(3) == 0 {
			b[0] = prefixes[rng.IntN(len(prefixes))]
			at = 1
		}
		if rng.IntN(2) == 0 {
			b[at] = 0x0f
		}
		m.mode = Mode(rng.IntN(3))
		var in Inst
		if !m.decode(b[:], 0x1000, &in) {
			t.Fatalf("% x: 15 bytes not enough", b)
		}
		x, err := x86asm.Decode(b[:], m.mode.Bits())
		if err != nil || x.Op == 0 || in.Op < numPseudo*8 {
			continue
		}
		if table.rows[in.Op>>3].attr&attrModReg != 0 {
			continue // x86asm does not know that MOV CR and MOV DR ignore mod
		}
		if r := &table.rows[in.Op>>3]; r.m == map0F && r.op >= 0x20 && r.op <= 0x23 {
			continue
		}
		if x.Len != int(in.Len) {
			t.Errorf("%d-bit % x: length %d (%s), x86asm says %d (%v)", m.mode.Bits(), b, in.Len, table.rows[in.Op>>3].name, x.Len, x.Op)
		}
		same++
	}
	if same < 200000 {
		t.Errorf("only %d instructions were compared", same)
	}
}

// TestTableConflict: two rows for one encoding are refused.
func TestTableConflict(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("overlapping rows were accepted")
		}
	}()
	var tab opTable
	var fn [1 << 16]execFn
	fam := append(pseudoRows(),
		row{m: map1, op: 0x50, span: 8, name: "A"},
		row{m: map1, op: 0x57, modes: in64, name: "B"})
	tab.build([][]row{fam}, &fn)
}
