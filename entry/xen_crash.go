package entry

import (
	"fmt"

	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// What Xen prints when it crashes a domain, byte for byte as the 4.17 release
// build does, and the ways a guest's own entry code gets there (pv-rules,
// section 11).

func (x *Xen) crashBadStack(cs uint16) {
	x.V.CPU.Seg[x86.CS].Sel = cs // the frame's CS, RPL cleared, is what the dump shows
	x.crashSync("CRASH-01", x.V.Dom.Version.Text.BadStack)
}

func (x *Xen) crashNullHandler() { x.crashSync("CRASH-02", x.V.Dom.Version.Text.NullHandler) }

// crashStore is CRASH-03: the store of slot n at addr faulted.
func (x *Xen) crashStore(addr uint64, n int, name string, f x86.Fault) {
	v := x.V
	if to := v.Dom.Probes.StoreFault; len(to) != 0 {
		probe.Fire(to, &probe.StoreFault{VCPU: v.ID, Slot: name, Addr: addr, Fault: f})
	}
	x.showWalk(addr)
	v.CPU.Seg[x86.CS].Sel |= 3
	at := v.Dom.Version.Text.StoreFault + uint64(6-n)*4
	size := 4
	if n == 0 {
		size = 0x18
	}
	x.crashSync("CRASH-03", fmt.Sprintf("%016x x86_64/entry.S#domain_crash_page_fault_%dx8+0/%#x", at, n, size))
}

func (x *Xen) crashSync(rule, where string) {
	text := "domain_crash_sync called from entry.S: fault at " + where
	x.V.Dom.Print(text)
	x.die(rule, text)
}

func (x *Xen) crashIret(rule, why string) {
	v := x.V
	v.Dom.Print(v.Name() + " " + why)
	v.Dom.Print("domain_crash called from " + v.Dom.Version.Text.IretCrash)
	x.die(rule, why)
}

func (x *Xen) crashFailsafe(addr uint64, name string) {
	v := x.V
	const why = "error while creating failsafe callback frame"
	if to := v.Dom.Probes.StoreFault; len(to) != 0 {
		probe.Fire(to, &probe.StoreFault{VCPU: v.ID, Slot: name, Addr: addr})
	}
	v.Dom.Print(v.Name() + " " + why)
	v.Dom.Print("domain_crash called from " + v.Dom.Version.Text.FailsafeLine)
	x.die("CRASH-06", why)
}

// CrashL1TF is CRASH-09: the guest was about to have an entry of a level
// through which the processor could leak.
func (x *Xen) CrashL1TF(level int, e pagetable.Entry) {
	v := x.V
	text := fmt.Sprintf("d%d L1TF-vulnerable L%de %016x - Crashing", v.Dom.ID, level, uint64(e))
	v.Dom.Print(text)
	v.Dom.Print("domain_crash called from " + v.Dom.Version.Text.L1TFLine)
	x.die("CRASH-09", text)
}

// die prints the common tail and shuts the domain down.
func (x *Xen) die(rule, text string) {
	v := x.V
	d := v.Dom
	x.tb.pending = false
	if !d.ShutDown {
		d.Print(fmt.Sprintf("Domain %d (vcpu#%d) crashed on cpu#%d:", d.ID, v.ID, v.ID))
		x.showRegisters()
		x.showStack()
	}
	if to := d.Probes.Death; len(to) != 0 {
		probe.Fire(to, &probe.Death{VCPU: v.ID, Rule: rule, Text: text})
	}
	d.Crashed = !d.ShutDown
	d.Shutdown(abi.ShutdownCrash)
}

// showRegisters is Xen's register dump of the interrupted context
// (X/x86_64/traps.c:show_registers).
func (x *Xen) showRegisters() {
	v, c := x.V, x.V.CPU
	p := func(format string, a ...any) { v.Dom.Print(fmt.Sprintf(format, a...)) }
	r := &c.R
	em := 0
	if v.Mask() != 0 {
		em = 1
	}
	p("----[ Xen-%s  x86_64  debug=n  Not tainted ]----", v.Dom.Version.Banner)
	p("CPU:    %d", v.ID)
	p("RIP:    %04x:[<%016x>]", c.Seg[x86.CS].Sel, c.RIP)
	p("RFLAGS: %016x   EM: %d   CONTEXT: pv guest (%s)", x.flags(), em, v.Name())
	p("rax: %016x   rbx: %016x   rcx: %016x", r[x86.RAX], r[x86.RBX], r[x86.RCX])
	p("rdx: %016x   rsi: %016x   rdi: %016x", r[x86.RDX], r[x86.RSI], r[x86.RDI])
	p("rbp: %016x   rsp: %016x   r8:  %016x", r[x86.RBP], r[x86.RSP], r[x86.R8])
	p("r9:  %016x   r10: %016x   r11: %016x", r[x86.R9], r[x86.R10], r[x86.R11])
	p("r12: %016x   r13: %016x   r14: %016x", r[x86.R12], r[x86.R13], r[x86.R14])
	p("r15: %016x   cr0: %016x   cr4: %016x", r[x86.R15], c.CR0, c.CR4)
	p("cr3: %016x   cr2: %016x", c.CR3, v.InfoCR2())
	p("fsb: %016x   gsb: %016x   gss: %016x", c.Seg[x86.FS].Base, c.Seg[x86.GS].Base, c.KernelGSBase)
	p("ds: %04x   es: %04x   fs: %04x   gs: %04x   ss: %04x   cs: %04x",
		c.Seg[x86.DS].Sel, c.Seg[x86.ES].Sel, c.Seg[x86.FS].Sel, c.Seg[x86.GS].Sel, c.Seg[x86.SS].Sel, c.Seg[x86.CS].Sel)
}

// Geometry of the stack dump (X/traps.c:show_guest_stack): lines of four
// words, ending before a word that begins at a multiple of Xen's own stack
// size.
const (
	stackLines   = 20
	stackPerLine = 4
	xenStackSize = 32 << 10
)

func (x *Xen) showStack() {
	v := x.V
	sp := v.CPU.R[x86.RSP]
	v.Dom.Print(fmt.Sprintf("Guest stack trace from rsp=%016x:", sp))
	const indent = "  "
	if sp >= 1<<47 && sp < abi.HypervisorVirtEnd {
		v.Dom.Print(indent + "Guest-inaccessible memory.")
		return
	}
	line := indent
	n := 0
	for ; n < stackLines*stackPerLine; n++ {
		if ((sp-1)^(sp+7))&xenStackSize != 0 {
			break
		}
		w, ok := v.Read64(sp)
		if !ok {
			if n != 0 {
				v.Dom.Print(line)
				line = indent + indent
			}
			v.Dom.Print(line + "Fault while accessing guest memory.")
			return
		}
		if n != 0 && n%stackPerLine == 0 {
			v.Dom.Print(line)
			line = indent
		}
		line += fmt.Sprintf(" %016x", w)
		sp += 8
	}
	if n == 0 {
		line += "Stack empty."
	}
	v.Dom.Print(line)
}

// showWalk prints the page-table entries that translate addr in the table now
// loaded, down to the first that is missing (X/x86_64/traps.c:show_page_walk).
func (x *Xen) showWalk(addr uint64) {
	d := x.V.Dom
	d.Print(fmt.Sprintf("Pagetable walk from %016x:", addr))
	if !x86.Canonical(addr) {
		return
	}
	table := x.V.CPU.CR3 >> mem.PageShift
	for level := 4; level >= 1; level-- {
		i := pagetable.Index(addr, level)
		var e pagetable.Entry
		if level == 4 && i >= abi.L4FirstXenSlot && i <= abi.L4LastXenSlot {
			e = d.XenSlot(i)
		} else {
			e = pagetable.Entry(d.Mem.Read64(table<<mem.PageShift + 8*i))
		}
		large := ""
		if (level == 3 || level == 2) && e.Has(pagetable.PSE) {
			large = " (PSE)"
		}
		d.Print(fmt.Sprintf(" L%d[0x%03x] = %016x %016x%s", level, i, uint64(e), d.M2P(e.MFN()), large))
		if !e.Has(pagetable.Present) || large != "" || e.MFN() >= d.Mem.Frames() {
			return
		}
		table = e.MFN()
	}
}
