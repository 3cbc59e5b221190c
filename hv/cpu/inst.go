package cpu

// Op is the number of an operation: an index into exec. It says everything
// about what to do but the operands.
type Op uint16

// Inst is one decoded instruction. It is plain data (a later compiled tier
// reads it too); which fields mean something depends on the operation.
type Inst struct {
	Op    Op
	Len   uint8 // bytes, prefixes included
	Size  uint8 // operand size in bytes: 1, 2, 4, 8 (or more for state saves)
	Reg   uint8 // ModRM.reg or the opcode's register; byte registers: see Reg8
	RM    uint8 // ModRM.rm when it is a register
	Base  uint8 // of a memory operand: register number, or zeroReg
	Index uint8 // register number, or zeroReg
	Scale uint8 // shift count 0-3
	Seg   uint8 // segment of the memory operand, overrides applied
	V     uint8 // VEX.vvvv register
	Acc   uint8 // bytes of the memory access; 0: none, the address alone matters
	Flags InstFlags
	Hot   hotOp  // number in runBlock, or 0
	Disp  int64  // displacement; absolute (Base is zeroReg) when RIP-relative
	Imm   int64  // immediate, absolute branch target (offset in CS), or far pointer (offset | selector<<32)
	RIP   uint64 // offset in CS of the instruction itself; next is RIP+Len
}

// InstFlags are properties of a decoded instruction.
type InstFlags uint16

// Instruction flags.
const (
	FlagMem    InstFlags = 1 << iota // ModRM names memory
	FlagLock                         // LOCK prefix (legal here)
	FlagRep                          // F3
	FlagRepne                        // F2
	FlagSlowEA                       // address needs more than base+index*scale+disp: FS/GS base, 32/16-bit, limit check
	FlagAddr32                       // 32-bit address size
	FlagAddr16                       // 16-bit address size
	FlagWrite                        // the memory operand is written (segment type check)
	FlagCheck                        // direct branch: the target needs a limit or canonical check
	FlagEnd                          // ends a block
	FlagREX                          // a REX prefix was present
	FlagDead                         // nothing sees the flags it sets
)

// Next is the RIP after the instruction.
func (in *Inst) Next() uint64 { return in.RIP + uint64(in.Len) }

// Byte registers AH, CH, DH, BH are numbered 20-23 in Reg and RM; all other
// byte registers by the number of the full register.
const highByte = 20

// status is what an operation's function says about how to go on.
type status uint8

const (
	stOK     status = iota // done, next instruction of the block
	stEnd                  // done; leave the block at the next RIP (state or code may have changed)
	stJump                 // done; c.RIP is set
	stRepeat               // a piece of a REP is done; RIP stays at the instruction
	stFault                // c.fault says why; RIP stays, nothing else changed
	stExit                 // c.exit says why; the function has set c.RIP
)

// execFn executes one instruction. On stFault it must have changed nothing
// the architecture does not allow.
type execFn func(c *CPU, in *Inst) status
