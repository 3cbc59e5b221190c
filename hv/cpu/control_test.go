package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

func TestControlRegisters(t *testing.T) {
	const (
		cr0  = "0f 22 c0" // mov %rax,%cr0
		cr2  = "0f 22 d0"
		cr3  = "0f 22 d8"
		cr4  = "0f 22 e0"
		cr8  = "44 0f 22 c0"
		lmsw = "0f 01 f0"
		smsw = "0f 01 e0"
		clts = "0f 06"
		base = x86.CR0PE | x86.CR0PG | x86.CR0WP | x86.CR0NE | x86.CR0ET
		pae  = x86.CR4PAE | x86.CR4PGE
	)
	for _, tc := range []struct {
		name string
		mode func(*box, uint8)
		cpl  uint8
		code string
		rax  uint64
		want x86.Fault
	}{
		{"CR0 as it is", (*box).long, 0, cr0, base, noFault},
		{"CR0 in user code", (*box).long, 3, cr0, base, gp(0)},
		{"CR0 upper half", (*box).long, 0, cr0, base | 1<<32, gp(0)},
		{"CR0 PG without PE", (*box).legacy, 0, cr0, x86.CR0PG, gp(0)},
		{"CR0 NW without CD", (*box).long, 0, cr0, base | x86.CR0NW, gp(0)},
		{"CR0 clearing PG in 64-bit code", (*box).long, 0, cr0, base &^ x86.CR0PG, gp(0)},
		{"CR0 clearing PG in 32-bit code", (*box).compat, 0, cr0, base &^ x86.CR0PG, noFault},
		{"CR1", (*box).long, 0, "0f 22 c8", 0, ud},
		{"CR1 in user code", (*box).long, 3, "0f 22 c8", 0, ud},
		{"CR2 not canonical", (*box).long, 0, cr2, 1 << 47, noFault},
		{"CR3 above MAXPHYADDR", (*box).long, 0, cr3, 1 << 51, gp(0)},
		{"CR3", (*box).long, 0, cr3, boxTables, noFault},
		{"CR4 reserved bit", (*box).long, 0, cr4, pae | 1<<31, gp(0)},
		{"CR4 VMXE: not announced", (*box).long, 0, cr4, pae | 1<<13, gp(0)},
		{"CR4 PCIDE: not announced", (*box).long, 0, cr4, pae | x86.CR4PCIDE, gp(0)},
		{"CR4 clearing PAE in long mode", (*box).long, 0, cr4, 0, gp(0)},
		{"CR4 clearing PAE without paging", (*box).legacy, 0, cr4, 0, noFault},
		{"CR8", (*box).long, 0, cr8, 15, noFault},
		{"CR8 reserved bits", (*box).long, 0, cr8, 16, gp(0)},
		{"LMSW cannot clear PE", (*box).long, 0, lmsw, 0, noFault},
		{"LMSW in user code", (*box).long, 3, lmsw, 1, gp(0)},
		{"SMSW in user code", (*box).long, 3, smsw, 0, noFault},
		{"CLTS in user code", (*box).long, 3, clts, 0, gp(0)},
		{"INVLPG in user code", (*box).long, 3, "0f 01 38", 0, gp(0)},
		{"INVLPG of a non-canonical address", (*box).long, 0, "0f 01 38", 1 << 47, noFault},
		{"WBINVD", (*box).long, 0, "0f 09", 0, noFault},
		{"WBINVD in user code", (*box).long, 3, "0f 09", 0, gp(0)},
		{"INVPCID: not announced", (*box).long, 0, "66 0f 38 82 03", 0, ud},
		{"MONITOR: not announced", (*box).long, 0, "0f 01 c8", 0, ud},
		{"HLT in user code", (*box).long, 3, "f4", 0, gp(0)},
		{"CLI in user code", (*box).long, 3, "fa", 0, gp(0)},
		{"STAC in user code", (*box).long, 3, "0f 01 cb", 0, ud},
		{"RDPMC", (*box).long, 0, "0f 33", 0, gp(0)},
		{"LOCK CLTS", (*box).long, 0, "f0 0f 06", 0, ud},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			tc.mode(b, tc.cpl)
			b.code(tc.code)
			b.R[x86.RAX] = tc.rax
			before := b.State
			if f := b.step1(); f != tc.want {
				t.Fatalf("%v, want %v", f, tc.want)
			}
			if tc.want.Valid && (b.CR0 != before.CR0 || b.CR3 != before.CR3 || b.CR4 != before.CR4 || b.RIP != before.RIP) {
				t.Error("the fault changed the state")
			}
			if b.CR0&x86.CR0PE == 0 {
				t.Error("PE cleared")
			}
		})
	}
}

func TestLongModeSwitch(t *testing.T) {
	b := newBox(t, Intel)
	b.compat(0)
	b.code("0f 22 c0") // clear PG in 32-bit code: long mode ends
	b.R[x86.RAX] = x86.CR0PE
	if b.step1(); b.Long() || b.EFER&x86.EFERLME == 0 {
		t.Errorf("EFER %#x after clearing PG", b.EFER)
	}
	// Setting it again needs PAE.
	b.CR4 = 0
	b.RIP, b.R[x86.RAX] = boxCode, x86.CR0PE|x86.CR0PG
	if f := b.step1(); f != gp(0) {
		t.Errorf("PG with LME and without PAE: %v", f)
	}
	// LME cannot change while paging is on.
	b.long(0)
	b.code("0f 30")
	b.R[x86.RCX], b.R[x86.RAX], b.R[x86.RDX] = x86.MSREFER, x86.EFERNXE, 0
	if f := b.step1(); f != gp(0) {
		t.Errorf("clearing LME with paging on: %v", f)
	}
}

func TestMSRs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		vendor Vendor
		msr    uint32
		v      uint64
		want   x86.Fault
	}{
		{"LSTAR", Intel, x86.MSRLSTAR, 0xffff800000000000, noFault},
		{"LSTAR not canonical", Intel, x86.MSRLSTAR, 1 << 47, gp(0)},
		{"FS_BASE not canonical", Intel, x86.MSRFSBase, 1 << 47, gp(0)},
		{"KERNEL_GS_BASE", AMD, x86.MSRKernelGSBase, 1 << 46, noFault},
		{"SFMASK upper half", Intel, x86.MSRSFMASK, 1 << 32, gp(0)},
		{"SYSENTER_EIP not canonical, Intel", Intel, x86.MSRSysenterEIP, 1 << 47, gp(0)},
		{"PAT", Intel, x86.MSRPAT, 0x0007040600070406, noFault},
		{"PAT with a reserved type", Intel, x86.MSRPAT, 2, gp(0)},
		{"EFER reserved bit", Intel, x86.MSREFER, 1 << 1, gp(0)},
		{"MISC_ENABLE on AMD", AMD, x86.MSRMiscEnable, 1, gp(0)},
		{"one that does not exist", Intel, 0x12345, 0, gp(0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, tc.vendor)
			b.code("0f 30 0f 32")
			b.R[x86.RCX], b.R[x86.RAX], b.R[x86.RDX] = uint64(tc.msr), tc.v&0xffffffff, tc.v>>32
			if f := b.step1(); f != tc.want {
				t.Fatalf("write: %v, want %v", f, tc.want)
			}
			if tc.want.Valid {
				return
			}
			b.R[x86.RAX], b.R[x86.RDX] = 0, 0
			if f := b.step1(); f.Valid || b.R[x86.RAX]|b.R[x86.RDX]<<32 != tc.v {
				t.Errorf("read: %v, %#x", f, b.R[x86.RAX]|b.R[x86.RDX]<<32)
			}
		})
	}
	b := newBox(t, Intel)
	b.long(3)
	b.code("0f 32")
	b.R[x86.RCX] = x86.MSRSTAR
	if f := b.step1(); f != gp(0) {
		t.Errorf("RDMSR in user code: %v", f)
	}
	b = newBox(t, AMD)
	b.WriteMSR(x86.MSRSysenterEIP, 0x1_2345_6789)
	if v, _ := b.ReadMSR(x86.MSRSysenterEIP); v != 0x2345_6789 {
		t.Errorf("SYSENTER_EIP on AMD keeps %#x", v)
	}
}

// The time-stamp counter moves by instructions, wherever in a block RDTSC is.
func TestRDTSC(t *testing.T) {
	b := newBox(t, Intel)
	b.code("90 90 0f 31 89 c3 90 0f 31") // rdtsc; mov %eax,%ebx; nop; rdtsc
	b.Run(6)
	if d := b.R[x86.RAX] - b.R[x86.RBX]; d != 3 {
		t.Errorf("%d instructions between two RDTSC, want 3", d)
	}
	b.long(3)
	b.CR4 |= x86.CR4TSD
	b.code("0f 31")
	if f := b.step1(); f != gp(0) {
		t.Errorf("RDTSC in user code with CR4.TSD: %v", f)
	}
}

// What CPUID announces and what CR4 accepts must agree, and code for an
// announced feature must run.
func TestCPUIDIsHonest(t *testing.T) {
	for _, m := range []struct {
		Vendor
		Model
	}{{Intel, ModelModern}, {AMD, ModelModern}, {Intel, Model2012}} {
		v := m.Vendor
		newBox := func(t *testing.T, v Vendor) *box {
			b := newBox(t, v)
			b.Policy.Model, b.absent = m.Model, m.absent()
			return b
		}
		b := newBox(t, v)
		leaf := func(l uint32) (a, bx, c, d uint32) { return b.CPUID(l, 0) }
		_, _, c1, d1 := leaf(1)
		_, b7, c7, _ := leaf(7)
		_, _, c81, d81 := leaf(0x80000001)
		for _, tc := range []struct {
			name      string
			announced bool
			code      string
			cr4       uint64
		}{
			{"TSC", d1>>4&1 != 0, "0f 31", 0},
			{"CX8", d1>>8&1 != 0, "0f c7 0b", 0},
			{"CX16", c1>>13&1 != 0, "48 0f c7 0b", 0},
			{"CMOV", d1>>15&1 != 0, "0f 44 c1", 0},
			{"CLFLUSH", d1>>19&1 != 0, "0f ae 3b", 0},
			{"FXSR", d1>>24&1 != 0, "0f ae 03", x86.CR4OSFXSR},
			{"MOVBE", c1>>22&1 != 0, "0f 38 f0 03", 0},
			{"POPCNT", c1>>23&1 != 0, "f3 0f b8 c1", 0},
			{"XSAVE", c1>>26&1 != 0, "0f 01 d0", x86.CR4OSXSAVE},
			{"FSGSBASE", b7>>0&1 != 0, "f3 0f ae c0", x86.CR4FSGSBASE},
			{"BMI1", b7>>3&1 != 0, "c4 e2 70 f2 c3", 0},
			{"SMEP", b7>>7&1 != 0, "90", x86.CR4SMEP},
			{"BMI2", b7>>8&1 != 0, "c4 e2 73 f5 c3", 0},
			{"ADX", b7>>19&1 != 0, "f3 0f 38 f6 c3", 0},
			{"SMAP", b7>>20&1 != 0, "0f 01 ca", x86.CR4SMAP},
			{"UMIP", c7>>2&1 != 0, "90", x86.CR4UMIP},
			{"RDPID", c7>>22&1 != 0, "f3 0f c7 f8", 0},
			{"LAHF", c81>>0&1 != 0, "9f", 0},
			{"LZCNT", c81>>5&1 != 0, "f3 0f bd c1", 0},
			{"RDTSCP", d81>>27&1 != 0, "0f 01 f9", 0},
			{"RDRAND", c1>>30&1 != 0, "0f c7 f0", 0},
			{"RDSEED", b7>>18&1 != 0, "0f c7 f8", 0},
			{"SSE3", c1>>0&1 != 0, "f2 0f f0 03", x86.CR4OSFXSR},
			{"PCLMULQDQ", c1>>1&1 != 0, "66 0f 3a 44 c1 00", x86.CR4OSFXSR},
			{"SSSE3", c1>>9&1 != 0, "66 0f 38 00 c1", x86.CR4OSFXSR},
			{"FMA", c1>>12&1 != 0, "c4 e2 71 98 c2", x86.CR4OSXSAVE},
			{"SSE4_1", c1>>19&1 != 0, "66 0f 38 17 c1", x86.CR4OSFXSR},
			{"SSE4_2", c1>>20&1 != 0, "66 0f 3a 63 c1 00", x86.CR4OSFXSR},
			{"AES", c1>>25&1 != 0, "66 0f 38 dc c1", x86.CR4OSFXSR},
			{"AVX", c1>>28&1 != 0, "c5 f0 58 c2", x86.CR4OSXSAVE},
			{"F16C", c1>>29&1 != 0, "c4 e2 79 13 c1", x86.CR4OSXSAVE},
			{"AVX2", b7>>5&1 != 0, "c5 f5 d4 c2", x86.CR4OSXSAVE},
			{"RTM", b7>>11&1 != 0, "c7 f8 00 00 00 00", 0},
			{"CLFLUSHOPT", b7>>23&1 != 0, "66 0f ae 3b", 0},
			{"CLWB", b7>>24&1 != 0, "66 0f ae 33", 0},
			{"SHA", b7>>29&1 != 0, "0f 38 c9 c1", x86.CR4OSFXSR},
			{"SSE4A", c81>>6&1 != 0, "f3 0f 2b 03", x86.CR4OSFXSR},
			{"PREFETCHW", c81>>8&1 != 0, "0f 0d 0b", 0},
			{"MONITOR", c1>>3&1 != 0, "0f 01 c8", 0},
			{"VMX", c1>>5&1 != 0, "0f 01 c1", 0},
			{"INVPCID", b7>>10&1 != 0, "66 0f 38 82 03", 0},
		} {
			if m.Model == Model2012 && (tc.name == "LZCNT" || tc.name == "PREFETCHW") {
				continue // BSR; a NOP
			}
			b := newBox(t, v)
			b.R[x86.RBX] = boxData
			b.RIP = boxCode
			b.code(tc.code)
			fault := b.setCR4(b.CR4|tc.cr4) == false
			// Its own pages become the kernel's, for SMEP and SMAP.
			b.mapPage(boxCode, boxCode, pteP|pteW)
			if !fault {
				fault = b.step1() == ud
			}
			if fault == tc.announced {
				t.Errorf("vendor %d model %d: %s announced %v, works %v", v, m.Model, tc.name, tc.announced, !fault)
			}
		}
	}
	b := newBox(t, Intel)
	if _, _, c, _ := b.CPUID(1, 0); c>>27&1 != 0 {
		t.Error("OSXSAVE without CR4.OSXSAVE")
	}
	b.CR4 |= x86.CR4OSXSAVE
	if _, _, c, _ := b.CPUID(1, 0); c>>27&1 == 0 {
		t.Error("CR4.OSXSAVE without OSXSAVE")
	}
	for v, want := range map[Vendor]string{Intel: "GenuineIntel", AMD: "AuthenticAMD"} {
		b := newBox(t, v)
		_, bx, cx, dx := b.CPUID(0, 0)
		var id []byte
		for _, r := range []uint32{bx, dx, cx} {
			id = append(id, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
		}
		if string(id) != want {
			t.Errorf("vendor %q, want %q", id, want)
		}
	}
}

func TestPortPermission(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cpl   uint8
		code  string
		setup func(*box)
		want  x86.Fault
	}{
		{"kernel", 0, "e4 60", nil, noFault},
		{"user, bitmap refuses", 3, "e4 60", nil, gp(0)},
		{"user, IOPL 3", 3, "e4 60", func(b *box) { b.SetFlags(x86.FlagIOPL) }, noFault},
		{"user, bitmap allows", 3, "e4 60", func(b *box) { b.Mem.Write(boxTSS+0x68+0x60/8, []byte{0xfe}) }, noFault},
		{"user, bitmap allows one byte of four", 3, "e5 60", func(b *box) { b.Mem.Write(boxTSS+0x68+0x60/8, []byte{0xfe}) }, gp(0)},
		{"user, beyond the TSS", 3, "66 ed", func(b *box) { b.R[x86.RDX] = 0xfff0 }, gp(0)},
		{"user, bitmap beyond the TSS", 3, "e4 60", func(b *box) { b.TR.Limit = 103 }, gp(0)},
		{"user, string form", 3, "6c", func(b *box) { b.R[x86.RDX], b.R[x86.RDI] = 0x60, boxData }, gp(0)},
		{"kernel, string form", 0, "6c", func(b *box) { b.R[x86.RDX], b.R[x86.RDI] = 0x60, boxData }, noFault},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			if tc.setup != nil {
				tc.setup(b)
			}
			b.code(tc.code)
			if f := b.step1(); f != tc.want {
				t.Errorf("%v, want %v", f, tc.want)
			}
		})
	}
}
