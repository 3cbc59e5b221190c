// Package cell runs cells of the bench guest on the model: one variant of
// entry stub, on one vector, from one origin, on one platform. It says how the
// cell ended in the judge's terms, so that demo, conform and the tests read
// the same facts.
package cell

import (
	"fmt"
	"strings"

	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/x86"
)

// Vectors of the cells: the guest's word and the vector number.
var Vectors = []Vector{{"pf", x86.VectorPF}, {"bp", x86.VectorBP}, {"db", x86.VectorDB}, {"gp", x86.VectorGP}}

// Vector is one tested exception.
type Vector struct {
	Name   string
	Number uint8
}

// Origins of the trap.
var Origins = []string{"kernel", "user"}

// Platforms in the order they are shown.
var Platforms = []hv.Platform{hv.Native, hv.Xen}

// Image is the embedded guest that has the cells.
const Image = "bench"

// Memory is what the guest gets: what the judge gives it, since addresses
// (start_info, boot stack) depend on it.
const Memory = 256 << 20

// MaxSteps ends a cell that never ends: a good one needs a few thousand
// instructions after boot.
const MaxSteps = 20_000_000

// Cell names one run.
type Cell struct {
	Variant  string
	Vector   string
	Origin   string
	Platform hv.Platform
}

// String is "variant:vector:origin:platform".
func (c Cell) String() string {
	return c.Variant + ":" + c.Vector + ":" + c.Origin + ":" + c.Platform.String()
}

// Cmdline is the guest's command line for the cell.
func (c Cell) Cmdline() string { return "cell=" + c.Variant + ":" + c.Vector + ":" + c.Origin }

// Parse reads "variant:vector:origin[:platform]"; the platform defaults to xen.
func Parse(s string) (Cell, error) {
	f := strings.Split(s, ":")
	if len(f) < 3 || len(f) > 4 {
		return Cell{}, fmt.Errorf("cell %q: want VARIANT:VECTOR:ORIGIN or VARIANT:VECTOR:ORIGIN:PLATFORM", s)
	}
	c := Cell{Variant: f[0], Vector: f[1], Origin: f[2]}
	if len(f) == 4 {
		p, err := hv.ParsePlatform(f[3])
		if err != nil {
			return Cell{}, fmt.Errorf("cell %q: %w", s, err)
		}
		c.Platform = p
	}
	known := c.Variant == "user"
	for _, v := range guest.Variants() {
		known = known || v.Name == c.Variant
	}
	if !known {
		return Cell{}, fmt.Errorf("cell %q: no variant %q", s, c.Variant)
	}
	known = false
	for _, v := range Vectors {
		known = known || v.Name == c.Vector
	}
	if !known {
		return Cell{}, fmt.Errorf("cell %q: vector %q: want pf, bp, db or gp", s, c.Vector)
	}
	if c.Origin != "kernel" && c.Origin != "user" {
		return Cell{}, fmt.Errorf("cell %q: origin %q: want kernel or user", s, c.Origin)
	}
	return c, nil
}

// Of lists the cells of one variant.
func Of(variant string) (cells []Cell) {
	for _, p := range Platforms {
		for _, v := range Vectors {
			for _, o := range Origins {
				cells = append(cells, Cell{variant, v.Name, o, p})
			}
		}
	}
	return cells
}

// All lists every cell: variants in their order.
func All() (cells []Cell) {
	for _, v := range guest.Variants() {
		cells = append(cells, Of(v.Name)...)
	}
	return cells
}
