package judge

import (
	"io"
	"regexp"
	"strings"
	"time"
)

// debugKeys asks Xen itself, by its serial debug keys q, e and a, whether the
// domain is blocked for ever. Xen says so with
//
//	(XEN)     VCPU0: CPU0 [has=F] poll=0 upcall_pend=00 upcall_mask=00
//	(XEN)     pause_count=0 pause_flags=1            bit 0: _VPF_blocked
//	(XEN) No periodic timer                          or: 100 Hz periodic timer ...
//	(XEN)     port [p/m/s]                           the event channels, if any:
//	(XEN)        1 [0/0/0]: s=5 n=0 x=0 v=0          s=5: a VIRQ, v=0: VIRQ_TIMER
//	(XEN)   ex=  1200us timer=... cb=common/sched/core.c#vcpu_singleshot_timer_fn(...)
//
// (xen/common/keyhandler.c, event_channel.c, timer.c). What can wake a blocked
// dom0 of ours by itself is VIRQ_TIMER, if it is bound and a timer runs, and the
// end of a poll; all its physical interrupts are masked.
type debugKeys struct {
	stage    keyStage
	vcpus    int
	waiting  int  // vCPUs with _VPF_blocked
	periodic bool // a vCPU has its periodic timer on
	bound    bool // VIRQ_TIMER is bound
	oneShot  bool // a vCPU's single-shot timer runs
	poll     bool // the end of a SCHEDOP_poll is timed
}

type keyStage int

const (
	keysIdle keyStage = iota
	keysDomain
	keysEvents
	keysTimers
	keysBack
)

// ctrlA three times switches the serial input between dom0 and Xen.
const ctrlA = "\x01\x01\x01"

var (
	reVCPU     = regexp.MustCompile(`^\(XEN\)     VCPU\d+: .* upcall_pend=`)
	rePaused   = regexp.MustCompile(`^\(XEN\)     pause_count=\d+ pause_flags=([0-9a-f]+)`)
	reDying    = regexp.MustCompile(`Unhandled: vec|Pagetable walk|domain_crash|crashed on cpu|IRET context|no user page tables|Hardware (Dom|domain )`)
	rePeriodic = regexp.MustCompile(`^\(XEN\) \d+ Hz periodic timer`)
	reBound    = regexp.MustCompile(`^\(XEN\)  +\d+ \[.*\]: s=5 .* v=0\b`)
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
		k.stage = keysTimers
		io.WriteString(serial, "a")
	case keysTimers:
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
	switch {
	case reVCPU.MatchString(s):
		k.vcpus++
	case rePeriodic.MatchString(s):
		k.periodic = true
	case reBound.MatchString(s):
		k.bound = true
	case strings.Contains(s, "#vcpu_singleshot_timer_fn"):
		k.oneShot = true
	case strings.Contains(s, "#poll_timer_fn"):
		k.poll = true
	default:
		if m := rePaused.FindStringSubmatch(s); m != nil && hex(m[1])&1 != 0 {
			k.waiting++
		}
	}
	return true
}

// blocked tells that nothing can wake the domain, going by the last answer.
func (k *debugKeys) blocked() bool {
	timed := k.poll || k.bound && (k.periodic || k.oneShot)
	return k.vcpus > 0 && k.waiting == k.vcpus && !timed
}
