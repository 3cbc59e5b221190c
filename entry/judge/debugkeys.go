package judge

import (
	"io"
	"regexp"
	"strings"
	"time"
)

// debugKeys asks Xen itself, by its serial debug keys, whether the domain is
// blocked for ever. Xen says so with
//
//	(XEN)     VCPU0: CPU0 [has=F] poll=0 upcall_pend=00 upcall_mask=00
//	(XEN)     pause_count=0 pause_flags=1            bit 0: _VPF_blocked
//	(XEN)     No periodic timer                      or: 100 Hz periodic timer
//	(XEN)     port [p/m/s]                           the event channels, if any:
//	(XEN)        1 [0/0/0]: s=5 n=0 x=0 v=0          s=5: a VIRQ, v=0: VIRQ_TIMER
//
// (xen/common/keyhandler.c, event_channel.c). A blocked vCPU that has bound
// VIRQ_TIMER may still be woken; with the timer unbound nothing of ours can wake
// it, since all interrupts of a bare dom0 are masked.
type debugKeys struct {
	stage   keyStage
	vcpus   int
	waiting int // vCPUs with _VPF_blocked
	timer   bool
}

type keyStage int

const (
	keysIdle keyStage = iota
	keysDomain
	keysEvents
	keysBack
)

// ctrlA three times switches the serial input between dom0 and Xen.
const ctrlA = "\x01\x01\x01"

var (
	reVCPU   = regexp.MustCompile(`^\(XEN\)     VCPU\d+: .* upcall_pend=`)
	rePaused = regexp.MustCompile(`^\(XEN\)     pause_count=\d+ pause_flags=([0-9a-f]+)`)
	reDying  = regexp.MustCompile(`Unhandled: vec|Pagetable walk|domain_crash|crashed on cpu|IRET context|no user page tables|Hardware (Dom|domain )`)
	reTimer  = regexp.MustCompile(`^\(XEN\)  +\d+ \[.*\]: s=5 .* v=0\b`)
)

// keyPause is how long the console must be silent for an answer to be whole.
const keyPause = 100 * time.Millisecond

// press asks, or asks on: Xen runs one key at a time and forgets a second one
// that comes too early, so the next is sent when the console is silent again.
// answered is true when the last answer is there.
func (k *debugKeys) press(serial io.Writer) (answered bool) {
	switch k.stage {
	case keysIdle:
		*k = debugKeys{stage: keysDomain}
		io.WriteString(serial, ctrlA+"q")
	case keysDomain:
		k.stage = keysEvents
		io.WriteString(serial, "e")
	case keysEvents:
		k.stage = keysBack
		io.WriteString(serial, ctrlA)
	case keysBack:
		k.stage = keysIdle
		return true
	}
	return false
}

// line takes a serial line; true if it belongs to an answer.
func (k *debugKeys) line(s string) bool {
	if k.stage == keysIdle {
		return false
	}
	if !strings.HasPrefix(s, xenPrefix) {
		return false
	}
	if reDying.MatchString(s) { // just now, of all times
		k.stage = keysIdle
		return false
	}
	if reVCPU.MatchString(s) {
		k.vcpus++
	} else if m := rePaused.FindStringSubmatch(s); m != nil {
		if hex(m[1])&1 != 0 {
			k.waiting++
		}
	} else if reTimer.MatchString(s) {
		k.timer = true
	}
	return true
}

// blocked tells that nothing can wake the domain, going by the last answer.
func (k *debugKeys) blocked() bool {
	return k.vcpus > 0 && k.waiting == k.vcpus && !k.timer
}
