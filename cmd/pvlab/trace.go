package main

import (
	"fmt"
	"strings"

	"pvlab/entry/explain"
	"pvlab/hv"
	"pvlab/hv/cpu"
	"pvlab/hv/disasm"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

// traceSet is what --trace asked for.
type traceSet struct{ entry, hypercall, insn bool }

func parseTrace(names []string) (t traceSet, err error) {
	for _, n := range names {
		switch n {
		case "entry":
			t.entry = true
		case "hypercall":
			t.hypercall = true
		case "insn":
			t.insn = true
		default:
			return t, usagef("--trace %q: want entry, hypercall or insn", n)
		}
	}
	return t, nil
}

// attach observes what was asked for; emit gets each line.
func (t traceSet) attach(m *hv.Machine, emit func(string)) {
	p := m.Probes()
	if t.entry {
		p.Frame = append(p.Frame, func(f *probe.Frame) {
			emit(fmt.Sprintf("entry: vcpu %d %s -> %s, frame at %#x:%s", f.VCPU, frameName(f), place(m, f.Handler), f.At, slots(m, f)))
		})
		p.Iret = append(p.Iret, func(i *probe.Iret) {
			to := "kernel"
			if i.ToUser {
				to = "user"
			}
			emit(fmt.Sprintf("entry: vcpu %d HYPERVISOR_iret, frame at %s, to %s mode at %s: cs=%#x rflags=%#x rsp=%s ss=%#x flags=%#x",
				i.VCPU, place(m, i.At), to, place(m, i.Words[4]), i.Words[5], i.Words[6], place(m, i.Words[7]), i.Words[8], i.Words[3]))
		})
		p.Emulated = append(p.Emulated, func(e *probe.Emulated) {
			emit(fmt.Sprintf("entry: vcpu %d Xen emulates %s at %s: done=%v", e.VCPU, e.What, place(m, e.RIP), e.Done))
		})
	}
	if t.hypercall {
		p.Hypercall = append(p.Hypercall, func(h *probe.Hypercall) {
			var args []string
			for _, a := range h.Args[:h.NArgs] {
				args = append(args, fmt.Sprintf("%#x", a))
			}
			emit(fmt.Sprintf("hypercall: vcpu %d %s(%s) from %s", h.VCPU, callName(h), strings.Join(args, ", "), place(m, h.RIP)))
		})
		p.Return = append(p.Return, func(h *probe.Hypercall) {
			emit(fmt.Sprintf("hypercall: vcpu %d %s = %d", h.VCPU, callName(h), int64(h.Result)))
		})
	}
}

func callName(h *probe.Hypercall) string {
	if h.Op == "" {
		return h.Name
	}
	return h.Name + " " + h.Op
}

func frameName(f *probe.Frame) string {
	from := "kernel"
	if f.FromUser {
		from = "user"
	}
	if f.Vector < 0 {
		return f.Kind + " from " + from
	}
	return fmt.Sprintf("%s %s from %s", x86.VectorName(uint8(f.Vector)), f.Kind, from)
}

func slots(m *hv.Machine, f *probe.Frame) string {
	var b strings.Builder
	for _, s := range f.Slots {
		fmt.Fprintf(&b, " %s=%s", s.Name, place(m, s.Value))
	}
	return b.String()
}

// place names an address by the guest's symbols.
func place(m *hv.Machine, addr uint64) string {
	return (&explain.Symbols{Name: m.Image().Symbol}).At(addr).String()
}

// instruction writes the instruction the machine is about to execute.
func (t traceSet) instruction(m *hv.Machine, emit func(string)) {
	c := m.CPU(m.Current())
	var code [15]byte
	lin := c.RIP
	if c.Mode() != cpu.Mode64 {
		lin = (c.Seg[x86.CS].Base + c.RIP) & 0xffffffff
	}
	n, _ := c.FetchLinear(lin, code[:])
	bits := map[cpu.Mode]int{cpu.Mode16: 16, cpu.Mode32: 32, cpu.Mode64: 64}[c.Mode()]
	text, length := disasm.Inst(code[:n], bits, c.RIP, func(a uint64) (string, uint64) {
		name, off, ok := m.Image().Symbol(a)
		if !ok {
			return "", 0
		}
		return name, a - off
	})
	if n == 0 {
		text, length = "(not readable)", 0
	}
	emit(fmt.Sprintf("insn: vcpu %d %s: % x  %s", m.Current(), place(m, c.RIP), code[:min(length, n)], text))
}
