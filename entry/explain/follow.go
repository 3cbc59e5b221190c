package explain

import (
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"pvlab/hv/x86"
)

// follower says what one kind of instruction does to origins.
type follower func(t *Tracker, s *Step, in *x86asm.Inst, e *effect)

// followers has the instructions that move words about, and those that write
// nothing although their first operand is memory.
var followers = map[x86asm.Op]follower{
	x86asm.MOV:    followMov,
	x86asm.MOVZX:  followMov,
	x86asm.MOVSX:  followMov,
	x86asm.MOVSXD: followMov,
	x86asm.XCHG:   followXchg,
	x86asm.PUSH:   followPush,
	x86asm.POP:    followPop,
	x86asm.PUSHFQ: followPushf,
	x86asm.POPFQ:  nothing,
	x86asm.CALL:   followCall,
	x86asm.RET:    followRet,
	x86asm.LEAVE:  followLeave,
	x86asm.LEA:    followLea,
	x86asm.IRETQ:  followIretq,
	x86asm.IRETD:  followIretq,
	x86asm.IRET:   followIretq,
	x86asm.MOVSQ:  followMovs,
	x86asm.MOVSD:  followString,
	x86asm.MOVSW:  followString,
	x86asm.MOVSB:  followString,
	x86asm.STOSQ:  followString,
	x86asm.STOSD:  followString,
	x86asm.STOSW:  followString,
	x86asm.STOSB:  followString,
	x86asm.LODSQ:  followLods,
	// These only read what they name first.
	x86asm.CMP:         nothing,
	x86asm.TEST:        nothing,
	x86asm.BT:          nothing,
	x86asm.JMP:         nothing,
	x86asm.NOP:         nothing,
	x86asm.PREFETCHT0:  nothing,
	x86asm.PREFETCHNTA: nothing,
	x86asm.PREFETCHW:   nothing,
	x86asm.INVLPG:      nothing,
	x86asm.LGDT:        nothing,
	x86asm.LIDT:        nothing,
	x86asm.SYSCALL:     followSyscall,
}

func nothing(*Tracker, *Step, *x86asm.Inst, *effect) {}

func followMov(t *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	o, size := t.source(s, in, in.Args[1])
	if in.Op != x86asm.MOV {
		size = 4 // an extension is never a plain move of a word
	}
	e.put(s, in, in.Args[0], o, size)
}

func followXchg(t *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	a, asize := t.source(s, in, in.Args[0])
	b, bsize := t.source(s, in, in.Args[1])
	e.put(s, in, in.Args[0], b, bsize)
	e.put(s, in, in.Args[1], a, asize)
}

func followPush(t *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	o, _ := t.source(s, in, in.Args[0])
	if in.DataSize == 16 {
		e.touchMem(s.RSP()-2, 2)
		return
	}
	e.setMem(s.RSP()-8, o.stored(s.RIP))
}

func followPop(t *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	o := t.mem.get(s.RSP())
	switch a := in.Args[0].(type) {
	case x86asm.Reg:
		if n, _, ok := regOf(a); ok && in.DataSize != 16 {
			e.setReg(n, o)
		} else if ok {
			e.changeReg(n)
		}
	case x86asm.Mem:
		// POP computes an address that uses RSP after the increment (SDM
		// vol. 2, "POP").
		up := *s
		up.R[x86.RSP] += 8
		e.put(&up, in, a, o, 8)
	}
}

func followPushf(_ *Tracker, s *Step, _ *x86asm.Inst, e *effect) {
	e.setMem(s.RSP()-8, Origin{Kind: Flags, Maker: s.RIP})
}

func followCall(_ *Tracker, s *Step, _ *x86asm.Inst, e *effect) {
	e.setMem(s.RSP()-8, Origin{Kind: ReturnAddress, Maker: s.RIP})
}

func followRet(t *Tracker, s *Step, _ *x86asm.Inst, e *effect) {
	e.isJump, e.jumpAt, e.jump = true, s.RSP(), t.mem.get(s.RSP())
}

func followLeave(t *Tracker, s *Step, _ *x86asm.Inst, e *effect) {
	e.setReg(x86.RBP, t.mem.get(s.R[x86.RBP]))
}

func followLea(_ *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	if n, _, ok := regOf(in.Args[0]); ok {
		e.setReg(n, Origin{Kind: Computed, Maker: s.RIP})
	}
}

func followIretq(t *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	e.ret = t.returnBy(s, in)
}

// followSyscall: under Xen, SYSCALL from kernel mode with RAX = 23 is
// HYPERVISOR_iret (HC-01, IRET-01).
func followSyscall(t *Tracker, s *Step, _ *x86asm.Inst, e *effect) {
	const iret = 23
	if t.platform == Xen && s.Kernel && uint32(s.R[x86.RAX]) == iret {
		e.ret = t.returnByHypercall(s)
	}
}

func repeats(in *x86asm.Inst) bool {
	for _, p := range in.Prefix {
		if p == 0 {
			break
		}
		if q := p &^ (x86asm.PrefixImplicit | x86asm.PrefixIgnored); q == x86asm.PrefixREP || q == x86asm.PrefixREPN {
			return true
		}
	}
	return false
}

// followMovs moves one word; what a repetition moves is worked out when it is
// known how far it got (see Tracker.After).
func followMovs(t *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	if repeats(in) {
		return
	}
	e.setMem(s.R[x86.RDI], t.mem.get(s.R[x86.RSI]).stored(s.RIP))
}

func followString(_ *Tracker, s *Step, in *x86asm.Inst, e *effect) {
	if repeats(in) {
		return
	}
	e.touchMem(s.R[x86.RDI], uint64(max(in.DataSize/8, 1)))
}

func followLods(t *Tracker, s *Step, _ *x86asm.Inst, e *effect) {
	e.setReg(x86.RAX, t.mem.get(s.R[x86.RSI]))
}

// mnemonic is the instruction's name in lower case.
func mnemonic(in *x86asm.Inst) string { return strings.ToLower(in.Op.String()) }
