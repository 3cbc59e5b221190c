package cpu

import "pvlab/hv/x86"

// Shifts and rotates of group 2, and SHLD/SHRD.

func shiftRows() (rows []row) {
	names := [8]string{"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SAL", "SAR"}
	for digit, name := range names {
		d := d0 << digit
		by1, byImm, byCL := shiftFns(digit, countOne), shiftFns(digit, countImm), shiftFns(digit, countCL)
		if hot := hotShifts(digit); hot[0] != nil {
			byImm.reg[2], byImm.reg[3] = hot[0], hot[1]
		}
		rows = append(rows,
			row{m: map1, op: 0xc0, digit: d, name: name, form: formModRM | formImm8U, size: sizeB, attr: attrWrite, fn: byImm},
			row{m: map1, op: 0xc1, digit: d, name: name, form: formModRM | formImm8U, attr: attrWrite, fn: byImm},
			row{m: map1, op: 0xd0, digit: d, name: name, form: formModRM, size: sizeB, attr: attrWrite, fn: by1},
			row{m: map1, op: 0xd1, digit: d, name: name, form: formModRM, attr: attrWrite, fn: by1},
			row{m: map1, op: 0xd2, digit: d, name: name, form: formModRM, size: sizeB, attr: attrWrite, fn: byCL},
			row{m: map1, op: 0xd3, digit: d, name: name, form: formModRM, attr: attrWrite, fn: byCL},
		)
	}
	return append(rows,
		row{m: map0F, op: 0xa4, name: "SHLD", form: formModRM | formImm8U, attr: attrWrite, fn: doubleFns(false, countImm)},
		row{m: map0F, op: 0xa5, name: "SHLD", form: formModRM, attr: attrWrite, fn: doubleFns(false, countCL)},
		row{m: map0F, op: 0xac, name: "SHRD", form: formModRM | formImm8U, attr: attrWrite, fn: doubleFns(true, countImm)},
		row{m: map0F, op: 0xad, name: "SHRD", form: formModRM, attr: attrWrite, fn: doubleFns(true, countCL)},
	)
}

// Sources of a shift count.
type countSource uint8

const (
	countOne countSource = iota
	countImm
	countCL
)

// count is the shift count, masked to 5 bits (6 for 64-bit operands).
func (s countSource) count(c *CPU, in *Inst) uint {
	n := uint64(1)
	switch s {
	case countImm:
		n = uint64(in.Imm)
	case countCL:
		n = c.R[x86.RCX]
	}
	if in.Size == 8 {
		return uint(n & 63)
	}
	return uint(n & 31)
}

// shiftCore shifts by n, which is not 0, and sets the flags.
type shiftCore[T word] func(c *CPU, a T, n uint) T

func shiftCores[T word]() [8]shiftCore[T] {
	return [8]shiftCore[T]{rol[T], ror[T], rcl[T], rcr[T], shl[T], shr[T], shl[T], sar[T]}
}

func shiftFns(digit int, from countSource) fns {
	f1, f2 := shiftCores[uint8]()[digit], shiftCores[uint16]()[digit]
	f4, f8 := shiftCores[uint32]()[digit], shiftCores[uint64]()[digit]
	return fns{
		reg: [4]execFn{shiftReg(f1, from), shiftReg(f2, from), shiftReg(f4, from), shiftReg(f8, from)},
		mem: [4]execFn{shiftMem(f1, from), shiftMem(f2, from), shiftMem(f4, from), shiftMem(f8, from)},
	}
}

// A count of 0 changes no flag, but a 32-bit destination is still written.

func shiftReg[T word](f shiftCore[T], from countSource) execFn {
	return func(c *CPU, in *Inst) status {
		a := reg[T](c, in.RM)
		if n := from.count(c, in); n != 0 {
			a = f(c, a, n)
		}
		setReg(c, in.RM, a)
		return stOK
	}
}

func shiftMem[T word](f shiftCore[T], from countSource) execFn {
	return func(c *CPU, in *Inst) status {
		lin := c.ea(in)
		a, ok := loadRMWT[T](c, in, lin)
		if !ok {
			return stFault
		}
		if n := from.count(c, in); n != 0 {
			a = f(c, a, n)
		}
		return storeT(c, in, lin, a)
	}
}

// setCO sets CF and OF and leaves the other flags.
func (c *CPU) setCO(cf, of bool) {
	v := c.lazy.carry & carryAF
	if cf {
		v |= carryCF
	}
	if cf != of {
		v |= carryOF
	}
	c.lazy.carry = v
}

// shiftFlags sets all flags of a shift: ZF, SF, PF by the result, AF clear
// (it is undefined).
func shiftFlags[T word](c *CPU, r T, cf, of bool) {
	setLogic(c, r)
	c.setCO(cf, of)
}

func shl[T word](c *CPU, a T, n uint) T {
	r := a << n
	cf := a<<(n-1)>>(bitsOf[T]()-1) != 0
	shiftFlags(c, r, cf, signBit(r) != cf)
	return r
}

func shr[T word](c *CPU, a T, n uint) T {
	r := a >> n
	shiftFlags(c, r, a>>(n-1)&1 != 0, signBit(r^r<<1))
	return r
}

func sar[T word](c *CPU, a T, n uint) T {
	v := int64(extend(a))
	r := T(v >> n)
	shiftFlags(c, r, v>>(n-1)&1 != 0, false)
	return r
}

func rol[T word](c *CPU, a T, n uint) T {
	w := bitsOf[T]()
	k := n % w
	r := a<<k | a>>(w-k)
	cf := r&1 != 0
	c.setCO(cf, signBit(r) != cf)
	return r
}

func ror[T word](c *CPU, a T, n uint) T {
	w := bitsOf[T]()
	k := n % w
	r := a>>k | a<<(w-k)
	cf := signBit(r)
	c.setCO(cf, cf != signBit(r<<1))
	return r
}

// rcl and rcr rotate through CF: a width of bits+1.

func rcl[T word](c *CPU, a T, n uint) T {
	w := bitsOf[T]()
	k := n % (w + 1)
	if k == 0 {
		cf := c.lazy.cf()
		c.setCO(cf, signBit(a) != cf)
		return a
	}
	r := a<<k | T(c.lazy.carryBit())<<(k-1) | a>>(w+1-k)
	cf := a>>(w-k)&1 != 0
	c.setCO(cf, signBit(r) != cf)
	return r
}

func rcr[T word](c *CPU, a T, n uint) T {
	w := bitsOf[T]()
	k := n % (w + 1)
	if k == 0 {
		cf := c.lazy.cf()
		c.setCO(cf, signBit(a) != signBit(a<<1))
		return a
	}
	r := a>>k | T(c.lazy.carryBit())<<(w-k) | a<<(w+1-k)
	c.setCO(a>>(k-1)&1 != 0, signBit(r) != signBit(r<<1))
	return r
}

func doubleFns(right bool, from countSource) fns {
	return fns{
		reg: [4]execFn{1: doubleReg[uint16](right, from), 2: doubleReg[uint32](right, from), 3: doubleReg[uint64](right, from)},
		mem: [4]execFn{1: doubleMem[uint16](right, from), 2: doubleMem[uint32](right, from), 3: doubleMem[uint64](right, from)},
	}
}

func doubleReg[T word](right bool, from countSource) execFn {
	return func(c *CPU, in *Inst) status {
		setReg(c, in.RM, doubleShift(c, reg[T](c, in.RM), reg[T](c, in.Reg), from.count(c, in), right))
		return stOK
	}
}

func doubleMem[T word](right bool, from countSource) execFn {
	return func(c *CPU, in *Inst) status {
		lin := c.ea(in)
		a, ok := loadRMWT[T](c, in, lin)
		if !ok {
			return stFault
		}
		return storeT(c, in, lin, doubleShift(c, a, reg[T](c, in.Reg), from.count(c, in), right))
	}
}

// doubleShift shifts a by n, filling from b. Counts above 16 for words, whose
// result the manuals leave undefined, rotate b:a:b (left) or a:b:a (right).
func doubleShift[T word](c *CPU, a, b T, n uint, right bool) T {
	w := bitsOf[T]()
	if n == 0 {
		return a
	}
	var r T
	var cf bool
	fill := a
	if n > w {
		a, b, n = b, fill, n-w
	}
	if right {
		r = a>>n | b<<(w-n)
		cf = a>>(n-1)&1 != 0
	} else {
		r = a<<n | b>>(w-n)
		cf = a>>(w-n)&1 != 0
	}
	shiftFlags(c, r, cf, signBit(r) != signBit(fill))
	return r
}

// hotShifts are the 32- and 64-bit register forms by an immediate.
func hotShifts(digit int) [2]execFn {
	switch digit {
	case 4, 6:
		return [2]execFn{shlRI[uint32], shlRI[uint64]}
	case 5:
		return [2]execFn{shrRI[uint32], shrRI[uint64]}
	}
	return [2]execFn{}
}

func shlRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	a, n := T(*d), uint(in.Imm)&(bitsOf[T]()-1)
	if n != 0 {
		a = shl(c, a, n)
	}
	*d = uint64(a)
	return stOK
}

func shrRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	a, n := T(*d), uint(in.Imm)&(bitsOf[T]()-1)
	if n != 0 {
		a = shr(c, a, n)
	}
	*d = uint64(a)
	return stOK
}
