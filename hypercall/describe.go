package hypercall

import (
	"fmt"
	"strings"
)

//go:generate sh -c "go run ../cmd/pvlab hypercalls --markdown >../docs/hypercalls.md"

const describeHead = `# Hypercalls

Generated from the table of package hypercall (` + "`go generate ./hypercall`; `pvlab hypercalls`" + ` prints it): do not edit.

Every call of Xen 4.17's table for a 64-bit PV guest, and its operations with the names of Xen's public headers.

- **full**: as Xen 4.17, for the machine on which the domain is alone.
- **partial**: as the note says; the rest is loud.
- **absent**: loud.
- an **error**: what Xen answers, whatever else the arguments are.

*Loud* means that the run stops and names the operation; with ` + "`--tolerant`" + ` it goes on with -ENOSYS, and every later verdict is
"unsure". Arguments are checked as by Xen before that. Numbers that are not listed are -ENOSYS.

`

// Markdown describes the whole table for docs/hypercalls.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(describeHead)
	b.WriteString("| number | call | support | note |\n| --- | --- | --- | --- |\n")
	rows := Rows()
	for i := range rows {
		r := &rows[i]
		name := r.Name
		if len(r.Ops.List) != 0 {
			name = fmt.Sprintf("[%s](#%s)", r.Name, r.Name)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", r.Number, name, r.Support, r.Note)
	}
	for i := range rows {
		r := &rows[i]
		if len(r.Ops.List) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| number | operation | dom0 | domU | note |\n| --- | --- | --- | --- | --- |\n", r.Name)
		for _, op := range r.Ops.List {
			fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", op.Number, op.Name, op.Dom0, op.DomU, op.Note)
		}
	}
	return b.String()
}
