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

// MachineMap is the machine's memory map as dom0 sees it: its first ram
// entries are the machine's, the others are what lies beyond RAM and dom0 may
// not map or, an I/O APIC, not change.
func (d *Domain) MachineMap() (ram int, list []E820Entry) {
	end := d.Mem.Size()
	list = []E820Entry{{0, end, abi.E820RAM}}
	for _, r := range [...][2]uint64{
		{pagetable.IOAPICFrame, pagetable.IOAPICFrame},
		{pagetable.FirstMSIFrame, pagetable.LastMSIFrame},
	} {
		from, to := r[0]<<mem.PageShift, (r[1]+1)<<mem.PageShift
		if from >= end {
			list = append(list, E820Entry{from, to - from, abi.E820Reserved})
		}
	}
	return 1, list
}
