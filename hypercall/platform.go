package hypercall

import (
	"fmt"
	"slices"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// platform_op is hypercall 7: what a dom0 kernel does with the hardware that
// Xen keeps (X/platform_hypercall.c:do_platform_op). Offsets are those in
// struct xen_platform_op; the union begins at 8.
func platformOps() Ops {
	no := func(e abi.Errno, first uint64, names ...string) []SubOp {
		return each(Always(e), Denied, first, names...)
	}
	return Ops{inStruct, mask32, slices.Concat(
		[]SubOp{
			{17, "XENPF_settime32", Full, Denied, "", answer(setTime32)},
			{31, "XENPF_add_memtype", Partial, Denied, "arguments are checked; a new range is loud", addMemType},
			{32, "XENPF_del_memtype", Partial, Denied, "arguments are checked; removal is loud", delMemType},
			{33, "XENPF_read_memtype", Full, Denied, "as SeaBIOS leaves the ranges", answer(readMemType)},
			{35, "XENPF_microcode_update", Partial, Denied, "a blob is loud", microcodeUpdate},
			{39, "XENPF_platform_quirk", Full, Denied, "", answer(platformQuirk)},
			{48, "XENPF_get_cpu_version", Full, Denied, "", answer(cpuVersion)},
		},
		no(abi.ENOSYS, 49, "XENPF_efi_runtime_call"),
		[]SubOp{
			{50, "XENPF_firmware_info", Full, Denied, "the machine has a BIOS without disks", answer(firmwareInfo)},
			{51, "XENPF_enter_acpi_sleep", Partial, Denied, "S5 powers off; to sleep is loud", enterSleep},
		},
		no(abi.ENOSYS, 52, "XENPF_change_freq", "XENPF_getidletime"),
		[]SubOp{
			{54, "XENPF_set_processor_pminfo", Partial, Denied, "arguments are checked; states are loud", setPowerInfo},
			{55, "XENPF_get_cpuinfo", Full, Denied, "", answer(cpuInfo)},
			{56, "XENPF_cpu_online", Full, Denied, "", answer(cpuOnline)},
			{57, "XENPF_cpu_offline", Partial, Denied, "taking a processor off is loud", cpuOffline},
			{58, "XENPF_cpu_hotadd", Partial, Denied, "arguments are checked; a new processor is loud", cpuHotAdd},
			{59, "XENPF_mem_hotadd", Partial, Denied, "arguments are checked; new memory is loud", memHotAdd},
			{60, "XENPF_core_parking", Partial, Denied, "parking a core is loud", coreParking},
			{61, "XENPF_resource_op", Full, Denied, "", resourceOp},
			{62, "XENPF_settime64", Full, Denied, "", answer(setTime64)},
			{63, "XENPF_get_symbol", Absent, Denied, "there is no text of Xen", nil},
		},
	)}
}

// setTime32: {secs u32, nsecs u32, system_time u64}.
func setTime32(c *Caller) abi.Errno {
	r := &c.req
	c.D.SetWallclock(uint64(r.u32(8)), r.u32(12), r.u64(16))
	return 0
}

// setTime64: {secs u64, nsecs u32, mbz u32, system_time u64}.
func setTime64(c *Caller) abi.Errno {
	r := &c.req
	if r.u32(20) != 0 {
		return abi.EINVAL
	}
	c.D.SetWallclock(r.u64(8), r.u32(16), r.u64(24))
	return 0
}

// Memory type ranges (MTRRs): eight, of which the first makes the last two GiB
// below 4 GiB uncacheable.
const (
	ranges    = 8
	rangeMFN  = 0x80000
	rangeMFNs = 0x80000
	memTypes  = 7
)

// addMemType: {mfn u64, nr_mfns u64, type u32, ...} (X/cpu/mtrr/main.c:
// mtrr_add_page, generic.c:generic_validate_add_page).
func addMemType(c *Caller) (uint64, error) {
	base, n, typ := c.req.u64(8), c.req.u64(16), c.req.u32(24)
	first, last := base, base+n-1
	for first&1 == 0 && last&1 != 0 {
		first, last = first>>1, last>>1
	}
	switch {
	case first != last:
		c.D.Print(fmt.Sprintf("mtrr: base(0x%x000) is not aligned on a size(%s000) boundary", base, hexOr0(n)))
	case typ >= memTypes:
		c.D.Print(fmt.Sprintf("mtrr: type: %d invalid", typ))
	case (base|(base+n-1))>>(c.D.Rules.MaxPA-mem.PageShift) != 0:
		c.D.Print("mtrr: base or size exceeds the MTRR width")
	default:
		return c.loud("a range")
	}
	return ret(abi.EINVAL)
}

// hexOr0 is C's %#lx.
func hexOr0(n uint64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

// delMemType: {handle u32, reg u32}.
func delMemType(c *Caller) (uint64, error) {
	handle, reg := c.req.u32(8), int32(c.req.u32(12))
	switch {
	case handle != 0 || reg < 0:
	case reg >= ranges:
		c.D.Print(fmt.Sprintf("mtrr: register: %d too big", reg))
	case reg != 0:
		c.D.Print(fmt.Sprintf("mtrr: MTRR %d not used", reg))
	default:
		return c.loud("a range")
	}
	return ret(abi.EINVAL)
}

// readMemType: {reg u32, mfn u64, nr_mfns u64, type u32}.
func readMemType(c *Caller) abi.Errno {
	r := &c.req
	reg := r.u32(8)
	if reg >= ranges {
		return abi.EINVAL
	}
	var mfn, n uint64
	if reg == 0 {
		mfn, n = rangeMFN, rangeMFNs
	}
	r.put64(16, mfn)
	r.put64(24, n)
	r.put32(32, 0) // uncacheable
	return c.back(8, 32)
}

// microcodeUpdate: {data, length u32} (X/cpu/microcode/core.c:microcode_update).
func microcodeUpdate(c *Caller) (uint64, error) {
	at, n := c.req.u64(8), uint64(c.req.u32(16))
	const most = 16 << 20
	var b [256]byte
	for done := uint64(0); done < min(n, most); done += uint64(len(b)) {
		if !c.copyIn(at+done, b[:min(n-done, uint64(len(b)))]) {
			return ret(abi.EFAULT)
		}
	}
	if n == 0 {
		c.D.Print("microcode: couldn't find any matching ucode in the provided blob!")
		return ret(abi.ENOENT)
	}
	return c.loud("a blob")
}

// platformQuirk: {quirk_id u32}.
func platformQuirk(c *Caller) abi.Errno {
	const (
		noIRQBalancing = 1
		badRegSel      = 2
		goodRegSel     = 3
	)
	switch c.req.u32(8) {
	case noIRQBalancing:
		c.D.Print("Platform quirk -- Disabling IRQ balancing/affinity.")
	case badRegSel, goodRegSel:
	default:
		return abi.EINVAL
	}
	return 0
}

// firmwareInfo: {type u32, index u32, ...}.
func firmwareInfo(c *Caller) abi.Errno {
	const (
		disk = iota + 1
		mbr
		display
		efi
		keyboard
	)
	r := &c.req
	switch typ, index := r.u32(8), r.u32(12); {
	case typ == efi:
		return abi.ENOSYS
	case typ == keyboard && index == 0:
		r.b[16] = 0 // no shift key was held
		return c.back(16, 1)
	case typ >= disk && typ <= keyboard:
		return abi.ESRCH
	}
	return abi.EINVAL
}

// enterSleep: {val_a u16, val_b u16, sleep_state u32, flags u32}
// (X/acpi/power.c:acpi_enter_sleep).
func enterSleep(c *Caller) (uint64, error) {
	const (
		enable   = 1 << 13 // SLP_EN
		typeMask = 7 << 10 // SLP_TYP
		off      = 0 << 10 // that of S5, as the machine's tables have it
		extended = 1 << 0
		deepest  = 5
	)
	r := &c.req
	a, b, state, flags := r.u16(8), r.u16(10), r.u32(12), r.u32(16)
	switch {
	case flags&extended != 0:
		return ret(abi.EPERM) // there are no sleep control registers
	case b != 0 && (a^b)&enable != 0, flags != 0, state == 0 || state > deepest:
		return ret(abi.EINVAL)
	case state == deepest && a&typeMask == off:
		c.D.PowerOff()
		return ret(0)
	}
	return c.loud(fmt.Sprintf("S%d", state))
}

// resourceOp: {nr_entries u32, cpu u32, entries}; {cmd or result u32, reserved
// u32, index u64, value u64} each. Of MSRs only the time stamp may be read: it
// reads as nanoseconds. The value is the number of entries done.
func resourceOp(c *Caller) (uint64, error) {
	const (
		most      = 3
		size      = 24
		read      = 0
		write     = 1
		timeStamp = 0x10
	)
	r := &c.req
	n, at := r.u32(8), r.u64(16)
	var b [most * size]byte
	switch {
	case n == 0:
		return ret(0)
	case n > most:
		return ret(abi.EINVAL)
	case !c.copyIn(at, b[:n*size]):
		return ret(abi.EFAULT)
	}
	var done uint32
	var err abi.Errno
	for ; done < n; done++ {
		e := b[done*size:]
		cmd, index := le.Uint32(e), le.Uint64(e[8:])
		switch {
		case le.Uint32(e[4:]) != 0:
			err = abi.EINVAL
		case cmd != read && cmd != write:
			err = abi.EOPNOTSUPP
		case index>>32 != 0:
			err = abi.EINVAL
		case cmd == write || index != timeStamp:
			err = abi.EPERM
		}
		if err != 0 {
			le.PutUint32(e, uint32(err.Result()))
			break
		}
	}
	if done != 0 && r.u32(12) >= c.cpus() {
		return ret(abi.ENODEV)
	}
	for i := range done {
		le.PutUint64(b[i*size+16:], c.D.Now())
	}
	if !c.copyOut(at, b[:min(n, done+1)*size]) {
		return ret(abi.EFAULT)
	}
	return value(uint64(done))
}
