package image_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// dumpCode is testdata/dump.S assembled: a guest that prints its start_info
// page, its page tables and its hypercall page.
//
//go:embed testdata/dump.bin
var dumpCode []byte

// dumpGuest makes the kernel; hypercall is the address of its hypercall page,
// or 0.
func dumpGuest(base, memsz, hypercall uint64, more ...elftest.Note) elftest.File {
	code := bytes.Clone(dumpCode)
	binary.LittleEndian.PutUint64(code[len(code)-8:], hypercall)
	entry := base + 0x100000
	if hypercall != 0 {
		more = append(more, elftest.Num(abi.ELFNoteHypercallPage, hypercall))
	}
	f := elftest.File{Entry: entry, Notes: append(elftest.PVNotes(entry), more...),
		Segments: []elftest.Segment{{Vaddr: entry, Paddr: 0x100000, Data: code, Memsz: memsz}}}
	f.Notes[3] = elftest.Num(abi.ELFNoteVirtBase, base)
	return f
}

// TestDom0AsXenBuildsIt boots the dumping guest as dom0 of real Xen and builds
// it here, and compares what the guest finds: registers, start_info, every
// page-table entry (with PFNs for MFNs) and the layout that Xen prints.
func TestDom0AsXenBuildsIt(t *testing.T) {
	judge.Require(t, "xen", "qemu")
	ramdisk := bytes.Repeat([]byte("ramdisk."), 9000) // 17.6 pages
	linux := []elftest.Note{
		elftest.Num(abi.ELFNoteInitP2M, 0x8000000000), elftest.Num(abi.ELFNoteModStartPFN, 1),
		elftest.Str(abi.ELFNotePAEMode, "yes"), elftest.Num(abi.ELFNoteSupportedFeatures, 0x8801),
	}
	const base = elftest.VirtBase
	for _, c := range []struct {
		name    string
		guest   elftest.File
		cmdline string
		ramdisk []byte
		mem     int // MiB
	}{
		{name: "small", guest: dumpGuest(base, 0x3000, 0), mem: 256},
		{name: "command line", guest: dumpGuest(base, 0x3000, 0), mem: 256, cmdline: "console=hvc0 a  b"},
		{name: "odd size", guest: dumpGuest(base, 0x123456, 0), mem: 256},
		{name: "less than 512 KiB left in the last 4 MiB", guest: dumpGuest(base, 0x400000-0x100000-0x100000, 0), mem: 256},
		{name: "ramdisk", guest: dumpGuest(base, 0x3000, 0), ramdisk: ramdisk, mem: 256},
		{name: "unmapped ramdisk", guest: dumpGuest(base, 0x3000, 0, elftest.Num(abi.ELFNoteModStartPFN, 1)), ramdisk: ramdisk, mem: 256},
		{name: "hypercall page", guest: dumpGuest(base, 0x5000, base+0x103000), mem: 256},
		{name: "base between 4 MiB boundaries", guest: dumpGuest(0xffffffff80523000, 0x3000, 0), mem: 256},
		{name: "base below Xen's hole", guest: dumpGuest(0x7fc0123000, 0x3000, 0), mem: 256},
		{name: "as Linux asks for it", guest: dumpGuest(base, 0x803000, 0, linux...), ramdisk: ramdisk, mem: 256},
		{name: "p2m list by 2 MiB pages", guest: dumpGuest(base, 0x3000, 0, linux...), mem: 1030},
	} {
		t.Run(c.name, func(t *testing.T) {
			elf := c.guest.Bytes()
			real := bootDump(t, elf, c.cmdline, c.ramdisk, c.mem)
			model := buildDump(t, elf, c.cmdline, c.ramdisk, c.mem)
			if d := cmp.Diff(real.layout, model.layout); d != "" {
				t.Errorf("layout (-Xen +model):\n%s", d)
			}
			if d := cmp.Diff(real.guest, model.guest); d != "" {
				t.Errorf("what the guest finds (-Xen +model):\n%.4000s", d)
			}
		})
	}
}

// dump is what one boot shows: Xen's lines about the layout, and the guest's
// by tag and offset.
type dump struct {
	layout []string
	guest  map[string]string
}

var (
	layoutLine = regexp.MustCompile(`^\(XEN\)  ((?:Loaded kernel|Init\. ramdisk|Phys-Mach map|Start info|Page tables|Boot stack|TOTAL|ENTRY ADDRESS):.*)`)
	dumpLine   = regexp.MustCompile(`^(regs|si|pt|p2m|hcp) +([0-9a-f]{16}) ([0-9a-f ]{67})$`)
)

// bootXen starts real Xen with the guest as dom0 and returns the serial line up
// to the domain's end or Xen's panic.
func bootXen(t *testing.T, elf []byte, cmdline string, ramdisk []byte, mib int) []byte {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	found, _ := filepath.Glob("/boot/xen-4.17-amd64.gz")
	if len(found) == 0 {
		t.Fatal("no /boot/xen-4.17-amd64.gz")
	}
	packed, err := os.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	xen, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.TrimSpace(file("guest", elf) + " " + cmdline)
	if ramdisk != nil {
		modules += "," + file("ramdisk", ramdisk)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	qemu := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg",
		"-cpu", "max,-smap,-svm,vendor=GenuineIntel,family=6,model=94,stepping=3",
		"-m", fmt.Sprint(mib+768), "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-kernel", file("xen", xen), "-initrd", modules,
		"-append", fmt.Sprintf("console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=%dM dom0=pv", mib))
	serial, err := qemu.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := qemu.Start(); err != nil {
		t.Fatal(err)
	}
	// Xen halts the machine in the end, and QEMU stays.
	var out bytes.Buffer
	for lines := bufio.NewScanner(serial); lines.Scan(); {
		fmt.Fprintln(&out, lines.Text())
		if strings.Contains(lines.Text(), "Hardware Dom0 ") || strings.Contains(lines.Text(), "Panic on CPU") {
			break
		}
	}
	cancel()
	qemu.Wait()
	return out.Bytes()
}

func bootDump(t *testing.T, elf []byte, cmdline string, ramdisk []byte, mib int) dump {
	out := bootXen(t, elf, cmdline, ramdisk, mib)
	d := dump{guest: map[string]string{}}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.Contains(line, "VIRTUAL MEMORY ARRANGEMENT") {
			d.layout = nil // what came before was about machine addresses
		} else if m := layoutLine.FindStringSubmatch(line); m != nil {
			d.layout = append(d.layout, m[1])
		} else if m := dumpLine.FindStringSubmatch(line); m != nil {
			d.guest[m[1]+" "+m[2]] = m[3]
		}
	}
	if d.guest["p2m 0000000000000000"] == "" {
		t.Fatalf("the guest did not get to its end:\n%s", out)
	}
	// shared_info's machine address is Xen's to choose.
	d.mask("si 0000000000000020", 1)
	return d
}

// mask hides word n of a line.
func (d dump) mask(key string, n int) {
	w := strings.Fields(d.guest[key])
	w[n] = strings.Repeat("-", 16)
	d.guest[key] = strings.Join(w, " ")
}

// buildDump builds the domain and prints it as the guest in it would.
func buildDump(t *testing.T, elf []byte, cmdline string, ramdisk []byte, mib int) dump {
	const firstMFN = 0x357
	m, err := mem.New(uint64(mib)<<20 + firstMFN<<12 + 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	img, err := image.Load("guest", elf, uint64(mib)<<20)
	if err != nil {
		t.Fatal(err)
	}
	o := image.PVOptions{Dom0: true, Cmdline: cmdline, Initrd: ramdisk, SharedInfoMFN: 0x1234, HypercallPage: ring3Page}
	plan, err := image.LayoutPV(uint64(mib)<<8, img, o)
	if err != nil {
		t.Fatal(err)
	}
	p2m, _ := plan.Frames(firstMFN)
	s, err := image.BuildPV(m, p2m, img, o)
	if err != nil {
		t.Fatal(err)
	}
	m2p := map[uint64]uint64{}
	for pfn, mfn := range p2m {
		m2p[mfn] = uint64(pfn)
	}
	d := dump{guest: map[string]string{}}
	for _, r := range s.Regions() {
		if r.Name == "Init. ramdisk" && r.Start == r.End {
			continue
		}
		d.layout = append(d.layout, fmt.Sprintf("%-14s %016x->%016x", r.Name+":", r.Start, r.End))
	}
	d.layout = append(d.layout, fmt.Sprintf("%-14s %016x", "ENTRY ADDRESS:", s.RIP))
	line := func(tag string, off uint64, w [4]uint64) {
		if w != [4]uint64{} {
			d.guest[fmt.Sprintf("%s %016x", tag, off)] = fmt.Sprintf("%016x %016x %016x %016x", w[0], w[1], w[2], w[3])
		}
	}
	frame := func(tag string, off, va uint64, each func(uint64) uint64) {
		f := m.Frame(p2m[s.PFN(va)])
		for i := uint64(0); i < 4096; i += 32 {
			var w [4]uint64
			for j := range w {
				w[j] = binary.LittleEndian.Uint64(f[i+uint64(j)*8:])
				if each != nil {
					w[j] = each(w[j])
				}
			}
			line(tag, off+i, w)
		}
	}
	line("regs", 0, [4]uint64{s.RSP, s.RSI})
	frame("si", 0, s.StartInfo.Start, nil)
	d.mask("si 0000000000000020", 1)
	for off := uint64(0); off < s.PageTables.End-s.PageTables.Start; off += 4096 {
		frame("pt", off, s.PageTables.Start+off, func(e uint64) uint64 {
			const addr = 0x000ffffffffff000
			if e&1 != 0 {
				e = e&^addr | m2p[e&addr>>12]<<12
			}
			if e>>52 != 0 && e&addr>>12 == s.PFN(s.Stack.Start) {
				e |= 1 << 6 // dirty: the guest that prints has used its stack
			}
			return e
		})
	}
	line("p2m", 0, [4]uint64{s.NrPages, 0})
	if hc := img.Xen.HypercallPage; hc != image.Unset {
		frame("hcp", 0, hc, nil)
	}
	return d
}

// ring3Page fills a hypercall page as rules HC-02 and HC-03 describe it.
func ring3Page(page []byte) {
	for i := range page {
		page[i] = 0xcc
	}
	for n := 0; n < 128; n++ {
		call := append([]byte{0x51, 0x41, 0x53, 0xb8}, byte(n), 0, 0, 0)
		call = append(call, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3)
		if n == 23 {
			call = append([]byte{0x51, 0x41, 0x53, 0x50, 0xb8}, byte(n), 0, 0, 0, 0x0f, 0x05)
		}
		copy(page[n*32:], call)
	}
}
