package pagetable

// Entry is a page-table entry of any level (SDM vol. 3, "4-Level Paging").
type Entry uint64

// Entry bits.
const (
	Present  Entry = 1 << 0
	Writable Entry = 1 << 1
	User     Entry = 1 << 2
	PWT      Entry = 1 << 3
	PCD      Entry = 1 << 4
	Accessed Entry = 1 << 5
	Dirty    Entry = 1 << 6
	PSE      Entry = 1 << 7 // level 2 and 3: a large page; level 1: PAT
	Global   Entry = 1 << 8
	AvailLow Entry = 7 << 9
	NX       Entry = 1 << 63

	// AddrMask selects the frame address, bits 12-51.
	AddrMask Entry = 0x000ffffffffff000
)

// Has reports whether all bits of mask are set.
func (e Entry) Has(mask Entry) bool { return e&mask == mask }

// MFN is the frame number in the entry.
func (e Entry) MFN() uint64 { return uint64(e&AddrMask) >> 12 }

// Make builds an entry that points at frame mfn.
func Make(mfn uint64, flags Entry) Entry { return Entry(mfn<<12)&AddrMask | flags }

// Index is the slot of linear address lin in a table of the given level
// (1 to 4).
func Index(lin uint64, level int) uint64 { return lin >> (12 + 9*uint(level-1)) & 511 }
