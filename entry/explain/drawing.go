package explain

import (
	"fmt"
	"sort"
	"strings"
)

// Drawing is the frame as it was delivered beside the words as they were
// consumed, highest address first.
type Drawing struct {
	Rows     []DrawRow `json:"rows"`
	Entry    Word      `json:"entry"`    // stack pointer when the handler began
	Consumed Word      `json:"consumed"` // address of the first word taken, 0 if none was
	By       string    `json:"by,omitempty"`
}

// DrawRow is one word of the stack.
type DrawRow struct {
	Addr  Word   `json:"addr"`
	Slot  string `json:"slot,omitempty"` // as delivered
	Value Word   `json:"value"`
	Role  string `json:"role,omitempty"` // as taken
	Taken Word   `json:"taken"`
	// Source tells where a taken word came from, when not from the slot
	// beside it.
	Source string `json:"source,omitempty"`
}

func (d *diagnosis) drawing(c *Cause) *Drawing {
	f := d.focus(c)
	if f == nil {
		return nil
	}
	w := &Drawing{Entry: Word(f.Frame.At)}
	rows := make(map[uint64]*DrawRow)
	for _, s := range f.Frame.Slots {
		rows[s.Addr] = &DrawRow{Addr: Word(s.Addr), Slot: s.Name, Value: Word(s.Value)}
	}
	if c.Return != 0 {
		r := d.t.returns[c.Return-1]
		w.By, _ = d.how(r)
		if len(r.Words) > 0 {
			w.Consumed = Word(r.Words[0].Addr)
		}
		for _, x := range r.Words {
			row := rows[x.Addr]
			if row == nil {
				row = &DrawRow{Addr: Word(x.Addr)}
				rows[x.Addr] = row
			}
			row.Role, row.Taken = x.Role, Word(x.Value)
			o := x.Origin
			if o.Kind != Slot || o.Name != row.Slot || o.Frame != f.Number || o.Changed != 0 {
				if o.Kind != Unknown {
					row.Source = o.words(d.short)
				} else if row.Slot == "" {
					row.Source = "was there before the frame"
				}
			}
		}
	}
	for _, r := range rows {
		w.Rows = append(w.Rows, *r)
	}
	sort.Slice(w.Rows, func(i, j int) bool { return w.Rows[i].Addr > w.Rows[j].Addr })
	return w
}

// short is an address for a narrow column.
func (d *diagnosis) short(a uint64) string {
	p := d.sym.At(a)
	if p.Symbol == "" {
		return fmt.Sprintf("%#x", a)
	}
	return fmt.Sprintf("%s+%#x", p.Symbol, p.Offset)
}

// Text draws it.
func (w *Drawing) Text() string {
	var b strings.Builder
	taken := ""
	if w.By != "" {
		taken = "taken by " + w.By + " as"
	}
	line(&b, "  %-16s  %-23s  %s", "address", "delivered", taken)
	last := Word(0)
	for i, r := range w.Rows {
		if i > 0 && last-r.Addr != 8 {
			line(&b, "  ...")
		}
		last = r.Addr
		left, right := "", ""
		if r.Slot != "" {
			left = fmt.Sprintf("%-6s %016x", r.Slot, r.Value)
		}
		if r.Role != "" {
			right = fmt.Sprintf("%-6s %016x", r.Role, r.Taken)
		}
		note := ""
		switch {
		case r.Addr == w.Entry && r.Addr == w.Consumed:
			note = "<- rsp, entry and return"
		case r.Addr == w.Entry:
			note = "<- rsp at entry"
		case r.Addr == w.Consumed:
			note = "<- rsp at the return"
		}
		line(&b, "  %016x  %-23s  %-23s  %s", r.Addr, left, right, note)
		if r.Source != "" && r.Role != "" {
			wrap(&b, r.Source, strings.Repeat(" ", 45)+"^ ", columns)
		}
	}
	return b.String()
}
