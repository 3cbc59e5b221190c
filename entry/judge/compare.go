package judge

import (
	"fmt"
	"regexp"
	"strings"
)

// Difference is one thing in which the model and the reference disagree.
type Difference struct {
	Field string // as "regs.rip", "walk[0].L1", "stack[7]", "transcript[3]"
	Model string
	Real  string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: model %s, real %s", d.Field, d.Model, d.Real)
}

// Compare lists every difference between the model's outcome and the
// reference's, under mask.txt, in a fixed order. Traps are not compared: real
// Xen's include those that Xen handles without telling the guest; that both saw
// the planned one is PlannedTrapSeen's matter.
func Compare(model, real Outcome) []Difference {
	c := &comparison{mask: theMask()}
	c.differ("platform", string(model.Platform), string(real.Platform))
	c.differ("end", model.End.String(), real.End.String())
	c.differ("reason", model.Reason, real.Reason)
	c.differ("crash", model.Crash, real.Crash)
	c.differ("vector", model.Vector, real.Vector)
	c.differ("code", codeText(model), codeText(real))
	c.walks(model.Walks, real.Walks)
	c.regs(model, real)
	c.stack(model, real)
	c.lines("transcript", model.Transcript, real.Transcript)
	if len(c.diffs) == 0 && real.Platform == Xen {
		// Whatever the fields leave out of the report of a death.
		c.lines("xen", c.report(model.Xen), c.report(real.Xen))
	}
	return c.diffs
}

type comparison struct {
	mask  *mask
	diffs []Difference
}

func (c *comparison) differ(field string, model, real any) {
	if model != real {
		c.diffs = append(c.diffs, Difference{field, show(model), show(real)})
	}
}

func show(v any) string {
	switch v := v.(type) {
	case uint64:
		return fmt.Sprintf("%016x", v)
	case uint16:
		return fmt.Sprintf("%04x", v)
	case string:
		if v == "" {
			return "none"
		}
		return v
	}
	return fmt.Sprint(v)
}

func codeText(o Outcome) string {
	if !o.HasCode {
		return ""
	}
	return fmt.Sprintf("%04x", o.Code)
}

func (c *comparison) walks(model, real []Walk) {
	c.differ("walks", len(model), len(real))
	for i := range min(len(model), len(real)) {
		at := fmt.Sprintf("walk[%d]", i)
		m, r := &model[i], &real[i]
		c.differ(at+".addr", m.Addr, r.Addr)
		c.differ(at+".hole", m.Hole(), r.Hole())
		c.differ(at+".levels", len(m.Entries), len(r.Entries))
		for k := range min(len(m.Entries), len(r.Entries)) {
			em, er := m.Entries[k], r.Entries[k]
			field := fmt.Sprintf("%s.L%d", at, er.Level)
			c.differ(field+".level", em.Level, er.Level)
			c.differ(field+".index", em.Index, er.Index)
			c.differ(field+".entry", c.mask.value("walk.entry", em.Entry), c.mask.value("walk.entry", er.Entry))
			c.differ(field+".pfn", em.PFN, er.PFN)
			c.differ(field+".superpage", em.Superpage, er.Superpage)
		}
	}
}

func (c *comparison) regs(model, real Outcome) {
	m, r := model.Regs, real.Regs
	if (m == nil) != (r == nil) {
		c.differ("regs", m != nil, r != nil)
	}
	if m == nil || r == nil {
		return
	}
	for _, g := range gprs {
		if g.xen == "gss" && real.Platform == Native {
			continue // QEMU does not show KERNEL_GS_BASE
		}
		field := "regs." + g.xen
		c.differ(field, c.mask.value(field, *g.at(m)), c.mask.value(field, *g.at(r)))
	}
	for _, s := range sregs {
		c.differ("regs."+s.name, *s.at(m), *s.at(r))
	}
	if real.Platform == Xen {
		c.differ("regs.em", m.EM, r.EM)
	}
}

func (c *comparison) stack(model, real Outcome) {
	c.differ("stack.words", len(model.Stack), len(real.Stack))
	for i := range min(len(model.Stack), len(real.Stack)) {
		c.differ(fmt.Sprintf("stack[%d]", i), model.Stack[i], real.Stack[i])
	}
	c.differ("stack.end", string(model.StackEnd), string(real.StackEnd))
}

// lines names the first line that differs, and how many there are.
func (c *comparison) lines(field string, model, real []string) {
	for i := range min(len(model), len(real)) {
		if model[i] != real[i] {
			c.differ(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q", model[i]), fmt.Sprintf("%q", real[i]))
			break
		}
	}
	c.differ(field+".lines", len(model), len(real))
}

// reReport begins the report of a death.
var reReport = regexp.MustCompile(`Unhandled: vec|^Pagetable walk from|^domain_crash|crashed on cpu|^Hardware (Dom|domain )|` +
	msgIretUnreadable + `|` + msgNoUserTables + `|` + msgFailsafe + `|` + msgL1TF)

// report is the masked text of the death, from its first line on.
func (c *comparison) report(xen []string) []string {
	for i, s := range xen {
		if !reReport.MatchString(s) {
			continue
		}
		var out []string
		for _, s := range xen[i:] {
			out = append(out, c.mask.line(strings.TrimRight(s, "\r")))
		}
		return out
	}
	return nil
}
