package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pvlab/entry/judge"
)

// compileGuest builds testdata/NAME.S.
func compileGuest(t *testing.T, name string) string {
	t.Helper()
	judge.Require(t, "cc")
	elf := filepath.Join(t.TempDir(), name+".elf")
	cmd := exec.Command("cc", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
		"-Wl,-T,testdata/dual.ld", "-o", elf, "testdata/"+name+".S")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return elf
}

// echoGuest is a guest that answers one line of its console, on each platform
// in that platform's way.
func echoGuest(t *testing.T) string {
	t.Helper()
	return compileGuest(t, "echo")
}

var consoles = map[string][]string{
	"domU ring, awaited": {"--platform", "xen"},
	"console_io, polled": {"--dom0"},
	"16550, polled":      {"--platform", "native"},
}

// TestConsoleInput types a line on each console, from a file and through a
// pipe, and gets it back; the second run is the same to the step.
func TestConsoleInput(t *testing.T) {
	elf := echoGuest(t)
	path := filepath.Join(t.TempDir(), "typed")
	if err := os.WriteFile(path, []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sources := map[string]func() io.Reader{
		"file": func() io.Reader {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		},
		"pipe": func() io.Reader { return strings.NewReader("hello\n") },
	}
	for name, flags := range consoles {
		for kind, open := range sources {
			t.Run(name+"/"+kind, func(t *testing.T) {
				var out, errw [2]bytes.Buffer
				for i := range out {
					if code := run(append([]string{"boot", elf}, flags...), open(), &out[i], &errw[i]); code != exitOK {
						t.Fatalf("exit %d: %s", code, &errw[i])
					}
				}
				if out[0].String() != "got hello\n" {
					t.Errorf("console %q", &out[0])
				}
				if out[0].String() != out[1].String() || errw[0].String() != errw[1].String() {
					t.Errorf("second run differs: %s%s, %s%s", &out[0], &errw[0], &out[1], &errw[1])
				}
			})
		}
	}
}

// TestExplainAfterInput: a death that console input leads to is explained,
// though the input cannot be read twice.
func TestExplainAfterInput(t *testing.T) {
	elf := echoGuest(t)
	for name, flags := range consoles {
		t.Run(name, func(t *testing.T) {
			var out, errw bytes.Buffer
			if code := run(append([]string{"boot", elf}, flags...), strings.NewReader("die\n"), &out, &errw); code != 10 {
				t.Fatalf("exit %d: %s", code, &errw)
			}
			if s := errw.String(); !strings.Contains(s, "\nVerdict\n") || strings.Contains(s, "no explanation") {
				t.Errorf("no verdict:\n%s", s)
			}
			if out.Len() != 0 {
				t.Errorf("console %q", &out)
			}
		})
	}
}

// TestNothingTyped: a guest that waits for a line ends as blocked when stdin
// ends, one that asks again and again runs into the step limit.
func TestNothingTyped(t *testing.T) {
	elf := echoGuest(t)
	for name, flags := range consoles {
		t.Run(name, func(t *testing.T) {
			want := 14
			if strings.HasSuffix(name, "awaited") {
				want = 13
			}
			var out, errw bytes.Buffer
			args := append([]string{"boot", elf, "--max-steps", "10000000"}, flags...)
			if code := run(args, strings.NewReader(""), &out, &errw); code != want {
				t.Errorf("exit %d, want %d: %s", code, want, &errw)
			}
		})
	}
}

// TestNotModelled: what pvlab lacks stops the guest by name and place. With
// --tolerant it goes on past a hypercall, and each verdict says so.
func TestNotModelled(t *testing.T) {
	elf := echoGuest(t)
	tests := []struct {
		name, typed string
		flags       []string
		code        int
		want        []string
	}{
		{"instruction", "sine\n", nil, 15, []string{"<sine>", "d9 fe", "fsin"}},
		{"instruction, tolerant", "sine\n", []string{"--tolerant"}, 15, []string{"fsin"}},
		{"hypercall", "x\n", nil, 15, []string{"hypercall 7 (platform_op): XENPF_get_symbol", "<unusual+"}},
		{"hypercall, tolerant", "x\n", []string{"--tolerant"}, 0, []string{"unsure: needed hypercall 7 (platform_op): XENPF_get_symbol"}},
		{"hypercall, tolerant, JSON", "x\n", []string{"--tolerant", "--json"}, 0, []string{`"unsure":["hypercall 7 (platform_op): XENPF_get_symbol`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			args := append([]string{"boot", elf, "--dom0"}, tt.flags...)
			if code := run(args, strings.NewReader(tt.typed), &out, &out); code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			for _, w := range tt.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("output lacks %q:\n%s", w, &out)
				}
			}
		})
	}
}

// TestCrashExplained: a guest that gives up over a wrong frame gets the cause
// explained; one that gives up by itself has said why.
func TestCrashExplained(t *testing.T) {
	for cmdline, want := range map[string]bool{"cell=native:bp:user": true, "crash": false} {
		var out, errw bytes.Buffer
		if code := run([]string{"boot", "builtin:bench", "--append", cmdline}, nil, &out, &errw); code != 12 {
			t.Errorf("%s: exit %d, want 12", cmdline, code)
		}
		if got := strings.Contains(errw.String(), "(FRAME-01)"); got != want {
			t.Errorf("%s: explained %v, want %v:\n%s", cmdline, got, want, &errw)
		}
	}
}

// TestConsoleBytesInJSON: console output that is no text arrives whole.
func TestConsoleBytesInJSON(t *testing.T) {
	elf := echoGuest(t)
	for typed, want := range map[string]string{
		"h\xc3\xa9\n": `"text":"got hé\n"`,
		"h\xff\n":     `"bytes":"Z290IGj/Cg=="`, // base64 of "got h\xff\n"
	} {
		var out, errw bytes.Buffer
		if code := run([]string{"boot", elf, "--json"}, strings.NewReader(typed), &out, &errw); code != 0 {
			t.Fatalf("exit %d: %s", code, &errw)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q: no %s in\n%s", typed, want, &out)
		}
	}
}

// TestStaleTranslation: a guest whose result depends on --tlb. With page-table
// isolation Xen loads CR3 on each return, so that nothing stale is left.
func TestStaleTranslation(t *testing.T) {
	elf := compileGuest(t, "stale")
	for tlb, want := range map[string]string{"keep": "old\n", "drop": "new\n"} {
		var out, errw bytes.Buffer
		if code := run([]string{"boot", elf, "--dom0", "--no-xpti", "--tlb", tlb}, nil, &out, &errw); code != 0 || out.String() != want {
			t.Errorf("--tlb %s: exit %d, printed %q, want %q: %s", tlb, code, &out, want, &errw)
		}
	}
}
