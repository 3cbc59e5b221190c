package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// physdevPCI are the commands with which dom0 tells Xen of PCI devices
// (D/passthrough/pci.c, D/pci/physdev.c). Their structures begin with {bus
// u8, devfn u8}, or in the newer ones {segment u16, bus u8, devfn u8}.
func (c *Caller) physdevPCI(cmd, arg uint64, b []byte) (uint64, error) {
	var a dom.PCIAddr
	switch cmd {
	case abi.PhysdevManagePCIAdd, abi.PhysdevManagePCIRemove, abi.PhysdevManagePCIAddExt, abi.PhysdevRestoreMSI:
		a = dom.MakePCIAddr(0, b[0], b[1])
	default:
		a = dom.MakePCIAddr(le.Uint16(b), b[2], b[3])
	}
	switch cmd {
	case abi.PhysdevRestoreMSI, abi.PhysdevRestoreMSIExt: // it looks for the device first
		switch {
		case !c.D.HasPCI(a):
			return ret(abi.ENODEV)
		case !c.D.Privileged:
			return ret(abi.EPERM)
		}
		return ret(0)
	case abi.PhysdevManagePCIAddExt: // {bus, devfn, pad, is_extfn u32, is_virtfn u32, physfn {bus, devfn}}
		ext, virt := le.Uint32(b[4:]), le.Uint32(b[8:])
		if ext > 1 || virt > 1 {
			return ret(abi.EINVAL)
		}
		return ret(c.addPCI(a, ext != 0, virt != 0, dom.MakePCIAddr(0, b[12], b[13])))
	case abi.PhysdevPCIDeviceAdd: // {seg, bus, devfn, flags u32, physfn {bus, devfn}, pad, optarr u32[]}
		flags := le.Uint32(b[4:])
		if flags&abi.PCIDevPXM != 0 {
			if _, ok := c.V.Read32(arg + uint64(len(b))); !ok {
				return ret(abi.EFAULT)
			}
		}
		pf := dom.MakePCIAddr(le.Uint16(b), b[8], b[9])
		return ret(c.addPCI(a, flags&abi.PCIDevExtFn != 0, flags&abi.PCIDevVirtFn != 0, pf))
	}
	switch {
	case !c.D.Privileged:
		return ret(abi.EPERM)
	case cmd == abi.PhysdevManagePCIAdd:
		return ret(c.D.AddPCI(a, "device"))
	case cmd == abi.PhysdevManagePCIRemove || cmd == abi.PhysdevPCIDeviceRemove:
		return ret(c.D.RemovePCI(a))
	case !c.D.HasPCI(a):
		return ret(abi.ENODEV)
	}
	return c.unmodelled("PHYSDEVOP_prepare_msix or release_msix of a device without MSI-X, which crashes Xen 4.17 itself,")
}

// addPCI adds a device; Xen also adds the physical function of a virtual one
// when it does not know it.
func (c *Caller) addPCI(a dom.PCIAddr, ext, virt bool, pf dom.PCIAddr) abi.Errno {
	if !c.D.Privileged {
		return abi.EPERM
	}
	kind := "device"
	switch {
	case virt:
		kind = "virtual function"
		if !c.D.HasPCI(pf) {
			c.D.AddPCI(pf, "device")
		}
	case ext:
		kind = "extended function"
	}
	return c.D.AddPCI(a, kind)
}
