package image

import (
	"bytes"
	"strings"

	"pvlab/hypercall/abi"
)

// Unset marks an address that no note gives.
const Unset = ^uint64(0)

// XenParms is what the image tells Xen's domain builders, with the defaults
// filled in (rules BOOT-01, BOOT-02; C/libelf/libelf-dominfo.c).
type XenParms struct {
	GuestOS, GuestVersion string
	XenVersion, Loader    string
	PAE                   string // PAE_MODE

	VirtBase      uint64 // virtual address of pseudo-physical address 0
	PaddrOffset   uint64 // what is subtracted from p_paddr first
	Entry         uint64
	HypercallPage uint64 // Unset if the note is absent
	InitP2M       uint64 // Unset if the note is absent
	HVStartLow    uint64 // Unset if the note is absent
	Phys32Entry   uint64 // physical; Unset if the note is absent

	UnmappedInitrd bool // MOD_START_PFN: the ramdisk may be unmapped
	BSDSymtab      bool // asks for the symbol table behind the kernel

	Supported, Required uint32 // XENFEAT_* bits
	// HasSupported: SUPPORTED_FEATURES is there, so that a dom0 must have the
	// dom0 bit in it.
	HasSupported bool

	KStart, KEnd uint64 // virtual bounds of the loaded segments
	Legacy       bool   // from a __xen_guest section, not from notes
}

// unsetParms is what holds before a note is read.
func unsetParms() XenParms {
	return XenParms{VirtBase: Unset, PaddrOffset: Unset, Entry: Unset, HypercallPage: Unset,
		InitP2M: Unset, HVStartLow: Unset, Phys32Entry: Unset}
}

// readParms takes the values out of the notes. Two notes of one type must
// agree: Xen takes the last one silently.
func (r reporter) readParms(notes []Note) (p XenParms, err *Error) {
	p = unsetParms()
	seen := map[uint32]*Note{}
	for i := range notes {
		n := &notes[i]
		if o := seen[n.Type]; o != nil && n.Name != "" && n.Type != abi.ELFNoteInfo && !bytes.Equal(o.Desc, n.Desc) {
			return p, r.errorf("note "+n.Name, "contradictory: given twice, as % x and as % x", clip(o.Desc), clip(n.Desc))
		}
		seen[n.Type] = n
		switch n.Type {
		case abi.ELFNoteEntry:
			p.Entry = n.Num
		case abi.ELFNoteHypercallPage:
			p.HypercallPage = n.Num
		case abi.ELFNoteVirtBase:
			p.VirtBase = n.Num
		case abi.ELFNotePaddrOffset:
			p.PaddrOffset = n.Num
		case abi.ELFNoteXenVersion:
			p.XenVersion = n.Str
		case abi.ELFNoteGuestOS:
			p.GuestOS = n.Str
		case abi.ELFNoteGuestVersion:
			p.GuestVersion = n.Str
		case abi.ELFNoteLoader:
			p.Loader = n.Str
		case abi.ELFNotePAEMode:
			p.PAE = n.Str
		case abi.ELFNoteBSDSymtab:
			p.BSDSymtab = n.Str == "yes"
		case abi.ELFNoteHVStartLow:
			p.HVStartLow = n.Num
		case abi.ELFNoteInitP2M:
			p.InitP2M = n.Num
		case abi.ELFNoteModStartPFN:
			p.UnmappedInitrd = n.Num != 0
		case abi.ELFNotePhys32Entry:
			p.Phys32Entry = n.Num
		case abi.ELFNoteSupportedFeatures:
			p.HasSupported = true
			p.Supported |= uint32(n.Num)
		case abi.ELFNoteFeatures:
			if err := r.readFeatures("note FEATURES", n.Str, &p); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func clip(b []byte) []byte { return b[:min(len(b), 16)] }

// readFeatures adds a list as "!writable_page_tables|pae_pgdir_above_4gb" to
// p: a name with "!" is required, and so supported, too. An unknown name is
// refused only when required.
func (r reporter) readFeatures(field, list string, p *XenParms) *Error {
	for _, f := range strings.Split(list, "|") {
		name, required := strings.CutPrefix(f, "!")
		bit, ok := abi.FeatureByName(name)
		switch {
		case ok && required:
			p.Required |= 1 << bit
			fallthrough
		case ok:
			p.Supported |= 1 << bit
		case required:
			return r.errorf(field, "unknown required feature %.40q", name)
		}
	}
	return nil
}

// checkXen applies the checks of Xen's loader that need no domain, and fills
// in the defaults and KStart, KEnd from the segments' bounds.
func (r reporter) checkXen(p *XenParms, eEntry, pstart, pend uint64) *Error {
	if !strings.HasPrefix(p.Loader, "generic") && !strings.HasPrefix(p.GuestOS, "linux") {
		return r.errorf("notes LOADER and GUEST_OS", "%.16q and %.16q, expected LOADER \"generic\" or GUEST_OS \"linux\" (BOOT-01)", p.Loader, p.GuestOS)
	}
	if !strings.HasPrefix(p.XenVersion, "xen-3.0") {
		return r.errorf("note XEN_VERSION", "%.16q, expected \"xen-3.0\" (BOOT-01)", p.XenVersion)
	}
	if p.PaddrOffset != Unset && p.VirtBase == Unset {
		return r.errorf("note PADDR_OFFSET", "given without VIRT_BASE (BOOT-02)")
	}
	if p.VirtBase == Unset {
		p.VirtBase = 0
	}
	if p.PaddrOffset == Unset {
		p.PaddrOffset = 0
		if p.Legacy {
			p.PaddrOffset = p.VirtBase
		}
	}
	offset := p.VirtBase - p.PaddrOffset
	p.KStart, p.KEnd = pstart+offset, pend+offset
	if p.Entry == Unset {
		p.Entry = eEntry
	}
	switch {
	case p.KStart > p.KEnd:
		return r.errorf("note VIRT_BASE", "%#x puts the image at %#x..%#x, expected it below 2^64 (BOOT-02)", p.VirtBase, p.KStart, p.KEnd)
	case p.Entry < p.KStart || p.Entry > p.KEnd:
		return r.errorf("note ENTRY", "%#x is outside the image, which takes %#x..%#x (BOOT-02)", p.Entry, p.KStart, p.KEnd)
	case p.VirtBase > p.KStart:
		return r.errorf("note VIRT_BASE", "%#x is above the image, which begins at %#x (BOOT-02)", p.VirtBase, p.KStart)
	case p.InitP2M != Unset && p.InitP2M >= p.KStart && p.InitP2M < p.KEnd:
		return r.errorf("note INIT_P2M", "%#x is inside the image, which takes %#x..%#x (BOOT-02)", p.InitP2M, p.KStart, p.KEnd)
	}
	// Real builders run into trouble later with these; here they have a name.
	switch {
	case p.VirtBase%4096 != 0:
		return r.errorf("note VIRT_BASE", "%#x, expected a multiple of 4096", p.VirtBase)
	case !guestRange(p.KStart, p.KEnd):
		return r.errorf("note VIRT_BASE", "%#x puts the image at %#x..%#x, expected it in the guest's part of the address space (BOOT-14)", p.VirtBase, p.KStart, p.KEnd)
	case p.BSDSymtab:
		return r.errorf("note BSD_SYMTAB", "loading the symbol table behind the kernel is not modelled")
	case p.Required>>abi.FeatSupervisorModeKernel&1 != 0:
		return r.errorf("note FEATURES", "supervisor_mode_kernel is required, no PV guest has it (BOOT-13)")
	case p.Required>>abi.FeatAutoTranslatedPhysmap&1 != 0:
		return r.errorf("note FEATURES", "auto_translated_physmap is required, no PV guest has it (BOOT-13)")
	}
	return nil
}

// The part of the address space that is Xen's: L4 slots 256 to 271 (BOOT-14).
const (
	hypervisorStart = 0xffff800000000000
	hypervisorEnd   = 0xffff880000000000
)

// guestRange reports whether [start, end) is canonical and outside Xen's part.
// end may not wrap to 0.
func guestRange(start, end uint64) bool {
	if start > end {
		return false
	}
	return end <= 1<<47 || start >= hypervisorEnd
}
