package judge

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// recorder is a test that only notes how it ended.
type recorder struct{ skipped, failed string }

func (r *recorder) Helper()          {}
func (r *recorder) Skip(args ...any) { r.skipped = fmt.Sprintln(args...) }
func (r *recorder) Fatal(args ...any) {
	r.failed = fmt.Sprintln(args...)
}

// An absent tool skips, or fails where it is required; both say how to get it.
func TestRequire(t *testing.T) {
	t.Setenv("QEMU", "no-such-emulator")
	t.Setenv(RequireVar, "xen, cc")
	var r recorder
	if Require(&r, "qemu"); r.failed != "" || !bytes.Contains([]byte(r.skipped), []byte(installQemu)) {
		t.Errorf("not required: %+v", r)
	}
	t.Setenv(RequireVar, "xen,qemu")
	r = recorder{}
	if Require(&r, "qemu"); !bytes.Contains([]byte(r.failed), []byte(installQemu)) {
		t.Errorf("required: %+v", r)
	}
	if _, err := Open(); err == nil {
		t.Error("Open went on without QEMU")
	}
	if xen, qemu := Available(); xen == nil || qemu == nil {
		t.Errorf("available: xen %v, qemu %v", xen, qemu)
	}
	r = recorder{}
	if Require(&r, "gdb"); r.failed == "" {
		t.Error("an unknown tool was skipped: a typing error would hide for ever")
	}
}

// $QEMU has to be one.
func TestChosenQEMU(t *testing.T) {
	t.Setenv("QEMU", "true")
	var m *Missing
	if _, err := Open(); !errors.As(err, &m) || m.Tool != "qemu" {
		t.Errorf("QEMU=true: %v", err)
	}
}

// Each repair fits once and only once, or is left out and named.
func TestRepairedQemu(t *testing.T) {
	both := append(append([]byte("..."), patches[0].old...), patches[1].old...)
	for _, c := range []struct {
		name      string
		binary    []byte
		unapplied int
		want      []byte
	}{
		{"both fit", both, 0, append(append([]byte("..."), patches[0].repaired...), patches[1].repaired...)},
		{"one is there twice", append(append([]byte{}, both...), patches[0].old...), 1, nil},
		{"none", []byte("another compiler"), 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			prefix, cache := t.TempDir(), t.TempDir()
			src := filepath.Join(prefix, "bin", "qemu")
			os.Mkdir(filepath.Dir(src), 0o755)
			if err := os.WriteFile(src, c.binary, 0o755); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time out of the cache
				out, unapplied, err := repairedQemu(src, cache)
				if err != nil {
					t.Fatal(err)
				}
				if len(unapplied) != c.unapplied {
					t.Errorf("unapplied %v, want %d", unapplied, c.unapplied)
				}
				if c.unapplied == len(patches) && out != src {
					t.Errorf("a copy for nothing: %s", out)
				}
				got, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(c.binary) || c.want != nil && !bytes.Equal(got, c.want) {
					t.Errorf("%x, want %x", got, c.want)
				}
			}
			if now, _ := os.ReadFile(src); !bytes.Equal(now, c.binary) {
				t.Error("the installed binary was changed")
			}
		})
	}
}

func TestPatchesKeepTheirLength(t *testing.T) {
	for _, p := range patches {
		if len(p.old) != len(p.repaired) {
			t.Errorf("%s: %d bytes become %d", p.quirk, len(p.old), len(p.repaired))
		}
	}
}
