package asm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Limits of what the assembler may do with a user's file.
const (
	// MaxSource is the largest source file, in bytes.
	MaxSource = 1 << 20
	// MaxObject is the largest object file, in bytes.
	MaxObject = 4 << 20
	// assembleTimeout ends a source that expands without end (.rept, #include
	// of itself).
	assembleTimeout = 20 * time.Second
	// maxMessage bounds what is kept of the assembler's messages.
	maxMessage = 8 << 10
)

// ToolMissing says that none of the programs that could do the work is
// installed.
type ToolMissing struct {
	Tried   []string // in order
	Package string   // Debian package that has the first of them
}

func (e *ToolMissing) Error() string {
	return fmt.Sprintf("no assembler found (tried %s): install one, for instance with: apt install %s",
		strings.Join(e.Tried, ", "), e.Package)
}

// SourceError is the assembler's refusal of a source file.
type SourceError struct {
	File    string
	Message string // the assembler's own lines, each "file:line: what"
}

func (e *SourceError) Error() string {
	if e.Message == "" {
		return e.File + ": the assembler failed without a message"
	}
	return e.Message
}

// Compilers that run the C preprocessor over assembly, best known first; as
// alone can do plain .s files.
var (
	preprocessing = []string{"cc", "gcc", "clang"}
	plain         = []string{"cc", "gcc", "clang", "as"}
)

// Assemble translates the assembly source at path (GNU syntax; preprocessed
// unless its name ends in .s). Files of include are found by #include, defs
// are macros (a nil value means "defined as 1"). Errors: *ToolMissing,
// *SourceError (message lines begin file:line:), or what Parse gives.
func Assemble(path string, include fs.FS, defs map[string]string) (*Object, error) {
	tool, err := findTool(path)
	if err != nil {
		return nil, err
	}
	if err := checkSource(path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pvlab-asm-")
	if err != nil {
		return nil, fmt.Errorf("%s: no room for the assembler's files: %w", path, err)
	}
	defer os.RemoveAll(dir)
	inc := filepath.Join(dir, "include")
	if err := os.Mkdir(inc, 0o700); err != nil {
		return nil, fmt.Errorf("%s: no room for the assembler's files: %w", path, err)
	}
	if include != nil {
		if err := os.CopyFS(inc, include); err != nil {
			return nil, fmt.Errorf("%s: the include files cannot be written: %w", path, err)
		}
	}
	out := filepath.Join(dir, "stub.o")

	ctx, cancel := context.WithTimeout(context.Background(), assembleTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool.path, tool.args(path, inc, out, defs)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // messages are compared and shown, so one language
	cmd.WaitDelay = time.Second
	msg := &boundedBuffer{limit: maxMessage}
	cmd.Stdout, cmd.Stderr = msg, msg
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, &SourceError{path, fmt.Sprintf("%s: the assembler did not end within %v", path, assembleTimeout)}
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return nil, fmt.Errorf("%s: cannot run %s: %w", path, tool.path, err)
		}
		return nil, &SourceError{path, tidyMessages(msg.String(), inc)}
	}
	st, err := os.Stat(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %s gave no object file", path, tool.name)
	}
	if st.Size() > MaxObject {
		return nil, &SourceError{path, fmt.Sprintf("%s: the object file has %d bytes, more than %d", path, st.Size(), MaxObject)}
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return Parse(path, data)
}

func checkSource(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err // already names the file
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", path)
	}
	if st.Size() > MaxSource {
		return fmt.Errorf("%s: has %d bytes, a source may have %d", path, st.Size(), MaxSource)
	}
	return nil
}

type tool struct{ name, path string }

func findTool(source string) (tool, error) {
	names := preprocessing
	if strings.HasSuffix(source, ".s") {
		names = plain
	}
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return tool{n, p}, nil
		}
	}
	return tool{}, &ToolMissing{Tried: names, Package: "gcc"}
}

// args is the command line. The prefix maps keep the paths of this machine
// out of the line table; -I of the source's folder and of "." let the source
// include itself by the name it was given (stub.h does).
func (t tool) args(path, inc, out string, defs map[string]string) []string {
	src := path
	if strings.HasPrefix(src, "-") {
		src = "./" + src
	}
	wd, err := os.Getwd()
	if err != nil {
		wd = "."
	}
	if t.name == "as" {
		return []string{"--64", "-g", "--debug-prefix-map", wd + "=.", "-I", inc, "-I", filepath.Dir(src), "-o", out, src}
	}
	a := []string{"-m64", "-c", "-g", "-x", "assembler-with-cpp", "-fdebug-prefix-map=" + inc + "=include",
		"-fdebug-prefix-map=" + wd + "=."}
	names := make([]string, 0, len(defs))
	for n := range defs {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if v := defs[n]; v != "" {
			a = append(a, "-D"+n+"="+v)
		} else {
			a = append(a, "-D"+n)
		}
	}
	return append(a, "-I", inc, "-I", filepath.Dir(src), "-I", ".", "-o", out, src)
}

// tidyMessages takes the temporary folder out of the messages and drops
// lines that say nothing of the source.
func tidyMessages(s, inc string) string {
	s = strings.ReplaceAll(s, inc+string(filepath.Separator), "include/")
	var keep []string
	for _, l := range strings.Split(strings.TrimRight(s, "\n"), "\n") {
		if strings.HasSuffix(l, "Assembler messages:") {
			continue
		}
		keep = append(keep, l)
	}
	return strings.Join(keep, "\n")
}

// boundedBuffer keeps the first limit bytes and swallows the rest.
type boundedBuffer struct {
	bytes.Buffer
	limit int
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
