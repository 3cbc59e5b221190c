package grant

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Backend stands for domain 0 beside a domU: it uses the domU's grants as
// domain 0's drivers do. It has no page tables; what it maps it reads and
// writes by frame number.
type Backend struct {
	s *System
	a Actor
}

// Backend acts for the domain of table t.
func (s *System) Backend(t *Table) *Backend { return &Backend{s, Actor{t, 0, noTables{}}} }

// Mapped is a mapping of a backend's.
type Mapped struct {
	Handle uint32
	MFN    uint64
}

// Map maps reference ref of domain dom.
func (b *Backend) Map(dom uint16, ref uint32, readonly bool) (Mapped, abi.GrantStatus) {
	op := abi.GrantMap{HostAddr: anywhere, Flags: abi.GntmapHostMap, Ref: ref, Dom: dom}
	if readonly {
		op.Flags |= abi.GntmapReadonly
	}
	b.s.Map(&b.a, &op)
	return Mapped{op.Handle, op.DevBusAddr >> mem.PageShift}, op.Status
}

// Unmap gives a mapping up.
func (b *Backend) Unmap(handle uint32) abi.GrantStatus {
	u := Unmap{HostAddr: anywhere, Handle: handle}
	st := b.s.Unmap(&b.a, &u)
	b.s.Finish(&u)
	return st
}

// Copy does one copy between grants of others and frames of its own.
func (b *Backend) Copy(op *abi.GrantCopy) abi.GrantStatus {
	c := b.s.Copy(b.a.Table)
	defer c.End()
	return c.One(op)
}

// anywhere is an address that a backend maps at.
const anywhere = 1

// noTables is the Mapper of a domain without page tables.
type noTables struct{}

func (noTables) Create(_, _ uint64, _ uint32) abi.GrantStatus     { return 0 }
func (noTables) Replace(_, _, _ uint64, _ uint32) abi.GrantStatus { return 0 }
