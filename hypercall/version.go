package hypercall

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// xenVersion commands (Xen public version.h).
const (
	xenverVersion      = 0
	xenverExtraversion = 1
	xenverCompileInfo  = 2
	xenverCapabilities = 3
	xenverChangeset    = 4
	xenverPlatform     = 5
	xenverGetFeatures  = 6
	xenverPagesize     = 7
	xenverGuestHandle  = 8
	xenverCommandline  = 9
	xenverBuildID      = 10
)

const denied = "<denied>" // what a domU reads of facts that are not its business

// capabilities of a host without hardware virtualisation, on which 32-bit PV
// guests are off (X/setup.c:arch_get_xen_caps).
const capabilities = "xen-3.0-x86_64 "

// xenVersion is hypercall 17 (C/kernel.c:do_xen_version).
func xenVersion(c *Caller) (uint64, error) {
	v, arg, cmd := &c.D.Version, c.args[1], c.cmd32(0)
	show := func(s string) string {
		if c.D.Privileged {
			return s
		}
		return denied
	}
	switch cmd {
	case xenverVersion:
		return value(uint64(v.Major)<<16 | uint64(v.Minor))
	case xenverExtraversion:
		return c.giveStrings(arg, 16, v.Extra)
	case xenverCompileInfo:
		var b [144]byte
		copy(b[0:63], show(v.Compiler))
		copy(b[64:79], show(v.CompileBy))
		copy(b[80:111], show(v.CompileDom))
		copy(b[112:143], show(v.CompileDate))
		return c.give(arg, b[:])
	case xenverCapabilities:
		return c.giveStrings(arg, 1024, capabilities)
	case xenverChangeset:
		return c.giveStrings(arg, 64, show(v.Changeset))
	case xenverPlatform:
		var b [8]byte
		le.PutUint64(b[:], abi.HypervisorVirtStart)
		return c.give(arg, b[:])
	case xenverGetFeatures:
		var b [8]byte
		if !c.copyIn(arg, b[:]) {
			return ret(abi.EFAULT)
		}
		if le.Uint32(b[:]) != 0 {
			return ret(abi.EINVAL)
		}
		le.PutUint32(b[4:], c.features())
		return c.give(arg, b[:])
	case xenverPagesize:
		if arg != 0 {
			return ret(abi.EINVAL)
		}
		return value(mem.PageSize)
	case xenverGuestHandle:
		return c.giveStrings(arg, 16, "")
	case xenverCommandline:
		if !c.D.Privileged {
			return c.giveStrings(arg, len(denied)+1, denied)
		}
		return c.giveStrings(arg, 1024, xenCmdline)
	case xenverBuildID:
		if !c.D.Privileged {
			return ret(abi.EPERM)
		}
		return c.buildID(arg)
	}
	return ret(abi.ENOSYS)
}

// xenCmdline is how the judged Xen is started.
const xenCmdline = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=256M dom0=pv"

// buildID: {len u32, bytes}; a null pointer asks for the size.
func (c *Caller) buildID(arg uint64) (uint64, error) {
	id := c.D.Version.BuildID
	if arg == 0 {
		return value(uint64(len(id)))
	}
	room, ok := c.V.Read32(arg)
	switch {
	case !ok:
		return ret(abi.EFAULT)
	case room == 0:
		return ret(abi.EINVAL)
	case int(room) < len(id):
		return ret(abi.ENOBUFS)
	case !c.copyOut(arg+4, id[:]):
		return ret(abi.EFAULT)
	}
	return value(uint64(len(id)))
}

// giveStrings copies out a NUL-padded string of n bytes.
func (c *Caller) giveStrings(addr uint64, n int, s string) (uint64, error) {
	b := make([]byte, n)
	copy(b[:n-1], s)
	return c.give(addr, b)
}

// features is the feature word of submap 0 (BOOT-13).
func (c *Caller) features() uint32 {
	f := uint32(1<<abi.FeatMMUPTUpdatePreserveAD | 1<<abi.FeatHighmemAssist | 1<<abi.FeatGnttabMapAvailBits |
		1<<abi.FeatMemoryOpVnodeSupported | 1<<abi.FeatDirectMapped)
	if c.D.Is(abi.VMAssistPAEExtendedCR3) {
		f |= 1 << abi.FeatPAEPgdirAbove4GB
	}
	if c.D.Privileged {
		f |= 1 << abi.FeatDom0
	}
	return f
}
