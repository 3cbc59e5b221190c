package cpu

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var objdumpFiles = flag.String("objdumpfiles", "", "TestLengthsAgainstObjdump: more ELF files of 64-bit code, separated by commas")

// TestLengthsAgainstObjdump: every instruction of the C library and of a shell
// as long as binutils says, and so the instructions in random bytes.
func TestLengthsAgainstObjdump(t *testing.T) {
	objdump := requireTool(t, "cc", "objdump", "apt-get install binutils")
	if testing.Short() {
		t.Skip("disassembles the C library")
	}
	var files []string
	for _, pattern := range []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/bin/bash", "/usr/lib/debug/boot/vmlinux*"} {
		found, _ := filepath.Glob(pattern)
		files = append(files, found...)
	}
	if *objdumpFiles != "" {
		files = append(files, strings.Split(*objdumpFiles, ",")...)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			compareLengths(t, Mode64, objdump, "-d", "-w", "-z", f)
		})
	}
	rng := rand.New(rand.NewPCG(11, 4))
	b := make([]byte, 1<<20)
	for i := range b {
		if b[i] = byte(rng.Uint32()); rng.IntN(8) == 0 {
			b[i] = 0x0f
		}
	}
	name := filepath.Join(t.TempDir(), "random")
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	for mode, arch := range map[Mode]string{Mode64: "i386:x86-64", Mode32: "i386", Mode16: "i8086"} {
		t.Run("random, "+arch, func(t *testing.T) {
			compareLengths(t, mode, objdump, "-D", "-w", "-z", "-b", "binary", "-m", arch, name)
		})
	}
}

// requireTool finds a program; its absence is a failure when PVLAB_REQUIRE
// names it.
func requireTool(t *testing.T, name, program, install string) string {
	t.Helper()
	path, err := osexec.LookPath(program)
	if err == nil {
		return path
	}
	text := fmt.Sprintf("%s is not installed: %s", program, install)
	if strings.Contains(","+os.Getenv("PVLAB_REQUIRE")+",", ","+name+",") {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// compareLengths runs objdump and decodes at every address it lists:
//
//	401000:	48 89 e5             	mov    %rsp,%rbp
func compareLengths(t *testing.T, mode Mode, objdump string, args ...string) {
	cmd := osexec.Command(objdump, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	m := newModelCPU(t, AMD)
	m.mode = mode
	same, unknown, bad := 0, map[string]bool{}, 0
	var texts []string
	var bytesOf [][]byte
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		f := strings.SplitN(s.Text(), "\t", 3)
		if len(f) != 3 || !strings.HasSuffix(f[0], ":") {
			texts, bytesOf = append(texts, ""), append(bytesOf, nil)
			continue
		}
		code, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(f[1]), " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", s.Text(), err)
		}
		texts, bytesOf = append(texts, f[2]), append(bytesOf, code)
	}
	for i, text := range texts {
		code := bytesOf[i]
		if len(code) == 0 || strings.Contains(text, "(bad)") || notWhole(text) {
			continue
		}
		long := append([]byte(nil), code...)
		for k := i + 1; k < len(texts) && len(long) < maxInst && bytesOf[k] != nil; k++ {
			long = append(long, bytesOf[k]...)
		}
		long = append(long, make([]byte, maxInst)...)[:maxInst]
		var in Inst
		m.decode(long, 0x1000, &in)
		switch {
		case in.Op < numPseudo*8:
			unknown[mnemonic(text)] = true
		case int(in.Len) == len(code):
			same++
		case table.rows[in.Op/8].name == "FWAIT":
			// objdump shows FWAIT and the x87 instruction behind it as one
		default:
			if bad++; bad <= 40 {
				t.Errorf("% x: length %d (%s), objdump has %d: %s", long, in.Len, table.rows[in.Op/8].name, len(code), text)
			}
		}
	}
	t.Logf("%d instructions of the same length, %d not; some of these are undefined in the model: %v", same, bad, sortedNames(unknown))
	if same < 50000 {
		t.Errorf("only %d instructions were compared", same)
	}
}

var prefixWords = map[string]bool{"data16": true, "data32": true, "addr32": true, "addr16": true, "lock": true, "repz": true, "repnz": true,
	"rep": true, "cs": true, "ds": true, "es": true, "ss": true, "fs": true, "gs": true, "xacquire": true, "xrelease": true, "bnd": true, "notrack": true}

// mnemonic is a disassembly's first word that is no prefix.
func mnemonic(text string) string {
	for _, w := range strings.Fields(text) {
		if !prefixWords[w] && !strings.HasPrefix(w, "rex") {
			return w
		}
	}
	return ""
}

func sortedNames(m map[string]bool) (names []string) {
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// notWhole: objdump shows prefixes that it cannot make sense of as
// instructions of their own.
func notWhole(text string) bool { return mnemonic(text) == "" }
