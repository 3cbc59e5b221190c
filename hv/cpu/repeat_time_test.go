package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// TestRepeatTime: how long a REP form takes, in instructions, and where it
// pauses is the guest's time. It does not depend on what is cached: on
// translations that are known already, or on code that was once decoded on
// the pages it writes.
func TestRepeatTime(t *testing.T) {
	const data, far = 0x100ff0, 0x140008
	warm := map[string]func(c *CPU){
		"cold": func(*CPU) {},
		"translations": func(c *CPU) {
			for at := uint64(data) &^ 0xfff; at < data+0x8000; at += 0x1000 {
				for _, lin := range []uint64{at, at + far - data} {
					v, _ := c.load8(x86.DS, lin)
					c.store8(x86.DS, lin, v)
				}
			}
		},
		"read only": func(c *CPU) { c.load8(x86.DS, data); c.load8(x86.DS, far) },
		"decoded code": func(c *CPU) {
			for _, at := range []uint64{data + 100, data + 0x2800, far + 0x1800} {
				c.RIP = at // zeros: add %al, (%rax)
				c.R[x86.RAX] = 0x200000
				c.Run(2)
			}
		},
	}
	for _, code := range []string{"f3aa", "f3a4", "f348a5", "67f3aa", "f3ac", "f3ae", "f3a6"} {
		type pause struct{ rcx, rsi, rdi, rip uint64 }
		var want []pause
		for _, name := range []string{"cold", "translations", "read only", "decoded code"} {
			c := stringCPU(t, unhex(t, code)...)
			warm[name](c)
			c.Retired = 0
			c.RIP = 0x10000
			c.R[x86.RSI], c.R[x86.RDI], c.R[x86.RCX], c.R[x86.RAX] = far, data, 10_000, 0
			c.SetFlags(x86.FlagZF)
			var got []pause
			for range 4 {
				c.Run(1)
				got = append(got, pause{c.R[x86.RCX], c.R[x86.RSI], c.R[x86.RDI], c.RIP})
			}
			if c.Retired != 4 {
				t.Fatalf("%s %s: %d instructions retired, want 4", code, name, c.Retired)
			}
			if want == nil {
				want = got
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%s %s: after %d instructions %x, cold %x", code, name, i+1, got[i], want[i])
				}
			}
		}
	}
}
