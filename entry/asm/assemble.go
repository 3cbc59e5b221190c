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
	"slices"
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
	// assembleTimeout ends a source that expands without end.
	assembleTimeout = 5 * time.Second
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
	Message string // the assembler's complaints, each a line "file:line: what"
}

func (e *SourceError) Error() string {
	first, rest, _ := strings.Cut(e.Message, "\n")
	switch {
	case first == "":
		return e.File + ": the assembler failed without a message"
	case rest == "":
		return first
	}
	return fmt.Sprintf("%s (and %d more)", first, 1+strings.Count(rest, "\n"))
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
	if err := checkSource(path); err != nil {
		return nil, err
	}
	tool, err := findTool(path)
	if err != nil {
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
	cmd := tool.command(ctx, tool.args(path, inc, out, defs))
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
		return nil, &SourceError{path, tidyMessages(msg.String(), path, inc)}
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
	var pe *fs.PathError
	switch {
	case errors.As(err, &pe):
		return &SourceError{path, fmt.Sprintf("%s: %v", path, pe.Err)}
	case err != nil:
		return &SourceError{path, fmt.Sprintf("%s: %v", path, err)}
	case !st.Mode().IsRegular():
		return &SourceError{path, path + ": not a regular file"}
	case st.Size() > MaxSource:
		return &SourceError{path, fmt.Sprintf("%s: has %d bytes, a source may have %d", path, st.Size(), MaxSource)}
	}
	return nil
}

type tool struct{ name, path string }

// What the assembler may use of the host, for ulimit: KiB of memory, seconds,
// 512-byte blocks of a file. A few lines of source can ask for all there is
// (.rept, .fill, #include of a device), and killing the driver would leave
// its children.
const assembleLimits = "ulimit -v 262144; ulimit -t 5; ulimit -f 65536"

// command runs the tool under assembleLimits, where there is a shell that
// knows them.
func (t tool) command(ctx context.Context, args []string) *exec.Cmd {
	const shell = "/bin/sh"
	if _, err := os.Stat(shell); err != nil {
		return exec.CommandContext(ctx, t.path, args...)
	}
	script := "{ " + assembleLimits + "; } 2>/dev/null; exec \"$0\" \"$@\""
	return exec.CommandContext(ctx, shell, append([]string{"-c", script, t.path}, args...)...)
}

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

// tidyMessages keeps the complaints, each once (a line that a macro repeats
// is complained of in each copy), and takes the temporary folder out of them.
func tidyMessages(s, path, inc string) string {
	s = strings.ReplaceAll(s, inc+string(filepath.Separator), "include/")
	lines := strings.Split(strings.TrimSpace(s), "\n")
	var keep []string
	for _, l := range lines {
		if strings.Contains(strings.ToLower(l), "error: ") && !slices.Contains(keep, l) {
			keep = append(keep, l)
		}
	}
	if len(keep) == 0 { // as out of memory, a driver that cannot find its parts
		last := lines[len(lines)-1]
		if last == "" {
			return ""
		}
		keep = []string{path + ": " + last}
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
