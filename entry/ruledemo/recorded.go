package ruledemo

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pvlab/entry/judge"
)

// The recordings: what real Xen 4.17 and plain QEMU did with each demo, a file
// for each area. `go test ./entry/ruledemo -run TestRecordings -record all`
// writes them. A recording keeps what does not depend on where the linker put
// things: how the run ended, at a death the page walk and first words of the
// stack, and every line of the guest's. A comparison on the spot looks at all the rest,
// too.
//
//go:embed recorded/*.txt
var recordings embed.FS

// ErrNoRecording is wrapped by the error for a demo that nobody has recorded.
var ErrNoRecording = errors.New("not recorded: go test ./entry/ruledemo -run TestRecordings -record missing")

// incomparable begins the recording of a run that came past a fault of QEMU
// and differed: names of the faults follow.
const incomparable = "not comparable: "

// recording is the text kept of an outcome.
func recording(o *judge.Outcome) []string {
	first := o.End.String()
	if o.End == judge.EndShutdownOther {
		first += fmt.Sprintf(" reason %d", o.Reason)
	}
	if o.Crash != "" {
		first += " " + o.Crash
	}
	if o.Vector >= 0 {
		first += fmt.Sprintf(" vec %d", o.Vector)
	}
	if o.HasCode {
		first += fmt.Sprintf(" code %04x", o.Code)
	}
	lines := []string{first}
	for _, w := range o.Walks {
		l := "walk"
		for _, e := range w.Entries {
			l += fmt.Sprintf(" L%d %03x", e.Level, e.Entry&0xfff)
			if e.Entry>>63 != 0 {
				l += " nx"
			}
		}
		lines = append(lines, l)
	}
	if n := min(len(o.Stack), stackKept); n > 0 {
		l := "stack"
		for _, w := range o.Stack[:n] {
			l += fmt.Sprintf(" %x", w)
		}
		lines = append(lines, l)
	}
	for _, t := range o.Transcript {
		lines = append(lines, "| "+t)
	}
	for i := range lines {
		lines[i] = imageAddress.ReplaceAllString(lines[i], "<image>")
	}
	return lines
}

// stackKept is how many words from RSP a recording keeps: a frame.
const stackKept = 8

// imageAddress is an address inside the image, which is linked at 1 MiB above
// ffffffff80000000, or its user part at 4 MiB, and smaller than that.
var imageAddress = regexp.MustCompile(`\b(ffffffff801[0-9a-f]{5}|40[0-9a-f]{4})\b`)

// section begins the recording of one demo in its area's file.
const section = "== "

// recordedAll reads an area's file: the lines of each demo, by its name, and
// the names in the order of the file.
func recordedAll(area string) (byName map[string][]string, names []string) {
	b, err := recordings.ReadFile("recorded/" + area + ".txt")
	if err != nil {
		return nil, nil // an area that nobody has recorded
	}
	return parseRecordings(string(b))
}

func parseRecordings(text string) (byName map[string][]string, names []string) {
	byName = map[string][]string{}
	name := ""
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if rest, ok := strings.CutPrefix(l, section); ok {
			name = rest
			names = append(names, name)
			byName[name] = nil
		} else if name != "" {
			byName[name] = append(byName[name], l)
		}
	}
	return byName, names
}

// againstRecording compares the model's run with the recorded one.
func againstRecording(d Demo, model *judge.Outcome) (judge.Judgement, error) {
	byName, _ := recordedAll(area(d.ID))
	want, ok := byName[d.String()]
	if !ok {
		return judge.Judgement{}, fmt.Errorf("%s is %w", d, ErrNoRecording)
	}
	if len(want) > 0 && strings.HasPrefix(want[0], incomparable) {
		return judge.Judgement{Verdict: judge.NotComparable}, nil
	}
	got := recording(model)
	// How long Xen's dump of the stack is depends on where the stack lies.
	if !slices.ContainsFunc(got, isStack) || !slices.ContainsFunc(want, isStack) {
		got = slices.DeleteFunc(got, isStack)
		want = slices.DeleteFunc(slices.Clone(want), isStack)
	}
	if slices.Equal(got, want) {
		return judge.Judgement{Verdict: judge.Agree}, nil
	}
	j := judge.Judgement{Verdict: judge.Disagree}
	for i := range max(len(got), len(want)) {
		if g, w := lineAt(got, i), lineAt(want, i); g != w {
			j.Differences = append(j.Differences, judge.Difference{Field: fmt.Sprintf("line %d", i+1), Model: g, Real: w})
		}
	}
	return j, nil
}

func isStack(line string) bool { return strings.HasPrefix(line, "stack ") }

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(no line)"
}

// area of "FRAME-05" is "FRAME".
func area(id string) string {
	a, _, _ := strings.Cut(id, "-")
	return a
}
