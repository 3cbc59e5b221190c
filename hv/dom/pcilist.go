package dom

import (
	"fmt"
	"slices"

	"pvlab/hypercall/abi"
)

// PCIAddr is a device as Xen names it: segment, bus, device and function in
// one number (ssss:bb:dd.f).
type PCIAddr uint32

// MakePCIAddr puts it together.
func MakePCIAddr(seg uint16, bus, devfn uint8) PCIAddr {
	return PCIAddr(seg)<<16 | PCIAddr(bus)<<8 | PCIAddr(devfn)
}

func (a PCIAddr) String() string {
	n := uint32(a)
	return fmt.Sprintf("%04x:%02x:%02x.%d", n>>16, n>>8&0xff, n>>3&0x1f, n&7)
}

// PCI devices of the judged machine. Without an IOMMU Xen does not look for
// them: its list begins empty.
var machinePCI = []PCIAddr{
	MakePCIAddr(0, 0, 0), MakePCIAddr(0, 0, 1<<3), MakePCIAddr(0, 0, 1<<3|1), MakePCIAddr(0, 0, 1<<3|3),
}

// maxPCI is how many devices dom0 may make Xen know of before its heap is said
// to be full.
const maxPCI = 1 << 16

// HasPCI reports whether Xen knows of a device.
func (d *Domain) HasPCI(a PCIAddr) bool {
	_, ok := slices.BinarySearch(d.PCI, a)
	return ok
}

// AddPCI tells Xen of a device; kind is what Xen calls it. It believes dom0
// (D/passthrough/pci.c:pci_add_device).
func (d *Domain) AddPCI(a PCIAddr, kind string) abi.Errno {
	at, ok := slices.BinarySearch(d.PCI, a)
	if !ok {
		if len(d.PCI) >= maxPCI {
			return abi.ENOMEM
		}
		d.PCI = slices.Insert(d.PCI, at, a)
		if !slices.Contains(machinePCI, a) {
			d.Print(a.String() + ": unknown type 0")
		}
	}
	d.Print("PCI add " + kind + " " + a.String())
	return 0
}

// RemovePCI makes Xen forget it.
func (d *Domain) RemovePCI(a PCIAddr) abi.Errno {
	at, ok := slices.BinarySearch(d.PCI, a)
	if !ok {
		return abi.ENODEV
	}
	d.PCI = slices.Delete(d.PCI, at, at+1)
	d.Print("PCI remove device " + a.String())
	return 0
}
