package cpu

// TLBState is the architectural content of a TLB: what a snapshot keeps when
// stale translations are kept. Fast tags are not part of it.
type TLBState struct {
	arch, archAll uint64
	archTop       uint64
	other         tlbSpace
	largeSeen     bool
	views         [tlbModes][tlbSize]tlbSaved
}

type tlbSaved struct {
	page, pa, agen uint64
	perm           perm
}

// SaveTLB copies the TLB's content to s.
func (c *CPU) SaveTLB(s *TLBState) {
	s.arch, s.archAll, s.largeSeen = c.arch, c.archAll, c.largeSeen
	s.archTop, s.other = c.archTop, c.other
	for v := range c.tlbs {
		for i := range c.tlbs[v] {
			e := &c.tlbs[v][i]
			s.views[v][i] = tlbSaved{e.page, e.pa, e.agen, e.perm}
		}
	}
}

// LoadTLB puts saved content back.
func (c *CPU) LoadTLB(s *TLBState) {
	c.arch, c.archAll, c.largeSeen = s.arch, s.archAll, s.largeSeen
	c.archTop, c.other = s.archTop, s.other
	for v := range c.tlbs {
		for i := range c.tlbs[v] {
			e := &s.views[v][i]
			c.tlbs[v][i] = tlbEntry{page: e.page, pa: e.pa, agen: e.agen, perm: e.perm}
		}
	}
	c.seenT = c.Mem.TableWrites
	c.dropTags()
}
