package explain

import (
	"fmt"
	"strconv"
	"strings"
)

// Ending is how the run ended, as the machine tells it.
type Ending struct {
	// How is "killed", "triple-fault", "crash" (the guest's own), "poweroff",
	// "reboot", "blocked", "step-limit" or another word of the machine.
	How   string `json:"how"`
	Steps uint64 `json:"steps"`
	// Rule is the CRASH id when Xen killed the guest.
	Rule string `json:"rule,omitempty"`
	// Console is what the hypervisor printed about it, without prefix.
	Console []string `json:"console,omitempty"`
	// Slot and Addr are the word of a frame that could not be stored.
	Slot string `json:"slot,omitempty"`
	Addr Word   `json:"addr,omitempty"`
	// Faults are the exceptions that led to a native triple fault, in order.
	Faults []string `json:"faults,omitempty"`
	Regs   Regs     `json:"-"`
}

// died reports whether the guest did not get to an end of its own choice.
func (e *Ending) died() bool {
	return e.How == "killed" || e.How == "triple-fault" || e.How == "crash" || e.How == "step-limit" || e.How == "blocked"
}

// unhandled finds the vector of Xen's "Unhandled: vec N" line.
func (e *Ending) unhandled() (vector int, ok bool) {
	for _, l := range e.Console {
		if _, rest, found := strings.Cut(l, "Unhandled: vec "); found {
			n, _, _ := strings.Cut(rest, ",")
			v, err := strconv.Atoi(n)
			return v, err == nil
		}
	}
	return 0, false
}

// walked finds the address of Xen's page-table walk.
func (e *Ending) walked() (addr uint64, ok bool) {
	for _, l := range e.Console {
		if _, rest, found := strings.Cut(l, "Pagetable walk from "); found {
			v, err := strconv.ParseUint(strings.TrimSuffix(rest, ":"), 16, 64)
			return v, err == nil
		}
	}
	return 0, false
}

func (e *Ending) words() string {
	switch e.How {
	case "killed":
		if t := RuleTitle(e.Rule); t != "" {
			return fmt.Sprintf("%s (%s)", t, e.Rule)
		}
		return "Xen destroyed the domain"
	case "triple-fault":
		return "triple fault (" + strings.Join(e.Faults, ", ") + "): the processor gave up"
	case "crash":
		return "the guest's own panic"
	case "step-limit":
		return "never ended: the limit of steps was reached"
	case "blocked":
		return "all vCPUs wait for something that cannot come"
	}
	return "the end of the run: " + e.How
}
