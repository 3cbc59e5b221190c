package explain_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pvlab/entry/asm"
	"pvlab/entry/explain"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

const userStub = `#include "stub.h"

STUB(mine)
	ADJUST
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(mine)
`

// A user's own stub, assembled, put into the bench guest, run and explained:
// one instruction edited changes the verdict, and the verdict names the line.
func TestUserStub(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		const hint = "no C compiler on PATH; on Debian: apt install gcc"
		if strings.Contains(os.Getenv("PVLAB_REQUIRE"), "cc") {
			t.Fatal(hint)
		}
		t.Skip(hint)
	}
	elf, err := guest.Image("bench")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, from, to string
		cell           benchCell
		rule           string // "" for no cause
		want           string
	}{
		{"as it should be", "", "", benchCell{"user:pf:kernel", hv.Xen}, "", ""},
		{"as it should be", "", "", benchCell{"user:pf:kernel", hv.Native}, "", ""},
		{"no adjustment", "\tADJUST\n", "\n", benchCell{"user:pf:kernel", hv.Xen}, "FRAME-01", "mine.S:9"},
		{"no error code dropped", "\tDROP_ERRCODE\n", "\tDROP_PLACEHOLDER\n", benchCell{"user:pf:kernel", hv.Xen}, "FRAME-18", "the slot that holds error"},
		{"no error code dropped", "\tDROP_ERRCODE\n", "\tDROP_PLACEHOLDER\n", benchCell{"user:bp:kernel", hv.Xen}, "", ""},
		{"iretq", "\tRETURN\n", "\tiretq\n", benchCell{"user:bp:kernel", hv.Xen}, "IRET-09", "mine.S:9"},
		{"one more pop", "\tSAVE_REGS\n", "\tpop %rax\n\tSAVE_REGS\n", benchCell{"user:bp:kernel", hv.Xen}, "FRAME-01", "one word too many"},
	}
	for _, tc := range tests {
		t.Run(tc.name+" "+tc.cell.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mine.S")
			text := userStub
			if tc.from != "" {
				text = strings.Replace(text, tc.from, tc.to, 1)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			obj, err := asm.Assemble(path, guest.Include(), nil)
			if err != nil {
				t.Fatal(err)
			}
			g, err := asm.OpenGuest("bench", elf, "user_stub_area", "user_stub_table")
			if err != nil {
				t.Fatal(err)
			}
			l, err := asm.Link(obj, g.Area, g.Lookup)
			if err != nil {
				t.Fatal(err)
			}
			composed, err := g.Compose(l)
			if err != nil {
				t.Fatal(err)
			}
			img, err := image.Load("bench with mine.S", composed, 256<<20)
			if err != nil {
				t.Fatal(err)
			}
			x, survived := explainCell(t, img, tc.cell, &explain.Symbols{Name: l.Symbol, Line: l.Lines.Line})
			if tc.rule == "" {
				if x.Cause != nil || survived != "intact" {
					t.Errorf("cause %+v, the guest says %q, want none and intact", x.Cause, survived)
				}
				return
			}
			if x.Cause == nil || x.Cause.Rule != tc.rule || !strings.Contains(x.Cause.Verdict, tc.want) {
				t.Errorf("cause %+v, want %s naming %q", x.Cause, tc.rule, tc.want)
			}
		})
	}
}
