// Package ruledemo runs the demos of the rule book: the guest image `rules`
// shows each rule at work and prints what it observed. A demo is run on the
// model and compared with the reference: with a run of it there and then, or,
// without one, with what the reference was recorded to do (package file
// recorded.go says what a recording keeps).
package ruledemo

import (
	"fmt"
	"strconv"
	"strings"

	"pvlab/entry/cell"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// Image is the embedded guest with the demos.
const Image = "rules"

// Demo is one run of the image.
type Demo struct {
	ID  string // the rule
	Bad bool   // the form that breaks the rule
	// Kind is "breakable" (it has both forms) or "fact" (it is only observed).
	Kind     string
	Platform hv.Platform // Xen, or bare metal for the native counterparts
	VCPUs    int         // that the domain has to have
	PCPUs    int         // processors they share; 0 means one for each
}

// Form is "FRAME-05" or "FRAME-05:bad".
func (d Demo) Form() string {
	if d.Bad {
		return d.ID + ":bad"
	}
	return d.ID
}

// String is the form, and where it runs if that is bare metal:
// "NAT-05:bad@native".
func (d Demo) String() string {
	if d.Platform == hv.Native {
		return d.Form() + "@native"
	}
	return d.Form()
}

// Cmdline is the guest's command line.
func (d Demo) Cmdline() string { return "rule=" + d.Form() }

// config is the machine: as the judge boots it.
func (d Demo) config() hv.Config {
	return hv.Config{Platform: d.Platform, Dom0: d.Platform == hv.Xen, Memory: cell.Memory,
		Cmdline: d.Cmdline(), VCPUs: d.VCPUs, PCPUs: d.PCPUs}
}

// Load parses the image.
func Load() (elf []byte, img *image.Image, err error) {
	if elf, err = guest.Image(Image); err != nil {
		return nil, nil, err
	}
	img, err = image.Load("builtin:"+Image, elf, cell.Memory)
	return elf, img, err
}

// List asks the image which demos it has: lines "ID kind", with the words
// "bad", "vcpus=N", "pcpus=N", and "native" or "both" for where it runs, as they apply.
func List(img *image.Image) ([]Demo, error) {
	b, err := cell.Boot(img, hv.Config{Platform: hv.Xen, Dom0: true, Memory: cell.Memory, Cmdline: "list", VCPUs: 1},
		cell.Options{})
	if err != nil {
		return nil, err
	}
	defer b.Machine.Close()
	var demos []Demo
	for _, line := range b.Outcome.Transcript {
		l, ok := listed(line)
		if !ok {
			continue
		}
		for _, p := range l.platforms {
			d := l.Demo
			d.Platform = p
			demos = append(demos, d)
			if l.bad {
				d.Bad = true
				demos = append(demos, d)
			}
		}
	}
	if len(demos) == 0 {
		return nil, fmt.Errorf("ruledemo: the image lists no demos; it ended: %s", b.Outcome.Summary())
	}
	return demos, nil
}

// listing is one line of the list.
type listing struct {
	Demo
	bad       bool // there is a bad form
	platforms []hv.Platform
}

// listed reads one line of the list; false if the line is none.
func listed(line string) (l listing, ok bool) {
	f := strings.Fields(line)
	if len(f) < 2 || f[1] != "fact" && f[1] != "breakable" {
		return l, false
	}
	l = listing{Demo: Demo{ID: f[0], Kind: f[1], VCPUs: 1}, platforms: []hv.Platform{hv.Xen}}
	for _, w := range f[2:] {
		n, isCount := strings.CutPrefix(w, "vcpus=")
		count := &l.VCPUs
		if !isCount {
			n, isCount = strings.CutPrefix(w, "pcpus=")
			count = &l.PCPUs
		}
		switch {
		case w == "bad":
			l.bad = true
		case w == "native":
			l.platforms = []hv.Platform{hv.Native}
		case w == "both":
			l.platforms = []hv.Platform{hv.Xen, hv.Native}
		case isCount:
			v, err := strconv.Atoi(n)
			if err != nil || v < 1 {
				return l, false
			}
			*count = v
		default:
			return l, false
		}
	}
	return l, true
}
