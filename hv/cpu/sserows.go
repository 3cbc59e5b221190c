package cpu

import (
	"math"

	"pvlab/hv/softfloat"
)

// ssefpRows are the floating-point instructions of SSE to SSE4.1.
func ssefpRows() (rows []row) {
	const (
		mrm = formModRM
		imm = formModRM | formImm8U
	)
	r := func(op uint8, pfx pfxSel, name string, acc accSize, f execFn) row {
		return row{m: map0F, op: op, pfx: pfx, name: name, form: mrm, size: sizeQ, acc: acc, fn: all(f)}
	}
	for _, o := range []struct {
		op   uint8
		name string
		f    fp32
		g    fp64
	}{
		{0x51, "SQRT", sqrt32, sqrt64}, {0x58, "ADD", arith32(softfloat.Add), arith64(softfloat.Add)},
		{0x59, "MUL", arith32(softfloat.Mul), arith64(softfloat.Mul)}, {0x5c, "SUB", arith32(softfloat.Sub), arith64(softfloat.Sub)},
		{0x5e, "DIV", arith32(softfloat.Div), arith64(softfloat.Div)}, {0x5d, "MIN", min32, min64}, {0x5f, "MAX", max32, max64},
	} {
		rows = append(rows, r(o.op, pNone, o.name+"PS", acc16, packedSingle(o.f)), r(o.op, p66, o.name+"PD", acc16, packedDouble(o.g)),
			r(o.op, pF3, o.name+"SS", acc4, scalarSingle(o.f)), r(o.op, pF2, o.name+"SD", acc8, scalarDouble(o.g)))
	}
	for _, o := range []struct {
		op   uint8
		name string
		f    func(float64) float64
	}{
		{0x52, "RSQRT", func(x float64) float64 { return 1 / math.Sqrt(x) }}, {0x53, "RCP", func(x float64) float64 { return 1 / x }},
	} {
		rows = append(rows, r(o.op, pNone, o.name+"PS", acc16, packedSingle(approximate(o.f))), r(o.op, pF3, o.name+"SS", acc4, scalarSingle(approximate(o.f))))
	}
	cmp := func(pfx pfxSel, name string, acc accSize, f func(pred uint8) execFn) row {
		return row{m: map0F, op: 0xc2, pfx: pfx, name: name, form: imm, size: sizeQ, acc: acc, fn: all(byPredicate(f))}
	}
	toInt := func(op uint8, pfx pfxSel, name string, acc accSize, f execFn) row {
		return row{m: map0F, op: op, pfx: pfx, name: name, form: mrm, size: sizeY, acc: acc, fn: all(f)}
	}
	i3A := func(op uint8, name string, acc accSize, f execFn) row {
		return row{m: map0F3A, op: op, pfx: p66, name: name, form: imm, size: sizeQ, acc: acc, fn: all(guarded(f))}
	}
	const add, sub = softfloat.Add, softfloat.Sub
	return append(rows,
		cmp(pNone, "CMPPS", acc16, func(p uint8) execFn { return packedSingle(cmp32(p)) }),
		cmp(p66, "CMPPD", acc16, func(p uint8) execFn { return packedDouble(cmp64(p)) }),
		cmp(pF3, "CMPSS", acc4, func(p uint8) execFn { return scalarSingle(cmp32(p)) }),
		cmp(pF2, "CMPSD", acc8, func(p uint8) execFn { return scalarDouble(cmp64(p)) }),
		r(0x2e, pNone, "UCOMISS", acc4, comis32(true)), r(0x2e, p66, "UCOMISD", acc8, comis64(true)),
		r(0x2f, pNone, "COMISS", acc4, comis32(false)), r(0x2f, p66, "COMISD", acc8, comis64(false)),
		r(0x7c, p66, "HADDPD", acc16, shuffledDouble(add, add, pairsOfDouble)), r(0x7c, pF2, "HADDPS", acc16, shuffledSingle(add, add, pairsOfSingle)),
		r(0x7d, p66, "HSUBPD", acc16, shuffledDouble(sub, sub, pairsOfDouble)), r(0x7d, pF2, "HSUBPS", acc16, shuffledSingle(sub, sub, pairsOfSingle)),
		r(0xd0, p66, "ADDSUBPD", acc16, shuffledDouble(sub, add, asTheyAre)), r(0xd0, pF2, "ADDSUBPS", acc16, shuffledSingle(sub, add, asTheyAre)),
		r(0x2a, pNone, "CVTPI2PS", acc8, fromMM(cvtpi2ps)), r(0x2a, p66, "CVTPI2PD", acc8, fromMM(cvtpi2pd)),
		r(0x2c, pNone, "CVTTPS2PI", acc8, toMM(true, false)), r(0x2d, pNone, "CVTPS2PI", acc8, toMM(false, false)),
		r(0x2c, p66, "CVTTPD2PI", acc16, toMM(true, true)), r(0x2d, p66, "CVTPD2PI", acc16, toMM(false, true)),
		toInt(0x2a, pF3, "CVTSI2SS", accOp, guarded(opCVTSI2SS)), toInt(0x2a, pF2, "CVTSI2SD", accOp, guarded(opCVTSI2SD)),
		toInt(0x2c, pF3, "CVTTSS2SI", acc4, singleToInt(true)), toInt(0x2d, pF3, "CVTSS2SI", acc4, singleToInt(false)),
		toInt(0x2c, pF2, "CVTTSD2SI", acc8, doubleToInt(true)), toInt(0x2d, pF2, "CVTSD2SI", acc8, doubleToInt(false)),
		r(0x5a, pNone, "CVTPS2PD", acc8, convert64(false, cvtps2pd)), r(0x5a, p66, "CVTPD2PS", acc16, convert128(false, cvtpd2ps)),
		r(0x5a, pF3, "CVTSS2SD", acc4, cvtss2sd()), r(0x5a, pF2, "CVTSD2SS", acc8, cvtsd2ss()),
		r(0x5b, pNone, "CVTDQ2PS", acc16, convert128(false, cvtdq2ps)), r(0x5b, p66, "CVTPS2DQ", acc16, convert128(false, cvtps2dq)),
		r(0x5b, pF3, "CVTTPS2DQ", acc16, convert128(true, cvtps2dq)),
		r(0xe6, pF3, "CVTDQ2PD", acc8, convert64(false, cvtdq2pd)), r(0xe6, pF2, "CVTPD2DQ", acc16, convert128(false, cvtpd2dq)),
		r(0xe6, p66, "CVTTPD2DQ", acc16, convert128(true, cvtpd2dq)),
		i3A(0x08, "ROUNDPS", acc16, opROUNDPS), i3A(0x09, "ROUNDPD", acc16, opROUNDPD),
		i3A(0x0a, "ROUNDSS", acc4, opROUNDSS), i3A(0x0b, "ROUNDSD", acc8, opROUNDSD),
		i3A(0x40, "DPPS", acc16, opDPPS), i3A(0x41, "DPPD", acc16, opDPPD))
}
