package grant

import "slices"

// chunks is an array that grows in pieces. Snapshots share the pieces: one is
// copied when it is first written after a save.
type chunks[T any] struct {
	list []*[chunkSize]T
	own  []bool // not shared with any snapshot
}

const chunkSize = 256

func (c *chunks[T]) len() uint32 { return uint32(len(c.list)) * chunkSize }

// grow adds a piece of zero values.
func (c *chunks[T]) grow() {
	c.list = append(c.list, new([chunkSize]T))
	c.own = append(c.own, true)
}

// at is element i, for reading.
func (c *chunks[T]) at(i uint32) T { return c.list[i/chunkSize][i%chunkSize] }

// set replaces element i.
func (c *chunks[T]) set(i uint32, v T) {
	p := i / chunkSize
	if !c.own[p] {
		d := *c.list[p]
		c.list[p], c.own[p] = &d, true
	}
	c.list[p][i%chunkSize] = v
}

func (c *chunks[T]) save() []*[chunkSize]T {
	clear(c.own)
	return slices.Clone(c.list)
}

func (c *chunks[T]) load(list []*[chunkSize]T) {
	c.list = append(c.list[:0], list...)
	c.own = append(c.own[:0], make([]bool, len(list))...)
}
