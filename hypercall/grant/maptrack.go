package grant

// mapping is a maptrack entry: one mapping of a grant. Its index is the
// handle that the domain gets.
type mapping struct {
	ref   uint32 // in a free entry: the next free one
	flags uint16 // GNTMAP_*, 0 = free
	domid uint16 // the granting domain
	vcpu  uint32 // whose list of free entries it came from
}

// freeList is a vCPU's list of free maptrack entries; noHandle when it never
// had one.
type freeList struct{ head, tail uint32 }

// noHandle ends the list; as a handle it means that there is none.
const noHandle = ^uint32(0)

// takeHandle gets a free entry for vCPU v: of its own list, else of a new
// piece, else of another vCPU's list.
func (t *Table) takeHandle(v int) uint32 {
	if h := t.popHandle(v); h != noHandle {
		return h
	}
	if len(t.track.list) < maxMaptrack {
		return t.moreHandles(v)
	}
	if t.free[v].tail == noHandle { // a list needs an entry to end with
		h := t.stealHandle(v)
		if h == noHandle {
			return h
		}
		e := t.track.at(h)
		e.ref = noHandle
		t.track.set(h, e)
		t.free[v] = freeList{h, h}
	}
	return t.stealHandle(v)
}

// popHandle takes the first entry of a list, but never the last one: entries
// are added behind it.
func (t *Table) popHandle(v int) uint32 {
	head := t.free[v].head
	if head == noHandle {
		return noHandle
	}
	next := t.track.at(head).ref
	if next == noHandle {
		return noHandle
	}
	t.free[v].head = next
	return head
}

// stealHandle takes one of another vCPU's. Xen begins at a random one, the
// model at the first.
func (t *Table) stealHandle(v int) uint32 {
	for i := range t.free {
		if h := t.popHandle(i); h != noHandle {
			e := t.track.at(h)
			e.vcpu = uint32(v)
			t.track.set(h, e)
			return h
		}
	}
	return noHandle
}

// moreHandles adds a piece, whose first entry it returns; the others go
// before the vCPU's list.
func (t *Table) moreHandles(v int) uint32 {
	first := t.track.len()
	t.track.grow()
	for i := first; i < first+chunkSize; i++ {
		t.track.set(i, mapping{ref: i + 1, vcpu: uint32(v)})
	}
	last := first + chunkSize - 1
	t.track.set(last, mapping{ref: t.free[v].head, vcpu: uint32(v)})
	if t.free[v].tail == noHandle {
		t.free[v].tail = last
	}
	t.free[v].head = first + 1
	return first
}

// putHandle adds a free entry to the list that it came from.
func (t *Table) putHandle(h uint32) {
	e := t.track.at(h)
	e.ref, e.flags = noHandle, 0
	t.track.set(h, e)
	l := &t.free[e.vcpu]
	tail := t.track.at(l.tail)
	tail.ref = h
	t.track.set(l.tail, tail)
	l.tail = h
}
