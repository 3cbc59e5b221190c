package explain

import (
	"fmt"
	"strings"

	"pvlab/entry"
)

// frameSide is one column of DrawFrame.
type frameSide struct {
	frame *entry.Frame
	title string
}

// frameOrder is the order of a frame's words from the highest address down.
var frameOrder = []string{"ss", "rsp", "rflags", "cs", "rip", "gs", "fs", "es", "ds", "error", "r11", "rcx"}

// DrawFrame draws the frames that bare metal and Xen deliver for the same
// trap, slot by slot side by side, highest address first as manuals draw
// stacks. Either may be nil. Lines have at most 100 columns.
func DrawFrame(native, xen *entry.Frame) string {
	sides := []frameSide{{native, "bare metal"}, {xen, "Xen PV guest"}}
	if native == nil {
		sides = sides[1:]
	}
	if xen == nil {
		sides = sides[:1]
	}
	var b strings.Builder
	if len(sides) == 0 || sides[0].frame == nil {
		return ""
	}
	f := sides[0].frame
	from := "kernel"
	if f.FromUser {
		from = "user"
	}
	line(&b, "%s from %s mode: what lies on the stack when the handler's first instruction runs.", vectorWords(f.Vector), from)
	line(&b, "Each row is one 8-byte word, highest address first. The handler's rsp points to the lowest word.")
	b.WriteByte('\n')
	s := ""
	for _, side := range sides {
		s += fmt.Sprintf("  %-46s", side.title)
	}
	line(&b, "%s", s)
	s = ""
	for range sides {
		s += fmt.Sprintf("  %-16s %-6s %-16s      ", "address", "word", "value")
	}
	line(&b, "%s", s)
	for _, name := range frameOrder {
		row(&b, sides, name)
	}
	b.WriteByte('\n')
	for _, n := range frameNotes(native, xen) {
		wrap(&b, n, "  * ", columns)
	}
	return b.String()
}

// row draws one word on all sides; nothing if no side has it.
func row(b *strings.Builder, sides []frameSide, name string) {
	s, any := "", false
	for _, side := range sides {
		slot, ok := side.frame.Slot(name)
		if !ok {
			s += fmt.Sprintf("  %-46s", strings.Repeat(" ", 17)+"-")
			continue
		}
		any = true
		mark := ""
		if slot.Addr == side.frame.At {
			mark = "<rsp"
		}
		s += fmt.Sprintf("  %016x %-6s %016x %-5s", slot.Addr, slot.Name, slot.Value, mark)
	}
	if any {
		line(b, "%s", s)
	}
}

// frameNotes say what the drawing cannot: why words differ, who wrote them,
// and what a stub has to do about it.
func frameNotes(native, xen *entry.Frame) []string {
	var n []string
	note := func(format string, a ...any) { n = append(n, fmt.Sprintf(format, a...)) }
	if native != nil {
		note("Bare metal: the processor pushes these words itself; general registers keep their values. "+
			"It moved rsp to %#x before the first push%s.", native.StackTop, alignedWords(native.StackTop))
	}
	if xen != nil {
		note("Xen: the hypervisor writes these words into the guest's stack below %#x%s, and then goes to the handler in ring 3.",
			xen.StackTop, alignedWords(xen.StackTop))
		if _, ok := xen.Slot("rcx"); ok {
			note("rcx, r11: only Xen adds these two, below everything else (FRAME-01). The registers themselves are destroyed " +
				"on the way in (FRAME-02), so the stub takes both from here first: pop %%rcx; pop %%r11.")
		}
		if cs, ok := xen.Slot("cs"); ok {
			note("%s", csWords(xen, cs.Value))
		}
		if fl, ok := xen.Slot("rflags"); ok {
			note("rflags under Xen is %#x: bit 9 (IF) does not come from the processor but says whether events were unmasked (FRAME-08).", fl.Value)
		}
	}
	for _, f := range []*entry.Frame{native, xen} {
		if f == nil {
			continue
		}
		if _, ok := f.Slot("error"); ok {
			note("error: this vector has an error code; it is not part of what the return takes, so the stub drops it (FRAME-18).")
			break
		}
	}
	switch {
	case native != nil && xen != nil:
		note("The way back: iretq on bare metal takes rip, cs, rflags, rsp, ss from rsp. Under Xen the stub pushes one more word, " +
			"the flags (0), and jumps to slot 23 of the hypercall page (IRET-01).")
	case xen != nil:
		note("The way back: push one more word, the flags (0), and jump to slot 23 of the hypercall page (IRET-01).")
	default:
		note("The way back: iretq takes rip, cs, rflags, rsp, ss from rsp.")
	}
	if xen != nil && native != nil && !xen.FromUser {
		note("No other stack: bare metal can switch stacks by the IST; Xen puts a kernel trap directly below the interrupted rsp (FRAME-03), without a red zone.")
	}
	return n
}

func alignedWords(top uint64) string {
	if top%16 == 0 {
		return " (a multiple of 16)"
	}
	return ""
}

func csWords(xen *entry.Frame, cs uint64) string {
	origin := "the kernel was interrupted, so its RPL (the two lowest bits) was cleared although the guest runs in ring 3"
	if xen.FromUser {
		origin = "user code was interrupted, so its RPL (the two lowest bits) is 3; for the kernel it would be 0"
	}
	return fmt.Sprintf("cs under Xen is %#x: %s (FRAME-06). Byte 4 holds the upcall mask as it was before: %d, events %s (FRAME-07). Compare only the low 16 bits.",
		cs&0xffff, origin, cs>>32&0xff, map[bool]string{true: "on", false: "off"}[cs>>32&0xff == 0])
}
