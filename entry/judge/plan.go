package judge

import (
	"strconv"
	"strings"
)

// Plan is what a guest announces before a cell's trap:
//
//	plan vec=14 err=0 rip=ffffffff80101234 rsp=ffffffff80105000 cr2=0000000000001000
//
// RIP is the value that the frame will hold. Numbers but vec are hexadecimal.
type Plan struct {
	Vector int
	Code   uint64
	RIP    uint64
	RSP    uint64
	CR2    uint64
}

// ParsePlan reads a plan line; ok is false for any other line.
func ParsePlan(line string) (p Plan, ok bool) {
	rest, ok := strings.CutPrefix(line, "plan ")
	if !ok {
		return Plan{}, false
	}
	var seen int
	for _, f := range strings.Fields(rest) {
		key, val, _ := strings.Cut(f, "=")
		base := 16
		if key == "vec" {
			base = 10
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(val, "0x"), base, 64)
		if err != nil {
			continue // `err=none` and keys of later guests
		}
		switch key {
		case "vec":
			p.Vector = int(n)
			seen |= 1
		case "rip":
			p.RIP = n
			seen |= 2
		case "err":
			p.Code = n
		case "rsp":
			p.RSP = n
		case "cr2":
			p.CR2 = n
		}
	}
	return p, seen == 3 && p.Vector < 256
}

// PlannedTrapSeen tells whether the guest announced a trap and then raised it:
// a cell counts only if both runs did.
func PlannedTrapSeen(o Outcome) bool {
	for _, line := range o.Transcript {
		p, ok := ParsePlan(line)
		if !ok {
			continue
		}
		for _, t := range o.Traps {
			if t.Vector == p.Vector && t.RIP == p.RIP {
				return true
			}
		}
	}
	return false
}
