package explain

import (
	"testing"

	"pvlab/hv/cpu"
)

// Whatever code a handler consists of, following it and explaining it ends
// without a panic, in bounded time, and keeps to the page width.
func FuzzExplain(f *testing.F) {
	f.Add([]byte{0x59, 0x41, 0x5b, 0x6a, 0x00, 0x48, 0xcf}, true, false)
	f.Add([]byte{0x48, 0xcf}, false, true)
	f.Add([]byte{0xf3, 0x48, 0xa5, 0xc8, 0x10, 0x00, 0x01, 0xc9, 0xc3}, true, true)
	f.Add([]byte{0x8f, 0x44, 0x24, 0x08, 0x66, 0x50, 0x66, 0x58, 0x0f, 0xc1, 0x04, 0x24}, true, true)
	f.Fuzz(func(t *testing.T, code []byte, xen, errcode bool) {
		if len(code) > 256 {
			return
		}
		p, names := Native, natSlots
		if errcode {
			names = natSlotsCode
		}
		if xen {
			p, names = Xen, xenSlots
			if errcode {
				names = xenSlotsCode
			}
		}
		m := newFlat(t, p)
		m.write(hitRIP, []byte{0xcc})
		m.write(flatCode, code)
		m.c.RIP = hitRIP
		fr := m.frame(names, frameValues(p, names, false), hitRSP-8*uint64(len(names)))
		m.deliver(fr)
		for range 200 {
			if ex := m.run(1); ex.Kind == cpu.ExitFault || ex.Kind == cpu.ExitUnmodelled || ex.Kind == cpu.ExitShutdown {
				break
			}
		}
		for _, how := range []string{"killed", "crash", "poweroff", "step-limit"} {
			end := Ending{How: how, Rule: "CRASH-03", Slot: "ss", Addr: 1, Regs: m.regs()}
			x := Explain(m.t, &end, &Symbols{})
			if x.Text() == "" || x.Cause != nil && x.Cause.Verdict == "" {
				t.Fatal("an explanation that says nothing")
			}
		}
	})
}
