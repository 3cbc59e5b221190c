package ruledemo

import (
	"strings"
	"testing"

	"pvlab/entry/cell"
	"pvlab/entry/judge"
	"pvlab/hv"
)

// TestXenOptions: demos whose outcome depends on an option of Xen's come out
// alike on real Xen with the option and on the model with its own - and other
// than on the defaults, without which they would show nothing.
func TestXenOptions(t *testing.T) {
	judge.Require(t, "xen", "qemu")
	elf, img, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	j, err := judge.Open()
	if err != nil {
		t.Fatal(err)
	}
	noXPTI := func(c *hv.Config) { c.NoXPTI = true }
	l1tf := func(c *hv.Config) { c.L1TF = true }
	for _, c := range []struct {
		rule, option string
		set          func(*hv.Config)
		end          judge.End
		crash        string
		differs      bool // from the defaults
	}{
		{"MM-11", "xpti=no", noXPTI, judge.EndPoweroff, "", true},
		{"MM-18", "xpti=no", noXPTI, judge.EndPoweroff, "", false},
		{"MM-20", "xpti=no", noXPTI, judge.EndPoweroff, "", true},
		{"MM-21", "xpti=no", noXPTI, judge.EndPoweroff, "", true},
		{"MM-19", "pv-l1tf=dom0", l1tf, judge.EndKilled, "CRASH-09", true}, // by an L2 entry
		{"MM-04", "pv-l1tf=dom0", l1tf, judge.EndKilled, "CRASH-09", true}, // by an L1 entry
	} {
		t.Run(c.rule+" "+c.option, func(t *testing.T) {
			d := Demo{ID: c.rule, Platform: hv.Xen, VCPUs: 1}
			usual, err := run(img, d)
			if err != nil {
				t.Fatal(err)
			}
			cfg := d.config()
			c.set(&cfg)
			b, err := cell.Boot(img, cfg, cell.Options{AsReference: true})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Machine.Close()
			r := realRuns(elf, []Demo{d})[0]
			r.XenOptions = c.option
			real, err := j.Run(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if real.End != c.end || real.Crash != c.crash {
				t.Errorf("real Xen: %s", real.Summary())
			}
			for _, diff := range judge.Compare(b.Outcome, real) {
				// The dying kernel's registers and stack hold the entry, with its frame.
				if c.crash == "" || !strings.HasPrefix(diff.Field, "stack[") && diff.Field != "regs.rbp" {
					t.Error(diff)
				}
			}
			if got := len(judge.Compare(usual, real)) != 0; got != c.differs {
				t.Errorf("real Xen with the option differs from the defaults: %v, want %v", got, c.differs)
			}
		})
	}
}
