/* What becomes of instructions that fault in a PV kernel, and of single steps over them. */
#include "guest.h"

#define PAGE __attribute__((aligned(4096)))
static u8 PAGE code[4096];
static u64 PAGE data1[512], PAGE shared[512], PAGE l1a[512], PAGE l1[512], PAGE ldt[512], PAGE desc[512];
static long uvm(void *va, u64 val, u64 flags) { return hc(14, P(va), val, flags, 0, 0); }

/* Runs bytes (then ret) with these registers; prints the trap, or the registers after them. */
static void try(const char *name, const char *bytes, u64 n, u64 rax, u64 rcx, u64 rdx, u64 flags)
{
	u64 i;
	for (i = 0; i < n; i++) code[i] = bytes[i];
	code[i] = 0xc3;
	trap_vec = -1ul;
	trap_code = 0;
	trap_rip = 0;
	try_code(code, rax, rcx, rdx, flags);
	show(name, trap_vec == -1ul ? 0x900d : (long)trap_vec);
	if (trap_vec == -1ul) {
		show(" rax", try_rax);
		show(" rcx", try_rcx);
		show(" rdx", try_rdx);
		show(" flags", try_flags & 0xffffff);
	} else {
		show(" code", trap_code);
		show(" at", trap_rip - P(code));
		show(" cs", trap_cs & 0xffff);
		show(" flags", trap_flags & 0xfeffff);
		if (trap_vec == 1) show(" dr6", hc(9, 6, 0, 0, 0, 0));
	}
}
#define TRY(name, bytes, rax, rcx, rdx) try(name, bytes, sizeof bytes - 1, rax, rcx, rdx, 2)
/* The same with TF set; prints where each single-step trap came from, and DR6 in the end. */
static void step(const char *name, const char *bytes, u64 n, u64 rax, u64 rcx, u64 rdx)
{
	hc(8, 6, 0, 0, 0, 0);
	step_in = P(code);
	step_count = 0;
	try(name, bytes, n, rax, rcx, rdx, 0x102);
	step_in = 0;
	for (u64 i = 0; i < step_count; i++) show(" step", step_rips[i] - P(code) < 4096 ? (long)(step_rips[i] - P(code)) : 0xee);
	show(" dr6", hc(9, 6, 0, 0, 0, 0));
}
#define STEP(name, bytes, rax, rcx, rdx) step("step " name, bytes, sizeof bytes - 1, rax, rcx, rdx)

static void privileged(void)
{
	TRY("PRIV-03 hlt", "\xf4", 0, 0, 0);
	TRY("PRIV-04 swapgs", "\x0f\x01\xf8", 0, 0, 0);
	TRY("PRIV-05 invlpg", "\x0f\x01\x38", P(data1), 0, 0);
	TRY("PRIV-05 lgdt", "\x0f\x01\x10", P(data1), 0, 0);
	TRY("PRIV-05 lidt", "\x0f\x01\x18", P(data1), 0, 0);
	TRY("PRIV-05 lldt", "\x0f\x00\xd0", 0, 0, 0);
	TRY("PRIV-05 ltr", "\x0f\x00\xd8", 0, 0, 0);
	TRY("PRIV-01 lmsw", "\x0f\x01\xf0", 0, 0, 0);
	TRY("PRIV-01 invd", "\x0f\x08", 0, 0, 0);
	TRY("PRIV-16 wbinvd", "\x0f\x09", 0, 0, 0);
	TRY("IRET-11 sysret", "\x48\x0f\x07", 0, 0, 0);
	TRY("IRET-11 sysexit", "\x48\x0f\x35", 0, 0, 0);
	TRY("IRET-11 rsm", "\x0f\xaa", 0, 0, 0);
	TRY("PRIV-02 cli, IOPL 0", "\xfa", 0, 0, 0);
	TRY("PRIV-02 sti, IOPL 0", "\xfb", 0, 0, 0);
	TRY("PRIV-13 in, IOPL 0", "\xec", 0, 0, 0x80);
	u32 iopl = 1;
	hc(33, 6, P(&iopl), 0, 0, 0);
	TRY("PRIV-02 cli, IOPL 1", "\xfa", 0, 0, 0);
	TRY("PRIV-02 sti, IOPL 1", "\xfb", 0, 0, 0);
	STEP("DBG-05 cli", "\xfa\x90\x90", 0, 0, 0);
	TRY("PRIV-13 in PIC", "\xec", 0, 0, 0x20);
	TRY("PRIV-13 in word", "\x66\xed", 0, 0, 0x20);
	TRY("PRIV-13 in dword", "\xed", 0x1122334455667788, 0, 0x20);
	TRY("PRIV-13 in imm", "\xe4\x21", 0x1122334455667788, 0, 0);
	TRY("PRIV-13 out", "\xee", 0, 0, 0x20);
	STEP("DBG-04 in PIC", "\xec\x90", 0, 0, 0x20);
	iopl = 0;
	hc(33, 6, P(&iopl), 0, 0, 0);
	TRY("PRIV-02 pushf", "\x9c\x58", 0, 0, 0);
	TRY("PRIV-02 popf IF 0", "\x6a\x02\x9d\x9c\x58", 0, 0, 0);
	TRY("PRIV-06 mov cr0,rax", "\x0f\x20\xc0", 0, 0, 0);
	TRY("PRIV-06 mov cr2,rax", "\x0f\x20\xd0", 0, 0, 0);
	TRY("PRIV-06 mov cr4,rax", "\x0f\x20\xe0", 0, 0, 0);
	TRY("PRIV-06 mov cr8,rax", "\x44\x0f\x20\xc0", 0, 0, 0);
	TRY("PRIV-06 mov rax,cr0", "\x0f\x22\xc0", 0x80050033, 0, 0);
	TRY("PRIV-06 mov rax,cr0 without WP", "\x0f\x22\xc0", 0x80040033, 0, 0);
	TRY("PRIV-06 set TS", "\x0f\x22\xc0\x0f\x20\xc0", 0x8005003b, 0, 0);
	TRY("PRIV-14 fninit", "\xdb\xe3", 0, 0, 0);
	TRY("PRIV-14 TS after", "\x0f\x20\xc0", 0, 0, 0);
	TRY("clts", "\x0f\x06", 0, 0, 0);
	TRY("PRIV-06 mov rax,cr2", "\x0f\x22\xd0\x0f\x20\xd1", 0x123456, 0, 0);
	TRY("PRIV-06 cr4 PGE", "\x0f\x22\xe0\x0f\x20\xe0", 0xa0, 0, 0);
	TRY("PRIV-06 cr4 all", "\x0f\x22\xe0\x0f\x20\xe0", 0xffffffffffff & ~(1ul << 16), 0, 0);
	TRY("PRIV-06 cr4 none", "\x0f\x22\xe0\x0f\x20\xe0", 0, 0, 0);
	TRY("PRIV-06 bad cr3", "\x0f\x22\xd8", 0x123, 0, 0);
	TRY("mov dr7,rax", "\x0f\x21\xf8", 0, 0, 0);
	TRY("mov dr6,rax", "\x0f\x21\xf0", 0, 0, 0);
	TRY("mov dr4,rax", "\x0f\x21\xe0", 0, 0, 0);
	TRY("mov rax,dr0 in the hole", "\x0f\x23\xc0", 0xffff820000000000, 0, 0);
	TRY("mov rax,dr0", "\x0f\x23\xc0\x0f\x21\xc1", 0x1234, 0, 0);
	TRY("mov rax,dr7 high", "\x0f\x23\xf8", 1ul << 32, 0, 0);
	TRY("PRIV-08 rdmsr LSTAR", "\x0f\x32", 0, 0xc0000082, 0);
	TRY("PRIV-07 wrmsr LSTAR", "\x0f\x30", 0, 0xc0000082, 0);
	TRY("PRIV-09 rdmsr FS base", "\x0f\x32", 0, 0xc0000100, 0);
	TRY("PRIV-09 wrmsr FS base", "\x0f\x30\x0f\x32", 0x55667788, 0xc0000100, 0x1122);
	TRY("PRIV-09 wrmsr FS base non-canonical", "\x0f\x30", 0, 0xc0000100, 0x80000000);
	TRY("PRIV-09 wrmsr FS base back", "\x0f\x30", 0, 0xc0000100, 0);
	TRY("PRIV-09 wrmsr user GS", "\x0f\x30\x0f\x32", 0x1000, 0xc0000102, 0);
	TRY("PRIV-09 rdmsr EFER", "\x0f\x32", 0, 0xc0000080, 0);
	TRY("PRIV-09 wrmsr EFER same", "\x0f\x30", 0xd01, 0xc0000080, 0);
	TRY("PRIV-09 wrmsr EFER other", "\x0f\x30", 0x501, 0xc0000080, 0);
	TRY("PRIV-09 rdmsr APIC base", "\x0f\x32", 0, 0x1b, 0);
	TRY("MM-27 rdmsr PAT", "\x0f\x32", 0, 0x277, 0);
	TRY("MM-27 wrmsr PAT", "\x0f\x30", 0, 0x277, 0);
	TRY("rdmsr MTRRcap", "\x0f\x32", 0, 0xfe, 0);
	TRY("rdmsr x2APIC", "\x0f\x32", 0, 0x802, 0);
	TRY("rdmsr hypercall page", "\x0f\x32", 0, 0x40000000, 0);
	TRY("BOOT-03 wrmsr hypercall page 1", "\x0f\x30", 1, 0x40000000, 0);
	TRY("rdmsr Xen 1", "\x0f\x32", 0, 0x40000001, 0);
	TRY("rdmsr Viridian", "\x0f\x32", 0, 0x40000200, 0);
	TRY("rdmsr nonsense", "\x0f\x32", 0, 0x12345, 0);
	TRY("rdmsr SPEC_CTRL", "\x0f\x32", 0, 0x48, 0);
	TRY("rdmsr SYSENTER_CS", "\x0f\x32", 0, 0x174, 0);
	TRY("PRIV-11 forced cpuid 40000000", "\x0f\x0bxen\x0f\xa2", 0x40000000, 0, 0);
	TRY("PRIV-11 forced cpuid 40000001", "\x0f\x0bxen\x0f\xa2", 0x40000001, 0, 0);
	TRY("PRIV-11 forced cpuid 40000002", "\x0f\x0bxen\x0f\xa2", 0x40000002, 0, 0);
	TRY("PRIV-11 forced nop", "\x0f\x0bxen\x90", 0, 0, 0);
	TRY("PRIV-11 ud2 xem", "\x0f\x0bxem\x0f\xa2", 0, 0, 0);
	STEP("DBG-07 forced cpuid", "\x0f\x0bxen\x0f\xa2\x90", 0x40000001, 0, 0);
	TRY("PRIV-15 xgetbv", "\x0f\x01\xd0", 0, 0, 0);
	TRY("PRIV-15 xsetbv without OSXSAVE", "\x0f\x01\xd1", 3, 0, 0);
	TRY("set OSXSAVE", "\x0f\x22\xe0\x0f\x20\xe0", 1 << 18, 0, 0);
	TRY("PRIV-15 xsetbv", "\x0f\x01\xd1", 3, 0, 0);
	TRY("PRIV-15 xsetbv bad", "\x0f\x01\xd1", 2, 0, 0);
	TRY("PRIV-15 xsetbv 1", "\x0f\x01\xd1", 3, 1, 0);
	TRY("PRIV-18 rdfsbase", "\xf3\x48\x0f\xae\xc0", 0, 0, 0);
	TRY("monitor", "\x0f\x01\xc8", 0, 0, 0);
	TRY("int $0x30, DPL 0", "\xcd\x30", 0, 0, 0);
	TRY("int3", "\xcc", 0, 0, 0);
	TRY("int $3", "\xcd\x03", 0, 0, 0);
	TRY("int $4", "\xcd\x04", 0, 0, 0);
	TRY("int $1", "\xcd\x01", 0, 0, 0);
	TRY("int $0x80, no handler", "\xcd\x80", 0, 0, 0);
	TRY("int $0x82", "\xcd\x82", 0, 0, 0);
	TRY("prefixed int $0x30", "\x48\xcd\x30", 0, 0, 0);
	TRY("far ret to 8", "\x6a\x08\x50\x48\xcb", 0, 0, 0);
	TRY("SEG-07 mov 0xe013,ds", "\x8e\xd8", 0xe013, 0, 0);
	TRY("SEG-07 mov 0xe008,ds", "\x8e\xd8", 0xe008, 0, 0);
	TRY("SEG-07 mov 0xe02b,ds", "\x8e\xd8\x8c\xd8\x31\xc9\x8e\xd9", 0xe02b, 0, 0);
	TRY("SEG-07 mov 8,ds", "\x8e\xd8", 8, 0, 0);
	TRY("SEG-07 mov 0x7ff8,ds", "\x8e\xd8", 0x7ff8, 0, 0);
	TRY("SEG-07 mov 0xf000,ds", "\x8e\xd8", 0xf000, 0, 0);
	TRY("SEG-07 mov 3,ds", "\x8e\xd8\x8c\xd8\x31\xc9\x8e\xd9", 3, 0, 0);
	TRY("SEG-06 mov 7,ds without LDT", "\x8e\xd8", 7, 0, 0);
	TRY("BOOT-14 read the hole", "\x48\x8b\x00", 0xffff830000000000, 0, 0);
	TRY("BOOT-14 read slot 258", "\x48\x8b\x00", 0xffff810000000000, 0, 0);
	TRY("BOOT-14 read slot 260", "\x48\x8b\x00", 0xffff820000000000, 0, 0);
	TRY("BOOT-14 read slot 257", "\x48\x8b\x00", 0xffff808000000000, 0, 0);
	TRY("MM-21 write the M2P", "\x48\x89\x08", 0xffff800000000008, 0, 0);
	TRY("MM-20 write text", "\x48\x89\x08", 0xffffffff7fffff00, 0, 0);
}

static void steps(void)
{
	STEP("nop", "\x90\x90", 0, 0, 0);
	STEP("DBG-04 rdmsr", "\x0f\x32\x90", 0, 0xc0000100, 0);
	STEP("DBG-04 mov cr0", "\x0f\x20\xc0\x90", 0, 0, 0);
	STEP("DBG-04 clts", "\x0f\x06\x90", 0, 0, 0);
	STEP("DBG-03 xen_version", "\x0f\x05\x90\x90", 17, 0, 0);
	STEP("int3", "\xcc\x90", 0, 0, 0);
	STEP("popf", "\x9c\x9d\x90", 0, 0, 0);
	STEP("rep movsb", "\x57\x56\x48\x89\xd7\x48\x89\xd6\xf3\xa4\x5e\x5f\x90", 0, 3, P(data1));
	STEP("call and ret", "\xe8\x01\x00\x00\x00\x90\xc3", 0, 0, 0);

	STEP("hlt", "\xf4\x90", 0, 0, 0);
	STEP("mov ss", "\x8c\xd0\x8e\xd0\x90\x90", 0, 0, 0);
	hc(8, 0, P(code) + 1, 0, 0, 0);
	hc(8, 7, 0x401, 0, 0, 0);
	TRY("DR0 execution", "\x90\x90\x90", 0, 0, 0);
	hc(8, 0, P(data1), 0, 0, 0);
	hc(8, 7, 0xd0401, 0, 0, 0);
	TRY("DR0 write", "\x48\x89\x08\x90", P(data1), 0, 0);
	TRY("DR0 write beside", "\x48\x89\x48\x08\x90", P(data1), 0, 0);
	hc(8, 7, 0x400, 0, 0, 0);
	hc(8, 0, 0, 0, 0, 0);
}

static void ptwr(void)
{
	l1[0] = (u64)mfn(data1) << 12 | 0x63;
	uvm(l1, (u64)mfn(l1) << 12 | 1, 2);
	u64 op[3] = { 0, mfn(l1), 0 };
	show("MM-16 pin", hc(26, P(op), 1, 0, 0x7ff0, 0));
	u64 good = (u64)mfn(data1) << 12 | 0x61;
	TRY("MM-16 without the assist", "\x48\x89\x08\x31\xc9", P(&l1[1]), good, 0);
	show("MM-16 enable", hc(21, 0, 2, 0, 0, 0));
	TRY("MM-16 mov", "\x48\x89\x08", P(&l1[1]), 0, 0);
	show("MM-16 value", l1[1]);
	l1a[0] = 0;
	try("MM-16 mov good", "\x48\x89\x08\x31\xc9", 5, P(&l1[1]), good, 0, 2);
	show("MM-16 stored", l1[1] & ~0xffffffffff000ul);
	TRY("MM-16 or byte", "\x80\x08\x02", P(&l1[1]), 0, 0);
	show("MM-16 stored", l1[1] & ~0xffffffffff000ul);
	TRY("MM-16 and byte", "\x80\x20\xfe", P(&l1[1]), 0, 0);
	show("MM-16 stored", l1[1] & ~0xffffffffff000ul);
	TRY("MM-16 bts", "\x48\x0f\xba\x28\x00", P(&l1[1]), 0, 0);
	show("MM-16 stored", l1[1] & ~0xffffffffff000ul);
	TRY("MM-16 lock btr", "\xf0\x48\x0f\xba\x30\x01", P(&l1[1]), 0, 0);
	show("MM-16 stored", l1[1] & ~0xffffffffff000ul);
	TRY("MM-16 xchg", "\x31\xc9\x48\x87\x08\x31\xc9", P(&l1[1]), 0, 0);
	show("MM-16 stored", l1[1]);
	TRY("MM-16 cmpxchg equal", "\x48\x89\xc2\x31\xc0\xf0\x48\x0f\xb1\x0a\x31\xd2\x31\xc9", P(&l1[1]), 0x1000000, 0);
	show("MM-16 stored", l1[1]);
	TRY("MM-16 cmpxchg unequal", "\x48\x89\xc2\x31\xc0\xf0\x48\x0f\xb1\x0a\x31\xd2\x31\xc9", P(&l1[1]), 0x2000000, 0);
	show("MM-16 stored", l1[1]);
	TRY("MM-16 misaligned", "\x48\x89\x08", P(&l1[1]) + 4, 0, 0);
	TRY("MM-16 misaligned word", "\x66\x89\x08", P(&l1[1]) + 1, 0, 0);
	TRY("MM-16 a bad entry", "\x48\x89\x08", P(&l1[1]), 0x2000000000083, 0);
	TRY("MM-16 itself writable", "\x48\x89\x08", P(&l1[1]), 0, 0);
	TRY("MM-16 push", "\x48\x89\xe1\x48\x89\xc4\x6a\x00\x48\x89\xcc", P(&l1[3]), 0, 0);
	TRY("MM-16 stosq", "\x57\x48\x89\xd7\x48\xab\x5f\x31\xd2", 0x4000000, 0, P(&l1[2]));
	show("MM-16 stored", l1[2]);
	TRY("MM-16 rep stosq", "\x57\x48\x89\xd7\xf3\x48\xab\x5f\x31\xd2", 0x6000000, 3, P(&l1[2]));
	show("MM-16 stored", l1[2]);
	show("MM-16 stored", l1[4]);
	STEP("DBG-06 mov", "\x48\x89\x08\x90", P(&l1[6]), 0x8000000, 0);
	show("MM-16 stored", l1[6]);
	TRY("MM-16 read-only data", "\x48\x89\x08", P(start_info[11]), 0, 0);
}

static void ldts(void)
{
	ldt[0] = 0x00cff2000000fffful;
	ldt[1] = 0x00cf92000000fffful;
	ldt[2] = 0x00cf72000000fffful;
	ldt[3] = 0x0000890000000067ul;
	u64 op[3] = { 13, P(ldt), 8 };
	show("SEG-06 set", hc(26, P(op), 1, 0, 0x7ff0, 0));
	TRY("SEG-06 page still writable", "\x8e\xd8", 7, 0, 0);
	show("SEG-06 cr2", ((u64 *)shared)[2] - P(ldt));
	uvm(ldt, (u64)mfn(ldt) << 12 | 1, 2);
	TRY("SEG-06 page with a TSS", "\x8e\xd8", 7, 0, 0);
	uvm(ldt, (u64)mfn(ldt) << 12 | 3, 2);
	ldt[3] = 0;
	uvm(ldt, (u64)mfn(ldt) << 12 | 1, 2);
	TRY("SEG-06 load", "\x8e\xd8\x8c\xd8\x31\xc9\x8e\xd9", 7, 0, 0);
	show("SEG-03 stored", ldt[0]);
	show("SEG-03 stored", ldt[1]);
	TRY("SEG-06 absent", "\x8e\xd8", 0x17, 0, 0);
	TRY("SEG-06 beyond the limit", "\x8e\xd8", 0x47, 0, 0);
	TRY("SEG-06 lar", "\x0f\x02\xc8\x31\xd2", 7, 0, 0);
	desc[1] = 0x00cff2000000fffful;
	desc[2] = 0x00aff8000000fffful;
	desc[3] = 0x00cff8000000fffful;
	desc[4] = 0x0000ec00e0330000ul | 0x1000;
	uvm(desc, (u64)mfn(desc) << 12 | 1, 2);
	u64 f = mfn(desc);
	show("SEG-01 set", hc(2, P(&f), 512, 0, 0, 0));
	TRY("SEG-01 load", "\x8e\xd8\x8c\xd8\x31\xc9\x8e\xd9", 8, 0, 0);
	TRY("SEG-01 rpl 0 kept", "\x8e\xd8\x8c\xd8\x31\xc9\x8e\xd9", 8, 0, 0);
	TRY("SEG-01 code", "\x8e\xd8", 0x13, 0, 0);
	TRY("sgdt limit", "\x48\x83\xec\x10\x0f\x01\x04\x24\x66\x58\x48\x83\xc4\x0e\x0f\xb7\xc0", 0, 0, 0);
	TRY("lsl 0xe063", "\x0f\x03\xc8", 0xe063, 0, 0);
	TRY("lsl 0xe033", "\x0f\x03\xc8", 0xe033, 0, 0);
	TRY("verr 0xe033", "\x0f\x00\xe0", 0xe033, 0, 0);
	TRY("lar 0xe008", "\x0f\x02\xc8\x0f\x94\xc0\x0f\xb6\xc0", 0xe008, 0, 0);
	TRY("str", "\x31\xc0\x0f\x00\xc8", 0, 0, 0);
	TRY("smsw", "\x0f\x01\xe0", 0, 0, 0);
}

static u8 PAGE bytes[4096], PAGE hyper[4096];

static void strings(void)
{
	u32 iopl = 1;
	hc(33, 6, P(&iopl), 0, 0, 0);
	for (int i = 0; i < 32; i++) bytes[i] = i;
	/* rdx is the port; rsi and rdi point into bytes */
	TRY("PRIV-13 outsb", "\x56\x48\x89\xc6\x6e\x48\x89\xf0\x5e", P(bytes), 0, 0x20);
	TRY("PRIV-13 rep outsb", "\x56\x48\x89\xc6\xf3\x6e\x48\x89\xf0\x5e", P(bytes), 5, 0x20);
	TRY("PRIV-13 rep outsw, down", "\xfd\x56\x48\x89\xc6\x66\xf3\x6f\x48\x89\xf0\x5e\xfc", P(bytes) + 8, 3, 0x20);
	TRY("PRIV-13 outsb from nowhere", "\x56\x48\x89\xc6\x6e\x5e", 0x1000, 0, 0x20);
	show(" cr2", shared[2]);
	TRY("PRIV-13 outsb from the hole", "\x56\x48\x89\xc6\x6e\x5e", 0xffff820000000000, 0, 0x20);
	TRY("PRIV-13 insb", "\x57\x48\x89\xc7\x6c\x48\x89\xf8\x5f", P(bytes), 0, 0x20);
	show(" stored", bytes[0]);
	TRY("PRIV-13 rep insl", "\x57\x48\x89\xc7\xf3\x6d\x48\x89\xf8\x5f", P(bytes), 3, 0x20);
	show(" stored", bytes[11]);
	show(" not stored", bytes[12]);
	TRY("PRIV-13 insb to text", "\x57\x48\x89\xc7\x6c\x5f", start_info[11], 0, 0x20);
	STEP("rep outsb", "\x56\x48\x89\xc6\xf3\x6e\x5e\x90", P(bytes), 2, 0x20);
	TRY("set DE", "\x0f\x22\xe0\x0f\x20\xe0", 8, 0, 0);
	hc(8, 0, 0x20, 0, 0, 0);
	show("DBG-11 I/O breakpoint", hc(8, 7, 0x20401, 0, 0, 0));
	show(" dr7", hc(9, 7, 0, 0, 0, 0));
	hc(8, 6, 0, 0, 0, 0);
	TRY("DBG-11 in at it", "\xec\x90", 0, 0, 0x20);
	show(" dr6", hc(9, 6, 0, 0, 0, 0));
	TRY("DBG-11 in beside it", "\xec\x90", 0, 0, 0x21);
	TRY("DBG-11 word over it", "\x66\xed\x90", 0, 0, 0x1f);
	hc(8, 7, 0x400, 0, 0, 0);
	TRY("DBG-11 mov dr4 with DE", "\x0f\x21\xe0", 0, 0, 0);
	TRY("set TSD", "\x0f\x22\xe0\x0f\x20\xe0", 4, 0, 0);
	TRY("PRIV-17 rdtsc with TSD", "\x0f\x31\x31\xc0\x31\xd2", 0, 0, 0);
	TRY("PRIV-17 rdtscp with TSD", "\x0f\x01\xf9\x31\xc0\x31\xd2\x31\xc9", 0, 0, 0);
	TRY("clear it", "\x0f\x22\xe0\x0f\x20\xe0", 0, 0, 0);
	TRY("rdpmc", "\x0f\x33", 0, 0, 0);
	iopl = 0;
	hc(33, 6, P(&iopl), 0, 0, 0);
	TRY("BOOT-03 wrmsr", "\x0f\x30\x31\xc0\x31\xd2", (u32)ma(hyper), 0x40000000, ma(hyper) >> 32);
	show(" slot 0", *(u64 *)hyper);
	show(" slot 0", *(u64 *)(hyper + 8));
	show(" slot 23", *(u64 *)(hyper + 23 * 32));
	show(" slot 23", *(u64 *)(hyper + 23 * 32 + 8));
	show(" slot 127", *(u64 *)(hyper + 127 * 32));
	show(" the end", *(u64 *)(hyper + 4088));
	TRY("PRIV-11 forced cpuid 40000004", "\x0f\x0bxen\x0f\xa2", 0x40000004, 0, 0);
	TRY("PRIV-11 forced cpuid 40000006", "\x0f\x0bxen\x0f\xa2", 0x40000006, 0, 0);
	TRY("PRIV-11 forced cpuid 40000100", "\x0f\x0bxen\x0f\xa2", 0x40000100, 0, 0);
}

void run(u64 *si)
{
	start_info = si;
	mfn_list = (u64 *)si[13];
	uvm(shared, start_info[5] | 0x67, 2);
	TRY("PRIV-08 rdmsr SYSENTER_CS, no handler", "\x0f\x32", 0x11, 0x174, 0x22);
	set_traps();
	privileged();
	steps();
	ptwr();
	ldts();
	show("SEG-06 its page writable while mapped", uvm(ldt, (u64)mfn(ldt) << 12 | 3, 2));
	u64 none[3] = { 13, 0, 0 };
	show("SEG-06 no LDT", hc(26, P(none), 1, 0, 0x7ff0, 0));
	show("SEG-06 its page writable", uvm(ldt, (u64)mfn(ldt) << 12 | 3, 2));
	TRY("SEG-06 load without it", "\x8e\xd8", 7, 0, 0);
	strings();
	put("end\n", 4);
	done();
}
