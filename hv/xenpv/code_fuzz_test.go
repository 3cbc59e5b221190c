package xenpv_test

import (
	"testing"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// FuzzGuestCode runs arbitrary bytes as a PV kernel for 10,000 steps, with
// handlers that lead back into them: no exit of any guest may panic or hang
// Xen's side.
func FuzzGuestCode(f *testing.F) {
	f.Add([]byte{0x0f, 0x05, 0xeb, 0xfc})                                     // syscall; jmp .-2
	f.Add([]byte{0xcc, 0xcd, 0x80, 0xcd, 0x30, 0x0f, 0x0b, 0xeb, 0xf7})       // traps
	f.Add([]byte{0x54, 0x5c, 0x48, 0x31, 0xe4, 0x50, 0xf4})                   // push %rsp ... lose the stack
	f.Add([]byte{0xb8, 23, 0, 0, 0, 0x0f, 0x05})                              // iret of what lies on the stack
	f.Add([]byte{0x6a, 0x02, 0x9d, 0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xd8, 0xf4}) // privileged
	f.Add([]byte{0x8e, 0xd8, 0x48, 0xcf, 0x48, 0xcb, 0x0f, 0x34, 0xec, 0x6e}) // segments, far returns, ports
	b := newBare(f, true, 2)
	if err := b.NewUserBaseptr(b.GuestTable); err != 0 {
		f.Fatal(err)
	}
	for i := range b.Trap {
		b.Trap[i] = abi.TrapInfo{Vector: uint8(i), Flags: uint8(i) & 7, Address: bareText + uint64(i)&0x3f}
	}
	b.Event, b.Failsafe, b.Syscall, b.Sysenter = bareText, bareText+1, bareText+2, bareText+3
	b.KernelSP = bareText + 0x8000
	b.Dom.Assist = 1 << abi.VMAssistWritablePagetables
	snap, state, regs := b.mem.Snapshot(), b.p.Save(), b.CPU.State
	f.Fuzz(func(t *testing.T, code []byte) {
		b.mem.Restore(snap)
		b.p.Load(state)
		b.CPU.State = regs
		b.CPU.StateChanged()
		b.CPU.FlushTLB()
		b.CopyTo(bareText, code[:min(len(code), mem.PageSize)])
		b.now = 0
		const steps = 10_000
		start := b.CPU.Retired
		for b.CPU.Retired-start < steps && b.Runnable() {
			ex := b.CPU.Run(steps - (b.CPU.Retired - start))
			if ex.Kind == cpu.ExitUnmodelled {
				return
			}
			if _, err := b.p.HandleExit(b.VCPU, &ex); err != nil {
				return
			}
			b.now += 1000
			b.Dom.Advance()
		}
	})
}
