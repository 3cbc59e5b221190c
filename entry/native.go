package entry

import (
	"errors"

	"pvlab/hv/cpu"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

// EventKind says where an event comes from; the processor treats them
// differently on the way to the handler.
type EventKind uint8

// Kinds of events.
const (
	Exception  EventKind = iota // a fault, trap or abort of the processor; Event.Fault
	Software                    // INT n, INT3, INTO: the gate's DPL counts
	Privileged                  // INT1: as a hardware #DB, the gate's DPL does not count
	NMI
	Interrupt // external, with a vector of the interrupt controller
)

var eventNames = [...]string{"exception", "softint", "exception", "nmi", "interrupt"}

func (k EventKind) String() string { return eventNames[k] }

// Event is what is to be delivered.
type Event struct {
	Kind   EventKind
	Vector uint8
	Fault  x86.Fault // for Exception: error code and address
	Next   uint64    // for Software and Privileged: RIP after the instruction
}

// Result is how a delivery ended. The zero value means that the guest goes on
// in a handler (which may be that of another exception, met on the way).
type Result struct {
	// Triple: no handler could be reached, the processor shuts down. Chain
	// holds the exceptions in the order they were met, the first one first.
	Triple bool
	Chain  []x86.Fault
	// Unmodelled is set when the guest asked for something pvlab lacks.
	Unmodelled error
}

// Native delivers events as the processor does (SDM vol. 3, "Interrupt and
// Exception Handling"): through the IDT of 64-bit and of 32-bit protected
// mode, or the real-mode vector table.
type Native struct {
	// Probes may be nil. Set.Frame hears of each delivered frame.
	Probes *probe.Set
	// VCPU is put into the frames.
	VCPU int
	// WithoutRF leaves RF clear in the RFLAGS that a fault saves, as QEMU's
	// TCG does and no processor: for runs that are compared with it.
	WithoutRF bool

	frame Frame // of the last delivery; its slots are reused
}

// Frame is the frame of the last delivery that reached a handler. It is
// overwritten by the next one.
func (n *Native) Frame() *Frame { return &n.frame }

// delivery is one attempt to reach one vector.
type delivery struct {
	c      *cpu.CPU
	n      *Native
	vector uint8
	code   uint32 // error code to push when hasCode
	// hasCode is false for #GP and its like raised by INT n.
	hasCode bool
	soft    bool   // the gate's DPL counts
	ext     uint32 // EXT bit of error codes met on the way
	rip     uint64 // to save
	rflags  uint64 // to save
	kind    string
	user    bool // interrupted code ran at CPL 3
	// raw, when set, is what stops the run.
	raw error
}

// Deliver brings the event to the guest. c.RIP is the instruction that
// faulted, or the next one for traps and interrupts; for software interrupts
// the instruction itself (ev.Next is what its handler returns to).
func (n *Native) Deliver(c *cpu.CPU, ev Event) Result {
	c.Halted = false
	d := delivery{
		c: c, n: n, vector: ev.Vector, kind: ev.Kind.String(), rip: c.RIP, rflags: c.Flags(),
		user: c.CPL == 3, ext: 1,
	}
	switch ev.Kind {
	case Exception:
		d.except(ev.Fault)
	case Software:
		d.soft, d.ext, d.rip = true, 0, ev.Next
	case Privileged:
		d.rip = ev.Next
	case NMI:
		c.NMIBlocked = true
	}
	var chain []x86.Fault
	class := classOf(ev)
	for {
		f := d.attempt()
		if d.raw != nil {
			return Result{Unmodelled: d.raw}
		}
		if !f.Valid {
			c.Shadow = cpu.ShadowNone
			return Result{}
		}
		if len(chain) == 0 {
			chain = append(chain, eventFault(ev))
		}
		chain = append(chain, f)
		next := classOfVector(f.Vector)
		switch {
		case class == double && next != benign:
			return Result{Triple: true, Chain: chain}
		case class == contributory && next == contributory, class == pageFault && next != benign:
			next = double
			if f.Vector == x86.VectorPF {
				c.CR2 = f.Addr
			}
			f = x86.WithCode(x86.VectorDF, 0)
			chain = append(chain, f)
		}
		class = next
		d.kind, d.soft, d.ext, d.rip, d.rflags = Exception.String(), false, 1, c.RIP, c.Flags()
		d.vector = f.Vector
		d.except(f)
	}
}

// except prepares for an exception: what it pushes, and CR2.
func (d *delivery) except(f x86.Fault) {
	d.vector, d.code, d.hasCode = f.Vector, f.Code, f.HasCode
	switch f.Vector {
	case x86.VectorPF:
		d.c.CR2 = f.Addr
	case x86.VectorDB:
		if d.c.DR[7]&x86.DR7GD != 0 {
			d.c.SetDR(7, d.c.DR[7]&^x86.DR7GD)
		}
	}
	if savesRF(f) && !d.n.WithoutRF {
		d.rflags |= x86.FlagRF
	}
}

// savesRF reports whether the saved RFLAGS has RF set: for faults, except
// those of an instruction breakpoint (SDM vol. 3, "Instruction-Breakpoint
// Exception Condition"); f.Addr tells the general-detect fault of a MOV DR.
func savesRF(f x86.Fault) bool {
	switch f.Vector {
	case x86.VectorDB:
		return f.Addr&x86.DR6BD != 0
	case x86.VectorNMI, x86.VectorBP, x86.VectorOF, x86.VectorDF, x86.VectorMC:
		return false
	}
	return true
}

// faultClass decides what becomes of two exceptions in a row (SDM vol. 3,
// table "Conditions for Generating a Double Fault").
type faultClass uint8

const (
	benign faultClass = iota
	contributory
	pageFault
	double
)

func classOfVector(v uint8) faultClass {
	switch v {
	case x86.VectorDE, x86.VectorTS, x86.VectorNP, x86.VectorSS, x86.VectorGP, x86.VectorCP:
		return contributory
	case x86.VectorPF, x86.VectorVE:
		return pageFault
	case x86.VectorDF:
		return double
	}
	return benign
}

func classOf(ev Event) faultClass {
	if ev.Kind != Exception {
		return benign
	}
	return classOfVector(ev.Vector)
}

func eventFault(ev Event) x86.Fault {
	if ev.Kind == Exception {
		return ev.Fault
	}
	return x86.NoCode(ev.Vector)
}

var errTaskGate = errors.New("exception delivery through a task gate is not modelled")

// attempt delivers one vector; a valid fault is what stood in the way.
func (d *delivery) attempt() x86.Fault {
	d.n.frame = Frame{VCPU: d.n.VCPU, Vector: int(d.vector), Kind: d.kind, Slots: d.n.frame.Slots[:0], FromUser: d.user}
	switch {
	case !d.c.Protected():
		return d.real()
	case d.c.Long():
		return d.long()
	}
	return d.protected()
}
