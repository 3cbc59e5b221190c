package hv

import (
	"fmt"

	"pvlab/hv/cpu"
)

// End is how a run ended.
type End uint8

// Ends, in the order of their exit codes.
const (
	EndRunning    End = iota // it has not: the step budget of this Run call is used up
	EndPowerOff              // the guest powered off
	EndKilled                // Xen destroyed the domain; natively a triple fault
	EndReboot                // the guest asked for a reboot
	EndGuestCrash            // the guest reported its own crash
	EndBlocked               // all vCPUs wait and nothing could wake them
	EndStepLimit             // the limit of steps was reached
	EndUnmodelled            // something pvlab does not model
	EndOther                 // another shutdown reason
	EndStopped               // stopped from outside
)

var endNames = [...]string{"running", "poweroff", "killed", "reboot", "crash", "blocked",
	"step-limit", "unmodelled", "shutdown-other", "stopped"}

func (e End) String() string { return endNames[e] }

// ExitCode is the process exit status of `pvlab boot` for this end.
func (e End) ExitCode() int {
	return [...]int{14, 0, 10, 11, 12, 13, 14, 15, 16, 14}[e]
}

// Result is the outcome of a run.
type Result struct {
	End    End
	Reason int    // Xen: the SHUTDOWN_* code, when there is one
	Steps  uint64 // retired instructions of all vCPUs since the machine started
	VCPU   int    // the vCPU that ended it
	// Triple is the state at a native triple fault.
	Triple *TripleFault
	// Unmodelled says what is missing (EndUnmodelled).
	Unmodelled error
	// Unsure lists what a tolerant run went on without.
	Unsure []string
}

// TripleFault is what a processor knows when it gives up.
type TripleFault struct {
	Chain []string  // the faults in order, "#PF[0x2]" ...
	First int       // vector of the first
	Code  uint32    // its error code
	State cpu.State // registers at that moment
}

func (r *Result) String() string {
	s := fmt.Sprintf("%s after %d steps", r.End, r.Steps)
	if r.Unmodelled != nil {
		s += ": " + r.Unmodelled.Error()
	}
	return s
}
