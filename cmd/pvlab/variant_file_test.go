package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pvlab/entry/judge"
	"pvlab/guest"
)

// verdicts runs demo on a stub file and returns cell -> verdict.
func verdicts(t *testing.T, path, variant string) map[string]string {
	t.Helper()
	var out, errw bytes.Buffer
	if code := run([]string{"demo", "--variant-file", path, "--variant", variant, "--json"}, nil, &out, &errw); code != 0 {
		t.Fatalf("demo --variant-file: exit %d: %s", code, &errw)
	}
	var got struct {
		Variants []struct {
			Cells []struct{ Cell, Verdict string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, c := range got.Variants[0].Cells {
		m[c.Cell] = c.Verdict
	}
	return m
}

// TestEditedVariant edits one instruction of a variant and expects the
// verdicts to change accordingly.
func TestEditedVariant(t *testing.T) {
	judge.Require(t, "cc")
	tests := []struct {
		name, variant    string
		old, new         string // one instruction
		cell             string // without the variant's name
		before, expected string
	}{
		{"one pop less dies under Xen", "poppop", "\tpop\t%r11\n", "", ":bp:kernel:xen", "survives", "dies"},
		{"a third pop dies under Xen", "poppop", "\tpop\t%r11\n", "\tpop\t%r11\n\tpop\t%r11\n", ":bp:kernel:xen", "survives", "dies"},
		{"pops in the wrong order corrupt", "poppop", "\tpop\t%rcx\n\tpop\t%r11\n", "\tpop\t%r11\n\tpop\t%rcx\n", ":bp:user:xen", "survives", "corrupt"},
		{"dropping the error code again mends it", "noerrcode", "\tRETURN\n", "\tDROP_ERRCODE\n\tRETURN\n", ":pf:kernel:xen", "dies", "survives"},
		{"no adjustment holds on bare metal", "poppop", "\tpop\t%rcx\n\tpop\t%r11\n", "", ":pf:user:native", "dies", "survives"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := guest.VariantSource(tt.variant)
			if !strings.Contains(source, tt.old) {
				t.Fatalf("variant %s has no %q to edit", tt.variant, tt.old)
			}
			path := filepath.Join(t.TempDir(), tt.variant+".S")
			for _, step := range []struct{ text, want string }{
				{source, tt.before},
				{strings.Replace(source, tt.old, tt.new, 1), tt.expected},
			} {
				if err := os.WriteFile(path, []byte(step.text), 0o644); err != nil {
					t.Fatal(err)
				}
				got := verdicts(t, path, tt.variant)[tt.variant+tt.cell]
				if got == "panics" || got == "killed" {
					got = "dies" // how it dies depends on addresses, not on the edit
				}
				if got != step.want {
					t.Errorf("%s%s is %q, want %q; stub:\n%s", tt.variant, tt.cell, got, step.want, step.text)
				}
			}
		})
	}
}
