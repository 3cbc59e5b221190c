package pagetable

import "pvlab/hv/mem"

// Walk is the record of one 4-level translation.
type Walk struct {
	// Entries and PTE hold, per level 4..1 at index level-1, the entry read
	// and the physical address it was read from.
	Entries [4]Entry
	At      [4]uint64
	// Level is the level of the last entry read: where the walk ended, by a
	// missing entry, a large page, or the leaf.
	Level int
	// Mapped is true when every entry read was present (and inside memory).
	Mapped bool
	// Size is the page size in bytes, PA the physical address of lin, both
	// valid when Mapped.
	Size uint64
	PA   uint64
	// Rights of all levels combined.
	Writable, User, NX, Global bool
	// Reserved reports a reserved bit set in an entry of the walk.
	Reserved bool
}

// Translate walks the 4-level table rooted at physical address cr3 (low 12
// bits ignored) for lin. It changes nothing; accessed and dirty bits are the
// caller's. maxPA is the number of physical address bits: higher address bits
// are reserved, as is NX unless nxe is set.
func Translate(m *mem.Memory, cr3, lin uint64, maxPA uint, nxe bool) (w Walk) {
	reserved := Entry(uint64(AddrMask) >> maxPA << maxPA)
	if !nxe {
		reserved |= NX
	}
	table := cr3 & uint64(AddrMask)
	w.Writable, w.User = true, true
	for level := 4; level >= 1; level-- {
		at := table + Index(lin, level)*8
		e := Entry(m.Read64(at))
		if !m.Contains(at, 8) {
			e = 0
		}
		w.Level = level
		w.Entries[level-1], w.At[level-1] = e, at
		if !e.Has(Present) {
			return w
		}
		m.MarkTable(at >> mem.PageShift)
		large := e.Has(PSE) && (level == 2 || level == 3)
		bad := reserved
		if level == 4 {
			bad |= PSE
		}
		if large {
			bad |= Entry(uint64(1)<<(12+9*uint(level-1))-1) &^ 0x1fff
		}
		if e&bad != 0 {
			w.Reserved = true
			return w
		}
		w.Writable = w.Writable && e.Has(Writable)
		w.User = w.User && e.Has(User)
		w.NX = w.NX || e.Has(NX)
		if level == 1 || large {
			w.Size = 1 << (12 + 9*uint(level-1))
			w.PA = uint64(e&AddrMask)&^(w.Size-1) | lin&(w.Size-1)
			w.Global = e.Has(Global)
			w.Mapped = true
			return w
		}
		table = uint64(e & AddrMask)
	}
	return w
}
