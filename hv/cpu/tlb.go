package cpu

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// The TLB is direct-mapped, one array for each way privilege can look at
// memory, so that a privilege change is a pointer change. An entry holds an
// architectural translation (page, physical page, rights), valid while agen
// matches, and three tags that let the fast path of access.go skip every
// check. Tags are the page address with a 12-bit generation in the low bits:
// dropping all tags is one increment.
const (
	tlbBits = 8
	tlbSize = 1 << tlbBits
	tlbMask = tlbSize - 1
	genMask = 0xfff
)

// Ways of looking at memory: indices of CPU.tlbs.
const (
	viewKernel   = iota // CPL 0-2
	viewUser            // CPL 3
	viewKernelAC        // CPL 0-2 with SMAP lifted by EFLAGS.AC
	viewUserAC          // CPL 3 with alignment checks on: never a fast tag
	tlbModes
)

// tlbSlot is where the translation of lin is kept. Guests place their areas at
// round addresses, so higher bits are folded in. Two neighbouring pages never
// share a slot: one of them would push out the other while an access across
// both is under way.
func tlbSlot(lin uint64) uint64 { return (lin>>12 ^ lin>>20&(tlbMask>>2)) & tlbMask }

type tlbEntry struct {
	rtag, wtag, xtag uint64
	pa               uint64 // physical page address; arena offset when inside
	page             uint64 // linear page address | 1 when valid
	agen             uint64 // generation it was filled in
	perm             perm
}

type perm uint8

const (
	permR perm = 1 << iota
	permW      // writable, and the dirty bit is already set
	permX
	permOutside // not in the arena, or MMIO: never a fast tag
)

// access kinds
type access uint8

const (
	accRead access = iota
	accWrite
	accFetch
)

// FlushTLB drops all translations, global ones included.
func (c *CPU) FlushTLB() {
	c.newArch()
	c.archAll = c.arch
	c.largeSeen = false
	c.other = tlbSpace{}
	c.dropTags()
	c.seenT = c.Mem.TableWrites
}

// FlushTLBNonGlobal does what a CR3 load does: global translations stay when
// CR4.PGE is set.
func (c *CPU) FlushTLBNonGlobal() {
	if c.CR4&x86.CR4PGE == 0 {
		c.FlushTLB()
		return
	}
	c.newArch()
	c.other = tlbSpace{}
	c.dropTags()
}

// tlbSpace is what tells the translations of one root from others': the
// generations under which they were filled and tagged.
type tlbSpace struct {
	cr3, arch uint64
	gen, wgen uint64 // 0: no tag is good any more
	ok        bool
}

// SwitchRoot loads CR3 and takes up again what is known of that root, if it is
// the one that was loaded before the present one. The caller vouches that no
// page-table entry has been written since: then nobody can tell that from the
// flush that a CR3 load is. Global translations must not be in use.
func (c *CPU) SwitchRoot(cr3 uint64) {
	was := tlbSpace{cr3: c.CR3, arch: c.arch, gen: c.gen, wgen: c.wgen, ok: true}
	to := c.other
	c.CR3, c.other = cr3, was
	if !to.ok || to.cr3 != cr3 {
		c.newArch()
		c.newGen()
		c.newWriteGen()
		return
	}
	c.arch, c.gen, c.wgen = to.arch, to.gen, to.wgen
	if to.gen == 0 {
		c.newGen()
	}
	if to.wgen == 0 {
		c.newWriteGen()
	}
}

// newArch begins a generation of translations: even numbers, both kinds of
// agenFor move.
func (c *CPU) newArch() {
	c.archTop += 2
	c.arch = c.archTop
}

// FlushPage drops the translations of the page of lin (INVLPG).
func (c *CPU) FlushPage(lin uint64) {
	p := lin&^mem.PageMask | 1
	for i := range c.tlbs {
		e := &c.tlbs[i][tlbSlot(lin)]
		if e.page == p {
			*e = tlbEntry{}
		}
	}
	// A large page was cached in 4 KiB pieces: all of them go.
	if c.largeSeen {
		c.FlushTLB()
	}
}

// agenFor gives the generation under which a translation is filled: even
// numbers for ordinary ones, odd for global ones.
func (c *CPU) agenFor(global bool) uint64 {
	if global {
		return c.archAll | 1
	}
	return c.arch
}

func (c *CPU) valid(e *tlbEntry, lin uint64) bool {
	return e.page == lin&^mem.PageMask|1 && (e.agen == c.arch || e.agen == c.archAll|1)
}

func (c *CPU) dropTags() {
	c.newGen()
	c.other.gen = 0
	c.dropWriteTags()
}

func (c *CPU) dropWriteTags() {
	c.newWriteGen()
	c.other.wgen = 0
}

func (c *CPU) newGen() {
	c.genTop++
	if c.genTop > genMask {
		c.genTop = 1
		c.other.gen = 0
		for i := range c.tlbs {
			for j := range c.tlbs[i] {
				c.tlbs[i][j].rtag, c.tlbs[i][j].xtag = 0, 0
			}
		}
	}
	c.gen = c.genTop
}

func (c *CPU) newWriteGen() {
	c.wgenTop++
	if c.wgenTop > genMask {
		c.wgenTop = 1
		c.other.wgen = 0
		for i := range c.tlbs {
			for j := range c.tlbs[i] {
				c.tlbs[i][j].wtag = 0
			}
		}
	}
	c.wgen = c.wgenTop
}

// sync brings the tags up to date with what happened to memory behind the
// CPU's back.
func (c *CPU) sync() {
	if c.seen != c.Mem.Revocations {
		c.seen = c.Mem.Revocations
		c.dropWriteTags()
	}
	if c.seenT != c.Mem.TableWrites {
		c.seenT = c.Mem.TableWrites
		if !c.KeepTLB {
			c.FlushTLB()
		}
	}
}

// lookupTLB returns the entry that translates lin for an access of kind a,
// filling it by a walk if needed, with the fast tags set that the page
// allows. On failure c.fault is a #PF (or the caller's #GP/#SS when lin is
// not canonical, see badAddress).
func (c *CPU) lookupTLB(lin uint64, a access) (*tlbEntry, bool) {
	e := &c.tlb[tlbSlot(lin)]
	if !c.valid(e, lin) || e.perm&needPerm[a] == 0 {
		if !c.walk(e, lin, a) {
			return nil, false
		}
	}
	if e.perm&permOutside == 0 {
		page := lin &^ mem.PageMask
		if a == accFetch {
			e.xtag = page | c.gen
		} else if c.tlb != &c.tlbs[viewUserAC] && !(c.watch && c.watched(page, mem.PageSize)) {
			if e.perm&permR != 0 {
				e.rtag = page | c.gen
			}
			if e.perm&permW != 0 && c.Mem.Direct(e.pa>>mem.PageShift) {
				e.wtag = page | c.wgen
			}
		}
	}
	return e, true
}

var needPerm = [3]perm{accRead: permR, accWrite: permW, accFetch: permX}
