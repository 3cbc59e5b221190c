package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pvlab/entry/cell"
	"pvlab/entry/explain"
	"pvlab/hv"
	"pvlab/hv/cpu"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

type frameFlags struct {
	vector   int
	from     string
	platform string
	json     bool
}

func (a *app) frameCmd() *cobra.Command {
	f := frameFlags{}
	cmd := &cobra.Command{
		Use:   "frame",
		Short: "Draw the frame that each platform puts on the stack for an exception, side by side",
		Long: `Raise an exception in the bench guest on both platforms and draw what each delivered, slot by
slot, from the very frame the model wrote. The guest itself raises 1 (#DB), 3 (#BP), 13 (#GP) and
14 (#PF); the other vectors take the place of its page fault, 4 (#OF) that of its breakpoint.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.frame(&f) },
	}
	cmd.Flags().IntVar(&f.vector, "vector", x86.VectorPF, "exception vector: "+vectorList())
	cmd.Flags().StringVar(&f.from, "from", "kernel", "interrupted code: kernel or user")
	cmd.Flags().StringVar(&f.platform, "platform", "", "only this platform: xen or native")
	cmd.Flags().BoolVar(&f.json, "json", false, "write the frames as JSON")
	return cmd
}

// frameVectors are the exceptions that a guest can get by an instruction of
// its own on both platforms (not NMI and #MC; #DF Xen keeps to itself), and
// the trap of the bench guest that each is raised in the place of.
var frameVectors = []struct {
	number int
	cell   string
}{
	{x86.VectorDE, "pf"}, {x86.VectorDB, "db"}, {x86.VectorBP, "bp"}, {x86.VectorOF, "bp"}, {x86.VectorBR, "pf"},
	{x86.VectorUD, "pf"}, {x86.VectorNM, "pf"}, {x86.VectorTS, "pf"}, {x86.VectorNP, "pf"}, {x86.VectorSS, "pf"},
	{x86.VectorGP, "gp"}, {x86.VectorPF, "pf"}, {x86.VectorMF, "pf"}, {x86.VectorAC, "pf"}, {x86.VectorXM, "pf"},
}

func vectorList() string {
	var s []string
	for _, v := range frameVectors {
		s = append(s, strconv.Itoa(v.number))
	}
	return strings.Join(s, ", ")
}

func (a *app) frame(f *frameFlags) error {
	name := ""
	for _, v := range frameVectors {
		if v.number == f.vector {
			name = v.cell
		}
	}
	if name == "" {
		return usagef("--vector %d: want one of %s", f.vector, vectorList())
	}
	if f.from != "kernel" && f.from != "user" {
		return usagef("--from %q: want kernel or user", f.from)
	}
	if f.vector == x86.VectorAC && f.from == "kernel" {
		return usagef("--vector %d: #AC is for user mode, give --from user", f.vector)
	}
	platforms := cell.Platforms
	if f.platform != "" {
		p, err := hv.ParsePlatform(f.platform)
		if err != nil {
			return usagef("--%v", err)
		}
		platforms = []hv.Platform{p}
	}
	frames := map[hv.Platform]*probe.Frame{}
	var where []string
	for _, p := range platforms {
		fr, at, err := deliveredFrame(cell.Cell{Variant: "auto", Vector: name, Origin: f.from, Platform: p}, f.vector)
		if err != nil {
			return err
		}
		frames[p] = fr
		where = append(where, fmt.Sprintf("  %-6s  %s\n", p, at))
	}
	if f.json {
		return a.frameJSON(frames)
	}
	fmt.Fprint(a.out, explain.DrawFrame(frames[hv.Native], frames[hv.Xen]))
	fmt.Fprint(a.out, "\nThis one was raised in the bench guest:\n", strings.Join(where, ""))
	return nil
}

// frameView is a frame in JSON.
type frameView struct {
	Vector  int          `json:"vector"`
	From    string       `json:"from"`
	RSP     explain.Word `json:"rsp"` // when the handler begins
	Handler explain.Word `json:"handler"`
	Slots   []slotView   `json:"slots"` // lowest address first
}

type slotView struct {
	Name  string       `json:"name"`
	Addr  explain.Word `json:"addr"`
	Value explain.Word `json:"value"`
}

func (a *app) frameJSON(frames map[hv.Platform]*probe.Frame) error {
	out := map[string]frameView{}
	for p, f := range frames {
		v := frameView{Vector: f.Vector, From: "kernel", RSP: explain.Word(f.At), Handler: explain.Word(f.Handler)}
		if f.FromUser {
			v.From = "user"
		}
		for _, s := range f.Slots {
			v.Slots = append(v.Slots, slotView{s.Name, explain.Word(s.Addr), explain.Word(s.Value)})
		}
		out[p.String()] = v
	}
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// deliveredFrame runs a cell and returns the frame of its trap, which has
// been given the number vector, and where that was.
func deliveredFrame(c cell.Cell, vector int) (*probe.Frame, string, error) {
	var got *probe.Frame
	r, err := c.Run(cell.Options{Prepare: func(m *hv.Machine) {
		renumber(m, c.Vector, uint8(vector))
		p := m.Probes()
		p.Frame = append(p.Frame, func(f *probe.Frame) {
			if got == nil && f.Vector == vector && (f.Kind == "exception" || f.Kind == "softint") {
				clone := f.Clone()
				got = &clone
			}
		})
	}})
	if err != nil {
		return nil, "", err
	}
	defer r.Machine.Close()
	if got == nil {
		return nil, "", fmt.Errorf("cell %s delivered no frame for vector %d", c, vector)
	}
	rip, _ := got.Slot("rip")
	return got, fmt.Sprintf("at %s, handler %s", place(r.Machine, rip.Value), place(r.Machine, got.Handler)), nil
}

// renumber makes the processor raise vector where the guest's planned page
// fault or breakpoint is due.
func renumber(m *hv.Machine, planned string, vector uint8) {
	done := false
	m.OnExit(func(_ int, ex *cpu.Exit) {
		switch {
		case done:
		case planned == "pf" && vector != x86.VectorPF && ex.Kind == cpu.ExitFault && ex.Fault.Vector == x86.VectorPF:
			ex.Fault, done = x86.NoCode(vector), true
			if x86.VectorHasCode(vector) {
				ex.Fault = x86.WithCode(vector, 0)
			}
		case planned == "bp" && vector == x86.VectorOF && ex.Kind == cpu.ExitSoftInt && ex.Soft == cpu.SoftINT3:
			ex.Vector, ex.Soft, done = vector, cpu.SoftINTO, true
		}
	})
}
