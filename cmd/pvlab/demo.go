package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"gvisor.dev/gvisor/pkg/sync"

	"pvlab/entry/asm"
	"pvlab/entry/cell"
	"pvlab/entry/explain"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

type demoFlags struct {
	variant string
	file    string
	explain string
	json    bool
	table   bool
}

// defaultExplained is the kill that demo explains: the stub of the posts, dead
// with a complaint about page tables.
const defaultExplained = "native:gp:kernel:xen"

func (a *app) demoCmd() *cobra.Command {
	f := demoFlags{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show which entry stub dies on which platform, and explain one kill",
		Long: `Boot the bench guest through every variant of exception-entry stub, on every tested vector,
from kernel and user mode, natively and as a Xen PV guest; print what became of each, then
explain one kill in full.

--variant-file takes a stub of your own, in the form of those in guest/src/bench/variants
(it needs a C compiler or an assembler): it replaces the row of its name, or adds one.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(&f, cmd.Flags().Changed("explain")) },
	}
	cmd.Flags().StringVar(&f.variant, "variant", "", "only this variant")
	cmd.Flags().StringVar(&f.file, "variant-file", "", "assembly file with a stub to use in place of a row")
	cmd.Flags().StringVar(&f.explain, "explain", defaultExplained, "cell to explain: VARIANT:VECTOR:ORIGIN[:PLATFORM]; \"none\" for none")
	cmd.Flags().BoolVar(&f.json, "json", false, "write one JSON object")
	cmd.Flags().BoolVar(&f.table, "table", false, "only the table")
	return cmd
}

// row is a line of the table.
type row struct {
	guest.Variant
	user  bool // the stub comes from --variant-file
	cells []*cellResult
}

// cellResult is one run, as the table and --json show it.
type cellResult struct {
	cell    cell.Cell
	Cell    string   `json:"cell"`
	Verdict string   `json:"verdict"`
	Corrupt []string `json:"corrupt,omitempty"`
	How     string   `json:"how,omitempty"`
	verdict cell.Verdict
}

func (a *app) demo(f *demoFlags, explainGiven bool) error {
	g, rows, err := a.demoRows(f)
	if err != nil {
		return err
	}
	explained, err := explainedCell(f, rows, explainGiven)
	if err != nil {
		return err
	}
	if err := runRows(g.img, rows); err != nil {
		return err
	}
	if explained == nil && !explainGiven {
		explained = firstDeath(rows)
	}
	if f.json {
		return a.demoJSON(g, rows, explained)
	}
	a.demoTable(rows)
	if explained == nil || f.table {
		return nil
	}
	x, err := explainCell(*explained, g, a.log)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s\n", x.title())
	fmt.Fprint(a.out, x.text())
	return nil
}

// demoGuest is the image that demo boots, with the user's stub if there is one.
type demoGuest struct {
	img     *image.Image
	stub    string           // name of the user's stub, "" for none
	symbols *explain.Symbols // of the user's stub
}

// demoRows settles the guest image and the rows of the table.
func (a *app) demoRows(f *demoFlags) (g *demoGuest, rows []*row, err error) {
	elf, err := guest.Image(cell.Image)
	if err != nil {
		return nil, nil, err
	}
	g = &demoGuest{}
	if f.file != "" {
		if elf, err = g.compose(elf, f.file); err != nil {
			return nil, nil, err
		}
		rows = append(rows, &row{user: true, Variant: guest.Variant{Name: g.stub, Title: filepath.Base(f.file),
			What: "Your own stub, from " + f.file + "."}})
	}
	for _, v := range guest.Variants() {
		if v.Name != g.stub {
			rows = append(rows, &row{Variant: v})
		}
	}
	if f.variant != "" {
		var kept []*row
		for _, r := range rows {
			if r.Name == f.variant {
				kept = append(kept, r)
			}
		}
		if kept == nil {
			return nil, nil, usagef("--variant %q: no such variant", f.variant)
		}
		rows = kept
	}
	g.img, err = cell.Load(elf)
	return g, rows, err
}

// compose assembles a stub file and puts it into the guest image.
func (g *demoGuest) compose(elf []byte, path string) ([]byte, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fileError(path, err)
	}
	into, err := asm.OpenGuest("builtin:"+cell.Image, elf, "user_stub_area", "user_stub_table")
	if err != nil {
		return nil, err
	}
	obj, err := asm.Assemble(path, guest.Include(), nil)
	if err != nil {
		return nil, err
	}
	linked, err := asm.Link(obj, into.Area, into.Lookup)
	if err != nil {
		return nil, err
	}
	composed, err := into.Compose(linked)
	if err != nil {
		return nil, err
	}
	g.stub, _, err = linked.Entries()
	g.symbols = &explain.Symbols{Name: linked.Symbol, Line: linked.Lines.Line}
	return composed, err
}

// of names the cell's variant as the guest knows it.
func (r *row) of() string {
	if r.user {
		return guest.User
	}
	return r.Name
}

// runRows runs all cells, as many at a time as there are processors. Results
// do not depend on that.
func runRows(img *image.Image, rows []*row) error {
	var all []*cellResult
	for _, r := range rows {
		for _, c := range cell.Of(r.of()) {
			res := &cellResult{cell: c}
			shown := c
			shown.Variant = r.Name
			res.Cell = shown.String()
			r.cells = append(r.cells, res)
			all = append(all, res)
		}
	}
	errs := make([]error, len(all))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				errs[i] = all[i].run(img)
			}
		}()
	}
	for i := range all {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cellResult) run(img *image.Image) error {
	r, err := c.cell.RunImage(img, cell.Options{})
	if err != nil {
		return err
	}
	defer r.Machine.Close()
	if r.Result.End == hv.EndUnmodelled {
		return fmt.Errorf("cell %s: %w", c.cell, r.Result.Unmodelled)
	}
	c.verdict, c.Verdict, c.Corrupt = r.Verdict, r.Verdict.String(), r.Corrupt
	if r.Verdict.Dies() {
		c.How = r.Outcome.Summary()
	}
	return nil
}

// explainedCell reads --explain.
func explainedCell(f *demoFlags, rows []*row, given bool) (*cell.Cell, error) {
	if f.explain == "none" {
		return nil, nil
	}
	text := f.explain
	if rows[0].user {
		text = strings.Replace(text, rows[0].Name+":", guest.User+":", 1)
	}
	c, err := cell.Parse(text)
	if err != nil {
		return nil, usagef("--explain: %v", err)
	}
	if given {
		return &c, nil
	}
	for _, r := range rows {
		if !rows[0].user && r.of() == c.Variant {
			return &c, nil
		}
	}
	return nil, nil
}

// firstDeath picks what to explain when nothing was asked for: a kill under
// Xen first.
func firstDeath(rows []*row) *cell.Cell {
	for _, want := range []func(*cellResult) bool{
		func(c *cellResult) bool { return c.cell.Platform == hv.Xen && c.verdict == cell.Killed },
		func(c *cellResult) bool { return c.cell.Platform == hv.Xen && c.verdict != cell.Survives },
		func(c *cellResult) bool { return c.verdict != cell.Survives },
	} {
		for _, c := range rows[0].cells {
			if want(c) {
				return &c.cell
			}
		}
	}
	return nil
}

// demoJSON is `demo --json`.
func (a *app) demoJSON(g *demoGuest, rows []*row, explained *cell.Cell) error {
	type jsonRow struct {
		Name  string        `json:"name"`
		Title string        `json:"title"`
		What  string        `json:"what"`
		Cells []*cellResult `json:"cells"`
	}
	out := struct {
		Variants []jsonRow `json:"variants"`
		Explain  any       `json:"explanation,omitempty"`
	}{}
	for _, r := range rows {
		out.Variants = append(out.Variants, jsonRow{r.Name, r.Title, r.What, r.cells})
	}
	if explained != nil {
		x, err := explainCell(*explained, g, a.log)
		if err != nil {
			return err
		}
		out.Explain = x.x
	}
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
