package random

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"pvlab/hv"
	"pvlab/hv/probe"
	"pvlab/hypercall"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Answer is what a hypercall came to: an errno, or 0 for any success.
type Answer struct {
	Call, Op string // names of the hypercall table
	Errno    abi.Errno
}

// watchAnswers counts the answers of a machine's hypercalls. A list counts if it
// has one element, whose answer it is.
func watchAnswers(m *hv.Machine) map[Answer]uint64 {
	seen := map[Answer]uint64{}
	var op string // of the list under way
	p := m.Probes()
	p.Hypercall = append(p.Hypercall, func(h *probe.Hypercall) { op = listOp(m, h) })
	p.Return = append(p.Return, func(h *probe.Hypercall) {
		if h.Op != "" {
			op = h.Op
		}
		e := errnoOf(h.Result)
		if h.Number == abi.HypGetDebugreg && e != abi.ENODEV || h.Number == abi.HypIret {
			e = 0 // what is in the register
		}
		seen[Answer{h.Name, op, e}]++
		op = ""
	})
	return seen
}

// errnoOf is the errno of a result, 0 if it is none. Some calls lose the upper half.
func errnoOf(result uint64) abi.Errno {
	const most = 200
	v := int64(result)
	if result>>32 == 0 {
		v = int64(int32(result))
	}
	if v < 0 && v > -most {
		return abi.Errno(-v)
	}
	return 0
}

// listOp names the operation of a list of one, "" for others.
func listOp(m *hv.Machine, h *probe.Hypercall) string {
	if h.Args[1] != 1 || h.Number != abi.HypMMUExtOp && h.Number != abi.HypMMUUpdate {
		return ""
	}
	d := m.Domain()
	w := pagetable.Translate(d.Mem, d.VCPU[h.VCPU].CPU.CR3, h.Args[0], d.Rules.MaxPA, true)
	var b [4]byte
	if !w.Mapped || !d.Mem.Read(w.PA, b[:]) {
		return ""
	}
	n := uint64(binary.LittleEndian.Uint32(b[:]))
	if h.Number == abi.HypMMUUpdate {
		n &= 3
	}
	for _, r := range hypercall.Rows() {
		if r.Number != int(h.Number) {
			continue
		}
		for _, op := range r.Ops.List {
			if op.Number == n {
				return op.Name
			}
		}
	}
	return ""
}

// neverSucceed are the operations whose success no sequence may have.
var neverSucceed = map[string]string{
	"iret":                             "does not return",
	"sched_op SCHEDOP_shutdown":        "ends the machine",
	"sched_op SCHEDOP_remote_shutdown": "ends the machine",
	"sched_op_compat SCHEDOP_shutdown": "ends the machine",
}

// Unlisted are errnos that the model gave though its source says otherwise: the
// table of the errnos is wrong.
func (s *Summary) Unlisted() (list []string) {
	answers := hypercall.EveryAnswer()
	for a := range s.Answers {
		i := slices.IndexFunc(answers, func(h hypercall.Answers) bool { return h.Call == a.Call && h.Op == a.Op })
		if i >= 0 && a.Errno != 0 && !slices.Contains(answers[i].Errnos, a.Errno) {
			list = append(list, strings.TrimSpace(a.Call+" "+a.Op)+" "+a.Errno.String())
		}
	}
	slices.Sort(list)
	return list
}

// Unseen tells which operations of the table were not seen succeeding, and which
// errnos of their source were not seen.
func (s *Summary) Unseen() string {
	var b strings.Builder
	var ops, succeeded, want, errnos, seen int
	b.WriteString("not seen on the model:\n")
	for _, h := range hypercall.EveryAnswer() {
		name := strings.TrimSpace(h.Call + " " + h.Op)
		why := neverSucceed[name]
		var missing []string
		ops++
		switch {
		case !h.Succeeds:
		case why != "":
			missing = append(missing, "success ("+why+")")
		case s.Answers[Answer{h.Call, h.Op, 0}] > 0:
			succeeded++
			want++
		case h.Partial:
			want++
			missing = append(missing, "success (built in part, the rest ends the run)")
		default:
			want++
			missing = append(missing, "success")
		}
		for _, e := range h.Errnos {
			errnos++
			if s.Answers[Answer{h.Call, h.Op, e}] > 0 {
				seen++
			} else {
				missing = append(missing, e.String())
			}
		}
		if len(missing) > 0 {
			fmt.Fprintf(&b, "  %-52s %s\n", name, strings.Join(missing, " "))
		}
	}
	fmt.Fprintf(&b, "%d operations: %d of %d that can succeed did; %d of %d errnos that the source can give were seen\n",
		ops, succeeded, want, seen, errnos)
	return b.String()
}
