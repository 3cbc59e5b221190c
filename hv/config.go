package hv

import (
	"fmt"
	"io"
	"strings"

	"github.com/rs/zerolog"

	"pvlab/hv/mem"
)

// Platform is what the guest runs on.
type Platform uint8

// Platforms.
const (
	Xen    Platform = iota // a 64-bit PV domain of Xen 4.17
	Native                 // bare x86-64, entered through the PVH note
)

func (p Platform) String() string {
	if p == Native {
		return "native"
	}
	return "xen"
}

// ParsePlatform reads "xen" or "native".
func ParsePlatform(s string) (Platform, error) {
	switch s {
	case "xen":
		return Xen, nil
	case "native":
		return Native, nil
	}
	return 0, fmt.Errorf("platform %q: want xen or native", s)
}

// Limits of a machine.
const (
	MaxVCPUs  = 64
	MinMemory = 4 << 20
	MaxMemory = 16 << 30
)

// Config is how a machine is built. The same Config and image give the same
// run, bit for bit.
type Config struct {
	Platform Platform
	Dom0     bool // xen: the first domain, as the judge boots it; else a domU
	VCPUs    int  // 1..MaxVCPUs; 0 means 1
	// PCPUs is, under Xen, how many processors the vCPUs share: vCPU v runs on
	// number v modulo PCPUs. 0 means one for each.
	PCPUs   int
	Memory  uint64 // bytes the guest gets; 0 means 128 MiB
	Cmdline string
	Initrd  []byte
	CPU     string // "intel" (default), "intel-2012" or "amd"
	DropTLB bool   // `--tlb drop`: no stale translation survives a table write
	Seed    uint64 // of the vCPU interleaving
	// AsReference makes the processor do as the judge's (QEMU's TCG) where
	// that one is known to differ from real ones and where guests see it in
	// every frame: RF is not set in the saved RFLAGS of a fault, and IRET and
	// SYSRET do not load VIF and VIP. Only comparisons with the judge want it (docs/conformance.md).
	AsReference bool
	// NoXPTI turns page-table isolation off, Xen's xpti=no: stale translations
	// outlive a visit to Xen, and user mode sees the M2P table only where its
	// own root has it (MM-11, MM-21).
	NoXPTI bool
	// L1TF makes the host one that is vulnerable to the L1 terminal fault, and
	// Xen guard the domain against it: as pv-l1tf=domu, the default on such
	// hosts, does a domU, and pv-l1tf=dom0 a dom0 (MM-19, CRASH-09).
	L1TF bool
	// Audit derives the invariants of page types from scratch (Machine.Audit)
	// at each Audit-th entry into Xen; 0 never does. A broken one ends Run with
	// a *Defect.
	Audit uint64
	// Tolerant goes on where something is not modelled (answering -ENOSYS)
	// and records it in Result.Unsure.
	Tolerant bool
	// NanosPerStep is virtual nanoseconds for each 1024 retired instructions;
	// 0 means 1024: one instruction a nanosecond.
	NanosPerKiloStep uint64

	// Console receives the guest's console bytes; nil discards them.
	Console io.Writer
	// Input is asked for console input while the guest runs; nil for none.
	Input Input
	// Hypervisor receives what the hypervisor (or, natively, the model of the
	// processor) has to say, line by line without the newline.
	Hypervisor func(line string)
	// Log is the machine's own log.
	Log zerolog.Logger
}

func (c *Config) fill() error {
	if c.VCPUs == 0 {
		c.VCPUs = 1
	}
	if c.VCPUs < 1 || c.VCPUs > MaxVCPUs {
		return fmt.Errorf("vcpus %d: want 1 to %d", c.VCPUs, MaxVCPUs)
	}
	if c.PCPUs == 0 || c.Platform == Native {
		c.PCPUs = c.VCPUs
	}
	if c.PCPUs < 1 || c.PCPUs > c.VCPUs {
		return fmt.Errorf("pcpus %d: want 1 to %d, the number of vCPUs", c.PCPUs, c.VCPUs)
	}
	if c.Memory == 0 {
		c.Memory = 128 << 20
	}
	if c.Memory < MinMemory || c.Memory > MaxMemory {
		return fmt.Errorf("memory %d bytes: want %d MiB to %d MiB", c.Memory, MinMemory>>20, uint64(MaxMemory)>>20)
	}
	c.Memory &^= mem.PageMask
	if c.CPU == "" {
		c.CPU = "intel"
	}
	if c.CPU != "intel" && c.CPU != "intel-2012" && c.CPU != "amd" {
		return fmt.Errorf("cpu %q: want intel, intel-2012 or amd", c.CPU)
	}
	if c.NanosPerKiloStep == 0 {
		c.NanosPerKiloStep = 1024
	}
	if strings.ContainsRune(c.Cmdline, 0) {
		return fmt.Errorf("command line: contains a NUL byte")
	}
	if c.Console == nil {
		c.Console = io.Discard
	}
	if c.Hypervisor == nil {
		c.Hypervisor = func(string) {}
	}
	return nil
}
