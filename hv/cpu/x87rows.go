package cpu

import "pvlab/hv/softfloat"

// x87Rows are the x87's instructions but for control words, which are with the
// state, and the transcendental ones.
func x87Rows() []row {
	const mrm = formModRM
	var rows []row
	mem := func(op uint8, digit uint, name string, size sizeRule, acc accSize, attr attr, f execFn) {
		rows = append(rows, row{m: map1, op: op, digit: 1 << digit, mod: modMem, name: name, form: mrm, size: size, acc: acc, attr: attr, fn: all(f)})
	}
	reg := func(op uint8, digit uint, name string, f execFn) {
		rows = append(rows, row{m: map1, op: op, digit: 1 << digit, mod: modReg, name: name, form: mrm, size: sizeD, fn: all(f)})
	}
	one := func(op uint8, digit, rm uint, name string, f execFn) {
		rows = append(rows, row{m: map1, op: op, digit: 1 << digit, rm: 1 << rm, mod: modReg, name: name, form: mrm, size: sizeD, fn: all(f)})
	}
	names := [8]string{"FADD", "FMUL", "FCOM", "FCOMP", "FSUB", "FSUBR", "FDIV", "FDIVR"}
	kinds := []struct {
		op     uint8
		k      operand87
		prefix string
		acc    accSize
	}{{0xd8, single87, "F", acc4}, {0xdc, double87, "F", acc8}, {0xda, dword87, "FI", acc4}, {0xde, word87, "FI", acc2}}
	for digit := uint(0); digit < 8; digit++ {
		o := x87Ops[digit]
		for _, k := range kinds {
			f := o.memory(k.k)
			if digit == 2 || digit == 3 {
				f = fcomMem(k.k, int(digit)-2)
			}
			mem(k.op, digit, k.prefix+names[digit][1:], sizeD, k.acc, 0, f)
		}
		if digit == 2 || digit == 3 {
			reg(0xd8, digit, names[digit], fcom(false, int(digit)-2))
			reg(0xdc, digit, names[digit], fcom(false, int(digit)-2))
			continue
		}
		reg(0xd8, digit, names[digit], x87(o.fromReg))
		// The reversed forms change places where ST(i) is the destination.
		r := o
		if digit >= 4 {
			r.reverse = !o.reverse
		}
		reg(0xdc, digit, names[digit], r.toReg(0))
		reg(0xde, digit, names[digit]+"P", r.toReg(1))
	}
	const w = attrWrite
	for _, s := range []struct {
		op, pop uint8
		k       operand87
		acc     accSize
	}{{0xd9, 0xd9, single87, acc4}, {0xdd, 0xdd, double87, acc8}} {
		mem(s.op, 0, "FLD", sizeD, s.acc, 0, fld(s.k))
		mem(s.op, 2, "FST", sizeD, s.acc, w, fst(s.k, false, 0))
		mem(s.op, 3, "FSTP", sizeD, s.acc, w, fst(s.k, false, 1))
	}
	for _, s := range []struct {
		op  uint8
		k   operand87
		acc accSize
	}{{0xdb, dword87, acc4}, {0xdf, word87, acc2}} {
		mem(s.op, 0, "FILD", sizeD, s.acc, 0, fld(s.k))
		mem(s.op, 1, "FISTTP", sizeD, s.acc, w, fst(s.k, true, 1))
		mem(s.op, 2, "FIST", sizeD, s.acc, w, fst(s.k, false, 0))
		mem(s.op, 3, "FISTP", sizeD, s.acc, w, fst(s.k, false, 1))
	}
	mem(0xdf, 5, "FILD", sizeD, acc8, 0, fld(qword87))
	mem(0xdf, 7, "FISTP", sizeD, acc8, w, fst(qword87, false, 1))
	mem(0xdd, 1, "FISTTP", sizeD, acc8, w, fst(qword87, true, 1))
	mem(0xdb, 5, "FLD", sizeD, acc8, 0, x87(opFLDm80))
	mem(0xdb, 7, "FSTP", sizeD, acc8, w, x87(opFSTPm80))
	mem(0xdf, 4, "FBLD", sizeD, acc8, 0, x87(opFBLD))
	mem(0xdf, 6, "FBSTP", sizeD, acc8, w, x87(opFBSTP))
	mem(0xd9, 4, "FLDENV", sizeV, accHead, 0, x87(opFLDENV))
	mem(0xd9, 6, "FNSTENV", sizeV, accHead, w, opFNSTENV)
	mem(0xdd, 4, "FRSTOR", sizeV, accHead, 0, x87(opFRSTOR))
	mem(0xdd, 6, "FNSAVE", sizeV, accHead, w, opFNSAVE)

	reg(0xd9, 0, "FLD", x87(opFLDsti))
	for _, op := range []struct{ op, digit uint8 }{{0xd9, 1}, {0xdd, 1}, {0xdf, 1}} {
		reg(op.op, uint(op.digit), "FXCH", x87(opFXCH))
	}
	one(0xd9, 2, 0, "FNOP", x87(opFNOP))
	for i, name := range [7]string{"FLD1", "FLDL2T", "FLDL2E", "FLDPI", "FLDLG2", "FLDLN2", "FLDZ"} {
		one(0xd9, 5, uint(i), name, x87(opFLDconst))
	}
	one(0xd9, 4, 0, "FCHS", fsign(func(se uint16) uint16 { return se ^ 1<<15 }))
	one(0xd9, 4, 1, "FABS", fsign(func(se uint16) uint16 { return se &^ (1 << 15) }))
	one(0xd9, 4, 4, "FTST", x87(opFTST))
	one(0xd9, 4, 5, "FXAM", x87(opFXAM))
	one(0xd9, 6, 4, "FXTRACT", x87(opFXTRACT))
	one(0xd9, 6, 5, "FPREM1", fprem(true))
	one(0xd9, 6, 6, "FDECSTP", x87(opFDECSTP))
	one(0xd9, 6, 7, "FINCSTP", x87(opFINCSTP))
	one(0xd9, 7, 0, "FPREM", fprem(false))
	one(0xd9, 7, 2, "FSQRT", unary87((*softfloat.Env).Sqrt80))
	one(0xd9, 7, 4, "FRNDINT", unary87((*softfloat.Env).Round80))
	one(0xd9, 7, 5, "FSCALE", x87(opFSCALE))
	for i, cc := range [4]uint8{2, 4, 6, 10} { // below, equal, below or equal, parity
		reg(0xda, uint(i), "FCMOV"+ccNames[cc], fcmov(cc))
		reg(0xdb, uint(i), "FCMOV"+ccNames[cc|1], fcmov(cc|1))
	}
	one(0xda, 5, 1, "FUCOMPP", fcom(true, 2))
	one(0xde, 3, 1, "FCOMPP", fcom(false, 2))
	reg(0xdb, 5, "FUCOMI", fcomi(true, 0))
	reg(0xdb, 6, "FCOMI", fcomi(false, 0))
	reg(0xdf, 5, "FUCOMIP", fcomi(true, 1))
	reg(0xdf, 6, "FCOMIP", fcomi(false, 1))
	reg(0xdd, 0, "FFREE", x87(opFFREE))
	reg(0xdf, 0, "FFREEP", x87(opFFREEP))
	reg(0xdd, 2, "FST", fstReg(0))
	reg(0xdd, 3, "FSTP", fstReg(1))
	reg(0xdf, 2, "FSTP", fstReg(1))
	reg(0xdf, 3, "FSTP", fstReg(1))
	reg(0xd9, 3, "FSTPNCE", x87(opFSTPNCE))
	reg(0xdd, 4, "FUCOM", fcom(true, 0))
	reg(0xdd, 5, "FUCOMP", fcom(true, 1))
	reg(0xde, 2, "FCOMP", fcom(false, 1))
	one(0xdb, 4, 0, "FENI", x87(opFNOP))
	one(0xdb, 4, 1, "FDISI", x87(opFNOP))
	one(0xdb, 4, 4, "FSETPM", x87(opFNOP))
	return rows
}
