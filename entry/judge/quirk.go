package judge

import "strings"

// QuirkID names a fault of QEMU.
type QuirkID string

// The known faults of QEMU 7.2's TCG that exceptions can meet.
const (
	QuirkIntN         QuirkID = "int-n-code"
	QuirkGateAbsent   QuirkID = "absent-gate-code"
	QuirkExtBit       QuirkID = "ext-bit"
	QuirkNonCanonical QuirkID = "ss-non-canonical"
	QuirkIretSMAP     QuirkID = "iret-smap"
	QuirkPauseStep    QuirkID = "pause-step"
	QuirkMovSS        QuirkID = "movss-data-breakpoint"
)

// Quirk is one fault of QEMU, and what the probe found of it.
type Quirk struct {
	ID   QuirkID
	What string // what is done
	Real string // what the probe reports on a processor
	Here string // what it reported here; "" before a probe
	// Avoided says why no run of ours meets it although it is present.
	Avoided string
	// touched finds in a reference run that it came past the fault. nil: it can
	// not be seen in a run; the cells do nothing of the kind.
	touched func(o Outcome) bool
}

// Present tells whether this QEMU has the fault.
func (q Quirk) Present() bool { return q.Here != "" && q.Here != q.Real }

// Quirks is the result of a probe.
type Quirks []Quirk

// Touched are the faults that are present and that the reference run met, so
// that its outcome is not evidence against the model.
func (qs Quirks) Touched(real Outcome) []Quirk {
	var out []Quirk
	for _, q := range qs {
		if q.Present() && q.touched != nil && q.touched(real) {
			out = append(out, q)
		}
	}
	return out
}

// Comparable tells whether a reference run can be held against the model, and
// if not, why.
func (qs Quirks) Comparable(real Outcome) (ok bool, why string) {
	touched := qs.Touched(real)
	ids := make([]string, len(touched))
	for i, q := range touched {
		ids[i] = string(q.ID)
	}
	return len(ids) == 0, strings.Join(ids, ", ")
}

// idtBit in an error code: the index is that of an IDT gate (SDM vol. 3, 6.13).
const idtBit = 2

// knownQuirks is the table; Real is in the probe's words (probe/probe.S).
func knownQuirks() Quirks {
	return Quirks{
		{
			ID: QuirkIntN, What: "error code of the #GP when a gate's DPL refuses INT n (vector*8+2)",
			Real: "vec=13 code=019a",
			touched: func(o Outcome) bool {
				return anyTrap(o.Traps, func(t, _ Trap) bool { return t.Vector == 13 && t.Code&idtBit != 0 })
			},
		},
		{
			ID: QuirkGateAbsent, What: "error code of the #NP from a gate that is not present (vector*8+2)",
			Real: "vec=11 code=01a2",
			touched: func(o Outcome) bool {
				return anyTrap(o.Traps, func(t, _ Trap) bool { return t.Vector == 11 && t.Code&idtBit != 0 })
			},
		},
		{
			ID: QuirkExtBit, What: "EXT bit in the error code when the delivery of a hardware exception fails",
			Real: "vec=11 code=0033",
			touched: func(o Outcome) bool {
				return anyTrap(o.Traps, func(t, before Trap) bool {
					return t.Vector >= 10 && t.Vector <= 13 && t.Code&idtBit != 0 &&
						!before.Soft && before.RIP == t.RIP && before.RSP == t.RSP
				})
			},
		},
		{
			ID: QuirkNonCanonical, What: "a non-canonical address with an SS-relative base is #SS, not #GP",
			Real: "vec=12 code=0000",
			touched: func(o Outcome) bool {
				return anyTrap(o.Traps, func(t, _ Trap) bool {
					return t.Vector == 13 && t.Code == 0 && uint64(int64(t.RSP)<<16>>16) != t.RSP
				})
			},
		},
		{
			ID: QuirkIretSMAP, What: "IRETQ at CPL 3 reads a user stack although SMAP is on",
			Real: "vec=3 code=0000", Avoided: "the processor under Xen has no SMAP; natively no cell runs IRETQ at CPL 3",
		},
		{
			ID: QuirkPauseStep, What: "single step over PAUSE traps right after it",
			Real: "vec=1 code=0002", Avoided: "no cell steps a PAUSE",
		},
		{
			ID: QuirkMovSS, What: "a data breakpoint hit by MOV SS is reported after the next instruction",
			Real: "vec=1 code=0001", Avoided: "no cell sets a data breakpoint",
		},
	}
}

// anyTrap tells whether a trap, seen with the one before it, satisfies ok.
func anyTrap(traps []Trap, ok func(t, before Trap) bool) bool {
	var before Trap
	for _, t := range traps {
		if ok(t, before) {
			return true
		}
		before = t
	}
	return false
}
