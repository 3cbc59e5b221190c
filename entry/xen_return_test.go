package entry_test

import (
	"testing"

	"pvlab/entry"
	"pvlab/hv/cpu"
	"pvlab/hv/x86"
	"pvlab/hv/xenpv"
	"pvlab/hypercall/abi"
)

// TestCallbackRules: one case a rule of the callbacks (pv-rules CB-*).
func TestCallbackRules(t *testing.T) {
	cases := []struct {
		rule, name string
		run        func(t *testing.T, g *guest)
	}{
		{"CB-03", "an event masks; no callback is fatal without an Unhandled line", func(t *testing.T, g *guest) {
			g.Event = handler
			g.SetMask(0)
			g.pend()
			g.CPU.R[x86.RDI] = 0
			g.syscall(abi.HypXenVersion)
			equal(t, "rip", g.CPU.RIP, uint64(handler))
			equal(t, "mask", g.Mask(), uint8(1))
			equal(t, "result", g.CPU.R[x86.RAX], uint64(0x40011))
			g = newGuest(t)
			g.SetMask(0)
			g.pend()
			equal(t, "no callback", g.syscall(abi.HypXenVersion), xenpv.Ended)
			equal(t, "said", g.says("Unhandled"), false)
		}},
		{"CB-04", "pending is the guest's to clear", func(t *testing.T, g *guest) {
			g.Event = handler
			g.SetMask(0)
			g.pend()
			g.syscall(abi.HypXenVersion)
			equal(t, "pending", g.Pending(), uint8(1))
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText, 0xe033&^3, x86.FlagIF, guestStack, 0xe02b)
			equal(t, "entered again", g.CPU.RIP, uint64(handler))
			equal(t, "interrupted", g.frame(3)[2], uint64(guestText))
		}},
		{"CB-05", "a user's SYSCALL reaches the callback with stack and GS switched", func(t *testing.T, g *guest) {
			g.CPU.Seg[x86.GS].Base = 0x1000
			g.user()
			g.CPU.Seg[x86.GS].Base = 0x2000
			g.Syscall = handler
			g.CPU.SetFlags(x86.FlagIF | x86.FlagDF | x86.FlagCF)
			g.syscall(1)
			w := g.frame(7)
			equal(t, "rip", g.CPU.RIP, uint64(handler))
			equal(t, "saved rip", w[2], uint64(guestText+0x12))
			equal(t, "rcx slot", w[0], uint64(guestText+0x12))
			equal(t, "saved cs", w[3]&0xffff, uint64(0xe033))
			equal(t, "old rsp", w[5], uint64(userStack))
			equal(t, "GS base", g.CPU.Seg[x86.GS].Base, uint64(0x1000))
			flags := uint64(x86.FlagDF | x86.FlagCF | x86.FlagOne)
			equal(t, "saved flags", w[4], flags)
			// The mask that should clear DF is the stack pointer in this version.
			equal(t, "r11", g.CPU.R[x86.R11], flags&g.CPU.R[x86.RSP]|x86.FlagIF)
			equal(t, "flags", g.CPU.Flags(), g.CPU.R[x86.R11]|x86.FlagOne)
		}},
		{"HC-08", "without a callback it is #UD at the SYSCALL", func(t *testing.T, g *guest) {
			g.user()
			g.syscall(1)
			equal(t, "rip", g.CPU.RIP, handlerOf(6))
			equal(t, "saved rip", g.frame(3)[2], uint64(guestText+0x10))
		}},
		{"CB-07", "SYSENTER's frame has no return address", func(t *testing.T, g *guest) {
			g.user()
			g.Sysenter = handler
			g.report(cpu.Exit{Kind: cpu.ExitSysenter, Next: g.CPU.RIP + 2})
			w := g.frame(7)
			equal(t, "rip", g.CPU.RIP, uint64(handler))
			equal(t, "saved rip", w[2], uint64(0))
			equal(t, "saved cs", w[3]&0xffff, uint64(3))
			equal(t, "saved rsp", w[5], uint64(0))
			g = newGuest(t)
			g.user()
			g.report(cpu.Exit{Kind: cpu.ExitSysenter, Next: g.CPU.RIP + 2})
			equal(t, "no callback", g.CPU.RIP, handlerOf(13))
			equal(t, "code", g.frame(3)[2], uint64(0))
		}},
		{"CB-08", "the failsafe frame has the four selectors", func(t *testing.T, g *guest) {
			g.Failsafe = handler
			g.CPU.Seg[x86.FS].Sel, g.CPU.Seg[x86.ES].Sel = 0x1234, 0xe02b
			x := entry.NewXen(g.VCPU)
			x.ReloadSegments()
			x.Resume()
			w := g.frame(11)
			equal(t, "rip", g.CPU.RIP, uint64(handler))
			for i, want := range []uint64{0x1111111100000001, 0x111111110000000b, 0, 0xe02b, 0x1234, 0, guestText + 0x10} {
				equal(t, "slot", w[i], want)
			}
			equal(t, "size", uint64(guestStack)-uint64(88), g.CPU.R[x86.RSP])
			equal(t, "FS", g.CPU.Seg[x86.FS].Sel, uint16(0))
			equal(t, "ES", g.CPU.Seg[x86.ES].Sel, uint16(0xe02b))
		}},
		{"CB-09", "a null failsafe goes to 0", func(t *testing.T, g *guest) {
			g.CPU.Seg[x86.DS].Sel = 0x1234
			x := entry.NewXen(g.VCPU)
			x.ReloadSegments()
			x.Resume()
			equal(t, "rip", g.CPU.RIP, uint64(0))
			equal(t, "dead", g.Dom.ShutDown, false)
		}},
		{"CRASH-06", "a failsafe frame that cannot be written kills", func(t *testing.T, g *guest) {
			g.CPU.Seg[x86.DS].Sel = 0x1234
			g.CPU.R[x86.RSP] = gone
			entry.NewXen(g.VCPU).ReloadSegments()
			equal(t, "dead", g.Dom.ShutDown, true)
			equal(t, "said", g.says("error while creating failsafe callback frame"), true)
		}},
		{"CB-11", "NMIs wait for the next iret of any kind", func(t *testing.T, g *guest) {
			g.SendNMI()
			g.syscall(abi.HypXenVersion)
			equal(t, "rip", g.CPU.RIP, handlerOf(2))
			g.SendNMI()
			g.syscall(abi.HypXenVersion)
			equal(t, "blocked", g.CPU.RIP, handlerOf(2)+2)
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText, 0xe030, 0, guestStack, 0xe02b)
			equal(t, "after the iret", g.CPU.RIP, handlerOf(2))
		}},
		{"CB-12", "an NMI without handler is dropped", func(t *testing.T, g *guest) {
			g.Trap[2].Address = 0
			g.SendNMI()
			g.syscall(abi.HypXenVersion)
			equal(t, "rip", g.CPU.RIP, uint64(guestText+0x12))
			equal(t, "said", g.says("Unhandled: vec 2, NMI[ffffffff]"), true)
		}},
	}
	for _, c := range cases {
		t.Run(c.rule+" "+c.name, func(t *testing.T) { c.run(t, newGuest(t)) })
	}
}

// TestIretRules: one case a rule of HYPERVISOR_iret (pv-rules IRET-*).
func TestIretRules(t *testing.T) {
	const kernelCS, userCS, ss = 0xe030, 0xe033, 0xe02b
	cases := []struct {
		rule, name string
		run        func(t *testing.T, g *guest)
	}{
		{"IRET-01", "nine words: RAX R11 RCX flags RIP CS RFLAGS RSP SS", func(t *testing.T, g *guest) {
			c := g.CPU
			c.R[x86.RSP] -= 72
			g.iret(0, guestText+0x40, kernelCS, x86.FlagCF, guestStack-8, ss)
			equal(t, "rip", c.RIP, uint64(guestText+0x40))
			equal(t, "rax", c.R[x86.RAX], uint64(0xa))
			equal(t, "rcx", c.R[x86.RCX], uint64(0xc))
			equal(t, "r11", c.R[x86.R11], uint64(0x11))
			equal(t, "rsp", c.R[x86.RSP], uint64(guestStack-8))
			equal(t, "rdx live", c.R[x86.RDX], uint64(0x1111111100000002))
		}},
		{"IRET-02", "an unreadable frame kills", func(t *testing.T, g *guest) {
			for _, rsp := range []uint64{gone, 0xffff820000000000, 1 << 63, ^uint64(7)} {
				g := newGuest(t)
				g.CPU.R[x86.RSP] = rsp
				equal(t, "action", g.syscall(abi.HypIret), xenpv.Ended)
				equal(t, "said", g.says("Fault while reading IRET context from guest stack"), true)
			}
		}},
		{"IRET-03", "RPL 3 goes to user mode, 0 to 2 stay", func(t *testing.T, g *guest) {
			for rpl := uint64(0); rpl < 4; rpl++ {
				g := newGuest(t)
				g.user()
				g.ToggleMode() // the kernel, with a user table
				g.CPU.R[x86.RSP] = guestStack - 72
				g.iret(0, guestText, kernelCS|rpl, 0, userStack, ss&^3)
				equal(t, "kernel", g.KernelMode, rpl != 3)
				equal(t, "cs", g.CPU.Seg[x86.CS].Sel, uint16(userCS))
				equal(t, "ss", g.CPU.Seg[x86.SS].Sel, uint16(ss))
			}
		}},
		{"IRET-04", "no user page table kills, before anything changed", func(t *testing.T, g *guest) {
			g.CPU.R[x86.RSP] -= 72
			equal(t, "action", g.iret(0, guestText, userCS, 0, userStack, ss), xenpv.Ended)
			equal(t, "said", g.says("d0v0 Guest switching to user mode with no user page tables"), true)
			equal(t, "rsp", g.CPU.R[x86.RSP], uint64(guestStack-72))
		}},
		{"IRET-05", "VGCF_in_syscall throws RCX, R11, CS and SS away", func(t *testing.T, g *guest) {
			c := g.CPU
			c.R[x86.RSP] -= 72
			g.iret(abi.VGCFInSyscall, guestText+0x40, 0x1230, x86.FlagCF, guestStack, 0x18)
			equal(t, "rcx", c.R[x86.RCX], uint64(guestText+0x40))
			equal(t, "r11", c.R[x86.R11], uint64(x86.FlagCF|x86.FlagIF)) // bit 1 as the frame has it (HIST-25)
			equal(t, "cs", c.Seg[x86.CS].Sel, uint16(userCS))
			equal(t, "ss", c.Seg[x86.SS].Sel, uint16(ss))
		}},
		{"IRET-06", "a non-canonical RIP leaves by IRET and faults at the target", func(t *testing.T, g *guest) {
			g.CPU.R[x86.RSP] -= 72
			g.iret(abi.VGCFInSyscall, 1<<47, kernelCS, 0, guestStack, ss)
			w := g.frame(8)
			equal(t, "rip", g.CPU.RIP, handlerOf(13))
			equal(t, "code", w[2], uint64(0))
			equal(t, "saved rip", w[3], uint64(1)<<47)
		}},
		{"IRET-07", "IF becomes the mask, IOPL and VM are dropped", func(t *testing.T, g *guest) {
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText, kernelCS, x86.FlagIF|x86.FlagIOPL|x86.FlagVM|x86.FlagNT|x86.FlagDF|x86.FlagAC, guestStack, ss)
			equal(t, "mask", g.Mask(), uint8(0))
			equal(t, "flags", g.CPU.Flags(), uint64(x86.FlagIF|x86.FlagNT|x86.FlagDF|x86.FlagAC|x86.FlagOne))
			g = newGuest(t)
			g.SetMask(0)
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText, kernelCS, 0, guestStack, ss)
			equal(t, "mask", g.Mask(), uint8(1))
			equal(t, "IF", g.CPU.Flags()&x86.FlagIF, uint64(x86.FlagIF))
		}},
		{"IRET-12", "the mode, the table and the GS base go together", func(t *testing.T, g *guest) {
			g.CPU.Seg[x86.GS].Base, g.CPU.KernelGSBase = 0x1000, 0x2000
			if err := g.NewUserBaseptr(g.GuestTable); err != 0 {
				t.Fatal(err)
			}
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText, userCS, 0, userStack, ss)
			equal(t, "GS base", g.CPU.Seg[x86.GS].Base, uint64(0x2000))
			g.int3()
			equal(t, "GS base", g.CPU.Seg[x86.GS].Base, uint64(0x1000))
		}},
		{"IRET-13", "a bad selector is reported at the target", func(t *testing.T, g *guest) {
			for _, c := range []struct {
				cs, ss uint64
				vec    uint8
				code   uint64
			}{{0x1230, ss, 13, 0x1230}, {0, ss, 13, 0}, {kernelCS, 0x1230, 13, 0x1230}, {0xe008, ss, 13, 0xe008}} {
				g := newGuest(t)
				g.CPU.R[x86.RSP] -= 72
				g.iret(0, guestText+0x40, c.cs, 0, guestStack-0x100, c.ss)
				w := g.frame(8)
				equal(t, "rip", g.CPU.RIP, handlerOf(c.vec))
				equal(t, "code", w[2], c.code)
				equal(t, "saved rip", w[3], uint64(guestText+0x40))
				equal(t, "saved cs", w[4]&0xffff, c.cs&^3)
				equal(t, "saved rsp", w[6], uint64(guestStack-0x100))
				equal(t, "saved ss", w[7], c.ss|3)
			}
		}},
		{"IRET-14", "a pending event comes before the target's first instruction", func(t *testing.T, g *guest) {
			g.Event = handler
			g.user()
			g.ToggleMode()
			g.pend()
			g.CPU.R[x86.RSP] = guestStack - 72
			g.iret(0, guestText, userCS, x86.FlagIF, userStack, ss)
			equal(t, "rip", g.CPU.RIP, uint64(handler))
			equal(t, "saved rip", g.frame(3)[2], uint64(guestText))
			equal(t, "saved cs", g.frame(4)[3]&0xffff, uint64(userCS))
			equal(t, "rsp", g.CPU.R[x86.RSP], uint64(guestStack-56))
		}},
		{"IRET-16", "with the assist IOPL follows the frame", func(t *testing.T, g *guest) {
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText, kernelCS, 2<<12, guestStack, ss)
			equal(t, "IOPL without", g.IOPL, uint8(0))
			g.Dom.Assist = 1 << abi.VMAssistArchitecturalIOPL
			g.CPU.R[x86.RSP] = guestStack - 72
			g.iret(0, guestText, kernelCS, 2<<12, guestStack, ss)
			equal(t, "IOPL with", g.IOPL, uint8(2))
		}},
		{"DBG-02", "TF traps before the first instruction after SYSRET, after it after IRET", func(t *testing.T, g *guest) {
			g.CPU.R[x86.RSP] -= 72
			g.iret(abi.VGCFInSyscall, guestText+0x40, kernelCS, x86.FlagTF, guestStack, ss)
			ex := g.CPU.Run(10)
			equal(t, "rip after SYSRET", g.CPU.RIP, uint64(guestText+0x40))
			equal(t, "vector", ex.Fault.Vector, uint8(x86.VectorDB))
			g = newGuest(t)
			g.CopyTo(guestText+0x40, []byte{0x90, 0x90})
			g.CPU.R[x86.RSP] -= 72
			g.iret(0, guestText+0x40, kernelCS, x86.FlagTF, guestStack, ss)
			g.CPU.Run(10)
			equal(t, "rip after IRET", g.CPU.RIP, uint64(guestText+0x41))
		}},
		{"DBG-12", "a trap that MOV SS delayed into Xen is lost", func(t *testing.T, g *guest) {
			g.CPU.PendingDB = 1
			g.int3()
			equal(t, "rip", g.CPU.RIP, handlerOf(3))
			equal(t, "pending", g.CPU.PendingDB, uint64(0))
			equal(t, "virtual DR6", g.DR6, uint64(x86.DR6Init))
			equal(t, "said", g.says("Hit #DB in Xen context"), true)
		}},
		{"SEG-07", "selectors 1 to 3 become 0 when Xen leaves by IRET", func(t *testing.T, g *guest) {
			c := g.CPU
			low := func() {
				for i, s := range []int{x86.DS, x86.ES, x86.FS, x86.GS} {
					c.Seg[s] = x86.Segment{Sel: uint16(i), Base: 0x1000}
				}
			}
			all := func(when string, want ...uint16) {
				for i, s := range []int{x86.DS, x86.ES, x86.FS, x86.GS} {
					equal(t, when, c.Seg[s].Sel, want[i])
					equal(t, when+", base", c.Seg[s].Base, uint64(0x1000))
				}
			}
			low()
			g.syscall(abi.HypXenVersion)
			all("after a hypercall, by SYSRET", 0, 1, 2, 3)
			g.report(cpu.Exit{Kind: cpu.ExitBudget})
			all("after no entry of Xen at all", 0, 1, 2, 3)
			g.CopyTo(c.RIP, []byte{0x0f, 0x20, 0xc0}) // MOV from CR0
			at := c.RIP
			g.fault(x86.WithCode(x86.VectorGP, 0))
			equal(t, "emulated", c.RIP, at+3)
			all("after an emulated instruction", 0, 0, 0, 0)
			low()
			g.int3()
			all("in a handler, by SYSRET", 0, 1, 2, 3)
			g.iret(0, guestText, kernelCS, 0, guestStack, ss)
			all("after HYPERVISOR_iret", 0, 0, 0, 0)
		}},
		{"EVT-07", "block unmasks, and waits unless an event is due", func(t *testing.T, g *guest) {
			c := g.CPU
			c.R[x86.RDI] = abi.SchedOpBlock
			equal(t, "action", g.syscall(abi.HypSchedOp), xenpv.Blocked)
			equal(t, "mask", g.Mask(), uint8(0))
			g.Event = handler
			g.pend()
			equal(t, "runnable", g.Runnable(), true)
			g.p.Enter(0)
			equal(t, "rip", c.RIP, uint64(handler))
			equal(t, "result", c.R[x86.RAX], uint64(0))
			equal(t, "saved rip", g.frame(3)[2], uint64(guestText+0x12))
		}},
	}
	for _, c := range cases {
		t.Run(c.rule+" "+c.name, func(t *testing.T) { c.run(t, newGuest(t)) })
	}
}
