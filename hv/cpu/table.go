package cpu

// The instruction tables: one row an opcode (or a span of opcodes that differ
// only in a register or a condition). Rows live beside their functions, one
// file a family; tables.go lists the families and builds the arrays that
// decoding and execution use.

// row describes one instruction form: where it is in the opcode space, how
// its operands are encoded, and what executes it. The selectors are bit sets;
// zero selects everything.
type row struct {
	m     opMap
	op    uint8    // first opcode byte after the escape
	span  uint8    // consecutive opcodes covered; 0 means 1
	digit selector // ModRM.reg values (d0 ... d7): "/digit" of the manuals
	rm    selector // ModRM.rm values (d0 ... d7), for opcodes told apart by a whole ModRM byte
	mod   modSel
	pfx   pfxSel
	modes modeSel
	w     wSel
	name  string // mnemonic, Intel syntax, without operands
	form  form
	size  sizeRule
	acc   accSize // size of the memory access when it is not the operand size
	attr  attr
	needs feature // set by build: the row exists only with it
	fn    fns
}

// opMap is an opcode map (SDM vol. 2, "Opcode Map").
type opMap uint8

// Opcode maps.
const (
	map1     opMap = iota // one byte
	map0F                 // 0F xx
	map0F38               // 0F 38 xx
	map0F3A               // 0F 3A xx
	mapVEX0F              // VEX.mmmmm = 1
	mapVEX38              // VEX.mmmmm = 2
	mapVEX3A              // VEX.mmmmm = 3
	numMaps
)

// selector is a set of 3-bit values.
type selector uint8

// Values for row.digit and row.rm.
const (
	d0 selector = 1 << iota
	d1
	d2
	d3
	d4
	d5
	d6
	d7
)

// modSel selects by ModRM.mod.
type modSel uint8

const (
	modMem modSel = 1 << iota // memory operand only
	modReg                    // register operand only (mod = 3)
)

// pfxSel selects by mandatory prefix: the last of F2/F3 if there is one, else
// 66 if present (or VEX.pp).
type pfxSel uint8

const (
	pNone pfxSel = 1 << iota
	p66
	pF3
	pF2
)

// modeSel selects by decode mode.
type modeSel uint8

const (
	in16 modeSel = 1 << iota
	in32
	in64
	not64 = in16 | in32
)

// wSel selects by REX.W or VEX.W.
type wSel uint8

const (
	w0 wSel = 1 << iota
	w1
)

// form says which operands the encoding has. Parts are or-ed together.
type form uint16

// Parts of a form.
const (
	formModRM form = 1 << iota // Reg, and RM or a memory operand
	formOpReg                  // opcode bits 0-2 (and REX.B) are a register: RM
	formVVVV                   // VEX.vvvv is a register: V (without this it must be 1111)
	formMoffs                  // absolute address of address size: Disp, a memory operand
	formImm8                   // sign-extended byte: Imm
	formImm8U                  // zero-extended byte: Imm
	formImm16                  // zero-extended word: Imm
	formImmZ                   // 2 or 4 bytes by operand size, sign-extended: Imm
	formImmV                   // 2, 4 or 8 bytes by operand size: Imm
	formEnter                  // imm16 in Imm bits 0-15, imm8 in bits 16-23
	formRel8                   // branch target from a byte: Imm, absolute offset in CS
	formRelZ                   // branch target from 2 or 4 bytes: Imm, absolute offset in CS
	formFar                    // offset of 2 or 4 bytes and selector: Imm = offset | selector<<32
	formNone  form = 0         // no operands
)

// sizeRule says how Inst.Size comes about.
type sizeRule uint8

const (
	sizeV   sizeRule = iota // 2, 4 or 8 by operand-size prefix, mode and REX.W
	sizeB                   // 1; ModRM registers are byte registers
	sizeW                   // 2
	sizeD                   // 4
	sizeQ                   // 8
	size64                  // as sizeV, but in 64-bit mode 8 without REX.W and never 4 (PUSH, POP)
	sizeBr                  // near branches: as size64, and Intel ignores 66 in 64-bit mode
	sizeY                   // 4 or 8 by REX.W; 66 does not matter
	sizeIO                  // 2 or 4 by operand-size prefix and mode; REX.W does not matter (INS, OUTS, IN, OUT)
	sizeReg                 // 8 in 64-bit mode, else 4 (MOV CR, MOV DR)
)

// accSize is the size in bytes of the memory access.
type accSize uint8

const (
	accOp   accSize = 0 // the operand size
	acc1    accSize = 1
	acc2    accSize = 2
	acc4    accSize = 4
	acc8    accSize = 8
	acc16   accSize = 16
	accHead accSize = 252 // the first word, of 2 or 4 bytes, of an x87 environment
	accFar  accSize = 253 // operand size + 2
	accTwo  accSize = 254 // twice the operand size
	accNone accSize = 255 // address only (LEA, INVLPG)
)

// attr are properties of a row.
type attr uint8

const (
	attrLock   attr = 1 << iota // LOCK is legal with a memory operand
	attrWrite                   // the memory operand is written
	attrEnd                     // ends a block: may change RIP or what decoding depends on
	attrByteRM                  // ModRM.rm is a byte register though the size is not sizeB
	attrModReg                  // ModRM.mod does not matter: rm is a register (MOV CR, MOV DR)
)

// fns are the functions of a row by operand size 1, 2, 4, 8 and by whether
// ModRM names a register or memory. A nil function means the combination does
// not exist: #UD.
type fns struct {
	reg [4]execFn // also for rows without ModRM
	mem [4]execFn
}

// all uses f for every size and operand kind.
func all(f execFn) fns {
	a := [4]execFn{f, f, f, f}
	return fns{reg: a, mem: a}
}

// onlyMem and onlyReg use f for every size of one operand kind.
func onlyMem(f execFn) fns { return fns{mem: [4]execFn{f, f, f, f}} }

func onlyReg(f execFn) fns { return fns{reg: [4]execFn{f, f, f, f}} }

// split uses r for registers and m for memory.
func split(r, m execFn) fns {
	return fns{reg: [4]execFn{r, r, r, r}, mem: [4]execFn{m, m, m, m}}
}

// sized uses one function for each operand size, whatever the operand kind.
func sized(f1, f2, f4, f8 execFn) fns {
	a := [4]execFn{f1, f2, f4, f8}
	return fns{reg: a, mem: a}
}
