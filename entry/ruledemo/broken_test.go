package ruledemo

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"pvlab/docs/rules"
)

// TestEveryBreakableRuleHasARow: for each breakable rule testdata/breaks says
// how to break it in the model.
func TestEveryBreakableRuleHasARow(t *testing.T) {
	has := map[string]bool{}
	for _, r := range readBreaks(t) {
		for _, id := range r.rules {
			has[id] = true
			if p := rules.Get(id); p == nil || p.Kind == "" {
				t.Errorf("%s: %s has no demo that could see it", r.where, id)
			}
		}
	}
	for _, r := range rules.All() {
		if r.Kind == "breakable" && !has[r.ID] {
			t.Errorf("%s is breakable, and testdata/breaks has no row that breaks it", r.ID)
		}
	}
}

// TestEveryBreakIsSeen: a pvlab whose model breaks one rule is at odds with
// what real Xen was recorded to do in that rule's demo; while it breaks
// none, with no demo. So the demos see what they are there for.
func TestEveryBreakIsSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("builds pvlab again and runs it for each rule")
	}
	bin := buildBroken(t, readBreaks(t))
	ids := map[string]bool{}
	for _, r := range readBreaks(t) {
		for _, id := range r.rules {
			ids[id] = true
		}
	}
	run := func(rule string, args ...string) (string, int) {
		cmd := exec.Command(bin, append([]string{"rules", "verify"}, args...)...)
		cmd.Env = append(os.Environ(), breakEnv+"="+rule)
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Error(err)
			return "", -1
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	t.Run("none", func(t *testing.T) {
		if out, code := run(""); code != 0 {
			t.Errorf("with nothing broken: exit %d\n%s", code, out)
		}
	})
	for _, r := range rules.All() { // in the order of the book
		if !ids[r.ID] {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			out, code := run(r.ID, r.ID)
			t.Log(out) // what the demo saw, with -v
			switch {
			case code == 0:
				t.Errorf("%s is broken, and its demo does not see it", r.ID)
			case !strings.Contains(out, "DISAGREES"):
				t.Errorf("%s is broken, and its demo did not come to its end (exit %d)", r.ID, code)
			}
		})
	}
}

// buildBroken builds pvlab with all rows in it.
func buildBroken(t *testing.T, rows []breakRow) string {
	t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	put := func(file, text string) {
		at := filepath.Join(dir, strings.ReplaceAll(file, "/", "+"))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(top, file)] = at
	}
	put(strings.TrimPrefix(brokenImport, "pvlab/")+"/broken.go", brokenSource)
	files := map[string]string{}
	for _, r := range rows {
		pkg := strings.TrimSuffix(r.place, "/"+path.Base(r.place))
		if !strings.HasSuffix(r.place, ".go") {
			pkg = r.place
		}
		readSources(t, top, pkg, files)
	}
	broken, err := applyBreaks(files, rows)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range broken {
		put(file, text)
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list, bin := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "pvlab")
	if err := os.WriteFile(list, b, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", list, "-o", bin, "./cmd/pvlab")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// readSources adds the sources of a package, tests left out, to files.
func readSources(t *testing.T, top, pkg string, files map[string]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(top, pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file := path.Join(pkg, filepath.Base(name))
		if strings.HasSuffix(name, "_test.go") || files[file] != "" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[file] = string(b)
	}
}
