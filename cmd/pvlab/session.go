package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"pvlab/entry/explain"
	"pvlab/hv"
)

// session is one run of a guest at the command line: where its console goes,
// what is traced, how its end is told.
type session struct {
	a     *app
	json  *json.Encoder // nil without --json
	line  []byte        // unfinished console line (JSON form)
	trace traceSet
	quiet bool // nothing the guest does is shown: it is run again to be explained
	m     *hv.Machine
	rec   *explain.Recorder
}

// event is one JSON line on stdout.
type event struct {
	Event  string   `json:"event"` // console, hypervisor, trace, end, explanation
	Step   uint64   `json:"step"`
	Text   string   `json:"text,omitempty"`
	Bytes  []byte   `json:"bytes,omitempty"` // console output that is not UTF-8, in base64; Text is then empty
	End    string   `json:"end,omitempty"`
	Code   *int     `json:"code,omitempty"` // exit status
	Reason *int     `json:"reason,omitempty"`
	Unsure []string `json:"unsure,omitempty"`
	Detail any      `json:"detail,omitempty"`
}

func (a *app) newSession(asJSON bool, tr traceSet) *session {
	s := &session{a: a, trace: tr}
	if asJSON {
		s.json = json.NewEncoder(a.out)
		s.json.SetEscapeHTML(false)
	}
	return s
}

func (s *session) emit(e event) {
	if s.m != nil {
		e.Step = s.m.Steps()
	}
	_ = s.json.Encode(e)
}

// console returns the writer of the guest's console bytes.
func (s *session) console() io.Writer {
	return writerFunc(func(b []byte) (int, error) {
		if s.quiet {
			return len(b), nil
		}
		if s.json == nil {
			return s.a.out.Write(b)
		}
		s.line = append(s.line, b...)
		for {
			i := bytes.IndexByte(s.line, '\n')
			if i < 0 && len(s.line) < 4096 {
				return len(b), nil
			}
			if i < 0 {
				i = len(s.line) - 1
			}
			s.emitConsole(s.line[:i+1])
			s.line = s.line[i+1:]
		}
	})
}

// emitConsole emits a piece of console output; JSON text would not keep all
// bytes.
func (s *session) emitConsole(b []byte) {
	e := event{Event: "console"}
	if utf8.Valid(b) {
		e.Text = string(b)
	} else {
		e.Bytes = b
	}
	s.emit(e)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func (s *session) hypervisor(line string) {
	if s.quiet {
		return // the second run, for the explanation
	}
	if s.json != nil {
		s.emit(event{Event: "hypervisor", Text: line})
		return
	}
	fmt.Fprintln(s.a.errw, line)
}

func (s *session) attach(m *hv.Machine) {
	s.m = m
	s.rec = explain.Attach(m)
	s.trace.attach(m, s.traceLine)
}

func (s *session) traceLine(text string) {
	if s.quiet {
		return
	}
	if s.json != nil {
		s.emit(event{Event: "trace", Text: text})
		return
	}
	fmt.Fprintln(s.a.errw, text)
}

// run runs the guest to its end or the step limit.
func (s *session) run(m *hv.Machine, limit uint64) (hv.Result, error) {
	if s.trace.insn {
		for m.Steps() < limit {
			s.trace.instruction(m, s.traceLine)
			if r, err := m.Step(); err != nil || r.End != hv.EndRunning {
				return r, err
			}
		}
	}
	r, err := m.Run(limit - min(limit, m.Steps()))
	if r.End == hv.EndRunning {
		r.End = hv.EndStepLimit
	}
	return r, err
}

// ended tells how the run ended.
func (s *session) ended(m *hv.Machine, r hv.Result) {
	code := r.End.ExitCode()
	if s.json != nil {
		if len(s.line) > 0 {
			s.emitConsole(s.line)
		}
		e := event{Event: "end", End: r.End.String(), Code: &code, Unsure: r.Unsure}
		if m.Config().Platform == hv.Xen {
			e.Reason = &r.Reason
		}
		if r.Unmodelled != nil {
			e.Text = gap(m, r)
		}
		s.emit(e)
		return
	}
	fmt.Fprintf(s.a.errw, "pvlab: %s\n", endSentence(m, r))
	if len(r.Unsure) > 0 {
		fmt.Fprintf(s.a.errw, "pvlab: unsure: needed %s\n", strings.Join(r.Unsure, "; "))
	}
}

// gap says where the guest met what is not modelled, and what that is.
func gap(m *hv.Machine, r hv.Result) string {
	return fmt.Sprintf("at %s: %v", place(m, m.CPU(r.VCPU).RIP), r.Unmodelled)
}

func endSentence(m *hv.Machine, r hv.Result) string {
	after := fmt.Sprintf("after %d instructions", r.Steps)
	switch r.End {
	case hv.EndPowerOff:
		return "the guest powered off " + after
	case hv.EndReboot:
		return "the guest asked for a reboot " + after
	case hv.EndGuestCrash:
		return "the guest reported its own crash " + after
	case hv.EndBlocked:
		return "all vCPUs wait and nothing could wake them, " + after
	case hv.EndStepLimit:
		return fmt.Sprintf("step limit: still running %s (--max-steps)", after)
	case hv.EndUnmodelled:
		return fmt.Sprintf("stopped %s %s", after, gap(m, r))
	case hv.EndOther:
		return fmt.Sprintf("shutdown with reason %d %s", r.Reason, after)
	case hv.EndKilled:
		if m.Config().Platform == hv.Native {
			return "triple fault " + after
		}
		return "Xen killed the guest " + after
	}
	return r.String()
}
