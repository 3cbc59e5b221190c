// Package rules is the rule book: one page for each rule that a PV guest's
// entry code has to obey, embedded, with a stable id (FRAME-05). Ids are never
// reused; a rule that is no longer true keeps its page with a note.
//
// A page is Markdown: "# ID", the rule in one sentence, a list of fields
// ("- source: ..."), then sections.
package rules

import (
	"embed"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"gvisor.dev/gvisor/pkg/sync"
)

//go:embed *.md
var pages embed.FS

// Rule is one page of the book.
type Rule struct {
	ID        string // "FRAME-05"
	Area      string // "FRAME"
	Statement string // one sentence
	// Kind is "breakable" (its demo comes in a good and a bad form) or "fact"
	// (the demo observes it); "" when the rule has no demo of its own. Then
	// either ShownBy are the rules whose demos show exactly this, or NoDemo says
	// why there is none (field "demo": "as CB-05, CB-06", or "none, REASON").
	Kind    string
	ShownBy []string
	NoDemo  string
	Tier    string // "core" or "second": what entry stubs rarely meet
	// Documented says where the rule can be read outside this book.
	Documented string
	Source     string // Xen file:function, or manual section
	Since      string // version of Xen, "" for all covered
	// Corrected says where real Xen contradicted the page, which then says what
	// real Xen does.
	Corrected string
	Page      string // the whole text
}

var (
	idLine    = regexp.MustCompile(`^# ([A-Z]+)-(\d\d)$`)
	fieldLine = regexp.MustCompile(`^- ([a-z]+): (.*)$`)
)

// book is the parsed embedded pages, ordered by area and number. They are read
// when somebody asks: most commands never do.
var book = sync.OnceValue(mustParse)

type parsedBook struct {
	rules []*Rule
	byID  map[string]*Rule
}

func mustParse() parsedBook {
	entries, err := pages.ReadDir(".")
	if err != nil {
		panic(err) // cannot happen: the pages are embedded
	}
	var all []*Rule
	index := map[string]*Rule{}
	for _, e := range entries {
		b, err := pages.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		r, err := parse(e.Name(), string(b))
		if err != nil {
			panic(err) // a page that TestPages has not seen
		}
		all = append(all, r)
		index[r.ID] = r
	}
	order := map[string]int{}
	for i, a := range areas {
		order[a.Name] = i
	}
	sort.Slice(all, func(i, k int) bool {
		if a, b := order[all[i].Area], order[all[k].Area]; a != b {
			return a < b
		}
		return all[i].ID < all[k].ID
	})
	return parsedBook{all, index}
}

// parse reads one page.
func parse(name, text string) (*Rule, error) {
	lines := strings.Split(text, "\n")
	m := idLine.FindStringSubmatch(lines[0])
	if m == nil || name != m[1]+"-"+m[2]+".md" {
		return nil, fmt.Errorf("%s: first line: want \"# ID\" as the file is named, got %q", name, lines[0])
	}
	r := &Rule{ID: m[1] + "-" + m[2], Area: m[1], Page: text}
	i := 1
	var statement []string
	for ; i < len(lines) && !strings.HasPrefix(lines[i], "- ") && !strings.HasPrefix(lines[i], "## "); i++ {
		if lines[i] != "" {
			statement = append(statement, lines[i])
		}
	}
	r.Statement = strings.Join(statement, " ")
	if r.Statement == "" {
		return nil, fmt.Errorf("%s: no statement", name)
	}
	for ; i < len(lines) && !strings.HasPrefix(lines[i], "## "); i++ {
		f := fieldLine.FindStringSubmatch(lines[i])
		if f == nil {
			continue
		}
		switch f[1] {
		case "kind":
			r.Kind = f[2]
		case "demo":
			if ids, ok := strings.CutPrefix(f[2], "as "); ok {
				r.ShownBy = strings.Split(ids, ", ")
			} else if r.NoDemo, ok = strings.CutPrefix(f[2], "none, "); !ok {
				return nil, fmt.Errorf("%s: demo: want \"as ID\" or \"none, REASON\", got %q", name, f[2])
			}
		case "tier":
			r.Tier = f[2]
		case "documented":
			r.Documented = f[2]
		case "source":
			r.Source = f[2]
		case "corrected":
			r.Corrected = f[2]
		case "since":
			r.Since = f[2]
		default:
			return nil, fmt.Errorf("%s: unknown field %q", name, f[1])
		}
	}
	return r, nil
}

// Area is a chapter of the book.
type Area struct{ Name, Title string }

var areas = []Area{
	{"BOOT", "start of day"}, {"HC", "hypercalls"}, {"FRAME", "the bounce frame"}, {"CB", "callbacks"},
	{"IRET", "going back"}, {"DBG", "single step and debug"}, {"PRIV", "privileged instructions"},
	{"EVT", "events, vCPUs, time"}, {"MM", "memory"}, {"GNT", "grant tables"}, {"TOOL", "what a dom0 asks of the host"},
	{"SEG", "segments and descriptors"},
	{"CRASH", "every way to die"}, {"NAT", "the native counterpart"}, {"ABI", "what C code expects"}, {"HIST", "what changed between versions"},
}

// Areas lists the chapters in order.
func Areas() []Area { return append([]Area(nil), areas...) }

// All lists every rule in the order of the book.
func All() []*Rule { return append([]*Rule(nil), book().rules...) }

// Get finds a rule by its id, nil if there is none.
func Get(id string) *Rule { return book().byID[id] }
