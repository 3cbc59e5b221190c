package cpu

import (
	"testing"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// flatCPU is a processor in 64-bit mode at CPL 0 with code at 0x10000 and a
// stack below 0x80000; 4 MiB are mapped one to one by two large pages.
func flatCPU(tb testing.TB, code []byte) *CPU {
	tb.Helper()
	m, err := mem.New(4 << 20)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.Close)
	const pml4, pdpt, pd = 0x1000, 0x2000, 0x3000
	m.Write64(pml4, pdpt|7)
	m.Write64(pdpt, pd|7)
	m.Write64(pd, 0|0x87)
	m.Write64(pd+8, 0x200000|0x87)
	m.Write(0x10000, code)
	c := New(m, nil, AMD)
	c.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0WP | x86.CR0NE | x86.CR0ET
	c.CR4 = x86.CR4PAE
	c.CR3 = pml4
	c.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	c.Seg[x86.CS] = x86.Segment{Sel: 8, Attr: x86.AttrP | x86.AttrS | x86.AttrL | 0xb, Limit: 0xffffffff}
	c.Seg[x86.SS] = x86.Segment{Sel: 16, Attr: x86.AttrP | x86.AttrS | x86.AttrDB | 3, Limit: 0xffffffff}
	c.RIP = 0x10000
	c.R[x86.RSP] = 0x80000
	c.SetFlags(0)
	c.StateChanged()
	c.FlushTLB()
	return c
}

func benchLoop(b *testing.B, code []byte, perLoop int) {
	c := flatCPU(b, code)
	b.ResetTimer()
	n := uint64(b.N)
	if ex := c.Run(n); ex.Kind != ExitBudget {
		b.Fatalf("exit %v %v at %#x", ex.Kind, ex.Fault, c.RIP)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Minsn/s")
}

// BenchmarkIntegerLoop is the bar of 50 million instructions a second.
func BenchmarkIntegerLoop(b *testing.B) {
	// loop: add %rbx,%rax; xor %rax,%rdx; lea 3(%rdx,%rax,2),%rsi; sub $1,%rcx; mov %rsi,%rbx; jne loop; jmp loop
	benchLoop(b, []byte{
		0x48, 0x01, 0xd8, 0x48, 0x31, 0xc2, 0x48, 0x8d, 0x74, 0x42, 0x03,
		0x48, 0x83, 0xe9, 0x01, 0x48, 0x89, 0xf3, 0x75, 0xec, 0xeb, 0xea}, 6)
}

// BenchmarkMemoryLoop loads, stores, calls and returns.
func BenchmarkMemoryLoop(b *testing.B) {
	// loop: mov (%rsp),%rax; add $1,%rax; mov %rax,(%rsp); push %rax; call f; pop %rbx; jmp loop; f: add 8(%rsp),%ecx; ret
	benchLoop(b, []byte{
		0x48, 0x8b, 0x04, 0x24, 0x48, 0x83, 0xc0, 0x01, 0x48, 0x89, 0x04, 0x24,
		0x50, 0xe8, 0x03, 0x00, 0x00, 0x00, 0x5b, 0xeb, 0xeb, 0x03, 0x4c, 0x24, 0x08, 0xc3}, 9)
}

func BenchmarkDecode(b *testing.B) {
	code := []byte{
		0x48, 0x01, 0xd8, 0x48, 0x31, 0xc2, 0x48, 0x8d, 0x74, 0x42, 0x03,
		0x48, 0x83, 0xe9, 0x01, 0x48, 0x89, 0xf3, 0x75, 0xec, 0xeb, 0xea}
	c := flatCPU(b, code)
	var in Inst
	pos := 0
	for b.Loop() {
		if pos >= len(code) {
			pos = 0
		}
		if !c.decode(code[pos:], 0x10000, &in) {
			b.Fatal("short")
		}
		pos += int(in.Len)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Minsn/s")
}

// TestNoAllocation: running decoded code does not allocate, nor does stepping.
func TestNoAllocation(t *testing.T) {
	// loop: mov (%rsp),%rax; add $1,%rax; mov %rax,(%rsp); push %rax; pop %rbx; jmp loop
	c := flatCPU(t, []byte{0x48, 0x8b, 0x04, 0x24, 0x48, 0x83, 0xc0, 0x01, 0x48, 0x89, 0x04, 0x24, 0x50, 0x5b, 0xeb, 0xf0})
	c.Run(1000)
	if n := testing.AllocsPerRun(10, func() { c.Run(1000) }); n != 0 {
		t.Errorf("running allocates %v times", n)
	}
	if n := testing.AllocsPerRun(10, func() {
		c.SetFlags(x86.FlagTF)
		c.Run(10)
	}); n != 0 {
		t.Errorf("single-stepping allocates %v times", n)
	}
}
