package grant

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Limits of a domain, Xen 4.17's defaults, in frames of 4 KiB.
const (
	MaxFrames       = 64                                                // of the table itself
	MaxStatusFrames = MaxFrames * entriesV2 / statusPerFrame            // of the status table of version 2
	maxMaptrack     = 1024                                              // of maptrack entries
	maxEntries      = MaxFrames * (mem.PageSize / abi.GrantEntryV1Size) // active entries
)

// Entries in a frame.
const (
	entriesV1      = mem.PageSize / abi.GrantEntryV1Size
	entriesV2      = mem.PageSize / abi.GrantEntryV2Size
	statusPerFrame = mem.PageSize / abi.GrantStatusSize
)

// System is the grant tables of all domains of a machine.
type System struct {
	Mem   *mem.Memory
	Rules *pagetable.Rules
	// SetM2P records the pseudo-physical page of a frame.
	SetM2P func(mfn, pfn uint64)

	tables []*Table
}

// Frames says where in Xen's own memory a domain's table lies: Shared frames
// from one, Status frames from the other. They are the domain's to map once
// they are part of the table.
type Frames struct{ Shared, Status uint64 }

// Table is the grant table of one domain. A new one has version 1 and one
// frame.
type Table struct {
	Domain uint16
	State

	sys    *System
	frames Frames
	active chunks[activeEntry]
	track  chunks[mapping]
	free   []freeList // of maptrack entries, by vCPU
}

// State is what is small of a table's state.
type State struct {
	Version uint8
	Shared  uint32 // frames in use
	Status  uint32 // status frames in use, version 2
	v2ops   int32  // copies of parts and transitive grants in progress
}

// Add makes the table of a domain with so many vCPUs.
func (s *System) Add(domain uint16, vcpus int, f Frames) *Table {
	t := &Table{Domain: domain, State: State{Version: 1}, sys: s, frames: f, free: make([]freeList, vcpus)}
	for i := range t.free {
		t.free[i] = freeList{noHandle, noHandle}
	}
	s.tables = append(s.tables, t)
	t.grow(1)
	return t
}

// Table is that of a domain; nil when there is no such domain.
func (s *System) Table(domain uint16) *Table {
	for _, t := range s.tables {
		if t.Domain == domain {
			return t
		}
	}
	return nil
}

// tableOf is Table for a caller that may also name itself DOMID_SELF.
func (s *System) tableOf(self *Table, domain uint16) *Table {
	if domain == abi.DomIDSelf {
		return self
	}
	return s.Table(domain)
}

// MaxFrames is how long the table can be.
func (t *Table) MaxFrames() uint32 { return MaxFrames }

func (t *Table) owner() uint16 { return pagetable.OwnerOf(t.Domain) }

// Entries is the number of references that the table has.
func (t *Table) Entries() uint32 {
	if t.Version == 1 {
		return t.Shared * entriesV1
	}
	return t.Shared * entriesV2
}

// SharedFrame and StatusFrame are the MFNs of the frames that the guest maps.
func (t *Table) SharedFrame(i uint32) uint64 { return t.frames.Shared + uint64(i) }

// StatusFrame is that of the status table.
func (t *Table) StatusFrame(i uint32) uint64 { return t.frames.Status + uint64(i) }

// Saved is the tables of a System at one time.
type Saved []savedTable

type savedTable struct {
	state  State
	active []*[chunkSize]activeEntry
	track  []*[chunkSize]mapping
	free   []freeList
}

// Save copies the state; Load puts it back. The frames are memory's.
func (s *System) Save() Saved {
	all := make(Saved, len(s.tables))
	for i, t := range s.tables {
		all[i] = savedTable{t.State, t.active.save(), t.track.save(), append([]freeList(nil), t.free...)}
	}
	return all
}

// Load restores what Save returned.
func (s *System) Load(all Saved) {
	for i, t := range s.tables {
		t.State = all[i].state
		t.active.load(all[i].active)
		t.track.load(all[i].track)
		copy(t.free, all[i].free)
	}
}
