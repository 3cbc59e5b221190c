package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// runNative boots the image through its PVH note on the bare machine.
func (j *Judge) runNative(ctx context.Context, r Run, image, initrd string) (Outcome, error) {
	args := []string{
		"-accel", "tcg", "-cpu", "max",
		"-m", strconv.Itoa(r.MemMiB), "-smp", strconv.Itoa(r.VCPUs),
		"-kernel", image, "-append", r.Cmdline,
		// The machine waits for us to listen: QMP tells nobody of what happened
		// before. At its end it stops and stays, to be looked into.
		"-S", "-no-shutdown",
		"-chardev", "socket,id=qmp,fd=4", "-mon", "chardev=qmp,mode=control",
	}
	if initrd != "" {
		args = append(args, "-initrd", strings.ReplaceAll(initrd, ",", ",,"))
	}
	m, err := startMachine(j.qemu, args, true, func(t Trap) bool { return t.Vector < 32 || t.Soft })
	if err != nil {
		return Outcome{}, err
	}
	defer m.stop()
	q, err := newQMP(m.extra)
	if err != nil {
		m.stop()
		return Outcome{}, m.failure(err.Error(), nil)
	}
	defer q.close()
	if _, err := q.command("cont", nil); err != nil {
		m.stop()
		return Outcome{}, m.failure(err.Error(), nil)
	}
	w := nativeWatch{m: m, q: q, run: r, o: Outcome{Platform: Native, Vector: -1}}
	if err := w.watch(ctx); err != nil {
		return Outcome{}, err
	}
	return w.finish()
}

// nativeWatch follows one run on the bare machine.
type nativeWatch struct {
	m     *machine
	q     *qmpClient
	run   Run
	o     Outcome
	reset bool // QEMU says the guest reset the machine: reboot or triple fault
}

func (w *nativeWatch) watch(ctx context.Context) error {
	quiet, limit := time.NewTimer(w.run.Quiet), time.NewTimer(w.run.Timeout)
	defer quiet.Stop()
	defer limit.Stop()
	halted := int64(-1) // trap-log events when all vCPUs were last seen halted
	for {
		select {
		case line, ok := <-w.m.lines:
			if !ok {
				return w.m.failure("QEMU ended by itself", w.o.Transcript)
			}
			w.line(line)
			quiet.Reset(w.run.Quiet)
			halted = -1
		case e, ok := <-w.q.events:
			if !ok {
				return w.m.failure("QEMU ended by itself", w.o.Transcript)
			}
			if e.Event == "SHUTDOWN" {
				return w.shutdown(e)
			}
		case <-quiet.C:
			// Blocked: all vCPUs halted twice, and not one interrupt between.
			now := int64(-1)
			if all, err := w.allHalted(); err != nil {
				return err
			} else if all {
				now = w.m.traps.events.Load()
			}
			if now >= 0 && now == halted {
				w.o.End = EndBlocked
				return nil
			}
			halted = now
			quiet.Reset(w.run.Quiet / 2)
		case <-limit.C:
			w.o.End = EndHang
			return nil
		case <-ctx.Done():
			return fmt.Errorf("judge: on bare QEMU: %w", context.Cause(ctx))
		}
	}
}

func (w *nativeWatch) line(s string) {
	w.o.Transcript = append(w.o.Transcript, s)
}

func (w *nativeWatch) shutdown(e qmpMessage) error {
	var data struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return fmt.Errorf("judge: QMP SHUTDOWN: %w", err)
	}
	switch data.Reason {
	case "guest-shutdown":
		w.o.End = EndPoweroff
	case "guest-reset":
		w.reset = true
	default:
		return fmt.Errorf("judge: QEMU stopped: %s", data.Reason)
	}
	return nil
}

var reHalted = regexp.MustCompile(`HLT=([01])`)

func (w *nativeWatch) allHalted() (bool, error) {
	text, err := w.q.monitor("info registers -a")
	if err != nil {
		return false, err
	}
	all := reHalted.FindAllStringSubmatch(text, -1)
	for _, m := range all {
		if m[1] == "0" {
			return false, nil
		}
	}
	return len(all) > 0, nil
}

// finish reads what is left: the last lines, and after a triple fault the
// processor and the stack.
func (w *nativeWatch) finish() (Outcome, error) {
	var regs *Regs
	var stack []uint64
	var stackEnd StackEnd
	if w.reset {
		text, err := w.q.monitor("info registers")
		if err != nil {
			return Outcome{}, err
		}
		regs = parseQemuRegs(text)
		if stack, stackEnd, err = w.stack(regs.RSP); err != nil {
			return Outcome{}, err
		}
	}
	if _, err := w.q.command("quit", nil); err != nil {
		return Outcome{}, err
	}
	for line := range w.m.lines {
		w.line(line)
	}
	w.m.stop()
	o := &w.o
	o.Traps = w.m.traps.traps
	if w.reset {
		o.End = EndReboot
		if w.m.traps.triple {
			o.End, o.Regs, o.Stack, o.StackEnd = EndTripleFault, regs, stack, stackEnd
			if chain := w.m.traps.chain(); len(chain) > 0 {
				first := chain[0]
				o.Vector, o.HasCode = first.Vector, hasErrorCode(first)
				if o.HasCode {
					o.Code = uint64(first.Code)
				}
			}
		}
	}
	for _, s := range o.Transcript {
		if strings.HasPrefix(s, "PANIC:") && (o.End == EndPoweroff || o.End == EndReboot) {
			o.End = EndCrash
		}
	}
	return *o, nil
}

// hasErrorCode tells whether the exception pushes one (SDM vol. 3, table 6-1);
// QEMU logs a 0 for the others.
func hasErrorCode(t Trap) bool {
	const withCode = 1<<8 | 1<<10 | 1<<11 | 1<<12 | 1<<13 | 1<<14 | 1<<17 | 1<<21
	return !t.Soft && t.Vector < 32 && withCode>>t.Vector&1 != 0
}

var reMonitorWord = regexp.MustCompile(`0x([0-9a-f]{16})`)

// stack reads StackWords words from the guest's RSP upwards, as far as they are
// mapped.
func (w *nativeWatch) stack(rsp uint64) (words []uint64, end StackEnd, err error) {
	read := func(n int, at uint64) ([]uint64, bool, error) {
		text, err := w.q.monitor(fmt.Sprintf("x /%dgx 0x%x", n, at))
		if err != nil {
			return nil, false, err
		}
		var got []uint64
		for _, m := range reMonitorWord.FindAllStringSubmatch(afterColons(text), -1) {
			got = append(got, hex(m[1]))
		}
		return got, len(got) == n, nil
	}
	words, whole, err := read(StackWords, rsp)
	if err != nil || whole {
		return words, StackFull, err
	}
	// The monitor reads line by line: find the last word one by one.
	for words = words[:len(words)&^1]; len(words) < StackWords; {
		next, ok, err := read(1, rsp+8*uint64(len(words)))
		if err != nil {
			return nil, "", err
		}
		if !ok {
			return words, StackFault, nil
		}
		words = append(words, next...)
	}
	return words, StackFull, nil
}

// afterColons drops the address before the colon of each line.
func afterColons(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, ":"); ok {
			b.WriteString(rest)
		}
	}
	return b.String()
}
