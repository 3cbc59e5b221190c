package image_test

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pvlab/entry/judge"
	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// pvhDumpCode is testdata/pvhdump.S assembled: a guest that prints the memory
// ranges in the table at its end.
//
//go:embed testdata/pvhdump.bin
var pvhDumpCode []byte

// lowMemory reads memory for the checks, from QEMU's dump or from the model.
type lowMemory struct {
	regs string
	line map[uint64][]byte // 16 bytes by address
}

func (l lowMemory) bytes(at, n uint64) []byte {
	var out []byte
	for a := at &^ 15; a < at+n; a += 16 {
		b := l.line[a]
		if b == nil {
			b = make([]byte, 16)
		}
		out = append(out, b...)
	}
	return out[at&15:][:n]
}

func (l lowMemory) u32(at uint64) uint64 { return uint64(binary.LittleEndian.Uint32(l.bytes(at, 4))) }
func (l lowMemory) u64(at uint64) uint64 { return binary.LittleEndian.Uint64(l.bytes(at, 8)) }

// TestPVHAsQEMUBuildsIt compares what a PVH kernel finds on plain QEMU with
// what BuildPVH makes: registers, start info and all it points at, the ACPI
// tables that both have, and the firmware's words about low memory.
func TestPVHAsQEMUBuildsIt(t *testing.T) {
	judge.Require(t, "qemu")
	for _, c := range []struct {
		name, cmdline string
		initrd        []byte
		mib           uint64
		cpus          int
	}{
		{name: "bare", mib: 256, cpus: 1},
		{name: "command line, ramdisk, two CPUs", mib: 128, cpus: 2, cmdline: "hello  world", initrd: bytes.Repeat([]byte("x"), 65537)},
		{name: "2 GiB", mib: 2048, cpus: 1, cmdline: "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := c.mib << 20
			ranges := [][2]uint64{{0x400, 0x420}, {0x5a0, 0x680}, {0x11c0, 0x2220}, {0xf5980, 0xf5a00}, {top - 0x20000, top - 0x1d000}}
			code := bytes.Clone(pvhDumpCode)
			table := code[len(code)-64:]
			for i, r := range ranges {
				binary.LittleEndian.PutUint32(table[8*i:], uint32(r[0]))
				binary.LittleEndian.PutUint32(table[8*i+4:], uint32(r[1]))
			}
			elf := elftest.PVH(code).Bytes()
			real := viewPVH(t, bootPVH(t, elf, c.cmdline, c.initrd, c.mib, c.cpus))

			m, err := mem.New(top)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			img, err := image.Load("guest", elf, top)
			if err != nil {
				t.Fatal(err)
			}
			s, err := image.BuildPVH(m, img, image.NativeOptions{Cmdline: c.cmdline, Initrd: c.initrd, CPUs: c.cpus})
			if err != nil {
				t.Fatal(err)
			}
			mine := lowMemory{regs: fmt.Sprintf("%08x 00000011 00000000", s.StartInfo), line: map[uint64][]byte{}}
			for _, r := range ranges {
				for a := r[0]; a < r[1]; a += 16 {
					b := make([]byte, 16)
					m.Read(a, b)
					mine.line[a] = b
				}
			}
			if d := cmp.Diff(real, viewPVH(t, mine)); d != "" {
				t.Errorf("-QEMU +model:\n%s", d)
			}
			if n := real.ModuleLen; n != uint64(len(c.initrd)) {
				t.Errorf("QEMU gave a ramdisk of %d bytes, want %d", n, len(c.initrd))
			}
			if got := make([]byte, len(c.initrd)); !m.Read(real.ModuleAt, got) || !bytes.Equal(got, c.initrd) {
				t.Error("the ramdisk is not where start info says")
			}
		})
	}
}

// pvhView is what a kernel reads.
type pvhView struct {
	Regs                string
	EBDA, LowKiB        uint64
	StartInfo           []byte
	Memmap              []string
	Cmdline             string
	ModuleAt, ModuleLen uint64
	Module              string
	RSDP                string
	FADT, MADT, FACS    []byte
	S5                  []byte
}

func viewPVH(t *testing.T, l lowMemory) (v pvhView) {
	t.Helper()
	si, err := strconv.ParseUint(l.regs[:8], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	v = pvhView{Regs: l.regs, EBDA: l.u32(0x40e) & 0xffff, LowKiB: l.u32(0x413) & 0xffff, StartInfo: l.bytes(si, abi.HVMStartSize)}
	at := l.u64(si + abi.HVMStartMemmap)
	for i := uint64(0); i < l.u32(si+abi.HVMStartMemmapEntries); i++ {
		e := at + i*abi.HVMMemmapEntry
		v.Memmap = append(v.Memmap, fmt.Sprintf("%#x+%#x type %d", l.u64(e), l.u64(e+8), l.u32(e+16)))
	}
	text := l.bytes(l.u64(si+abi.HVMStartCmdline), 64)
	v.Cmdline, _, _ = strings.Cut(string(text), "\x00")
	if l.u32(si+abi.HVMStartNrModules) == 1 {
		mod := l.u64(si + abi.HVMStartModlist)
		v.ModuleAt, v.ModuleLen = l.u64(mod), l.u64(mod+8)
		v.Module = fmt.Sprintf("%x", l.bytes(mod, abi.HVMModEntry))
	}
	// ACPI as an operating system finds it, checksums included.
	rsdp := l.u64(si + abi.HVMStartRSDP)
	v.RSDP = fmt.Sprintf("%q at %#x, revision %d, sum %d", l.bytes(rsdp, 8), rsdp, l.bytes(rsdp+15, 1)[0], sum(l.bytes(rsdp, 20)))
	table := func(at uint64) (sig string, body []byte) {
		b := l.bytes(at, l.u32(at+4))
		if sum(b) != 0 {
			t.Errorf("table %.4s at %#x: checksum is wrong", b, at)
		}
		return string(b[:4]), b[36:]
	}
	_, rsdt := table(l.u32(rsdp + 16))
	for ; len(rsdt) > 0; rsdt = rsdt[4:] {
		switch sig, body := table(uint64(binary.LittleEndian.Uint32(rsdt))); sig {
		case "APIC":
			v.MADT = body
		case "FACP":
			v.FACS = l.bytes(uint64(binary.LittleEndian.Uint32(body)), 64)
			_, dsdt := table(uint64(binary.LittleEndian.Uint32(body[4:])))
			if i := bytes.Index(dsdt, []byte("\x08_S5_\x12\x06\x04")); i >= 0 {
				v.S5 = dsdt[i:][:12]
			}
			v.FADT = bytes.Clone(body)
			clear(v.FADT[0:8])           // addresses of FACS and DSDT
			clear(v.FADT[80-36 : 84-36]) // GPE0: the hot-plug events are not modelled
			v.FADT[92-36] = 0
		}
	}
	return v
}

func sum(b []byte) (s byte) {
	for _, c := range b {
		s += c
	}
	return s
}

func bootPVH(t *testing.T, elf []byte, cmdline string, initrd []byte, mib uint64, cpus int) lowMemory {
	t.Helper()
	dir := t.TempDir()
	kernel := filepath.Join(dir, "kernel")
	if err := os.WriteFile(kernel, elf, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-accel", "tcg", "-cpu", "max", "-m", fmt.Sprint(mib), "-smp", fmt.Sprint(cpus), "-nodefaults",
		"-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", kernel, "-append", cmdline}
	if initrd != nil {
		f := filepath.Join(dir, "initrd")
		if err := os.WriteFile(f, initrd, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-initrd", f)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "qemu-system-x86_64", args...).Output()
	if err != nil {
		t.Fatalf("QEMU: %v\n%s", err, out)
	}
	l := lowMemory{line: map[uint64][]byte{}}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "r"); ok {
			l.regs = strings.ToLower(rest)
			continue
		}
		addr, data, _ := strings.Cut(line, " ")
		at, err := strconv.ParseUint(addr, 16, 64)
		b, err2 := hex.DecodeString(strings.ReplaceAll(data, " ", ""))
		if err != nil || err2 != nil || len(b) != 16 {
			t.Fatalf("unreadable line %q", line)
		}
		l.line[at] = b
	}
	if l.regs == "" {
		t.Fatalf("no registers in:\n%s", out)
	}
	return l
}
