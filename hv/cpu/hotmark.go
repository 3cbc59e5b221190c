package cpu

// hotOp is the number of an operation in runBlock, 0 for none. Register operands are
// RM (destination) and Reg plus Imm (source): of a register form Imm is 0, of
// an immediate form Reg is zeroReg.
type hotOp uint8

const (
	hotNone hotOp = iota
	hotMov64
	hotMov32
	hotLea64
	hotLea32
	hotNot64
	hotNot32
	hotNop
	hotLoad64
	hotLoad32
	hotLoadZX8
	hotMovZX8
	hotStore64
	hotStore32
	hotAdd64
	hotAdd32
	hotSub64
	hotSub32
	hotCmp64
	hotCmp32
	hotAnd64
	hotAnd32
	hotOr64
	hotOr32
	hotXor64
	hotXor32
	hotTest64
	hotTest32
	hotInc64
	hotInc32
	hotDec64
	hotDec32
	hotShl64
	hotShl32
	hotShr64
	hotShr32
	hotRol64
	hotRol32
	hotRor64
	hotRor32
	hotAddLoad64
	hotAddLoad32
	hotXorLoad64
	hotXorLoad32
	hotCmpLoad64 // register with memory
	hotCmpLoad32
	hotCmpMem64 // memory with register or immediate
	hotCmpMem32
	hotPush
	hotPushImm
	hotPop
	hotJmp
	hotJmpReg
	hotCall
	hotRet
	hotJE
	hotJNE
	hotJB
	hotJAE
	hotJBE
	hotJA
	hotJS
	hotJNS
	hotJL
	hotJGE
	hotJLE
	hotJG
)

// hotOps is the number of each operation in runBlock.
var hotOps [maxOps]hotOp

// hotRow says which forms of an instruction are hot: by mnemonic and the
// lowest opcode, in 32 and 64 bits, of registers or of memory.
type hotRow struct {
	name     string
	m        opMap
	op       uint8
	r32, r64 hotOp
	m32, m64 hotOp
}

var hotRows = []hotRow{
	{name: "MOV", op: 0x89, r32: hotMov32, r64: hotMov64, m32: hotStore32, m64: hotStore64},
	{name: "MOV", op: 0x8b, m32: hotLoad32, m64: hotLoad64},
	{name: "MOV", op: 0xb8, r32: hotMov32, r64: hotMov64},
	{name: "MOV", op: 0xc7, r32: hotMov32, r64: hotMov64},
	{name: "LEA", op: 0x8d, m32: hotLea32, m64: hotLea64},
	{name: "MOVZX", m: map0F, op: 0xb6, r32: hotMovZX8, m32: hotLoadZX8},
	{name: "ADD", op: 0x01, r32: hotAdd32, r64: hotAdd64},
	{name: "ADD", op: 0x05, r32: hotAdd32, r64: hotAdd64},
	{name: "ADD", op: 0x81, r32: hotAdd32, r64: hotAdd64},
	{name: "ADD", op: 0x83, r32: hotAdd32, r64: hotAdd64},
	{name: "SUB", op: 0x29, r32: hotSub32, r64: hotSub64},
	{name: "SUB", op: 0x2d, r32: hotSub32, r64: hotSub64},
	{name: "SUB", op: 0x81, r32: hotSub32, r64: hotSub64},
	{name: "SUB", op: 0x83, r32: hotSub32, r64: hotSub64},
	{name: "ADD", op: 0x03, m32: hotAddLoad32, m64: hotAddLoad64},
	{name: "XOR", op: 0x33, m32: hotXorLoad32, m64: hotXorLoad64},
	{name: "CMP", op: 0x3b, m32: hotCmpLoad32, m64: hotCmpLoad64},
	{name: "CMP", op: 0x39, r32: hotCmp32, r64: hotCmp64, m32: hotCmpMem32, m64: hotCmpMem64},
	{name: "CMP", op: 0x3d, r32: hotCmp32, r64: hotCmp64},
	{name: "CMP", op: 0x81, r32: hotCmp32, r64: hotCmp64, m32: hotCmpMem32, m64: hotCmpMem64},
	{name: "CMP", op: 0x83, r32: hotCmp32, r64: hotCmp64, m32: hotCmpMem32, m64: hotCmpMem64},
	{name: "AND", op: 0x21, r32: hotAnd32, r64: hotAnd64},
	{name: "AND", op: 0x25, r32: hotAnd32, r64: hotAnd64},
	{name: "AND", op: 0x81, r32: hotAnd32, r64: hotAnd64},
	{name: "AND", op: 0x83, r32: hotAnd32, r64: hotAnd64},
	{name: "OR", op: 0x09, r32: hotOr32, r64: hotOr64},
	{name: "OR", op: 0x81, r32: hotOr32, r64: hotOr64},
	{name: "OR", op: 0x83, r32: hotOr32, r64: hotOr64},
	{name: "XOR", op: 0x31, r32: hotXor32, r64: hotXor64},
	{name: "XOR", op: 0x35, r32: hotXor32, r64: hotXor64},
	{name: "XOR", op: 0x81, r32: hotXor32, r64: hotXor64},
	{name: "XOR", op: 0x83, r32: hotXor32, r64: hotXor64},
	{name: "TEST", op: 0x85, r32: hotTest32, r64: hotTest64},
	{name: "TEST", op: 0xa9, r32: hotTest32, r64: hotTest64},
	{name: "TEST", op: 0xf7, r32: hotTest32, r64: hotTest64},
	{name: "NOT", op: 0xf7, r32: hotNot32, r64: hotNot64},
	{name: "INC", op: 0xff, r32: hotInc32, r64: hotInc64},
	{name: "DEC", op: 0xff, r32: hotDec32, r64: hotDec64},
	{name: "SHL", op: 0xc1, r32: hotShl32, r64: hotShl64},
	{name: "SHR", op: 0xc1, r32: hotShr32, r64: hotShr64},
	{name: "ROL", op: 0xc1, r32: hotRol32, r64: hotRol64},
	{name: "ROR", op: 0xc1, r32: hotRor32, r64: hotRor64},
	{name: "PUSH", op: 0x50, r64: hotPush},
	{name: "PUSH", op: 0x68, r64: hotPushImm},
	{name: "PUSH", op: 0x6a, r64: hotPushImm},
	{name: "POP", op: 0x58, r64: hotPop},
	{name: "JMP", op: 0xe9, r64: hotJmp},
	{name: "JMP", op: 0xeb, r64: hotJmp},
	{name: "JMP", op: 0xff, r64: hotJmpReg},
	{name: "CALL", op: 0xe8, r64: hotCall},
	{name: "RET", op: 0xc3, r64: hotRet},
}

// hotJumps are the conditions in encoding order; both opcodes of a condition
// have its name.
var hotJumps = [16]hotOp{2: hotJB, hotJAE, hotJE, hotJNE, hotJBE, hotJA, hotJS, hotJNS, 12: hotJL, hotJGE, hotJLE, hotJG}

// buildHot fills hotOps from the rows of the instruction table.
func buildHot(t *opTable) {
	set := func(name string, m opMap, op uint8, f func(n int)) {
		found := false
		for n := numPseudo; n < len(t.rows); n++ {
			if r := &t.rows[n]; r.name == name && r.m == m && r.op == op {
				f(n * 8)
				found = true
			}
		}
		if !found {
			panic("cpu: no row for the hot form of " + name)
		}
	}
	for _, h := range hotRows {
		set(h.name, h.m, h.op, func(n int) {
			hotOps[n+2], hotOps[n+3], hotOps[n+6], hotOps[n+7] = h.r32, h.r64, h.m32, h.m64
		})
	}
	for cc, h := range hotJumps {
		set("J"+ccNames[cc], map1, 0x70+uint8(cc), func(n int) { hotOps[n+3] = h })
		set("J"+ccNames[cc], map0F, 0x80+uint8(cc), func(n int) { hotOps[n+3] = h })
	}
}

// heat gives an instruction its hot number, if this form of it has one.
func heat(in *Inst) {
	h := hotOps[in.Op]
	switch {
	case h == hotNone || in.Flags&(FlagSlowEA|FlagCheck|FlagLock|FlagAddr32|FlagAddr16) != 0:
		return
	case h == hotMovZX8 && in.RM >= highByte:
		return
	case h == hotPushImm:
		in.RM = zeroReg
	case h >= hotAdd64 && h <= hotTest32 || h <= hotMov32 || h == hotCmpMem64 || h == hotCmpMem32:
		if in.immediate() {
			in.Reg = zeroReg
		}
	case h >= hotShl64 && h <= hotRor32:
		if n := in.Imm & 31; n == 0 {
			return // for 64 bits a count of 32 is rare, too
		}
	}
	in.Hot = h
}

// immediate tells whether the source of a hot register form is Imm.
func (in *Inst) immediate() bool { return table.rows[in.Op/8].form&(formImm8|formImmZ|formImmV) != 0 }

// markDead sets FlagDead where nothing can see the flags of an instruction:
// what follows overwrites all six before anything reads them, faults or leaves
// the block.
func markDead(insts []Inst) {
	live := true
	for i := len(insts) - 1; i >= 0; i-- {
		in := &insts[i]
		switch h := in.Hot; {
		case h >= hotMov64 && h <= hotNop || h == hotMovZX8:
			// neither reads nor writes them
		case h >= hotAdd64 && h <= hotTest32, h >= hotShl64 && h <= hotShr32:
			if !live {
				in.Flags |= FlagDead
			}
			live = false
		case h >= hotInc64 && h <= hotDec32, h >= hotRol64 && h <= hotRor32:
			if !live { // some they leave alone
				in.Flags |= FlagDead
			}
		default:
			live = true
		}
	}
}
