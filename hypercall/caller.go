package hypercall

import (
	"encoding/binary"
	"fmt"

	"pvlab/entry"
	"pvlab/hv/dom"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Unmodelled is a hypercall, or a part of one, that is not built. It stops
// the run, or in tolerant mode is answered with -ENOSYS and noted.
type Unmodelled struct {
	Number uint64
	Name   string
	Sub    string // sub-operation, "" if the whole call is absent
}

func (u *Unmodelled) Error() string {
	if u.Sub == "" {
		return fmt.Sprintf("hypercall %d (%s) not modelled", u.Number, u.Name)
	}
	return fmt.Sprintf("hypercall %d (%s): %s not modelled", u.Number, u.Name, u.Sub)
}

// Caller makes the hypercalls of one vCPU.
type Caller struct {
	X *entry.Xen
	V *dom.VCPU
	D *dom.Domain
	// Tolerant goes on after something Unmodelled, which Unsure is told.
	Tolerant bool
	Unsure   func(what string)

	table  *Table
	args   [5]uint64
	number uint64
	multi  bool
	// next, when not empty, are the first arguments with which the handler
	// wants to be called again: a continuation.
	next []uint64
	buf  [5]uint64

	req request // of the tools' calls

	work, tables uint64 // see more
}

// NewCaller makes the caller of the vCPU behind x.
func NewCaller(x *entry.Xen, t *Table) *Caller {
	return &Caller{X: x, V: x.V, D: x.V.Dom, table: t}
}

// A guest's list is done in pieces, continued by executing the SYSCALL again
// (HC-07), so that no list holds the machine up: batch elements of it, or
// less if they make much work or the calls of a multicall made it already, or
// an event can be delivered (Xen's hypercall_preempt_check).
const (
	batch     = 1024
	maxWork   = 8 * batch // in elements
	tableWork = 32        // validating one page table, in elements
)

// more reports whether element i of a list may be done in this go. The first
// one always may, so that every continuation gets on.
func (c *Caller) more(i uint64) bool {
	c.work++
	return i == 0 || i < batch && c.work+tableWork*(c.D.Rules.Tables-c.tables) < maxWork && !c.V.Deliverable()
}

// argRegs are the registers of the arguments (HC-01).
var argRegs = [5]int{x86.RDI, x86.RSI, x86.RDX, x86.R10, x86.R8}

// Do makes the hypercall that the registers ask for; they are those after
// SYSCALL. RAX has the result afterwards. The error is *Unmodelled.
func (c *Caller) Do() error {
	r := &c.V.CPU.R
	n := r[x86.RAX]
	for i, reg := range argRegs {
		c.args[i] = r[reg]
	}
	c.multi = false
	c.work, c.tables = 0, c.D.Rules.Tables
	res, err := c.call(n)
	if err != nil {
		return err
	}
	if len(c.next) != 0 {
		for i, a := range c.next {
			r[argRegs[i]] = a
		}
		c.next = nil
		c.V.CPU.RIP -= 2
		res = n
	}
	r[x86.RAX] = res
	return nil
}

// call runs one row with c.args.
func (c *Caller) call(n uint64) (uint64, error) {
	c.number = n
	row := &c.table[min(n, maxHypercall)]
	if len(c.D.Probes.Hypercall)+len(c.D.Probes.Return) != 0 {
		return c.watched(row)
	}
	return c.run(row)
}

func (c *Caller) run(row *Row) (uint64, error) {
	switch {
	case row.run != nil:
		return row.run(c)
	case row.Support == Absent:
		return c.unmodelled("")
	}
	return ret(abi.Errno(-row.Support))
}

// watched runs a row between its probes.
func (c *Caller) watched(row *Row) (uint64, error) {
	ev := probe.Hypercall{VCPU: c.V.ID, Number: c.number, Name: row.Name, Op: c.opName(row), Args: c.args, NArgs: row.NArgs,
		Multi: c.multi, RIP: c.V.CPU.RIP}
	probe.Fire(c.D.Probes.Hypercall, &ev)
	res, err := c.run(row)
	if err == nil {
		ev.Result = res
		probe.Fire(c.D.Probes.Return, &ev)
	}
	return res, err
}

// unmodelled is the answer for what is not built.
func (c *Caller) unmodelled(sub string) (uint64, error) {
	u := &Unmodelled{Number: c.number, Name: c.table.Name(c.number), Sub: sub}
	if !c.Tolerant {
		return 0, u
	}
	if c.Unsure != nil {
		c.Unsure(u.Error())
	}
	return abi.ENOSYS.Result(), nil
}

// opName names the operation that a call is about to do, "" if that cannot be
// said: for the eyes of observers only.
func (c *Caller) opName(row *Row) string {
	n := c.args[0] & row.Ops.Mask
	switch row.Ops.At {
	case nowhere, inList:
		return ""
	case inStruct:
		// An ordinary read would mark pages as accessed.
		w := pagetable.Translate(c.D.Mem, c.V.CPU.CR3, c.args[0], c.D.Rules.MaxPA, true)
		var b [4]byte
		if !w.Mapped || !c.D.Mem.Read(w.PA, b[:]) {
			return ""
		}
		n = uint64(le.Uint32(b[:]))
	}
	if op := row.Ops.find(n); op != nil {
		return op.Name
	}
	return ""
}

// ret turns an errno into a handler's answer.
func ret(e abi.Errno) (uint64, error) { return e.Result(), nil }

// value is a handler's answer that is not an errno.
func value(v uint64) (uint64, error) { return v, nil }

// cmd32 is an argument declared int or unsigned int.
func (c *Caller) cmd32(i int) uint64 { return uint64(uint32(c.args[i])) }

// proceed asks for the call to be made again with these first arguments.
func (c *Caller) proceed(args ...uint64) (uint64, error) {
	c.next = c.buf[:copy(c.buf[:], args)]
	return 0, nil
}

// copyIn reads an argument structure. To copy nothing succeeds at any address.
func (c *Caller) copyIn(addr uint64, b []byte) bool { return len(b) == 0 || c.V.CopyFrom(addr, b) }

func (c *Caller) copyOut(addr uint64, b []byte) bool { return len(b) == 0 || c.V.CopyTo(addr, b) }

var le = binary.LittleEndian

// self reports whether a domain id in an argument means the caller.
func (c *Caller) self(id uint16) bool { return id == abi.DomIDSelf || id == c.D.ID }

func xenPMUOp(*Caller) (uint64, error) { return ret(abi.EOPNOTSUPP) }
