package cpu

import (
	"fmt"

	"pvlab/hv/x86"
)

// ExitKind says why Run returned.
type ExitKind uint8

// Kinds of exit. RIP always is the architecturally precise one: at the
// instruction for faults and for the intercepted ones, after it for traps.
const (
	// ExitBudget: the budget is used up.
	ExitBudget ExitKind = iota
	// ExitFault: an exception; Exit.Fault. For #DB traps RIP is the next
	// instruction and DR6 is already updated.
	ExitFault
	// ExitSoftInt: INT n, INT3, INTO or INT1 (Exit.Soft tells which) at RIP;
	// Exit.Next is the RIP after it. The gate's DPL is the receiver's to check.
	ExitSoftInt
	// ExitSyscall, ExitSysenter: the intercepted instruction at RIP, Next after it.
	ExitSyscall
	ExitSysenter
	// ExitHalt: HLT was executed; RIP is after it and Halted is set.
	ExitHalt
	// ExitInterrupt, ExitNMI: Attn asked, and the event can be taken now.
	ExitInterrupt
	ExitNMI
	// ExitStop: Attn asked.
	ExitStop
	// ExitShutdown: triple fault conditions met inside the CPU.
	ExitShutdown
	// ExitUnmodelled: Exit.Unmodelled names an instruction pvlab lacks.
	ExitUnmodelled
)

var exitNames = [...]string{"budget", "fault", "softint", "syscall", "sysenter", "halt",
	"interrupt", "nmi", "stop", "shutdown", "unmodelled"}

func (k ExitKind) String() string { return exitNames[k] }

// SoftKind tells the software interrupt instructions apart.
type SoftKind uint8

// Software interrupts.
const (
	SoftINT   SoftKind = iota // CD ib
	SoftINT3                  // CC
	SoftINTO                  // CE
	SoftICEBP                 // F1: not subject to DPL, counts as hardware #DB
)

// Exit is what ended Run.
type Exit struct {
	Kind       ExitKind
	Soft       SoftKind
	Vector     uint8
	Fault      x86.Fault
	Next       uint64
	Unmodelled *Unmodelled
}

// Unmodelled is the loud answer to an instruction (or a form of it) that the
// CPU does not model.
type Unmodelled struct {
	RIP   uint64
	Bytes []byte // up to 15, as fetched
	Text  string // disassembly, or "(bad)"
	What  string // what is missing, in words
}

func (u *Unmodelled) Error() string {
	return fmt.Sprintf("instruction not modelled at %#x: % x  %s (%s)", u.RIP, u.Bytes, u.Text, u.What)
}
