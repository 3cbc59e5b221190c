/* What becomes of instructions that trap in user code of a PV guest. */
#include "guest.h"

#define PAGE __attribute__((aligned(4096)))
static u8 PAGE code[4096];
static u64 PAGE shared[512], PAGE trapstack[512], PAGE bitmap[512 * 3];

static void try(const char *name, const char *bytes, u64 n, u64 rax, u64 rcx, u64 rdx, u64 flags)
{
	u64 i;
	for (i = 0; i < n; i++) code[i] = bytes[i];
	code[i++] = 0xcd;
	code[i] = 0x81;
	trap_vec = -1ul;
	trap_code = 0;
	trap_rip = 0;
	((u8 *)shared)[1] = 0;
	try_user(code, rax, rcx, rdx, flags);
	u8 mask = ((u8 *)shared)[1];
	((u8 *)shared)[1] = 1;
	if (trap_vec == -1ul) {
		show(name, 0x900d);
		show(" rax", try_rax);
		show(" rcx", try_rcx);
		show(" rdx", try_rdx);
		show(" flags", try_flags & 0xffffff);
	} else {
		show(name, trap_vec);
		show(" code", trap_code);
		show(" at", trap_rip - P(code) < 4096 ? (long)(trap_rip - P(code)) : (long)trap_rip);
		show(" flags", trap_flags & 0xfeffff);
		show(" rax", try_rax);
	}
	show(" cs", trap_cs & 0xffff);
	show(" saved mask", trap_cs >> 32 & 0xff);
	show(" mask", mask);
}
#define TRY(name, bytes, rax, rcx, rdx) try(name, bytes, sizeof bytes - 1, rax, rcx, rdx, 0x202)
#define TRYF(name, bytes, flags) try(name, bytes, sizeof bytes - 1, 0, 0, 0, flags)

static void gates(u8 dpl)
{
	struct trap t[] = { { 0x30, dpl, 0, 0, P(on_30) }, { 0x80, dpl | 4, 0, 0, P(on_80) }, { 0x81, 7, 0, 0, P(on_81) }, { 0 } };
	hc(0, P(t), 0, 0, 0, 0);
}

static void callback(u16 type, u16 flags, const void *to)
{
	struct { u16 type, flags; u32 pad; u64 addr; } cb = { type, flags, 0, P(to) };
	hc(30, 0, P(&cb), 0, 0, 0);
}

static void ports(void)
{
	for (u32 iopl = 0; iopl < 4; iopl++) {
		hc(33, 6, P(&iopl), 0, 0, 0);
		TRY("PRIV-02 cli", "\xfa", 0, 0, 0);
		TRY("PRIV-13 in PIC", "\xec", 0, 0, 0x20);
	}
	u32 none = 0;
	hc(33, 6, P(&none), 0, 0, 0);
	bitmap[4] = ~0ul & ~(1ul << 2);
	for (int i = 0; i < 4; i++) bitmap[i] = ~0ul;
	u64 set[2] = { P(bitmap), 1024 };
	hc(33, 7, P(set), 0, 0, 0);
	TRY("PRIV-13 bitmap, clear", "\xec", 0, 0, 0x102);
	TRY("PRIV-13 bitmap, set", "\xec", 0, 0, 0x103);
	TRY("PRIV-13 bitmap, word over a set bit", "\x66\xed", 0, 0, 0x102);
	TRY("PRIV-13 bitmap, zero beyond", "\xec", 0, 0, 0x21 + 0x180);
	TRY("PRIV-13 bitmap, its end", "\xec", 0, 0, 1023);
	TRY("PRIV-13 bitmap, beyond", "\xec", 0, 0, 1024);
	set[0] = 0x7000dead0000;
	hc(33, 7, P(set), 0, 0, 0);
	TRY("PRIV-13 bitmap unreadable", "\xec", 0, 0, 0x102);
	set[1] = 0;
	hc(33, 7, P(set), 0, 0, 0);
}

void run(u64 *si)
{
	start_info = si;
	mfn_list = (u64 *)si[13];
	hc(14, P(shared), start_info[5] | 0x67, 2, 0, 0);
	set_traps();
	gates(0);
	hc(3, 0, P(trapstack + 512), 0, 0, 0);
	u64 op[3] = { 15, 0, 0 };
	u64 cr3;
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	op[1] = cr3 >> 12;
	show("MM-06 user table", hc(26, P(op), 1, 0, 0x7ff0, 0));

	TRY("nothing", "\x90", 1, 2, 3);
	TRYF("IRET-07 IF 0", "\x90", 2);
	TRYF("IRET-07 flags", "\x9c\x58", 0x244ed7);
	TRYF("FRAME-09 DF and AC", "\xcc", 0x40602);
	TRY("PRIV-01 hlt", "\xf4", 0, 0, 0);
	TRY("PRIV-01 mov cr0", "\x0f\x20\xc0", 0, 0, 0);
	TRY("PRIV-01 mov to cr3", "\x0f\x22\xd8", 0, 0, 0);
	TRY("PRIV-01 mov dr7", "\x0f\x21\xf8", 0, 0, 0);
	TRY("PRIV-01 clts", "\x0f\x06", 0, 0, 0);
	TRY("PRIV-01 wbinvd", "\x0f\x09", 0, 0, 0);
	TRY("PRIV-01 rdmsr", "\x0f\x32", 0, 0xc0000100, 0);
	TRY("PRIV-01 wrmsr", "\x0f\x30", 0, 0xc0000100, 0);
	TRY("PRIV-11 forced cpuid", "\x0f\x0bxen\x0f\xa2", 0x40000001, 0, 0);
	TRY("PRIV-04 swapgs", "\x0f\x01\xf8", 0, 0, 0);
	TRY("FRAME-23 int3", "\xcc", 0, 0, 0);
	TRY("FRAME-23 int $4", "\xcd\x04", 0, 0, 0);
	for (u8 dpl = 0; dpl < 4; dpl++) {
		gates(dpl);
		TRY("FRAME-22 int $0x30", "\xcd\x30", 0, 0, 0);
		TRY("FRAME-24 int $0x80", "\xcd\x80", 0, 0, 0);
	}
	TRY("FRAME-22 int $0x90", "\xcd\x90", 0, 0, 0);
	TRY("FRAME-22 prefixed int $0x30", "\x48\xcd\x30", 0, 0, 0);
	TRY("HC-08 syscall without callback", "\x0f\x05", 17, 0, 0);
	TRYF("HC-08 the same with DF", "\xfd\x0f\x05", 0x202);
	callback(2, 0, on_syscall);
	TRY("CB-05 syscall", "\x0f\x05", 17, 0, 0);
	TRYF("CB-05 syscall with DF, CF, NT", "\x0f\x05", 0x4603);
	TRYF("CB-05 syscall with TF", "\x0f\x05", 0x302);
	callback(2, 1, on_syscall);
	TRY("CB-05 syscall, masking", "\x0f\x05", 17, 0, 0);
	TRY("CB-07 sysenter without callback", "\x0f\x34", 0, 0, 0);
	callback(5, 0, on_sysenter);
	TRY("CB-07 sysenter", "\x0f\x34", 0, 0, 0);
	show(" rsp", trap_rsp);
	TRYF("CB-07 sysenter with TF and NT", "\x0f\x34", 0x4302);
	callback(5, 1, on_sysenter);
	TRY("CB-07 sysenter, masking", "\x0f\x34", 0, 0, 0);
	TRY("MM-20 read nothing", "\x48\x8b\x00", 0x1000, 0, 0);
	show(" cr2", shared[2]);
	TRY("MM-20 write the hole", "\x48\x89\x00", 0xffff820000000000, 0, 0);
	TRY("MM-20 jump nowhere", "\xff\xe0", 0x5000, 0, 0);
	TRY("non-canonical read", "\x48\x8b\x00", 1ul << 63, 0, 0);
	TRYF("step nop", "\x90\x90", 0x302);
	TRYF("step int3", "\x90\xcc", 0x302);
	TRY("IRET-08 bare iretq", "\x48\x89\xe1\x68\x2b\xe0\x00\x00\x51\x9c\x68\x33\xe0\x00\x00\x48\x8d\x05\x03\x00\x00\x00\x50\x48\xcf\x90", 0, 0, 0);
	TRY("IRET-09 iretq to RPL 0", "\x48\x89\xe1\x68\x2b\xe0\x00\x00\x51\x9c\x68\x30\xe0\x00\x00\x48\x8d\x05\x03\x00\x00\x00\x50\x48\xcf\x90", 0, 0, 0);
	u64 ts = 1;
	hc(5, ts, 0, 0, 0, 0);
	TRY("PRIV-14 fninit with TS", "\xdb\xe3", 0, 0, 0);
	TRY("PRIV-14 fninit again", "\xdb\xe3", 0, 0, 0);
	hc(8, 0, P(code) + 1, 0, 0, 0);
	hc(8, 7, 0x401, 0, 0, 0);
	TRY("DR0 execution", "\x90\x90\x90", 0, 0, 0);
	show(" dr6", hc(9, 6, 0, 0, 0, 0));
	hc(8, 7, 0x400, 0, 0, 0);
	ports();
	put("end\n", 4);
	done();
}
