package guest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pvlab/guest"
)

// requireTools finds the compiler and its companions, or skips; with `cc` in
// PVLAB_REQUIRE their absence is a failure.
func requireTools(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"make", "gcc", "ld", "objcopy"} {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		absent(t, "cc", tool, "gcc binutils make")
	}
}

// absent skips the test for want of a tool, or fails it if PVLAB_REQUIRE, a list
// separated by commas, names what is needed.
func absent(t *testing.T, need, tool, packages string) {
	t.Helper()
	report := t.Skipf
	if slices.Contains(strings.Split(os.Getenv("PVLAB_REQUIRE"), ","), need) {
		report = t.Fatalf
	}
	report("no %s: `apt-get install -y --no-install-recommends %s` brings it", tool, packages)
}

// The image is what its sources give. The bytes are those of one compiler
// version, the one in elf/BUILD; with another the build must still succeed.
func TestRebuildGivesTheSameBytes(t *testing.T) {
	requireTools(t)
	dir := t.TempDir()
	build := exec.Command("make", "OUT="+filepath.Join(dir, "elf"), "OBJ="+filepath.Join(dir, "obj"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	recorded, here := read("elf/BUILD"), read(filepath.Join(dir, "elf", "BUILD"))
	if !bytes.Equal(recorded, here) {
		t.Logf("bytes not compared, but behaviour: elf/ was built with\n%shere is\n%s", recorded, here)
		selfTestNatively(t, filepath.Join(dir, "elf", "bench.elf"))
		return
	}
	for _, name := range guest.Names() {
		if !bytes.Equal(read("elf/"+name+".elf"), read(filepath.Join(dir, "elf", name+".elf"))) {
			t.Errorf("elf/%s.elf is not what its sources give: run `make -C guest`", name)
		}
	}
}

// Nothing of the machine that built the image is in it.
func TestImageNamesNoPathOfTheBuilder(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range guest.Names() {
		data, err := guest.Image(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(dir)) {
			t.Errorf("%s.elf contains %q", name, dir)
		}
	}
}
