package judge

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// What a machine needs so that the judge can work.
const (
	installQemu = "apt-get install -y --no-install-recommends qemu-system-x86"
	installXen  = "apt-get install -y --no-install-recommends xen-hypervisor-4.17-amd64"
)

// Missing says that a tool is not on this machine and how to get it.
type Missing struct {
	Tool    string // "qemu" or "xen", as PVLAB_REQUIRE names them
	What    string
	Install string
}

func (m *Missing) Error() string {
	return fmt.Sprintf("%s: to install: %s", m.What, m.Install)
}

// qemuBinary is where QEMU is: $QEMU, or qemu-system-x86_64 on the path.
func qemuBinary() (string, error) {
	name, chosen := os.LookupEnv("QEMU")
	chosen = chosen && name != ""
	if !chosen {
		name = "qemu-system-x86_64"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &Missing{Tool: "qemu", What: "no " + name + " on this machine", Install: installQemu}
	}
	if chosen {
		ctx, cancel := context.WithTimeout(context.Background(), qmpPatience)
		defer cancel()
		if says, err := exec.CommandContext(ctx, path, "--version").Output(); err != nil || !bytes.Contains(says, []byte("QEMU")) {
			return "", &Missing{Tool: "qemu", What: "$QEMU is " + name + ", which is not a QEMU", Install: installQemu}
		}
	}
	return filepath.EvalSymlinks(path)
}

// xenPackage is the packed hypervisor that Debian's package installs. Only the
// 4.17 series is looked for: it is the one that the rules were measured on.
func xenPackage() (string, error) {
	found, _ := filepath.Glob("/boot/xen-4.17*.gz")
	found = keep(found, func(p string) bool { return !strings.Contains(p, "syms") && !strings.Contains(p, "dbg") })
	if len(found) == 0 {
		return "", &Missing{Tool: "xen", What: "no /boot/xen-4.17*.gz on this machine", Install: installXen}
	}
	sort.Strings(found)
	return found[len(found)-1], nil
}

func keep(in []string, ok func(string) bool) []string {
	var out []string
	for _, s := range in {
		if ok(s) {
			out = append(out, s)
		}
	}
	return out
}

// Available tells which of the two oracles can run on this machine. A nil error
// means yes; otherwise the error says what is missing and how to install it.
// Real Xen runs in QEMU, so xen is not available without qemu.
func Available() (xen, qemu error) {
	_, qemu = qemuBinary()
	_, xen = xenPackage()
	return errors.Join(xen, qemu), qemu
}

// cacheDir is our own folder below the user's cache.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("judge: no cache folder (set XDG_CACHE_HOME): %w", err)
	}
	dir := filepath.Join(base, "pvlab", "judge")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("judge: cache folder (set XDG_CACHE_HOME to one that can be written): %w", err)
	}
	return dir, nil
}

// stamp names a cached copy after its source, so that an upgraded package makes
// a new one.
func stamp(fi os.FileInfo) string {
	return fmt.Sprintf("%d.%d", fi.Size(), fi.ModTime().Unix())
}

// writeWhole writes a file whole or not at all: two runs may fill the cache at
// the same time.
func writeWhole(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// maxXenImage bounds the unpacked hypervisor (4.17's is 3 MiB).
const maxXenImage = 64 << 20

// unpackXen returns the path of the unpacked hypervisor in dir.
func unpackXen(dir string) (string, error) {
	src, err := xenPackage()
	if err != nil {
		return "", err
	}
	fi, err := os.Stat(src)
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, strings.TrimSuffix(filepath.Base(src), ".gz")+"."+stamp(fi))
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	f, err := os.Open(src)
	if err != nil {
		return "", err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", fmt.Errorf("judge: %s: %w", src, err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxXenImage+1))
	if err != nil {
		return "", fmt.Errorf("judge: %s: %w", src, err)
	}
	if len(data) > maxXenImage {
		return "", fmt.Errorf("judge: %s: unpacks to more than %d MiB", src, maxXenImage>>20)
	}
	return out, writeWhole(out, data, 0o600)
}

// patch is one repair of a fault in QEMU's code: exactly one place holds old,
// and repaired is as long.
type patch struct {
	quirk         QuirkID
	old, repaired []byte
}

// QEMU 7.2 builds the error code of an exception that comes from an IDT gate in
// long mode as vector*16+2; a processor builds vector*8+2 (SDM vol. 3, 6.13).
// Xen reads the vector of a refused INT n out of that code, so a PV guest would
// be handed another vector. Both places load it as
//
//	lea 2(%rbp),%edx ; mov $V,%esi ; mov %r14,%rdi ; call raise_exception_err
//
// with 16*vector in RBP. As long, and right:
//
//	shr %ebp ; lea 2(%rbp),%edx ; push $V ; pop %rsi ; mov %r14,%rdi ; call ...
var patches = []patch{
	idtCodePatch(QuirkIntN, 13),
	idtCodePatch(QuirkGateAbsent, 11),
}

func idtCodePatch(q QuirkID, vector byte) patch {
	return patch{
		quirk:    q,
		old:      []byte{0x8d, 0x55, 0x02, 0xbe, vector, 0, 0, 0, 0x4c, 0x89, 0xf7, 0xe8},
		repaired: []byte{0xd1, 0xed, 0x8d, 0x55, 0x02, 0x6a, vector, 0x5e, 0x4c, 0x89, 0xf7, 0xe8},
	}
}

// repairedQemu returns the path of a copy of QEMU with the patches that apply,
// and those that do not (another version, or another compiler). With none that
// applies it is the packaged binary itself.
func repairedQemu(src, dir string) (path string, unapplied []QuirkID, err error) {
	fi, err := os.Stat(src)
	if err != nil {
		return "", nil, err
	}
	data, err := os.ReadFile(src)
	if err != nil {
		return "", nil, err
	}
	applied := 0
	for _, p := range patches {
		if bytes.Count(data, p.old) != 1 {
			unapplied = append(unapplied, p.quirk)
			continue
		}
		data = bytes.Replace(data, p.old, p.repaired, 1)
		applied++
	}
	if applied == 0 {
		return src, unapplied, nil
	}
	// QEMU looks for its modules and firmware beside its own folder.
	top := filepath.Join(dir, fmt.Sprintf("qemu-p%d.%s", len(patches), stamp(fi)))
	out := filepath.Join(top, "bin", filepath.Base(src))
	if _, err := os.Stat(out); err == nil {
		return out, unapplied, nil
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
		return "", nil, err
	}
	prefix := filepath.Dir(filepath.Dir(src))
	for _, sub := range []string{"lib", "share"} {
		err := os.Symlink(filepath.Join(prefix, sub), filepath.Join(top, sub))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return "", nil, err
		}
	}
	return out, unapplied, writeWhole(out, data, 0o700)
}
