package judge

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// cpuUnderXen is the processor Xen sees. An Intel, because QEMU's far call reads
// its operand as an Intel does, and so without SVM; of a family that Xen knows.
// Without SMAP, because QEMU 7.2 runs the stack reads of IRETQ at CPL 3 as
// supervisor reads, which SMAP then refuses (QuirkIretSMAP).
const cpuUnderXen = "max,-smap,-svm,vendor=GenuineIntel,family=6,model=94,stepping=3"

// xenCmdline is Xen's own command line; behaviour is compared on its defaults.
const xenCmdline = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=%dM dom0=pv dom0_max_vcpus=%d"

// bulkCmdline is the same without the messages about single calls (Run.Bulk).
var bulkCmdline = strings.Replace(xenCmdline, "loglvl=all guest_loglvl=all", "guest_loglvl=none", 1)

// hostMiB is the machine's memory beside the guest's: Xen's heap.
const hostMiB = 768

var (
	// The last line of Xen's boot: the next one is the guest's.
	reBooted = regexp.MustCompile(`^\(XEN\) Freed \d+kB init memory`)
	// Lines after which nothing more comes.
	reFinal = regexp.MustCompile(`\(XEN\) Hardware (Dom|domain )\d+ `)
	// Xen itself is dead. It also panics when it refuses to build the domain.
	reXenDied = regexp.MustCompile(`\(XEN\).*(Panic on CPU \d+|FATAL TRAP|Xen BUG at)|^\(XEN\) (Could not |Reboot in )`)
)

// Xen boots in about a second. bootTime is for a loaded machine; a boot that has
// not come through by then is begun once more.
const bootTime = 30 * time.Second

var errBootStalled = fmt.Errorf("judge: Xen did not come up within %s", bootTime)

// runXen runs the image as dom0.
func (j *Judge) runXen(ctx context.Context, r Run, image, initrd string) (Outcome, error) {
	w, err := j.bootXen(ctx, r, image, initrd)
	if err == errBootStalled {
		w, err = j.bootXen(ctx, r, image, initrd)
	}
	if err != nil {
		return Outcome{}, err
	}
	o := ParseConsole(w.text())
	if o.End == EndUnknown {
		o.End = w.end
	}
	o.Traps = w.m.traps.traps
	return o, nil
}

// bootXen runs one machine to its end.
func (j *Judge) bootXen(ctx context.Context, r Run, image, initrd string) (*xenWatch, error) {
	module := strings.ReplaceAll(strings.TrimSpace(image+" "+r.Cmdline), ",", ",,")
	if initrd != "" {
		module += "," + initrd
	}
	cmdline, keep := xenCmdline, func(t Trap) bool { return t.CPL == 3 && t.Vector < 32 }
	if r.Bulk {
		cmdline, keep = bulkCmdline, nil
	}
	options := fmt.Sprintf(cmdline, r.MemMiB, r.VCPUs)
	if r.XenOptions != "" {
		options += " " + r.XenOptions
	}
	m, err := startMachine(j.qemu, []string{
		"-accel", "tcg", "-cpu", cpuUnderXen,
		"-m", strconv.Itoa(r.MemMiB + hostMiB), "-smp", strconv.Itoa(r.PCPUs),
		"-kernel", j.xen, "-append", options,
		"-initrd", module,
	}, false, keep)
	if err != nil {
		return nil, err
	}
	defer m.stop()
	w := &xenWatch{m: m, run: r}
	return w, w.watch(ctx)
}

// xenWatch follows the serial line of one run.
type xenWatch struct {
	m     *machine
	run   Run
	boot  []string // up to the guest's start
	guest []string // from there on, without what debug keys print
	up    bool
	end   End // EndBlocked or EndHang, if the console does not tell
	keys  debugKeys
}

// text is the console from the guest's start on.
func (w *xenWatch) text() string {
	var b strings.Builder
	for _, s := range w.guest {
		b.WriteString(s + "\n")
	}
	return b.String()
}

func (w *xenWatch) watch(ctx context.Context) error {
	quiet, limit := time.NewTimer(w.run.Quiet), time.NewTimer(bootTime)
	defer quiet.Stop()
	defer limit.Stop()
	for {
		select {
		case line, ok := <-w.m.lines:
			if !ok {
				if w.up {
					return w.m.failure("QEMU ended before the guest did", w.guest)
				}
				return w.m.failure("Xen did not start the guest", w.boot)
			}
			booting := !w.up
			if done, err := w.line(line); done || err != nil {
				return err
			}
			if booting && w.up {
				limit.Reset(w.run.Timeout)
			}
			quiet.Reset(w.silence())
		case <-quiet.C:
			if w.up && w.keys.press(w.m.stdin) {
				if w.keys.blocked() {
					w.end = EndBlocked
					return nil
				}
				// Asked again, but ever less often: each question raises
				// VIRQ_DEBUG in the guest, if it has bound it.
				w.run.Quiet *= 2
			}
			quiet.Reset(w.silence())
		case <-limit.C:
			if !w.up {
				return errBootStalled
			}
			w.end = EndHang
			return nil
		case <-ctx.Done():
			return fmt.Errorf("judge: under Xen: %w", context.Cause(ctx))
		}
	}
}

// silence is how long nothing must be said before the next key is pressed.
func (w *xenWatch) silence() time.Duration {
	if w.keys.stage != keysIdle {
		return keyPause
	}
	return w.run.Quiet
}

// line takes one serial line; done means that no other will come.
func (w *xenWatch) line(s string) (done bool, err error) {
	if !w.up {
		w.boot = append(w.boot, s)
		w.up = reBooted.MatchString(s)
	} else if !w.keys.line(s) {
		w.guest = append(w.guest, s)
	}
	if reXenDied.MatchString(s) {
		return true, fmt.Errorf("judge: Xen refused the guest or died: %s", strings.Join(w.afterDeath(s), " | "))
	}
	return w.up && reFinal.MatchString(s), nil
}

// afterDeath collects what Xen still says when it dies, for the message.
func (w *xenWatch) afterDeath(first string) []string {
	told := []string{first}
	for {
		select {
		case s, ok := <-w.m.lines:
			if !ok || len(told) > 40 {
				return told
			}
			told = append(told, s)
		case <-time.After(200 * time.Millisecond):
			return told
		}
	}
}
