package bench

import (
	"fmt"
	"slices"
	"strings"

	"pvlab/hv"
)

// Kind is a group of loads that have a mean of their own.
type Kind string

// Kinds.
const (
	Compute Kind = "compute" // plain integer code
	// Wide is what works on more than a word at a time: string instructions.
	// SSE2 will stand here once the processor has it.
	Wide       Kind = "wide"
	Hypervisor Kind = "hypervisor" // through Xen, or the kernel
)

// Load is one row of the table; guest/src/perf has its code.
type Load struct {
	Name string
	Kind Kind
	What string // what one round is
	// XenOnly says that there is no such thing on bare metal.
	XenOnly bool
	first   uint64 // rounds from which the first guess is made
}

// Loads lists them in the order in which they run.
func Loads() []Load {
	return []Load{
		{Name: "loop", Kind: Compute, What: "1,000 turns of five integer instructions", first: 20},
		{Name: "chase", Kind: Compute, What: "4,096 dependent loads over 64 pages", first: 20},
		{Name: "copy", Kind: Compute, What: "32 KiB copied word by word", first: 20},
		{Name: "crc32", Kind: Compute, What: "CRC-32 of 4 KiB by table", first: 10},
		{Name: "sha256", Kind: Compute, What: "SHA-256 of 4 KiB in integer code", first: 2},
		{Name: "calls", Kind: Compute, What: "fib(16) by recursion: 3,193 calls", first: 10},
		{Name: "sort", Kind: Compute, What: "quicksort of 1,024 numbers", first: 2},
		{Name: "interp", Kind: Compute, What: "2,000 bytecodes, an indirect jump each", first: 20},
		{Name: "string", Kind: Wide, What: "REP STOS, MOVS, SCAS, CMPS over 8 KiB", first: 10},
		{Name: "hypercall", Kind: Hypervisor, What: "xen_version(0)", XenOnly: true, first: 5000},
		{Name: "int3", Kind: Hypervisor, What: "int3, a minimal stub, the return", first: 2000},
		{Name: "probe", Kind: Hypervisor, What: "int3, one step, #DB, the return", first: 1000},
		{Name: "fault", Kind: Hypervisor, What: "a page mapped on demand", first: 1000},
		{Name: "remap", Kind: Hypervisor, What: "update_va_mapping with INVLPG", first: 2000},
		{Name: "selfipi", Kind: Hypervisor, What: "an event to itself, delivered", first: 1000},
		{Name: "priv", Kind: Hypervisor, What: "MOV from CR0, emulated by Xen", first: 2000},
		{Name: "syscall", Kind: Hypervisor, What: "a system call of user code", first: 1000},
	}
}

// UnknownLoad says that there is no load of a name on the platform.
type UnknownLoad struct {
	Name     string
	Platform hv.Platform
	Have     []string
}

func (e *UnknownLoad) Error() string {
	return fmt.Sprintf("no load %q on %s; there are %s", e.Name, e.Platform, strings.Join(e.Have, ", "))
}

// choose picks the loads called names, in the table's order.
func choose(names []string, p hv.Platform) ([]Load, error) {
	var all []Load
	var have []string
	for _, l := range Loads() {
		if p == hv.Xen || !l.XenOnly {
			all = append(all, l)
			have = append(have, l.Name)
		}
	}
	for _, n := range names {
		if !slices.Contains(have, n) {
			return nil, &UnknownLoad{n, p, have}
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(l Load) bool { return !slices.Contains(names, l.Name) }), nil
}
