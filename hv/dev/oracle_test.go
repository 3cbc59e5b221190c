package dev

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The same table of device accesses runs on QEMU's PC, by a guest that does
// nothing else (testdata/probe.S), and on the model; what is read must agree.

// kind is what an entry of the table does; the numbers are probe.S's.
type kind uint8

const (
	opIn     kind = 1 + iota // read port addr
	opOut                    // write value to port addr
	opRead                   // read 4 bytes of device memory
	opWrite                  // write them
	opRDMSR                  // read the low half of an MSR
	opWindow                 // interrupts on for a moment; reads the vectors taken
	opHalt                   // sleep until an interrupt; reads the vectors taken
)

type op struct {
	kind  kind
	size  uint8
	addr  uint32
	value uint32
	// model, when not empty, is a known difference: what the model reads, and
	// why that is right although QEMU reads otherwise.
	model uint32
	why   string
}

func in(port uint32) op              { return op{kind: opIn, size: 1, addr: port} }
func inN(port uint32, size uint8) op { return op{kind: opIn, size: size, addr: port} }
func out(port, v uint32) op          { return op{kind: opOut, size: 1, addr: port, value: v} }
func outN(port uint32, size uint8, v uint32) op {
	return op{kind: opOut, size: size, addr: port, value: v}
}
func apicRead(reg uint32) op { return op{kind: opRead, size: 4, addr: APICDefaultBase + reg<<4} }
func apicWrite(reg, v uint32) op {
	return op{kind: opWrite, size: 4, addr: APICDefaultBase + reg<<4, value: v}
}
func ioapicRead(reg uint32) []op {
	return []op{{kind: opWrite, size: 4, addr: ioapicBase, value: reg}, {kind: opRead, size: 4, addr: ioapicBase + ioWindow}}
}
func ioapicWrite(reg, v uint32) []op {
	return []op{{kind: opWrite, size: 4, addr: ioapicBase, value: reg}, {kind: opWrite, size: 4, addr: ioapicBase + ioWindow, value: v}}
}
func pciRead(function, reg uint32) []op {
	return []op{outN(portPCIAddress, 4, pciEnable|function<<8|reg), inN(portPCIData, 4)}
}

// but marks the entry before it as a known difference.
func but(o op, model uint32, why string) op {
	o.model, o.why = model, why
	return o
}

func window() op { return op{kind: opWindow} }
func halt() op   { return op{kind: opHalt} }

func (o op) String() string {
	switch o.kind {
	case opIn:
		return fmt.Sprintf("in %#x (%d bytes)", o.addr, o.size)
	case opRead:
		return fmt.Sprintf("read of %#x", o.addr)
	case opRDMSR:
		return fmt.Sprintf("rdmsr %#x", o.addr)
	case opHalt:
		return "hlt"
	}
	return "interrupt window"
}

// reading is a value and the entry that read it; interrupts taken have bit 31
// set, as probe.S marks them.
type reading struct {
	op    int
	value uint32
}

// onModel runs the table on the model.
func onModel(t *testing.T, ops []op) (r []reading) {
	m := newMachine(t, Config{CPUs: 1, MemBytes: 256 << 20})
	bus, apic := m.d.Bus(0), m.d.APIC(0)
	taken := func(i int) {
		for n := 0; n < 64; n++ {
			v, ok := apic.Pending()
			if !ok {
				return
			}
			apic.Accept(v)
			r = append(r, reading{i, 1<<31 | uint32(v)})
		}
		t.Fatalf("entry %d: interrupts without end", i)
	}
	for i, o := range ops {
		switch o.kind {
		case opIn:
			r = append(r, reading{i, bus.In(uint16(o.addr), int(o.size))})
		case opOut:
			bus.Out(uint16(o.addr), int(o.size), o.value)
		case opRead:
			r = append(r, reading{i, uint32(bus.ReadPhys(uint64(o.addr), 4))})
		case opWrite:
			bus.WritePhys(uint64(o.addr), 4, uint64(o.value))
		case opRDMSR:
			v, ok := bus.ReadMSR(o.addr)
			if !ok {
				t.Fatalf("entry %d: MSR %#x refused", i, o.addr)
			}
			r = append(r, reading{i, uint32(v)})
		case opWindow:
			taken(i)
		case opHalt:
			for n := 0; ; n++ {
				if _, ok := apic.Pending(); ok {
					break
				}
				at, ok := m.d.NextEvent()
				if !ok || n == 1000 {
					t.Fatalf("entry %d: nothing ends the halt", i)
				}
				m.now = at
				m.d.Advance(at)
			}
			taken(i)
		}
	}
	for i := range r {
		if o := ops[r[i].op]; o.why != "" && r[i].value != o.model {
			t.Errorf("entry %d, %v: model reads %#x, the table expects %#x", r[i].op, o, r[i].value, o.model)
		}
	}
	return r
}

// needTools skips the test, or fails it where PVLAB_REQUIRE asks for a tool.
func needTools(t *testing.T, tools map[string]string) {
	t.Helper()
	for _, name := range []string{"cc", "qemu"} {
		if _, err := exec.LookPath(tools[name]); err == nil {
			continue
		}
		how := tools[name] + " not found: apt-get install gcc qemu-system-x86"
		if strings.Contains(os.Getenv("PVLAB_REQUIRE"), name) {
			t.Fatal(how)
		}
		t.Skip(how)
	}
}

// onQEMU runs the table on QEMU's PC and returns the values read in order.
func onQEMU(t *testing.T, ops []op) []uint32 {
	t.Helper()
	dir := t.TempDir()
	var table strings.Builder
	for _, o := range ops {
		fmt.Fprintf(&table, "op %d, %d, %#x, %#x\n", o.kind, o.size, o.addr, o.value)
	}
	if err := os.WriteFile(filepath.Join(dir, "ops.inc"), []byte(table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	elf := filepath.Join(dir, "probe.elf")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	src, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	cc := exec.CommandContext(ctx, "cc", "-m64", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
		"-T", filepath.Join(src, "probe.ld"), filepath.Join(src, "probe.S"), "-o", elf)
	cc.Dir = dir // where ops.inc is
	if msg, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, msg)
	}
	qemu := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "256",
		"-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", elf)
	text, err := qemu.Output()
	if err != nil {
		t.Fatalf("qemu: %v\n%s", err, text)
	}
	_, text, found := bytes.Cut(text, []byte("\n"))
	if !found || !bytes.HasSuffix(text, []byte(".\n")) {
		t.Fatalf("the probe did not come to its end:\n%s", text)
	}
	var r []uint32
	for _, line := range strings.Fields(string(bytes.TrimSuffix(text, []byte(".\n")))) {
		v, err := strconv.ParseUint(line, 16, 32)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		r = append(r, uint32(v))
	}
	return r
}

// compareWithQEMU runs the table on both. A known difference must be one.
func compareWithQEMU(t *testing.T, ops []op) {
	t.Helper()
	needTools(t, map[string]string{"cc": "cc", "qemu": "qemu-system-x86_64"})
	model, qemu := onModel(t, ops), onQEMU(t, ops)
	for i, m := range model {
		if i >= len(qemu) {
			t.Fatalf("entry %d, %v: QEMU has read %d values only, the model goes on with %#x", m.op, ops[m.op], len(qemu), m.value)
		}
		o := ops[m.op]
		switch q := qemu[i]; {
		case o.why != "" && q == m.value:
			t.Errorf("entry %d, %v: %#x on both, though a difference is noted (%s)", m.op, o, q, o.why)
		case o.why == "" && q != m.value:
			t.Errorf("entry %d, %v: QEMU reads %#x, the model %#x", m.op, o, q, m.value)
		}
	}
	if len(qemu) > len(model) {
		t.Errorf("QEMU reads %d values more: %#x", len(qemu)-len(model), qemu[len(model):])
	}
}
