package mem

// Snapshots form a tree. The arena always equals "content of snapshot base,
// plus the frames dirtied since". Each tree edge stores the pages in which
// its two ends differ, once, on the side away from base: moving over an edge
// swaps stored and live pages. So taking a snapshot copies nothing, and
// restoring costs the pages that differ.

// layer is a set of old contents: of the frames dirtied since base, or of an
// edge.
type layer struct {
	pages []savedPage
	infos []savedInfo
}

type savedPage struct {
	mfn  uint64
	data *[PageSize]byte
}

type savedInfo struct {
	mfn  uint64
	info PageInfo
}

// Snapshot is one remembered state of a Memory.
type Snapshot struct {
	parent *Snapshot
	depth  int
	refs   int   // handles given out, and child edges
	edge   layer // difference to parent, held for the far side
	m      *Memory
}

type snapState struct {
	base  *Snapshot
	dirty layer
	pool  []*[PageSize]byte
}

// poolMax bounds the recycled page buffers (4 MiB).
const poolMax = 1024

func (m *Memory) getPage() *[PageSize]byte {
	if n := len(m.snap.pool); n > 0 {
		p := m.snap.pool[n-1]
		m.snap.pool = m.snap.pool[:n-1]
		return p
	}
	return new([PageSize]byte)
}

func (m *Memory) putPage(p *[PageSize]byte) {
	if len(m.snap.pool) < poolMax {
		m.snap.pool = append(m.snap.pool, p)
	}
}

func (m *Memory) savePage(mfn uint64) {
	p := m.getPage()
	copy(p[:], m.Frame(mfn))
	m.snap.dirty.pages = append(m.snap.dirty.pages, savedPage{mfn, p})
}

func (m *Memory) saveInfo(mfn uint64) {
	m.infoEpoch[mfn] = m.epoch
	if m.snap.base != nil {
		m.snap.dirty.infos = append(m.snap.dirty.infos, savedInfo{mfn, m.info[mfn]})
	}
}

// Snapshot remembers the present state. Cost: the frames dirtied since the
// last snapshot or restore; the first one looks at every frame's flag byte.
func (m *Memory) Snapshot() *Snapshot {
	s := &m.snap
	if s.base != nil && len(s.dirty.pages) == 0 && len(s.dirty.infos) == 0 {
		s.base.refs++
		return s.base
	}
	n := &Snapshot{parent: s.base, refs: 1, m: m}
	if s.base == nil {
		for i := range m.flags {
			m.flags[i] |= flagClean
		}
	} else {
		n.depth = s.base.depth + 1
		s.base.refs++
		n.edge = s.dirty
		for _, p := range s.dirty.pages {
			m.flags[p.mfn] |= flagClean
		}
		s.dirty = layer{}
	}
	s.base = n
	m.newEpoch()
	return n
}

// Restore makes the memory equal to what it was when s was taken. s stays
// valid and may be restored again.
func (m *Memory) Restore(s *Snapshot) {
	if s.m != m || s.refs == 0 {
		panic("mem: restore of a released or foreign snapshot")
	}
	st := &m.snap
	for _, p := range st.dirty.pages {
		m.setPage(p.mfn, p.data)
		m.putPage(p.data)
	}
	for _, i := range st.dirty.infos {
		m.info[i.mfn] = i.info
	}
	st.dirty.pages, st.dirty.infos = st.dirty.pages[:0], st.dirty.infos[:0]
	old := st.base
	// Walk up from both ends to the common ancestor; down edges are applied
	// from the ancestor outwards.
	var down []*Snapshot
	a, b := st.base, s
	for a != b {
		if b.depth > a.depth {
			down = append(down, b)
			b = b.parent
			continue
		}
		m.swap(&a.edge)
		a = a.parent
	}
	for i := len(down) - 1; i >= 0; i-- {
		m.swap(&down[i].edge)
	}
	st.base = s
	m.newEpoch()
	if old != s {
		m.collect(old)
	}
}

// Release gives up one handle. A released snapshot's storage is freed when no
// later snapshot builds on it and the memory does not stand on it.
func (m *Memory) Release(s *Snapshot) {
	if s.m != m || s.refs == 0 {
		panic("mem: release of a released or foreign snapshot")
	}
	s.refs--
	m.collect(s)
}

// collect frees s and its ancestors while nothing needs them.
func (m *Memory) collect(s *Snapshot) {
	for s != nil && s.refs == 0 && s != m.snap.base && s.parent != nil {
		for _, p := range s.edge.pages {
			m.putPage(p.data)
		}
		s.edge = layer{}
		p := s.parent
		s.parent = nil
		p.refs--
		s = p
	}
}

// DirtyFrames is the number of frames written since the last snapshot or
// restore.
func (m *Memory) DirtyFrames() int { return len(m.snap.dirty.pages) }

func (m *Memory) swap(l *layer) {
	for i := range l.pages {
		p := &l.pages[i]
		t := m.getPage()
		copy(t[:], m.Frame(p.mfn))
		m.setPage(p.mfn, p.data)
		m.putPage(p.data)
		p.data = t
	}
	for i := range l.infos {
		e := &l.infos[i]
		m.info[e.mfn], e.info = e.info, m.info[e.mfn]
	}
}

// setPage puts back old content: the frame is clean again, and code decoded
// from the content it had is stale.
func (m *Memory) setPage(mfn uint64, data *[PageSize]byte) {
	copy(m.Frame(mfn), data[:])
	f := m.flags[mfn]
	if f&flagCode != 0 {
		m.gen[mfn]++
	}
	if f&flagTable != 0 {
		m.TableWrites++
	}
	m.flags[mfn] = flagClean | f&flagTable
}

func (m *Memory) newEpoch() {
	m.Revocations++
	m.epoch++
	if m.epoch == 0 { // wrapped: forget all stamps
		clear(m.infoEpoch)
		m.epoch = 1
	}
}
