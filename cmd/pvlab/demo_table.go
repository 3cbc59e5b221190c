package main

import (
	"fmt"
	"strings"

	"pvlab/entry/cell"
	"pvlab/hv"
)

// marks are what a cell shows, one character each, and their colours.
var marks = map[cell.Verdict]struct {
	char, colour, meaning string
}{
	cell.Survives: {"+", "32", "survives, every register, flag and stack word intact"},
	cell.Corrupt:  {"~", "33", "lives on, with registers changed behind its back"},
	cell.Panics:   {"!", "31", "dies: its own kernel gives up over what the stub did"},
	cell.Killed:   {"X", "31;1", "dies: Xen destroys it; on bare metal a triple fault"},
	cell.Hangs:    {"@", "35", "hangs"},
	cell.Unclear:  {"?", "35", "unclear"},
}

var markOrder = []cell.Verdict{cell.Survives, cell.Corrupt, cell.Panics, cell.Killed, cell.Hangs, cell.Unclear}

// titleWidth is the width of the column that says what a stub does.
const titleWidth = 30

func (a *app) demoTable(rows []*row) {
	colour := isTerminal(a.out)
	p := func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
	p("One guest kernel, booted twice: on bare x86-64, and as a guest of the Xen hypervisor (PV).")
	p("Each row is a way to enter and leave its exception handlers, each mark one run: a page fault,")
	p("a breakpoint, a single step and a protection fault, raised by the kernel and by a user program.")
	p("")
	p("%-12s %-*s bare x86-64 Xen PV", "", titleWidth, "")
	p("%-12s %-*s kern user   kern user   verdict", "variant", titleWidth, "entry stub")
	for _, r := range rows {
		p("%-12s %-*s %s %s   %s %s   %s", cut(r.Name, 12), titleWidth, cut(r.Title, titleWidth),
			r.marks(hv.Native, "kernel", colour), r.marks(hv.Native, "user", colour),
			r.marks(hv.Xen, "kernel", colour), r.marks(hv.Xen, "user", colour), r.summary())
	}
	p("")
	seen := map[cell.Verdict]int{}
	for _, r := range rows {
		for _, c := range r.cells {
			seen[c.verdict]++
		}
	}
	for _, v := range markOrder {
		if m := marks[v]; seen[v] > 0 {
			p("  %s  %3d  %s", m.char, seen[v], m.meaning)
		}
	}
	a.demoRemarks(rows)
}

// demoRemarks says plainly what readers of the table would get wrong.
func (a *app) demoRemarks(rows []*row) {
	var harmless []string
	for _, r := range rows {
		if (r.Name == "pushpop" || r.Name == "twocalls") && !r.user && r.all(hv.Xen, cell.Survives) {
			harmless = append(harmless, r.Name)
		}
	}
	if len(harmless) > 0 {
		fmt.Fprintf(a.out, "\nHarmless by themselves under Xen: %s. Writing below the frame and calling functions\n", strings.Join(harmless, ", "))
		fmt.Fprintln(a.out, "before the two extra words are removed disturbs nothing: the stack is an ordinary one. What")
		fmt.Fprintln(a.out, "kills is reading the frame, or leaving by it, while those words still lie there (row native).")
	}
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n-2] + ".."
}

// marks are the four vectors of one platform and origin.
func (r *row) marks(p hv.Platform, origin string, colour bool) string {
	var b strings.Builder
	for _, c := range r.cells {
		if c.cell.Platform != p || c.cell.Origin != origin {
			continue
		}
		m := marks[c.verdict]
		if colour {
			fmt.Fprintf(&b, "\x1b[%sm%s\x1b[0m", m.colour, m.char)
		} else {
			b.WriteString(m.char)
		}
	}
	return b.String()
}

func (r *row) all(p hv.Platform, v cell.Verdict) bool {
	for _, c := range r.cells {
		if c.cell.Platform == p && c.verdict != v {
			return false
		}
	}
	return true
}

// summary is the row in words.
func (r *row) summary() string {
	native, xen := r.fate(hv.Native), r.fate(hv.Xen)
	if native == xen {
		return native + " on both"
	}
	return fmt.Sprintf("%s natively, %s under Xen", native, xen)
}

func (r *row) fate(p hv.Platform) string {
	n := map[cell.Verdict]int{}
	total := 0
	for _, c := range r.cells {
		if c.cell.Platform == p {
			n[c.verdict]++
			total++
		}
	}
	dead := n[cell.Panics] + n[cell.Killed] + n[cell.Hangs]
	switch {
	case n[cell.Survives] == total:
		return "holds"
	case dead == total:
		return "dies"
	case dead > 0:
		return fmt.Sprintf("dies in %d of %d", dead, total)
	}
	return "corrupts"
}
