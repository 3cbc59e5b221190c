package dom

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hypercall/abi"
	"pvlab/hypercall/grant"
	"pvlab/pagetable"
)

// Options describe the domain to be built.
type Options struct {
	ID    uint16 // 0 is dom0
	VCPUs int
	PCPUs int    // processors of the machine; 0 means one for each vCPU
	Pages uint64 // frames the domain gets
	// Privileged is dom0: hardware rights, console_io, SIF flags.
	Privileged bool
	// ExtendedCR3 says that the image's PAE_MODE note is "yes": the builders
	// then start the domain with VMASST_TYPE_pae_extended_cr3.
	ExtendedCR3 bool
	Version     Version
	// NewCPU makes vCPU id's processor over the arena.
	NewCPU func(id int) *cpu.CPU
	// Now is virtual time in nanoseconds since the machine started.
	Now func() uint64
	// TSCHz is the frequency of the processors' time-stamp counter.
	TSCHz uint64
	// WallclockSec is the wall clock at time 0, in seconds since 1970.
	WallclockSec uint64
	// XenLine gets each line that Xen prints, without the "(XEN) " prefix.
	XenLine func(line string)
	// Console gets what the guest writes to its console.
	Console func(b []byte)
	// Store lets the xenstore daemon work on the ring page of a domU; the result
	// says whether the domain is to be told. Nil for none.
	Store  func(page []byte) (notify bool)
	Probes *probe.Set
	// NoXPTI maps Xen's part of the address space as the guest's roots say.
	NoXPTI bool
	// AsReference makes IRET and SYSRET leave VIF and VIP alone, as QEMU's
	// processor does and real ones do not (docs/conformance.md).
	AsReference bool
}

// Domain is one PV domain.
type Domain struct {
	Options
	Mem   *mem.Memory
	Rules *pagetable.Rules
	VCPU  []*VCPU
	// Grants are the grant tables of this domain and, beside a domU, of
	// domain 0.
	Grants *grant.System
	State

	space      space
	rings      rings
	grantTable *grant.Table
	p2m        []uint64
	auditor    *pagetable.Auditor // nil until the first Audit
}

// State is what changes of a domain, apart from its vCPUs and memory.
type State struct {
	Assist     uint64 // vm_assist bits
	TotPages   uint64
	MaxPages   uint64
	Claimed    uint64      // pages staked by claim_pages and not allocated yet
	Changes    uint64      // page-table entries written (pagetable.Rules.Changes)
	StaleFrees bool        // a frame was freed since the last flush for that
	MemoryMap  []E820Entry // as set_memory_map or the toolstack left it
	ShutCode   uint8       // reason latched, noShutdown = none
	ShutDown   bool        // the domain is shutting down
	ShutReason uint8       // reason in force once ShutDown
	Crashed    bool        // Xen crashed the domain, the guest did not ask for it
	NextFree   uint64
	Ports      []Port // event channels, index = port
	// LowestClosed is not above the lowest port number that may be free;
	// NextReset is where an EVTCHNOP_reset goes on, 0 = none is under way.
	LowestClosed, NextReset uint32
	FIFO                    FIFO
	IRQ                     Interrupts
	PCI                     []PCIAddr // devices that Xen knows of, sorted
	Typed                   []byte    // console input not yet taken by the guest
	PIT                     PIT
	PCIAddr                 uint32 // last value written to 0xcf8
	RTCIndex                uint8
	PIRQEOIMap              uint64    // frame registered by pirq_eoi_gmfn, 0 = none
	Watchdog                [2]uint64 // deadline in ns of each watchdog timer, 0 = unused
	Host                    Host
	grants                  grant.Saved // in a saved state only
}

const noShutdown = 0xff

// New builds an empty domain in m: Xen's private frames, the domain's frames,
// its vCPUs down but for vCPU 0. The guest's image is placed by the builder
// (hv/image) into P2M, after which AdoptTables makes it runnable.
func New(m *mem.Memory, o Options) (*Domain, error) {
	switch {
	case o.VCPUs < 1 || o.VCPUs > maxVCPUs:
		return nil, fmt.Errorf("dom: %d vCPUs: want 1 to %d", o.VCPUs, maxVCPUs)
	case o.Pages == 0:
		return nil, errors.New("dom: a domain without memory")
	case o.NewCPU == nil || o.Now == nil:
		return nil, errors.New("dom: NewCPU and Now must be given")
	}
	if o.Version.Major == 0 {
		o.Version = Xen417()
	}
	if o.Probes == nil {
		o.Probes = &probe.Set{}
	}
	if o.PCPUs == 0 {
		o.PCPUs = o.VCPUs
	}
	if o.TSCHz == 0 {
		o.TSCHz = 1_000_000_000
	}
	d := &Domain{Options: o, Mem: m}
	d.ShutCode = noShutdown
	d.PIT = startPIT()
	if o.ExtendedCR3 {
		d.Assist = 1 << abi.VMAssistPAEExtendedCR3
	}
	d.Rules = &pagetable.Rules{
		M: m, MaxPA: o.physBits(),
		Hardware:  func(owner uint16) bool { return o.Privileged && owner == d.owner() },
		StrictM2P: func() bool { return d.Is(abi.VMAssistM2PStrict) },
		Flush:     d.FlushTLB,
		Freed:     d.freed,
		Changes:   &d.Changes,
		Log:       func(s string) { d.Print(d.currentName() + " " + s) },
	}
	if err := d.buildSpace(o.VCPUs); err != nil {
		return nil, err
	}
	d.buildGrants(o.VCPUs)
	if err := d.allocate(); err != nil {
		return nil, err
	}
	d.initHost()
	d.Ports = make([]Port, portBucket)
	d.IRQ.Pins = newIOAPIC(o.PCPUs)
	if !o.Privileged {
		d.openToolPorts()
	}
	for i := 0; i < o.VCPUs; i++ {
		d.VCPU = append(d.VCPU, d.newVCPU(i))
	}
	d.initTime()
	return d, nil
}

func (d *Domain) owner() uint16 { return pagetable.OwnerOf(d.ID) }

// Owner is the domain's value of mem.PageInfo.Owner.
func (d *Domain) Owner() uint16 { return d.owner() }

// SharedInfoMFN is the frame of shared_info.
func (d *Domain) SharedInfoMFN() uint64 { return d.space.sharedInfo }

// P2M is the list of the domain's initial frames: index PFN, value MFN. It
// does not follow later changes; the guest's own list does.
func (d *Domain) P2M() []uint64 { return d.p2m }

// allocate gives the domain its frames.
func (d *Domain) allocate() error {
	base := d.space.m2pEnd
	if base+d.Pages > d.Mem.Frames() {
		return fmt.Errorf("dom: %d pages do not fit into an arena of %d frames", d.Pages, d.Mem.Frames())
	}
	d.p2m = make([]uint64, d.Pages)
	for pfn := range d.p2m {
		d.p2m[pfn] = base + uint64(pfn)
	}
	info := mem.PageInfo{Owner: d.owner(), Flags: pagetable.Allocated, Count: 1}
	for _, mfn := range d.p2m {
		d.Mem.SetInfo(mfn, info)
	}
	d.fillP2M()
	for mfn := d.space.next; mfn < m2pFrame; mfn++ {
		d.Mem.SetInfo(mfn, mem.PageInfo{Flags: pagetable.XenHeap})
	}
	for mfn := uint64(m2pFrame); mfn < d.space.m2pEnd; mfn++ {
		pagetable.Share(d.Mem, mfn, pagetable.OwnerXen, pagetable.TypeNone) // dom0 may look at it
	}
	d.TotPages, d.NextFree = d.Pages, base+d.Pages
	d.MaxPages = d.Pages + toolSlack
	if d.Privileged {
		d.MaxPages = 1<<32 - 1
	} else {
		d.MemoryMap = []E820Entry{{0, d.Pages << mem.PageShift, abi.E820RAM}}
	}
	return nil
}

// fillP2M writes the M2P entries of the domain's frames, page by page.
func (d *Domain) fillP2M() {
	base := d.p2m[0]
	for pfn := uint64(0); pfn < d.Pages; {
		at := m2pFrame<<mem.PageShift + (base+pfn)*8
		d.Mem.PrepareWrite(at >> mem.PageShift)
		page := d.Mem.Frame(at >> mem.PageShift)
		for o := at & mem.PageMask; o < mem.PageSize && pfn < d.Pages; o, pfn = o+8, pfn+1 {
			binary.LittleEndian.PutUint64(page[o:], pfn)
		}
	}
}

// toolSlack is what the toolstack allows a domU beyond its memory: 1 MiB.
const toolSlack = 256

// FlushTLB drops the translations of all vCPUs.
func (d *Domain) FlushTLB() {
	for _, v := range d.VCPU {
		v.CPU.FlushTLB()
	}
}

// Is reports whether a vm_assist is on.
func (d *Domain) Is(assist uint) bool { return d.Assist>>assist&1 != 0 }

// Print emits one line of Xen's console.
func (d *Domain) Print(line string) {
	d.Host.log(line)
	if d.XenLine != nil {
		d.XenLine(line)
	}
	for _, f := range d.Probes.Console {
		f(line)
	}
}

// currentName is how Xen names the vCPU in front of a guest message; the
// rules do not say which vCPU runs, so it is the domain's first when unclear.
func (d *Domain) currentName() string {
	for _, v := range d.VCPU {
		if v.running {
			return v.Name()
		}
	}
	return fmt.Sprintf("d%dv0", d.ID)
}

// Save returns a copy of the domain's state.
func (d *Domain) Save() State {
	s := d.State
	s.Ports = append([]Port(nil), d.Ports...)
	s.Typed = append([]byte(nil), d.Typed...)
	s.PCI = slices.Clone(d.PCI)
	s.Host.ConRing = slices.Clone(d.Host.ConRing)
	s.MemoryMap = append([]E820Entry(nil), d.MemoryMap...)
	s.grants = d.Grants.Save()
	return s
}

// Load puts a saved state back.
func (d *Domain) Load(s State) {
	ports, typed, ram, pci := d.Ports[:0], d.Typed[:0], d.MemoryMap[:0], d.PCI[:0]
	ring := d.Host.ConRing[:0]
	d.State, d.State.grants = s, nil
	d.Grants.Load(s.grants)
	d.Ports = append(ports, s.Ports...)
	d.Typed = append(typed, s.Typed...)
	d.PCI = append(pci, s.PCI...)
	d.MemoryMap = append(ram, s.MemoryMap...)
	d.Host.ConRing = append(ring, s.Host.ConRing...)
}
