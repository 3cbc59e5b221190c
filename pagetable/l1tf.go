package pagetable

// L1TF is Xen's guard against not-present entries through which a processor
// with the L1 terminal fault could be made to read memory (MM-19, CRASH-09;
// XI/shadow.h:pv_l1tf_check_pte). Debian's Xen has no shadow paging to fall
// back on, so such an entry ends the domain.
type L1TF struct {
	// Mask are the address bits that the level 1 cache looks at, Safe the
	// address from which on it holds nothing.
	Mask, Safe uint64
	// Crash ends the domain of the table that was to get the entry.
	Crash func(level Type, e Entry)
}

// Leaks reports whether the guard of r, if there is one, forbids the
// not-present entry e in a table of level, and ends the domain then.
func (r *Rules) Leaks(e Entry, level Type) bool {
	g := r.L1TF
	if g == nil {
		return false
	}
	at := uint64(e) & g.Mask
	if !(level > TypeL1 && e.Has(PSE)) && (at == 0 || at >= g.Safe) {
		return false
	}
	g.Crash(level, e)
	return true
}
