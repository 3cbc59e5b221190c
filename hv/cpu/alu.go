package cpu

// The eight two-operand operations of opcodes 00-3F and group 1, and TEST.
// Each has one core function, which computes the result and the flags; the
// forms (aluforms.go) fetch and store operands around it. The register forms
// of what compilers emit most have functions of their own (aluhot.go).

type aluOp uint8

const (
	aluAdd aluOp = iota
	aluOr
	aluAdc
	aluSbb
	aluAnd
	aluSub
	aluXor
	aluCmp
)

var aluNames = [8]string{"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"}

func aluRows() (rows []row) {
	for op := aluAdd; op <= aluCmp; op++ {
		name, base, digit := aluNames[op], uint8(op)<<3, d0<<op
		at := attrLock | attrWrite
		if op == aluCmp {
			at = 0
		}
		toRM, toReg, imm := aluFns(op)
		rows = append(rows,
			row{m: map1, op: base, name: name, form: formModRM, size: sizeB, attr: at, fn: toRM},
			row{m: map1, op: base + 1, name: name, form: formModRM, attr: at, fn: toRM},
			row{m: map1, op: base + 2, name: name, form: formModRM, size: sizeB, fn: toReg},
			row{m: map1, op: base + 3, name: name, form: formModRM, fn: toReg},
			// The accumulator forms leave RM at 0, which is the accumulator.
			row{m: map1, op: base + 4, name: name, form: formImm8, size: sizeB, fn: imm},
			row{m: map1, op: base + 5, name: name, form: formImmZ, fn: imm},
			row{m: map1, op: 0x80, digit: digit, name: name, form: formModRM | formImm8, size: sizeB, attr: at, fn: imm},
			row{m: map1, op: 0x81, digit: digit, name: name, form: formModRM | formImmZ, attr: at, fn: imm},
			row{m: map1, op: 0x82, digit: digit, modes: not64, name: name, form: formModRM | formImm8, size: sizeB, attr: at, fn: imm},
			row{m: map1, op: 0x83, digit: digit, name: name, form: formModRM | formImm8, attr: at, fn: imm},
		)
	}
	testFns, testImmFns := testFns()
	return append(rows,
		row{m: map1, op: 0x84, name: "TEST", form: formModRM, size: sizeB, fn: testFns},
		row{m: map1, op: 0x85, name: "TEST", form: formModRM, fn: testFns},
		row{m: map1, op: 0xa8, name: "TEST", form: formImm8, size: sizeB, fn: testImmFns},
		row{m: map1, op: 0xa9, name: "TEST", form: formImmZ, fn: testImmFns},
		row{m: map1, op: 0xf6, digit: d0 | d1, name: "TEST", form: formModRM | formImm8, size: sizeB, fn: testImmFns},
		row{m: map1, op: 0xf7, digit: d0 | d1, name: "TEST", form: formModRM | formImmZ, fn: testImmFns},
	)
}
