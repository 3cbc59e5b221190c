package dom

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Host is what Xen remembers of its tools' settings: of the machine, and of
// the domain as they see it.
type Host struct {
	Handle       [16]byte // the domain's name for the tools
	Weight       uint16   // of the domain in the credit2 scheduler
	RateLimit    uint32   // shortest time a vCPU runs, in us; 0 = none
	SMTSaving    bool     // sched_smt_power_savings
	CStateLimit  [2]uint32
	TraceEvents  uint32     // mask of the trace buffers' events
	KexecSlot    [2]bool    // which of two slots holds the image: of a reboot, of a crash
	NodeAffinity uint64     // 0 = follows the vCPUs
	Hard, Soft   [64]uint64 // affinity of vCPUs that was set, ^0 = none was
	TimeOffset   int64      // of the domain's wall clock, in seconds
	NoCPU        bool       // a bad ACPI id was complained about
	Wallclock    [2]uint64  // seconds and nanoseconds since 1970 at time 0

	// ConRing is the last of what Xen printed, ConProd the number of bytes ever
	// written to it, ConCons the first that was not yet cleared.
	ConRing          []byte
	ConProd, ConCons uint32
}

// conRingSize is that of Xen's console ring (drivers/char/console.c).
const conRingSize = 16 << 10

func (d *Domain) initHost() {
	h := &d.Host
	h.Weight, h.RateLimit = 256, 1000
	h.CStateLimit = [2]uint32{1, ^uint32(0)}
	h.TraceEvents = 0x0ffff000 // TRC_ALL
	h.Wallclock[0] = d.WallclockSec
	for i := range h.Hard {
		h.Hard[i], h.Soft[i] = ^uint64(0), ^uint64(0)
	}
}

// log keeps a line that Xen printed.
func (h *Host) log(line string) {
	h.ConProd += uint32(len(line)) + 6 + 1
	h.ConRing = append(append(append(h.ConRing, "(XEN) "...), line...), '\n')
	if n := len(h.ConRing) - conRingSize; n > 0 {
		h.ConRing = h.ConRing[:copy(h.ConRing, h.ConRing[n:])]
	}
}

// ReadRing copies up to most bytes of the console ring that come after those
// cleared, or, if incremental, after index; next is the index behind them.
// clear forgets what was read (drivers/char/console.c:read_console_ring).
func (d *Domain) ReadRing(index, most uint32, incremental, clear bool) (b []byte, next uint32) {
	h := &d.Host
	c, p := h.ConCons, h.ConProd
	if p-c > uint32(len(h.ConRing)) {
		c = p - uint32(len(h.ConRing)) // older ones were written over
	}
	if between := c < index && index <= p; incremental && (c <= p && between || c > p && (c < index || index <= p)) {
		c = index
	}
	n := min(p-c, most)
	from := uint32(len(h.ConRing)) - (p - c)
	b = h.ConRing[from : from+n]
	c += n
	if clear {
		h.ConCons = c
	}
	return b, c
}

// SetWallclock says that it was sec and nsec since 1970 when the system time
// was at (X/time.c:do_settime).
func (d *Domain) SetWallclock(sec uint64, nsec uint32, at uint64) {
	const perSecond = 1_000_000_000
	x := sec*perSecond + uint64(nsec) - at
	d.Host.Wallclock = [2]uint64{x / perSecond, x % perSecond}
	d.publishWallclock()
}

// SetTimeOffset moves the domain's wall clock by that many seconds.
func (d *Domain) SetTimeOffset(seconds int64) {
	d.Host.TimeOffset = seconds
	d.publishWallclock()
}

// publishWallclock writes the wall clock into shared_info, as a new version
// (C/time.c:update_domain_wallclock_time).
func (d *Domain) publishWallclock() {
	base := d.space.sharedInfo << mem.PageShift
	sec := d.Host.Wallclock[0] + uint64(d.Host.TimeOffset)
	var b [12]byte
	d.Mem.Read(base+abi.SharedInfoWCVersion, b[:4])
	le := binary.LittleEndian
	le.PutUint32(b[0:], ((le.Uint32(b[:])+1)|1)+1)
	le.PutUint32(b[4:], uint32(sec))
	le.PutUint32(b[8:], uint32(d.Host.Wallclock[1]))
	d.Mem.Write(base+abi.SharedInfoWCVersion, b[:])
	le.PutUint32(b[0:], uint32(sec>>32))
	d.Mem.Write(base+abi.SharedInfoWCSecHi, b[:4])
}

// FreePages is how many frames of the machine nobody has.
func (d *Domain) FreePages() uint64 {
	return d.Mem.Frames() - min(d.Mem.Frames(), d.space.m2pEnd+d.TotPages)
}
