// Package guest is the registry of pvlab's own guest kernel images, prebuilt and
// embedded, and of the sources that a user's stub shares with them.
//
// An image is one ELF that boots both ways: as a Xen PV domain by its Xen notes,
// and on bare metal (or `qemu-system-x86_64 -kernel`) by its PVH note. The kernel
// in it finds out which way it was entered and installs the stubs of that
// platform. What it does then is chosen by its command line; the main.c
// of its sources has the list, and Cell names the one most used.
//
// The package holds bytes and names only; it boots nothing. `make -C guest`
// rebuilds elf/, and elf/BUILD records the compiler that built it.
package guest

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed elf
var images embed.FS

//go:embed include src/bench/variants
var sources embed.FS

// The images: Bench is the one that the entry variants live in, Rules has the
// demos of the rule book, which its command line names: rule=FRAME-01, or
// rule=FRAME-01:bad, or area=FRAME, or list. Perf has loads for measurements,
// each run between two marks: run=NAME:ROUNDS,NAME:ROUNDS..., or list. Random runs
// random operations: seed=S first=N count=M ops=K.
const (
	Bench  = "bench"
	Perf   = "perf"
	Random = "random"
	Rules  = "rules"
)

// Image returns the ELF file of the image called name. The slice is the caller's
// own: a user's stub may be patched into it.
func Image(name string) ([]byte, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("no guest image %q (there is %s)", name, strings.Join(Names(), ", "))
	}
	return images.ReadFile("elf/" + name + ".elf")
}

// Names lists the images, sorted.
func Names() []string {
	var names []string
	files, _ := fs.Glob(images, "elf/*.elf") // the pattern is well-formed
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".elf"))
	}
	return names
}

// Include holds the headers that a stub file includes, stub.h first of all, as
// a directory to be written beside the assembler's input.
func Include() fs.FS {
	dir, err := fs.Sub(sources, "include")
	if err != nil {
		panic("guest: " + err.Error()) // embedded above
	}
	return dir
}

// VariantSource returns the assembly source of a variant's stub, or "" if there
// is no variant of that name.
func VariantSource(name string) string {
	text, err := sources.ReadFile(VariantPath(name))
	if err != nil {
		return ""
	}
	return string(text)
}

// VariantPath is where the source of a variant lies in the guest folder; the
// image's line table calls it "guest/" followed by that.
func VariantPath(name string) string {
	return "src/bench/variants/" + name + ".S"
}
