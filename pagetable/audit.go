package pagetable

import (
	"fmt"
	"strings"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Held is a reference to a frame that no page table holds: a root, a
// descriptor page, vcpu_info.
type Held struct {
	MFN  uint64
	Type Type   // the type reference that goes with it; TypeNone: none
	By   string // what holds it
	N    int    // which one
}

func (h Held) String() string { return fmt.Sprintf("%s %d", h.By, h.N) }

// Violation is a broken invariant of page types: a defect of pvlab.
type Violation struct {
	MFN  uint64
	Info mem.PageInfo // as found
	// General and Typed are the references counted from scratch, Linear the
	// count that linear entries of the frame and to it should have come to.
	General, Typed uint32
	Linear         int32
	What           string
	Refs           []string // where the references are, as far as they were found
}

func (v *Violation) Error() string {
	var b strings.Builder
	p := v.Info
	fmt.Fprintf(&b, "frame %#x: %s; owner %s, type %s, flags %s: general count %d, found %d; type count %d, found %d",
		v.MFN, v.What, domName(p.Owner), typeName(p.Type), flagNames(p.Flags), p.Count, v.General, p.TypeCount, v.Typed)
	if p.Type >= TypeL2 && p.Type <= TypeL4 {
		fmt.Fprintf(&b, "; linear count %d, found %d", int32(p.Aux), v.Linear)
	}
	for _, r := range v.Refs {
		b.WriteString("\n  " + r)
	}
	return b.String()
}

var typeNames = [...]string{"none", "L1", "L2", "L3", "L4", "descriptors", "shared", "writable"}

func typeName(t Type) string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprint(t)
}

func flagNames(f uint8) string {
	var names []string
	for i, n := range [...]string{"validated", "pinned", "allocated", "Xen's"} {
		if f>>i&1 != 0 {
			names = append(names, n)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "+")
}

// Auditor counts the references of all frames from scratch. It keeps its
// tables between audits.
type Auditor struct {
	r     *Rules
	tally []tally
	table []uint64 // frames that are validated page tables
}

// tally is what an audit counts of one frame.
type tally struct {
	general, typed uint32
	linear         int32
}

// NewAuditor makes an auditor of the frames under r.
func NewAuditor(r *Rules) *Auditor {
	return &Auditor{r: r, tally: make([]tally, r.M.Frames())}
}

// ref is one reference: to frame mfn, with a type or (TypeNone) without, from
// slot of table at, or held by something else.
type ref struct {
	mfn    uint64
	typ    Type
	at     uint64
	slot   int
	linear bool
	held   *Held
}

func (f ref) String() string {
	how := ""
	if f.typ != TypeNone {
		how = " as " + typeName(f.typ)
	}
	if f.held != nil {
		return f.held.String() + how
	}
	if f.linear {
		how += ", linear"
	}
	return fmt.Sprintf("frame %#x slot %d%s", f.at, f.slot, how)
}

// Audit compares the type and reference counts of every frame with the
// references there are: entries of validated tables, and held. It returns a
// *Violation for the first frame (by number) that breaks an invariant:
//
//   - counts equal to the number of references;
//   - all type references of a frame of its type, so that no page table or
//     descriptor page has a writable mapping;
//   - an entry present in a validated table is one that Xen would have
//     admitted: known flags, target owned by the table's owner or lent by Xen;
//   - slots 256-271 of a root are Xen's.
func (a *Auditor) Audit(held []Held) error {
	clear(a.tally)
	var bad *Violation
	note := func(mfn uint64, format string, args ...any) {
		if bad == nil || mfn < bad.MFN {
			bad = &Violation{MFN: mfn, Info: a.r.M.Info(mfn), What: fmt.Sprintf(format, args...)}
		}
	}
	a.each(held, func(f ref) {
		if !a.r.valid(f.mfn) {
			note(f.mfn, "reference to a frame past the end by %v", f)
			return
		}
		t := &a.tally[f.mfn]
		t.general++
		if f.linear {
			t.linear--
			a.tally[f.at].linear++
		}
		if f.typ == TypeNone {
			return
		}
		t.typed++
		if p := a.r.M.Info(f.mfn); p.Type != f.typ || p.Flags&Validated == 0 {
			note(f.mfn, "used %v, which it is not", f)
		}
	}, note)
	for mfn := range a.tally {
		p := a.r.M.Info(uint64(mfn))
		if what := a.tally[mfn].differs(p); what != "" {
			note(uint64(mfn), "%s", what)
			break
		}
	}
	if bad == nil {
		return nil
	}
	if a.r.valid(bad.MFN) {
		t := a.tally[bad.MFN]
		bad.General, bad.Typed, bad.Linear = t.general, t.typed, t.linear
	}
	bad.Refs = a.references(held, bad.MFN)
	return bad
}

// lent reports whether p is a frame of Xen's or of I/O whose type Xen holds
// (Share): it has one type reference that nothing else accounts for.
func lent(p mem.PageInfo) bool {
	return p.Count != 0 && (p.Flags&XenHeap != 0 || p.Owner == OwnerIO)
}

// differs says what of p is not as counted.
func (t tally) differs(p mem.PageInfo) string {
	if lent(p) {
		t.typed++
	}
	switch {
	case p.Count != t.general:
		return "general count"
	case p.TypeCount != t.typed:
		return "type count"
	case p.Count == 0 && p.Flags&^XenHeap|p.Type != 0:
		return "free, but with a type"
	case p.Type >= TypeL2 && p.Type <= TypeL4 && int32(p.Aux) != t.linear:
		return "linear count"
	case p.TypeCount == 0 && p.Flags&Validated != 0 && p.Type >= TypeL1 && p.Type <= TypeL4:
		return "validated as a page table without a reference"
	case p.TypeCount != 0 && p.Flags&Validated == 0:
		return "typed, but never validated"
	}
	return ""
}

// maxRefs bounds the list of a violation.
const maxRefs = 32

// references lists the references to a frame.
func (a *Auditor) references(held []Held, mfn uint64) (list []string) {
	more := 0
	a.each(held, func(f ref) {
		switch {
		case f.mfn != mfn:
		case len(list) < maxRefs:
			list = append(list, f.String())
		default:
			more++
		}
	}, func(uint64, string, ...any) {})
	if more != 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return list
}

// each calls yield for every reference there is.
func (a *Auditor) each(held []Held, yield func(ref), note func(uint64, string, ...any)) {
	for i := range held {
		yield(ref{mfn: held[i].MFN, typ: held[i].Type, held: &held[i]})
	}
	a.table = a.table[:0]
	for mfn := uint64(0); mfn < a.r.M.Frames(); mfn++ {
		p := a.r.M.Info(mfn)
		if p.Flags&Allocated != 0 {
			yield(ref{mfn: mfn, held: &ofOwner})
		}
		if p.Flags&Pinned != 0 {
			yield(ref{mfn: mfn, typ: p.Type, held: &ofPin})
		}
		if p.TypeCount != 0 && p.Flags&Validated != 0 && p.Type >= TypeL1 && p.Type <= TypeL4 {
			a.table = append(a.table, mfn)
		}
	}
	for _, mfn := range a.table {
		a.entries(mfn, yield, note)
	}
}

var (
	ofOwner = Held{By: "allocation of owner"}
	ofPin   = Held{By: "pin"}
)

// entries are the references of one validated table.
func (a *Auditor) entries(table uint64, yield func(ref), note func(uint64, string, ...any)) {
	p := a.r.M.Info(table)
	for i := 0; i < entries; i++ {
		e := a.r.entry(table, i)
		if !guestSlot(p.Type, i) {
			if want := xenSlot(i-abi.L4FirstXenSlot, a.r.XenSlots[i-abi.L4FirstXenSlot], table); e != want && (e != 0 || i != abi.L4M2PSlot) {
				note(table, "slot %d is %#x, not Xen's %#x", i, uint64(e), uint64(want))
			}
			continue
		}
		if !e.Has(Present) {
			continue
		}
		ok := allowed
		if p.Type == TypeL1 {
			ok |= Global | cacheAttrs
		}
		if e&^ok != 0 {
			note(table, "slot %d is %#x, with flags no guest may have", i, uint64(e))
		}
		f := ref{mfn: e.MFN(), at: table, slot: i}
		if p.Type == TypeL1 {
			if !a.r.valid(f.mfn) || a.r.M.Info(f.mfn).Owner == OwnerIO {
				continue // MMIO is not counted
			}
			if e.Has(Writable) {
				f.typ = TypeWritable
			}
			yield(f)
			continue
		}
		if f.mfn == table {
			if e.Has(Writable) {
				note(table, "slot %d maps the table itself writable", i)
			}
			continue
		}
		f.typ = p.Type - 1
		if t := a.r.M.Info(f.mfn); t.Type == p.Type {
			f.typ, f.linear = p.Type, true
			if e.Has(Writable) {
				note(table, "slot %d is a writable linear entry", i)
			}
		}
		if o := a.r.M.Info(f.mfn).Owner; o != p.Owner {
			note(f.mfn, "owned by %s, but a page table of %s", domName(o), domName(p.Owner))
		}
		yield(f)
	}
}
