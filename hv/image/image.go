package image

import (
	"fmt"
	"sort"

	"gvisor.dev/gvisor/pkg/sync"
)

// Image is a loaded kernel file. It does not change after Load; the tables
// behind Symbol, Lookup and Line are made at their first use.
type Image struct {
	Name   string
	Format string // "ELF", "gzip", "bzImage (xz)", ...

	Segments []Segment // PT_LOAD, ordered by p_paddr, not overlapping
	Notes    []Note    // owner "Xen", in file order
	Xen      XenParms  // valid when CanXen is nil
	// ELFEntry is e_entry; Phys32Entry the PVH entry, a physical address,
	// valid when CanNative is nil.
	ELFEntry, Phys32Entry uint64

	xen, native *Error // why it does not fit
	elf         []byte
	head        header

	symOnce  sync.Once
	symTable symbols
	lineOnce sync.Once
	lines    lineTable
}

// CanXen tells why the image cannot be started as a Xen PV domain; nil if it
// can.
func (img *Image) CanXen() error { return asError(img.xen) }

// CanNative tells why the image cannot be started through a PVH entry; nil if
// it can.
func (img *Image) CanNative() error { return asError(img.native) }

func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// Bounds are the physical addresses of the first and after the last byte of
// the segments.
func (img *Image) Bounds() (start, end uint64) {
	return img.Segments[0].Paddr, img.Segments[len(img.Segments)-1].end()
}

func (r reporter) parse(elf []byte, limit uint64) (*Image, *Error) {
	h, err := r.readHeader(elf)
	if err != nil {
		return nil, err
	}
	size := uint64(len(elf))
	if h.phEnd() > size {
		return nil, r.errorf("program headers", "truncated: %#x..%#x, the file has %#x bytes", h.phoff, h.phEnd(), size)
	}
	if h.shEnd() > size {
		return nil, r.errorf("section headers", "truncated: %#x..%#x, the file has %#x bytes", h.shoff, h.shEnd(), size)
	}
	load, noteSegs, err := r.readSegments(elf, &h, limit)
	if err != nil {
		return nil, err
	}
	img := &Image{Name: string(r), Segments: load, ELFEntry: h.entry, elf: elf, head: h}
	start, end := img.Bounds()
	if end-start > limit {
		return nil, r.errorf("program headers", "image larger than memory: it spans %d bytes, the guest's memory is %d", end-start, limit)
	}
	if err := r.readXen(img, noteSegs); err != nil {
		return nil, err
	}
	img.Phys32Entry = img.Xen.Phys32Entry
	img.native = r.checkNative(img, limit)
	return img, nil
}

// readXen finds the notes where Xen looks for them, in this order: PT_NOTE
// segments, SHT_NOTE sections, a __xen_guest section. It returns an error
// for notes that are broken as such, and sets img.xen for those that only
// Xen objects to.
func (r reporter) readXen(img *Image, segs []Segment) *Error {
	budget := noteBudget{maxNotes, maxNoteBytes}
	for _, s := range segs {
		n, err := r.readNotes(s.Data, segField(s.Index, "(PT_NOTE)"), &budget)
		if err != nil {
			return err
		}
		img.Notes = append(img.Notes, n...)
	}
	var legacy []byte
	if len(img.Notes) == 0 {
		for _, s := range readSections(img.elf, &img.head) {
			switch {
			case s.typ == shtNote:
				n, err := r.readNotes(s.data, fmt.Sprintf("section %q", s.name), &budget)
				if err != nil {
					return err
				}
				img.Notes = append(img.Notes, n...)
			case s.name == guestInfoSection && legacy == nil:
				legacy = s.data
			}
		}
	}
	var err *Error
	switch {
	case len(img.Notes) > 0:
		img.Xen, err = r.readParms(img.Notes)
	case legacy != nil:
		img.Xen, err = r.readGuestInfo(legacy)
	default:
		img.Xen = unsetParms()
		err = r.errorf("notes", "no Xen ELF notes and no %s section: expected the notes of a Xen PV kernel, or PHYS32_ENTRY for a PVH start", guestInfoSection)
		img.xen = err
		return nil
	}
	if err != nil {
		return err
	}
	start, end := img.Bounds()
	img.xen = r.checkXen(&img.Xen, img.ELFEntry, start, end)
	return nil
}

// checkNative applies what `qemu-system-x86_64 -kernel` needs of a PVH image.
func (r reporter) checkNative(img *Image, limit uint64) *Error {
	entry := img.Xen.Phys32Entry
	if entry == Unset {
		return r.errorf("note PHYS32_ENTRY", "missing: expected the physical 32-bit entry point for a PVH start")
	}
	if entry > 0xffffffff {
		return r.errorf("note PHYS32_ENTRY", "%#x, expected a 32-bit physical address", entry)
	}
	if img.segmentAt(entry) == nil {
		start, end := img.Bounds()
		return r.errorf("note PHYS32_ENTRY", "%#x is outside the image, which takes %#x..%#x", entry, start, end)
	}
	for i := range img.Segments {
		s := &img.Segments[i]
		if s.end() > limit {
			return r.errorf(segField(s.Index, "p_paddr"), "image larger than memory: %#x..%#x, the guest's memory ends at %#x", s.Paddr, s.end(), limit)
		}
	}
	return nil
}

// segmentAt is the segment that physical address pa is in; nil if none.
func (img *Image) segmentAt(pa uint64) *Segment {
	i := sort.Search(len(img.Segments), func(i int) bool { return img.Segments[i].end() > pa })
	if i < len(img.Segments) && img.Segments[i].Paddr <= pa {
		return &img.Segments[i]
	}
	return nil
}
