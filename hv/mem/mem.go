// Package mem is the machine's memory: one address-stable arena of 4 KiB
// frames (MFNs), what each frame is used for, and copy-on-write snapshots.
//
// Everything that changes guest-visible bytes goes through Memory: either a
// Write* call, or a host pointer obtained after PrepareWrite granted the
// frame. That is where three things hang that must never be missed: saving
// the old page for a snapshot, dropping decoded code, and (with
// `--tlb drop`) noticing that a page table changed.
package mem

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// Frame geometry.
const (
	PageShift = 12
	PageSize  = 1 << PageShift
	PageMask  = PageSize - 1
)

// MaxBytes bounds the arena; more is refused, not attempted.
const MaxBytes = 64 << 30

// Frame flags. A frame whose flags are all zero may be written through a
// cached host pointer; any set bit sends the writer through PrepareWrite.
const (
	flagClean uint8 = 1 << iota // not yet saved since the current snapshot
	flagCode                    // decoded instructions of this frame are cached
	flagTable                   // a walk used this frame as a page table (only with TrackTables)
)

// PageInfo is Xen's struct page_info as far as the rules need it: who owns
// the frame, how often it is referenced, and which type it has been given
// (X/mm.c head comment). The pagetable room gives the fields their meaning.
type PageInfo struct {
	Owner     uint16 // domain id + 1; 0 = nobody
	Type      uint8  // pagetable's page type
	Flags     uint8  // pagetable's flags: validated, pinned, ...
	TypeCount uint32 // references that hold Type
	Count     uint32 // general references
	Aux       uint32 // pagetable's: partial validation, back pointer, linear counts
}

// Memory is the arena of one machine. It is not safe for concurrent use: the
// machine's scheduler runs one vCPU at a time.
type Memory struct {
	base   unsafe.Pointer
	data   []byte
	flags  []uint8
	gen    []uint32 // per frame: bumped when decoded code of it becomes stale
	info   []PageInfo
	frames uint64

	infoEpoch []uint32 // epoch in which info[mfn] was last logged
	epoch     uint32

	// Revocations counts events after which cached write permission must not
	// be trusted any more: a snapshot was taken or restored, a frame became
	// code or table. A vCPU compares it before it runs.
	Revocations uint64
	// TableWrites counts writes to frames that a page walk used; it moves
	// only with TrackTables set.
	TableWrites uint64
	// TrackTables asks for flagTable bookkeeping (`--tlb drop`).
	TrackTables bool

	unmap func()
	snap  snapState
}

// New reserves an arena of size bytes, a multiple of the page size. Pages are
// zero and cost host memory only when touched.
func New(size uint64) (*Memory, error) {
	if size == 0 || size&PageMask != 0 || size > MaxBytes {
		return nil, fmt.Errorf("mem: size %#x: want a multiple of 4096 up to %#x", size, uint64(MaxBytes))
	}
	data, unmap, err := reserve(size)
	if err != nil {
		return nil, fmt.Errorf("mem: reserving %#x bytes: %w", size, err)
	}
	n := size >> PageShift
	m := &Memory{
		base: unsafe.Pointer(&data[0]), data: data, frames: n, unmap: unmap,
		flags: make([]uint8, n), gen: make([]uint32, n),
		info: make([]PageInfo, n), infoEpoch: make([]uint32, n), epoch: 1,
	}
	return m, nil
}

// Close gives the arena back to the host. The Memory must not be used after.
func (m *Memory) Close() {
	if m.unmap != nil {
		m.unmap()
		m.unmap = nil
		m.data, m.base, m.frames = nil, nil, 0
	}
}

// Size is the arena's size in bytes.
func (m *Memory) Size() uint64 { return m.frames << PageShift }

// Frames is the number of frames.
func (m *Memory) Frames() uint64 { return m.frames }

// Base is the host address of physical address 0; it never changes.
func (m *Memory) Base() unsafe.Pointer { return m.base }

// Direct reports whether frame mfn may be written through a host pointer
// without a further PrepareWrite (until Revocations moves).
func (m *Memory) Direct(mfn uint64) bool { return m.flags[mfn] == 0 }

// PrepareWrite must come before any write to frame mfn (mfn < Frames). After
// it, Direct(mfn) is true unless the frame is a tracked page table. It
// reports whether decoded code was dropped or a page table is about to
// change, in which case the executing block must not go on unchecked.
func (m *Memory) PrepareWrite(mfn uint64) (stale bool) {
	f := m.flags[mfn]
	if f == 0 {
		return false
	}
	if f&flagClean != 0 {
		m.savePage(mfn)
	}
	if f&flagCode != 0 {
		m.gen[mfn]++
		stale = true
	}
	if f&flagTable != 0 {
		m.TableWrites++
		stale = true
	}
	m.flags[mfn] = f & flagTable
	return stale
}

// MarkCode notes that decoded code of frame mfn is cached and returns the
// frame's generation, which CodeGen must still return for the cached code to
// be valid.
func (m *Memory) MarkCode(mfn uint64) uint32 {
	if m.flags[mfn]&flagCode == 0 {
		m.flags[mfn] |= flagCode
		m.Revocations++
	}
	return m.gen[mfn]
}

// CodeGen is the generation of the decoded code of frame mfn.
func (m *Memory) CodeGen(mfn uint64) uint32 { return m.gen[mfn] }

// MarkTable notes that a page walk read frame mfn.
func (m *Memory) MarkTable(mfn uint64) {
	if m.TrackTables && m.flags[mfn]&flagTable == 0 {
		m.flags[mfn] |= flagTable
		m.Revocations++
	}
}

// Frame returns frame mfn for reading; nil past the end.
func (m *Memory) Frame(mfn uint64) []byte {
	if mfn >= m.frames {
		return nil
	}
	return m.data[mfn<<PageShift : (mfn+1)<<PageShift : (mfn+1)<<PageShift]
}

// Contains reports whether [pa, pa+n) lies in the arena.
func (m *Memory) Contains(pa, n uint64) bool {
	s := m.Size()
	return pa < s && n <= s-pa
}

// Read copies bytes from physical address pa; false when any byte lies
// outside the arena (nothing is copied then).
func (m *Memory) Read(pa uint64, b []byte) bool {
	if !m.Contains(pa, uint64(len(b))) {
		return false
	}
	copy(b, m.data[pa:])
	return true
}

// Write copies bytes to physical address pa; false when any byte lies outside
// the arena (nothing is written then).
func (m *Memory) Write(pa uint64, b []byte) bool {
	if !m.Contains(pa, uint64(len(b))) {
		return false
	}
	if len(b) == 0 {
		return true
	}
	for f := pa >> PageShift; f <= (pa+uint64(len(b))-1)>>PageShift; f++ {
		m.PrepareWrite(f)
	}
	copy(m.data[pa:], b)
	return true
}

// Read64 reads the little-endian word at pa, which must lie in the arena
// (Contains); a word past the end reads as all ones, as open bus does.
func (m *Memory) Read64(pa uint64) uint64 {
	if !m.Contains(pa, 8) {
		return ^uint64(0)
	}
	return binary.LittleEndian.Uint64(m.data[pa:])
}

// Write64 writes the little-endian word at pa; outside the arena it does
// nothing and reports false.
func (m *Memory) Write64(pa, v uint64) bool {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return m.Write(pa, b[:])
}

// Info returns what frame mfn is used for; the zero value past the end.
func (m *Memory) Info(mfn uint64) PageInfo {
	if mfn >= m.frames {
		return PageInfo{}
	}
	return m.info[mfn]
}

// SetInfo replaces it; mfn must be below Frames.
func (m *Memory) SetInfo(mfn uint64, i PageInfo) {
	if m.infoEpoch[mfn] != m.epoch {
		m.saveInfo(mfn)
	}
	m.info[mfn] = i
}
