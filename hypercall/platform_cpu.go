package hypercall

import (
	"fmt"

	"pvlab/hypercall/abi"
)

// Processors, as a dom0 kernel sees and changes them by platform_op. Their
// local APIC ids and ACPI ids are their numbers.

// cpuInfo: {xen_cpuid, max_present, flags, apic_id, acpi_id u32}.
func cpuInfo(c *Caller) abi.Errno {
	const online, invalid = 1, 2
	r := &c.req
	id := r.u32(8)
	r.put32(16, invalid)
	if id < c.cpus() {
		r.put32(16, online)
		r.put32(20, id)
		r.put32(24, id)
	}
	r.put32(12, c.cpus()-1)
	return c.back(8, 20)
}

// cpuVersion: {xen_cpuid u32, max_present u32, vendor[12], family, model,
// stepping u32}.
func cpuVersion(c *Caller) abi.Errno {
	r := &c.req
	id := r.u32(8)
	clear(r.b[16:40])
	if id < c.cpus() {
		cpuid := c.D.VCPU[id].CPU.CPUID
		_, b, cx, d := cpuid(0, 0)
		for i, w := range [...]uint32{b, d, cx} {
			r.put32(16+4*i, w)
		}
		sig, _, _, _ := cpuid(1, 0)
		family, model, stepping := signature(sig)
		for i, w := range [...]uint32{family, model, stepping} {
			r.put32(28+4*i, w)
		}
	}
	r.put32(12, c.cpus()-1)
	return c.back(8, 32)
}

// signature takes leaf 1's EAX apart.
func signature(eax uint32) (family, model, stepping uint32) {
	family, model = eax>>8&0xf, eax>>4&0xf
	if family == 0xf {
		family += eax >> 20 & 0xff
	}
	if family >= 6 {
		model |= eax >> 12 & 0xf0
	}
	return family, model, eax & 0xf
}

// cpuOnline: {cpuid u32}. All are.
func cpuOnline(c *Caller) abi.Errno {
	if c.req.u32(8) >= c.cpus() {
		return abi.EINVAL
	}
	return 0
}

func cpuOffline(c *Caller) (uint64, error) {
	switch id := c.req.u32(8); {
	case id == 0:
		return ret(abi.EOPNOTSUPP)
	case id >= c.cpus():
		return ret(abi.EINVAL)
	}
	return c.loud("a processor")
}

// cpuHotAdd: {apic_id, acpi_id, pxm u32} (X/smpboot.c:cpu_add).
func cpuHotAdd(c *Caller) (uint64, error) {
	const apics, acpis, proximities = 1024, 512, 256
	apic, acpi, pxm := c.req.u32(8), c.req.u32(12), c.req.u32(16)
	switch {
	case acpi >= acpis, apic >= apics, pxm >= proximities:
		return ret(abi.EINVAL)
	case acpi < c.cpus() && acpi != apic:
		return ret(abi.EINVAL)
	case acpi < c.cpus(), apic < c.cpus():
		return ret(abi.EEXIST)
	}
	return c.loud("a processor")
}

// memHotAdd: {spfn u64, epfn u64, pxm u32, flags u32}
// (X/x86_64/mm.c:mem_hotadd_check): new memory comes in 256 MiB, aligned to 2 MiB.
func memHotAdd(c *Caller) (uint64, error) {
	const (
		aligned = 1<<9 - 1
		group   = 1 << 16
		frames  = 1 << 40 >> 12 // what Xen's frame table has room for
	)
	first, end := c.req.u64(8), c.req.u64(16)
	from, to := (first+group-1)/group, (end-1)/group
	if first >= end || end > frames || (first|end)&aligned != 0 || from >= to || from*group < c.D.Mem.Frames() {
		return ret(abi.EINVAL)
	}
	return c.loud("memory")
}

// coreParking: {type u32, idle_nums u32}.
func coreParking(c *Caller) (uint64, error) {
	const set, get = 1, 2
	r := &c.req
	switch typ, n := r.u32(8), r.u32(12); {
	case typ == set && min(n, c.cpus()-1) != 0:
		return c.loud("a core")
	case typ == set:
		return ret(0)
	case typ == get:
		r.put32(12, 0)
		return ret(c.back(8, 8))
	}
	return ret(abi.EINVAL)
}

// setPowerInfo: {id u32, type u32, union at 16}: {count u32, flags u32, states}
// of idle states, {flags u32, limit u32, ...} of frequencies, {bits} of what the
// system can do (X/acpi/cpu_idle.c:set_cx_pminfo, D/cpufreq/cpufreq.c:
// set_px_pminfo, D/acpi/pmstat.c:acpi_set_pdc_bits).
func setPowerInfo(c *Caller) (uint64, error) {
	const (
		idle = iota
		frequency
		throttle
		capabilities
		revision = 1
	)
	r := &c.req
	id := r.u32(8)
	switch r.u32(12) {
	case idle:
		switch {
		case id >= c.cpus():
			if !c.D.Host.NoCPU {
				c.D.Print(fmt.Sprintf("No CPU for ACPI ID %s", hexOr0(uint64(id))))
			}
			c.D.Host.NoCPU = true
			return ret(abi.EINVAL)
		case r.u32(16) == 0:
			return ret(0)
		}
	case frequency:
		switch {
		case id >= c.cpus():
			return ret(abi.EINVAL)
		case r.u32(16) == 0:
			return ret(0)
		}
	case throttle:
		return ret(abi.ENOSYS)
	case capabilities:
		var b [8]byte
		switch {
		case !c.copyIn(r.u64(16), b[:]):
			return ret(abi.EFAULT)
		case le.Uint32(b[0:]) != revision || le.Uint32(b[4:]) == 0:
			return ret(abi.EINVAL)
		}
	default:
		return ret(abi.EINVAL)
	}
	return c.loud("states")
}
