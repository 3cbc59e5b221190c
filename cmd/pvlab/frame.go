package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"pvlab/entry/cell"
	"pvlab/entry/explain"
	"pvlab/hv"
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
slot, from the very frame the model wrote. Vectors: 14 (#PF), 3 (#BP), 1 (#DB), 13 (#GP).`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.frame(&f) },
	}
	cmd.Flags().IntVar(&f.vector, "vector", 14, "exception vector: 1, 3, 13 or 14")
	cmd.Flags().StringVar(&f.from, "from", "kernel", "interrupted code: kernel or user")
	cmd.Flags().StringVar(&f.platform, "platform", "", "only this platform: xen or native")
	cmd.Flags().BoolVar(&f.json, "json", false, "write the frames as JSON")
	return cmd
}

func (a *app) frame(f *frameFlags) error {
	name := ""
	for _, v := range cell.Vectors {
		if int(v.Number) == f.vector {
			name = v.Name
		}
	}
	if name == "" {
		return usagef("--vector %d: want 1, 3, 13 or 14", f.vector)
	}
	if f.from != "kernel" && f.from != "user" {
		return usagef("--from %q: want kernel or user", f.from)
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
	for _, p := range platforms {
		fr, err := deliveredFrame(cell.Cell{Variant: "auto", Vector: name, Origin: f.from, Platform: p}, f.vector)
		if err != nil {
			return err
		}
		frames[p] = fr
	}
	if f.json {
		out := map[string]*probe.Frame{}
		for p, fr := range frames {
			out[p.String()] = fr
		}
		enc := json.NewEncoder(a.out)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
	fmt.Fprintf(a.out, "%s (vector %d) raised in %s mode\n\n", x86.VectorName(uint8(f.vector)), f.vector, f.from)
	fmt.Fprint(a.out, explain.DrawFrame(frames[hv.Native], frames[hv.Xen]))
	return nil
}

// deliveredFrame runs a cell and returns the frame of its trap.
func deliveredFrame(c cell.Cell, vector int) (*probe.Frame, error) {
	var got *probe.Frame
	r, err := c.Run(cell.Options{Prepare: func(m *hv.Machine) {
		p := m.Probes()
		p.Frame = append(p.Frame, func(f *probe.Frame) {
			if f.Vector == vector && (f.Kind == "exception" || f.Kind == "softint") {
				clone := f.Clone()
				got = &clone
			}
		})
	}})
	if err != nil {
		return nil, err
	}
	r.Machine.Close()
	if got == nil {
		return nil, fmt.Errorf("cell %s delivered no frame for vector %d", c, vector)
	}
	return got, nil
}
