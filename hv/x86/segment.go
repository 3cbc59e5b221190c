package x86

// Segment attribute bits as kept in Segment.Attr: descriptor bits 40-47 in
// bits 0-7 and descriptor bits 52-55 in bits 8-11 (the packing AMD's VMCB
// uses, APM vol. 2, "Segment State in the VMCB").
const (
	AttrType   = 0xf    // bits 0-3: type
	AttrS      = 1 << 4 // 1 = code or data
	AttrDPL    = 3 << 5 // bits 5-6
	AttrP      = 1 << 7 // present
	AttrAVL    = 1 << 8
	AttrL      = 1 << 9  // 64-bit code
	AttrDB     = 1 << 10 // default size / big
	AttrG      = 1 << 11 // limit in pages
	AttrCode   = 1 << 3  // within type: executable
	AttrDown   = 1 << 2  // within type: expand-down (data) / conforming (code)
	AttrRW     = 1 << 1  // within type: writable (data) / readable (code)
	AttrAccess = 1 << 0
)

// System descriptor types in long mode.
const (
	TypeLDT       = 2
	TypeTSSAvail  = 9
	TypeTSSBusy   = 11
	TypeCallGate  = 12
	TypeIntrGate  = 14
	TypeTrapGate  = 15
	TypeTSS16Bit  = 1
	TypeTSS16Busy = 3
)

// Segment is the visible selector and the hidden part of a segment register.
type Segment struct {
	Sel   uint16
	Attr  uint16 // Attr* bits
	Limit uint32 // in bytes, inclusive (granularity applied)
	Base  uint64
}

// DPL returns the descriptor privilege level.
func (s *Segment) DPL() uint8 { return uint8(s.Attr >> 5 & 3) }

// Table is GDTR or IDTR.
type Table struct {
	Base  uint64
	Limit uint16
}

// Descriptor is a raw 8-byte descriptor.
type Descriptor uint64

// Base returns bits 16-39 and 56-63.
func (d Descriptor) Base() uint64 { return uint64(d)>>16&0xffffff | uint64(d)>>56<<24 }

// Limit returns the limit in bytes, granularity applied.
func (d Descriptor) Limit() uint32 {
	l := uint32(d&0xffff) | uint32(d>>48&0xf)<<16
	if d>>55&1 != 0 {
		l = l<<12 | 0xfff
	}
	return l
}

// Attr returns the packed attributes (Attr* bits).
func (d Descriptor) Attr() uint16 { return uint16(d>>40&0xff) | uint16(d>>52&0xf)<<8 }

// Segment makes a loaded segment from the descriptor.
func (d Descriptor) Segment(sel uint16) Segment {
	return Segment{Sel: sel, Attr: d.Attr(), Limit: d.Limit(), Base: d.Base()}
}
