package explain

import (
	"fmt"
	"strings"
)

// columns is the width that texts keep to.
const columns = 100

// line writes a formatted line without trailing blanks.
func line(b *strings.Builder, format string, a ...any) {
	b.WriteString(strings.TrimRight(fmt.Sprintf(format, a...), " "))
	b.WriteByte('\n')
}

// wrap writes text in lines of at most width columns; the first begins with
// indent, the others with as many blanks.
func wrap(b *strings.Builder, text, indent string, width int) {
	pad := indent
	col := 0
	for _, w := range strings.Fields(text) {
		switch {
		case col == 0:
			b.WriteString(pad)
			col = len(pad)
		case col+1+len(w) > width:
			b.WriteByte('\n')
			pad = strings.Repeat(" ", len(indent))
			b.WriteString(pad)
			col = len(pad)
		default:
			b.WriteByte(' ')
			col++
		}
		b.WriteString(w)
		col += len(w)
	}
	b.WriteByte('\n')
}

// Text is the explanation for a reader who has never heard of bounce frames.
func (x *Explanation) Text() string {
	var b strings.Builder
	section := func(title string) { fmt.Fprintf(&b, "\n%s\n", title) }

	b.WriteString("Verdict\n")
	x.verdict(&b)
	if x.Misleading != "" {
		section("Misleading symptom")
		wrap(&b, x.Misleading, "  ", columns)
	}
	if len(x.Ending.Console) > 0 {
		section("What Xen prints")
		x.console(&b)
	}
	if len(x.Chain) > 0 {
		section("What it does not print: the events that were delivered")
		x.chain(&b)
	}
	if len(x.Path) > 0 {
		section("The stub's instructions on the way there")
		x.path(&b)
	}
	if x.Drawing != nil {
		title := "The frame as it was delivered"
		if x.Drawing.By != "" {
			title += ", and as it was consumed"
		}
		section(title)
		b.WriteString(x.Drawing.Text())
	}
	if len(x.Registers) > 0 {
		section("Registers there")
		for i := 0; i < len(x.Registers); i += 4 {
			s := " "
			for _, r := range x.Registers[i:min(i+4, len(x.Registers))] {
				s += fmt.Sprintf(" %-6s %016x", r.Name, r.Value)
			}
			line(&b, "%s", s)
		}
		if s := pointers(x.Registers); s != "" {
			wrap(&b, s, "  They point to ", columns)
		}
	}
	if len(x.Stack) > 0 {
		section("Stack there, from rsp upwards")
		for _, w := range x.Stack {
			s := w.Origin
			if w.Symbol != "" {
				s = strings.TrimSpace(s + " <" + w.Symbol + ">")
			}
			line(&b, "  %016x  %016x  %s", w.Addr, w.Value, clip(s, columns-38))
		}
	}
	if x.Cause != nil && x.Cause.Other != "" {
		if x.Platform == Xen {
			section("What bare metal would have done")
		} else {
			section("What Xen would have done")
		}
		wrap(&b, x.Cause.Other, "  ", columns)
	}
	if len(x.Consequences) > 0 {
		section("What followed from it")
		for _, c := range x.Consequences {
			wrap(&b, c, "  - ", columns)
		}
	}
	if x.Cause != nil && x.Cause.Fix != "" {
		section("What to change")
		wrap(&b, x.Cause.Fix, "  ", columns)
	}
	return b.String()
}

// pointers names what registers point to.
func pointers(regs []RegView) string {
	var out []string
	for _, r := range regs {
		if r.Symbol != "" {
			out = append(out, fmt.Sprintf("%s <%s>", r.Name, r.Symbol))
		}
	}
	return strings.Join(out, ", ")
}

// console repeats what Xen prints, but only the beginning of its stack dump.
func (x *Explanation) console(b *strings.Builder) {
	const stackLines = 4
	stack, n := false, 0
	for _, l := range x.Ending.Console {
		if strings.HasPrefix(l, "Guest stack trace") {
			stack = true
		} else if stack && strings.HasPrefix(l, "   ") {
			if n++; n > stackLines {
				continue
			}
		} else if n > stackLines {
			line(b, "  (XEN)    ... %d more lines of stack", n-stackLines)
			stack, n = false, 0
		}
		line(b, "  (XEN) %s", printable(l))
	}
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if n < 3 {
		return ""
	}
	return s[:n-3] + "..."
}

func (x *Explanation) verdict(b *strings.Builder) {
	if x.Cause == nil {
		s := "Nothing went wrong: every return took each word from its own slot and gave every register back."
		if len(x.Chain) == 0 {
			s = "No event was delivered, and nothing went wrong."
		}
		if x.Ending.died() {
			s = "The cause was not found among the events that were followed. The end: " + x.Ending.words() + "."
		}
		wrap(b, s, "  ", columns)
	} else {
		s := upper(x.Cause.Verdict)
		if x.Cause.Rule != "" {
			s += " (" + x.Cause.Rule + ")"
		}
		wrap(b, s+".", "  ", columns)
		if x.RuleTitle != "" {
			wrap(b, x.RuleTitle, "  "+x.Cause.Rule+": ", columns)
		}
	}
	if len(x.Unsure) > 0 {
		wrap(b, strings.Join(x.Unsure, "; ")+".", "  Unsure: needed ", columns)
	}
	for _, l := range x.Lost {
		wrap(b, l.Text, "  Lost: ", columns)
	}
	for _, h := range x.Harmless {
		wrap(b, h, "  Harmless by itself: ", columns)
	}
	if len(x.Harmless) > 0 && x.Cause != nil {
		what := "What does harm"
		if x.Cause.Fatal {
			what = "What kills"
		}
		wrap(b, what+" is the step named above.", "  ", columns)
	}
}

func (l *Lost) words(place func(uint64) string) string {
	s := fmt.Sprintf("%s was %#x, comes back as %#x", l.Reg, l.Want, l.Got)
	if l.Why != "" {
		return s + " (" + l.Why + ")"
	}
	if l.Origin.Kind != Unknown {
		s += ": " + l.Origin.words(place)
	}
	return s
}

func upper(s string) string {
	if len(s) > 0 && strings.HasPrefix(s, "the ") {
		return "T" + s[1:]
	}
	return s
}

func (x *Explanation) chain(b *strings.Builder) {
	const shown = 12
	for i, f := range x.Chain {
		if len(x.Chain) > shown && i == shown/2 {
			line(b, "  ... %d more", len(x.Chain)-shown)
		}
		if len(x.Chain) > shown && i >= shown/2 && i < len(x.Chain)-shown/2 {
			continue
		}
		s := fmt.Sprintf("%s from %s mode at %s, frame at %#x, handler %s", f.Event, f.From, f.At, f.Stack, f.Handler)
		if f.Times > 1 {
			s += fmt.Sprintf("; %d times in a row, the last frame at %#x", f.Times, f.Last)
		}
		if f.Returned {
			s += "; returned"
		}
		wrap(b, s, fmt.Sprintf("  %d. ", f.Number), columns)
	}
}

func (x *Explanation) path(b *strings.Builder) {
	for _, p := range x.Path {
		if p.Skipped > 0 {
			line(b, "    ... %s in between", count(p.Skipped, "instruction"))
		}
		at := fmt.Sprintf("%x", p.Place.Addr)
		if p.Place.Symbol != "" {
			at = fmt.Sprintf("%s+%#x", p.Place.Symbol, p.Place.Offset)
		}
		src := ""
		if p.Place.File != "" {
			name := p.Place.File[strings.LastIndexByte(p.Place.File, '/')+1:]
			src = fmt.Sprintf("%s:%d", name, p.Place.Line)
		}
		note := ""
		if p.Note != "" {
			note = "<- " + p.Note
		}
		s := fmt.Sprintf("  %-26s %-18s %-30s ", at, src, clip(p.Text, 34))
		line(b, "%s%s", s, clip(note, columns-len(s)))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
