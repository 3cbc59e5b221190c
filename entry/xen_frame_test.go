package entry_test

import (
	"fmt"
	"testing"

	"pvlab/hv/cpu"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hv/xenpv"
	"pvlab/hypercall/abi"
)

// TestFrameRules: one case a rule of the bounce frame (pv-rules FRAME-*).
func TestFrameRules(t *testing.T) {
	cases := []struct {
		rule, name string
		run        func(t *testing.T, g *guest)
	}{
		{"FRAME-01", "RCX and R11 lie below the hardware's five words", func(t *testing.T, g *guest) {
			g.int3()
			w := g.frame(7)
			for i, want := range []uint64{0x1111111100000001, 0x111111110000000b, guestText + 0x11, 0, 0, guestStack, abi.FlatKernelSS} {
				if i != 3 && i != 4 {
					equal(t, fmt.Sprint("slot ", i), w[i], want)
				}
			}
		}},
		{"FRAME-01", "with an error code between R11 and RIP", func(t *testing.T, g *guest) {
			g.fault(x86.WithCode(x86.VectorNP, 0x1230))
			w := g.frame(8)
			equal(t, "code", w[2], uint64(0x1230))
			equal(t, "rip", w[3], uint64(guestText+0x10))
		}},
		{"FRAME-02", "the handler's RCX and R11 are its RIP and flags", func(t *testing.T, g *guest) {
			g.int3()
			c := g.CPU
			equal(t, "rip", c.RIP, handlerOf(3))
			equal(t, "rcx", c.R[x86.RCX], handlerOf(3))
			equal(t, "r11", c.R[x86.R11], c.Flags())
		}},
		{"FRAME-03", "a user's trap goes to kernel_sp", func(t *testing.T, g *guest) {
			g.user()
			g.int3()
			equal(t, "rsp", g.CPU.R[x86.RSP], uint64(guestStack-56))
			equal(t, "old rsp", g.frame(7)[5], uint64(userStack))
			equal(t, "kernel mode", g.KernelMode, true)
		}},
		{"FRAME-04", "the frame is aligned, the old RSP is not", func(t *testing.T, g *guest) {
			for off := uint64(0); off < 16; off++ {
				g := newGuest(t)
				g.CPU.R[x86.RSP] = guestStack - off
				g.int3()
				equal(t, "rsp mod 16", g.CPU.R[x86.RSP]%16, uint64(8))
				equal(t, "old rsp", g.frame(7)[5], guestStack-off)
				g = newGuest(t)
				g.CPU.R[x86.RSP] = guestStack - off
				g.fault(x86.WithCode(x86.VectorGP, 8))
				equal(t, "rsp mod 16 with code", g.CPU.R[x86.RSP]%16, uint64(0))
			}
		}},
		{"FRAME-05", "there is no red zone", func(t *testing.T, g *guest) {
			g.Write64(guestStack-8, 0x5afe)
			g.int3()
			equal(t, "word below RSP", g.word(guestStack-8), uint64(abi.FlatKernelSS))
		}},
		{"FRAME-06", "CS says where the trap came from", func(t *testing.T, g *guest) {
			g.int3()
			equal(t, "kernel CS", g.frame(4)[3]&0xffff, uint64(0xe030))
			u := newGuest(t)
			u.user()
			u.int3()
			equal(t, "user CS", u.frame(4)[3]&0xffff, uint64(0xe033))
			equal(t, "SS", u.frame(7)[6], uint64(0xe02b))
		}},
		{"FRAME-07", "the mask byte and what follows it fill the CS slot", func(t *testing.T, g *guest) {
			g.Dom.Mem.Write(g.InfoMFN<<12+g.InfoOffset+2, []byte{0x55, 0x66, 0x77})
			g.int3()
			equal(t, "CS slot", g.frame(4)[3], uint64(0x776655010000e030))
		}},
		{"FRAME-08", "IF is the upcall mask, IOPL 0", func(t *testing.T, g *guest) {
			g.int3()
			equal(t, "masked", g.frame(5)[4], uint64(x86.FlagOne))
			g = newGuest(t)
			g.SetMask(0)
			g.IOPL = 3
			g.int3()
			equal(t, "unmasked", g.frame(5)[4], uint64(x86.FlagOne|x86.FlagIF))
			g = newGuest(t)
			g.Dom.Assist = 1 << abi.VMAssistArchitecturalIOPL
			g.IOPL = 2
			g.int3()
			equal(t, "architectural IOPL", g.frame(5)[4], uint64(x86.FlagOne|2<<12))
		}},
		{"FRAME-09", "AC, RF, NT and TF are cleared, DF is not", func(t *testing.T, g *guest) {
			const all = x86.FlagAC | x86.FlagNT | x86.FlagTF | x86.FlagDF | x86.FlagID | x86.FlagCF
			g.CPU.SetFlags(all | x86.FlagIF)
			g.int3()
			equal(t, "handler's", g.CPU.Flags(), uint64(x86.FlagDF|x86.FlagID|x86.FlagCF|x86.FlagIF|x86.FlagOne))
			equal(t, "saved", g.frame(5)[4], uint64(all|x86.FlagOne))
		}},
		{"FRAME-10", "the selectors registered are never loaded", func(t *testing.T, g *guest) {
			g.int3()
			equal(t, "CS", g.CPU.Seg[x86.CS].Sel, uint16(0xe033))
			equal(t, "SS", g.CPU.Seg[x86.SS].Sel, uint16(0xe02b))
		}},
		{"FRAME-11", "only the GS base is swapped", func(t *testing.T, g *guest) {
			g.CPU.Seg[x86.GS].Base = 0x1000 // the kernel's
			g.user()
			g.CPU.Seg[x86.FS].Base, g.CPU.Seg[x86.GS].Base = 0x3000, 0x2000
			g.CPU.Seg[x86.DS].Sel = 0x2b
			g.int3()
			equal(t, "FS base", g.CPU.Seg[x86.FS].Base, uint64(0x3000))
			equal(t, "GS base", g.CPU.Seg[x86.GS].Base, uint64(0x1000))
			equal(t, "user GS base", g.CPU.KernelGSBase, uint64(0x2000))
			equal(t, "DS", g.CPU.Seg[x86.DS].Sel, uint16(0x2b))
		}},
		{"FRAME-12", "bit 2 of the gate masks events", func(t *testing.T, g *guest) {
			g.SetMask(0)
			g.int3()
			equal(t, "mask without", g.Mask(), uint8(0))
			g = newGuest(t)
			g.SetMask(0)
			g.Trap[3].Flags = abi.TrapMaskEvents
			g.int3()
			equal(t, "mask with", g.Mask(), uint8(1))
			equal(t, "saved mask", g.frame(4)[3]>>32&0xff, uint64(0))
		}},
		{"FRAME-13", "a pending event lands on top of the exception's frame", func(t *testing.T, g *guest) {
			g.Event = handler + 0x4000
			g.SetMask(0)
			g.pend()
			g.int3()
			equal(t, "rip", g.CPU.RIP, g.Event)
			outer := g.frame(14)
			equal(t, "interrupted rip", outer[2], handlerOf(3))
			equal(t, "interrupted cs", outer[3]&0xffff, uint64(0xe030))
			equal(t, "rcx", outer[0], uint64(0x1111111100000001))
			equal(t, "inner rip", g.word(guestStack-56+16), uint64(guestText+0x11))
		}},
		{"FRAME-14", "stores go SS, RSP, CS, RFLAGS, RIP, code, R11, RCX; the first that faults kills", func(t *testing.T, g *guest) {
			for slots := uint64(0); slots < 8; slots++ {
				g := newGuest(t)
				// The page above the mapped region of the image begins so that
				// the frame's upper slots lie on it... here: a page that is
				// gone below the stack's page.
				g.CPU.R[x86.RSP] = guestText + 8*slots&^15
				unmap(g, guestText-0x1000)
				var failed string
				g.Dom.Probes.StoreFault = append(g.Dom.Probes.StoreFault, func(f *probe.StoreFault) { failed = f.Slot })
				if a := g.fault(x86.WithCode(x86.VectorGP, 8)); a != xenpv.Ended {
					t.Fatalf("%d slots: %v", slots, a)
				}
				// The top is 16-aligned, so an even number of slots fits.
				want := map[uint64]string{0: "ss", 2: "cs", 4: "rip", 6: "r11"}[slots&^1]
				equal(t, fmt.Sprint(slots, " slots"), failed, want)
			}
		}},
		{"FRAME-16", "a null handler kills after the frame was written", func(t *testing.T, g *guest) {
			g.Trap[3].Address = 0
			equal(t, "action", g.int3(), xenpv.Ended)
			equal(t, "rsp", g.CPU.R[x86.RSP], uint64(guestStack-56))
			equal(t, "rip", g.CPU.RIP, uint64(guestText+0x11))
			equal(t, "said", g.says("d0v0 Unhandled: vec 3, #BP[ffffffff]"), true)
		}},
		{"FRAME-18", "a software interrupt never has an error code", func(t *testing.T, g *guest) {
			g.Trap[13].Flags = 3
			g.intN(13)
			equal(t, "rip", g.CPU.RIP, handlerOf(13))
			equal(t, "size", uint64(guestStack)-g.CPU.R[x86.RSP], uint64(56))
		}},
		{"FRAME-19", "CR2 is published in vcpu_info", func(t *testing.T, g *guest) {
			g.fault(x86.PageFault(x86.PFUser, gone))
			equal(t, "cr2", g.InfoCR2(), uint64(gone))
			equal(t, "MOV CR2", g.CR2, uint64(gone))
		}},
		{"FRAME-20", "the user bit of a #PF is the mode's", func(t *testing.T, g *guest) {
			g.fault(x86.PageFault(x86.PFUser|x86.PFWrite, gone))
			equal(t, "kernel", g.frame(3)[2], uint64(x86.PFWrite))
			g = newGuest(t)
			g.user()
			g.fault(x86.PageFault(x86.PFUser|x86.PFFetch, gone))
			equal(t, "user", g.frame(3)[2], uint64(x86.PFUser|x86.PFFetch))
		}},
		{"FRAME-22", "INT n needs DPL 1 in the kernel and 3 in user mode", func(t *testing.T, g *guest) {
			for dpl := uint8(0); dpl < 4; dpl++ {
				for _, user := range []bool{false, true} {
					g := newGuest(t)
					if user {
						g.user()
					}
					g.Trap[0x30].Flags = dpl
					g.intN(0x30)
					if dpl == 3 || dpl > 0 && !user {
						equal(t, "rip", g.CPU.RIP, handlerOf(0x30))
						equal(t, "saved rip", g.frame(3)[2], uint64(guestText+0x12))
					} else {
						equal(t, "rip", g.CPU.RIP, handlerOf(13))
						equal(t, "code", g.frame(3)[2], uint64(0x30*8+2))
						equal(t, "saved rip", g.frame(4)[3], uint64(guestText+0x10))
					}
				}
			}
		}},
		{"FRAME-22", "a prefixed INT n returns into its own tail", func(t *testing.T, g *guest) {
			g.Trap[0x30].Flags = 3
			g.report(cpu.Exit{Kind: cpu.ExitSoftInt, Soft: cpu.SoftINT, Vector: 0x30, Next: g.CPU.RIP + 3})
			equal(t, "saved rip", g.frame(3)[2], uint64(guestText+0x12))
		}},
		{"FRAME-23", "INT3 ignores the DPL", func(t *testing.T, g *guest) {
			g.user()
			g.int3()
			equal(t, "rip", g.CPU.RIP, handlerOf(3))
		}},
		{"FRAME-24", "INT 0x80 ignores the DPL, unless there is no handler", func(t *testing.T, g *guest) {
			g.user()
			g.intN(0x80)
			equal(t, "rip", g.CPU.RIP, handlerOf(0x80))
			g = newGuest(t)
			g.user()
			g.Trap[0x80].Address = 0
			g.intN(0x80)
			equal(t, "rip without", g.CPU.RIP, handlerOf(13))
			equal(t, "code", g.frame(3)[2], uint64(0x402))
			equal(t, "saved rip", g.frame(4)[3], uint64(guestText+0x10))
		}},
	}
	for _, c := range cases {
		t.Run(c.rule+" "+c.name, func(t *testing.T) { c.run(t, newGuest(t)) })
	}
}

// unmap takes the page at va away.
func unmap(g *guest, va uint64) {
	pa, ok := g.KernelL1At(va)
	if !ok {
		g.t.Fatalf("no L1 for %#x", va)
	}
	if _, err := g.Dom.Rules.Apply(pa, 0, g.Dom.Owner(), g.Dom.Owner(), false); err != 0 {
		g.t.Fatal(err)
	}
	g.CPU.FlushTLB()
}

// TestStackRange: which stack pointers Xen refuses before it writes anything
// (FRAME-15, CRASH-01), and which it tries (CRASH-03).
func TestStackRange(t *testing.T) {
	for _, c := range []struct {
		rsp    uint64
		refuse bool
	}{
		{0xffff800000000000, false}, {0xffff80000000000f, false}, {0xffff800000000010, true},
		{0xffff820000000000, true}, {0xffff87fffffffff0, true}, {0xffff880000000000, true},
		{0xffff88000000003f, true}, {0xffff880000000040, false}, {0, false}, {0x00007ffffffff000, false},
		{0x8000000000000000, false},
	} {
		t.Run(fmt.Sprintf("%#x", c.rsp), func(t *testing.T) {
			g := newGuest(t)
			g.CPU.R[x86.RSP] = c.rsp
			equal(t, "action", g.int3(), xenpv.Ended)
			equal(t, "refused", g.says("create_bounce_frame+0x4e"), c.refuse)
			equal(t, "walked", g.says("Pagetable walk"), !c.refuse)
			equal(t, "rsp kept", g.CPU.R[x86.RSP], c.rsp)
		})
	}
}
