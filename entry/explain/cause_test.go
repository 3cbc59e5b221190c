package explain

import (
	"strings"
	"testing"

	"pvlab/hv/x86"
)

// instructions of the stubs below, by the text of the assembler.
var insns = map[string][]byte{
	"pop %rcx":          {0x59},
	"pop %r11":          {0x41, 0x5b},
	"pop %rax":          {0x58},
	"push %rax":         {0x50},
	"push %rcx":         {0x51},
	"push %r11":         {0x41, 0x53},
	"push $-1":          {0x6a, 0xff},
	"push $0":           {0x6a, 0x00},
	"push $0x100":       {0x68, 0x00, 0x01, 0, 0},
	"add $8,%rsp":       {0x48, 0x83, 0xc4, 0x08},
	"add $16,%rsp":      {0x48, 0x83, 0xc4, 0x10},
	"sub $16,%rsp":      {0x48, 0x83, 0xec, 0x10},
	"orb $3,8(%rsp)":    {0x80, 0x4c, 0x24, 0x08, 0x03},
	"mov $5,%ebx":       {0xbb, 5, 0, 0, 0},
	"mov %rdi,(%rsp)":   {0x48, 0x89, 0x3c, 0x24},
	"mov 16(%rsp),%rdi": {0x48, 0x8b, 0x7c, 0x24, 0x10},
	"mov (%rdi),%rax":   {0x48, 0x8b, 0x07},
	"mov 8(%rsp),%rcx":  {0x48, 0x8b, 0x4c, 0x24, 0x08},
	"mov 16(%rsp),%r11": {0x4c, 0x8b, 0x5c, 0x24, 0x10},
	"call +2":           {0xe8, 0x02, 0, 0, 0},
	"call +0":           {0xe8, 0x00, 0, 0, 0},
	"jmp +13":           {0xeb, 13},
	"ret $16":           {0xc2, 0x10, 0},
	"ret":               {0xc3},
	"iretq":             {0x48, 0xcf},
	"swapgs":            {0x0f, 0x01, 0xf8},
	// The hypercall page's slot 23 (HC-03), in line.
	"HYPERVISOR_iret": {0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05},
}

func assembleStub(t *testing.T, stub string) (code []byte, n int) {
	t.Helper()
	for l := range strings.SplitSeq(stub, ";") {
		b, ok := insns[strings.TrimSpace(l)]
		if !ok {
			t.Fatalf("no such instruction in the test's table: %q", l)
		}
		code = append(code, b...)
		n++
	}
	return code, n + 4 // the hypercall page has five instructions
}

const (
	hitRIP = 0x20000 // the interrupted instruction, an int3
	hitRSP = flatStack
)

// frameValues are what a platform stores for a trap at hitRIP from the kernel.
func frameValues(p Platform, names []string, user bool) []uint64 {
	v := map[string]uint64{"rcx": 0xc0c0_0001, "r11": 0x1111_0011, "error": 2, "rip": hitRIP, "cs": flatKernelCS,
		"rflags": 0x46, "rsp": hitRSP, "ss": flatKernelSS}
	if p == Xen {
		v["cs"], v["ss"] = 0xe030, 0xe02b
		if user {
			v["cs"] = 0xe033
		}
	}
	out := make([]uint64, len(names))
	for i, n := range names {
		out[i] = v[n]
	}
	return out
}

// explainStub delivers one frame, runs the stub to its return and explains it.
func explainStub(t *testing.T, p Platform, code, user bool, stub string, end Ending) *Explanation {
	t.Helper()
	f := newFlat(t, p)
	f.c.EFER |= x86.EFERSCE
	names := map[Platform]map[bool][]string{Xen: {false: xenSlots, true: xenSlotsCode}, Native: {false: natSlots, true: natSlotsCode}}[p][code]
	values := frameValues(p, names, user)
	if p == Xen {
		f.c.R[x86.RCX], f.c.R[x86.R11] = values[0], values[1]
	}
	f.write(hitRIP, []byte{0xcc})
	f.c.RIP = hitRIP
	b, n := assembleStub(t, stub)
	f.write(flatCode, b)
	fr := f.frame(names, values, hitRSP-8*uint64(len(names)))
	fr.FromUser = user
	fr.Vector = x86.VectorBP
	if code {
		fr.Vector = x86.VectorPF
	}
	f.deliver(fr)
	for range n {
		if f.run(1); len(f.t.returns) > 0 || len(f.t.jumps) > 0 || f.c.RIP == hitRIP {
			break
		}
	}
	end.Regs = f.regs()
	return Explain(f.t, &end, &Symbols{Name: func(a uint64) (string, uint64, bool) {
		return "stub", a - flatCode, a >= flatCode && a < flatCode+0x1000
	}})
}

// Every mistake by its smallest stub: which kind and rule it must be given,
// and what the verdict has to name.
func TestCauses(t *testing.T) {
	killed := Ending{How: "killed", Rule: "CRASH-03"}
	lived := Ending{How: "poweroff"}
	tests := []struct {
		name       string
		p          Platform
		code, user bool
		stub       string
		end        Ending
		kind, rule string
		want       []string // parts of the verdict
	}{
		{"native stub on Xen", Xen, false, false, "iretq", killed,
			"not-removed", "FRAME-01", []string{"iretq at 0x10000 <stub> took RIP from the slot that holds rcx", "were not removed"}},
		{"native stub on Xen, error code", Xen, true, false, "add $8,%rsp; iretq", killed,
			"not-removed", "FRAME-01", []string{"took RIP from the slot that holds r11"}},
		{"native stub on Xen that forgets the error code, too", Xen, true, false, "iretq", killed,
			"not-removed-nor-code", "FRAME-01", []string{"the slot that holds rcx"}},
		{"error code left, Xen", Xen, true, false, "pop %rcx; pop %r11; push $0; HYPERVISOR_iret", killed,
			"code-left", "FRAME-18", []string{"HYPERVISOR_iret at", "the slot that holds error"}},
		{"error code left, native", Native, true, false, "iretq", killed,
			"code-left", "FRAME-18", []string{"the slot that holds error"}},
		{"adjusted twice", Xen, false, false, "pop %rcx; pop %r11; pop %rcx; pop %r11; push $0; HYPERVISOR_iret", killed,
			"twice", "FRAME-01", []string{"the slot that holds rflags", "the second time at 0x10003"}},
		{"one word too many", Xen, false, false, "pop %rcx; pop %r11; add $8,%rsp; push $0; HYPERVISOR_iret", killed,
			"one-too-many", "FRAME-01", []string{"the slot that holds cs"}},
		{"one of the two words left", Xen, false, false, "pop %rcx; push $0; HYPERVISOR_iret", killed,
			"one-left", "FRAME-01", []string{"the slot that holds r11"}},
		{"Xen form on bare metal", Native, false, false, "pop %rcx; pop %r11; iretq", killed,
			"xen-form", "FRAME-01", []string{"the slot that holds rflags"}},
		{"no flags word", Xen, false, false, "pop %rcx; pop %r11; HYPERVISOR_iret", killed,
			"no-flags-word", "IRET-01", []string{"took its flags from the slot that holds rip and RIP from the slot that holds cs"}},
		{"page called", Xen, false, false, "pop %rcx; pop %r11; push $0; call +0; HYPERVISOR_iret", killed,
			"called-iret", "HC-03", []string{"the return address of the call at"}},
		{"bare iretq", Xen, false, false, "pop %rcx; pop %r11; iretq", killed,
			"bare-iretq", "IRET-09", []string{"0xe030", "#GP(0xe030)"}},
		{"bare iretq to user", Xen, false, true, "pop %rcx; pop %r11; iretq", killed,
			"bare-iretq-user", "IRET-08", nil},
		{"RPL 3 and the hypercall", Xen, false, false, "pop %rcx; pop %r11; orb $3,8(%rsp); push $0; HYPERVISOR_iret", killed,
			"rpl3", "IRET-03", []string{"0xe033"}},
		{"VGCF_in_syscall", Xen, false, false, "pop %rcx; pop %r11; push $0x100; HYPERVISOR_iret", lived,
			"vgcf", "IRET-05", nil},
		{"words skipped, not loaded", Xen, false, false, "add $16,%rsp; push $0; HYPERVISOR_iret", lived,
			"never-loaded", "FRAME-02", []string{"rcx and r11"}},
		{"pushed back in the wrong order", Xen, false, false, "pop %rcx; pop %r11; push %rcx; push %r11; pop %rcx; pop %r11; push $0; HYPERVISOR_iret", lived,
			"swapped", "FRAME-01", nil},
		{"Xen form undone on bare metal", Native, false, false, "pop %rcx; pop %r11; push %r11; push %rcx; iretq", lived,
			"xen-form-registers", "FRAME-01", []string{"rcx and r11"}},
		{"clobbered", Native, false, false, "mov $5,%ebx; iretq", lived,
			"clobbered", "", []string{"rbx came back as 0x5 instead of 0x1111000400000000", "a constant of 0x10000"}},
		{"ret through the frame", Xen, false, false, "ret", killed,
			"wild-ret", "FRAME-01", []string{"the slot that holds rcx"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			x := explainStub(t, tc.p, tc.code, tc.user, tc.stub, tc.end)
			if x.Cause == nil {
				t.Fatal("no cause found")
			}
			if x.Cause.Kind != tc.kind || x.Cause.Rule != tc.rule {
				t.Errorf("cause %s (%s), want %s (%s): %s", x.Cause.Kind, x.Cause.Rule, tc.kind, tc.rule, x.Cause.Verdict)
			}
			for _, w := range tc.want {
				if !strings.Contains(x.Cause.Verdict, w) {
					t.Errorf("verdict %q does not say %q", x.Cause.Verdict, w)
				}
			}
			if all := x.Cause.Verdict + x.Cause.Fix + x.Cause.Other; strings.ContainsAny(all, "{}") {
				t.Errorf("a name was not filled in: %s", all)
			}
			for i, l := range strings.Split(x.Text(), "\n") {
				if len(l) > columns {
					t.Errorf("line %d has %d columns: %q", i+1, len(l), l)
				}
			}
		})
	}
}

// Stubs that treat the frame rightly have no cause, whatever detours they
// make; detours before the adjustment are named as harmless.
func TestRightStubs(t *testing.T) {
	tests := []struct {
		name     string
		p        Platform
		code     bool
		stub     string
		harmless string
	}{
		{"pop pop", Xen, false, "pop %rcx; pop %r11; push $0; HYPERVISOR_iret", ""},
		{"helper with ret $16", Xen, false, "call +2; jmp +13; mov 8(%rsp),%rcx; mov 16(%rsp),%r11; ret $16; push $0; HYPERVISOR_iret", ""},
		{"error code dropped", Xen, true, "pop %rcx; pop %r11; add $8,%rsp; push $0; HYPERVISOR_iret", ""},
		{"push and pop of rax first", Xen, false, "push %rax; pop %rax; pop %rcx; pop %r11; push $0; HYPERVISOR_iret", "push %rax; pop %rax"},
		{"pushed back rightly", Xen, false, "pop %rcx; pop %r11; push %r11; push %rcx; pop %rcx; pop %r11; push $0; HYPERVISOR_iret", ""},
		{"native", Native, true, "add $8,%rsp; iretq", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			x := explainStub(t, tc.p, tc.code, false, tc.stub, Ending{How: "poweroff"})
			if x.Cause != nil {
				t.Fatalf("cause %s: %s", x.Cause.Kind, x.Cause.Verdict)
			}
			if len(x.Chain) != 1 || !x.Chain[0].Returned {
				t.Errorf("chain %+v, want one frame, returned from", x.Chain)
			}
			got := strings.Join(x.Harmless, "\n")
			if tc.harmless == "" && got != "" || !strings.Contains(got, tc.harmless) {
				t.Errorf("harmless %q, want %q", got, tc.harmless)
			}
		})
	}
}
