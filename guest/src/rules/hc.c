/* hc.c - HC: how a hypercall is made, what it answers, what it leaves behind. */
#include "hc.h"

#define ENOSYS		38

/* What a raw SYSCALL leaves; the ud2 behind it ends the code. */
KERNEL_CODE(hc_raw, "syscall\nhc_raw_next: ud2");
CODE_NAME(hc_raw_next);

struct start raw_call(u64 number, u64 a1, u64 a2, u64 a3)
{
	struct start s = kernel_code(hc_raw);

	s.gpr[RAX] = number;
	s.gpr[RDI] = a1;
	s.gpr[RSI] = a2;
	s.gpr[RDX] = a3;
	return s;
}

/* mmu_update's fourth argument is the domain whose pages are meant. */
static void fourth_argument(u64 r10, u64 rcx)
{
	struct start s = raw_call(__HYPERVISOR_mmu_update, 0, 0, 0);
	char what[] = "mmu_update, domain self in R10";

	catch_all();
	s.gpr[R10] = r10;
	s.gpr[RCX] = rcx;
	if (rcx == DOMID_SELF)
		memcpy(what + sizeof(what) - 4, "RCX", 3);
	say_result(what, result_of(go(&s, NULL)));
}

static void hc_01(void)
{
	fourth_argument(DOMID_SELF, sentinel(RCX));
}

static void hc_01_bad(void)
{
	fourth_argument(0x5555, DOMID_SELF);
}

/* push rcx; push r11; mov eax, n; syscall; pop r11; pop rcx; ret */
static bool is_ordinary_slot(const u8 *slot, u32 n)
{
	static const u8 before[] = { 0x51, 0x41, 0x53, 0xb8 };
	static const u8 after[] = { 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3 };
	u32 i = 0;

	for (u32 k = 0; k < sizeof(before); k++)
		if (slot[i++] != before[k])
			return false;
	for (u32 shift = 0; shift < 32; shift += 8)
		if (slot[i++] != (u8)(n >> shift))
			return false;
	for (u32 k = 0; k < sizeof(after); k++)
		if (slot[i++] != after[k])
			return false;
	return true;
}

static void show_bytes(const char *what, const u8 *p, u32 n)
{
	char text[3 * 16 + 1];
	u32 k = 0;

	for (u32 i = 0; i < n && i < 16; i++) {
		text[k++] = ' ';
		text[k++] = "0123456789abcdef"[p[i] >> 4];
		text[k++] = "0123456789abcdef"[p[i] & 15];
	}
	text[k] = 0;
	say("%s:%s", what, text);
}

static u32 filler(const u8 *slot, u32 from)
{
	u32 n = 0;

	for (u32 i = from; i < 32; i++)
		n += slot[i] == 0xcc;
	return n;
}

static void hc_02(void)
{
	const u8 *page = (const u8 *)hypercall_page;
	u32 ordinary = 0, filled = 0;

	for (u32 n = 0; n < PAGE_SIZE / 32; n++) {
		ordinary += is_ordinary_slot(page + n * 32, n);
		filled += n != __HYPERVISOR_iret && filler(page + n * 32, 14) == 18;
	}
	show_bytes("slot 17", page + 17 * 32, 14);
	say("%u of %u slots have this form, %u of them are filled up with 0xcc", ordinary,
	    PAGE_SIZE / 32, filled);
}

/* A stub of the page pushes; Xen, too, has but this stack for the frame. */
KERNEL_CODE(hc_02_no_stack, "xor %edi, %edi\njmp hypercall_page + 17 * 32");

static void hc_02_bad(void)
{
	struct start s = kernel_code(hc_02_no_stack);

	catch_all();
	s.at.sp = NOWHERE_KERNEL + PAGE_SIZE;
	say("xen_version with RSP where nothing is mapped");
	go(&s, NULL);
	say("survived");
}

/* The iret slot takes the stack as it is: flags first. */
KERNEL_CODE(hc_03_jump,
	    "push $0xe02b\npush $hc_03_stack_top\npush $0x202\npush $0xe030\n"
	    "push $hc_03_landed\npush $0\njmp hypercall_page + 23 * 32\n"
	    ".balign 16\nhc_03_landed: ud2");
CODE_NAME(hc_03_landed);
u64 hc_03_stack[64];
asm(".globl hc_03_stack_top\nhc_03_stack_top = hc_03_stack + 512");
KERNEL_CODE(hc_03_call,
	    "push $0xe02b\npush $hc_03_stack_top\npush $0x202\npush $0xe030\n"
	    "push $hc_03_landed\npush $0\ncall hypercall_page + 23 * 32\n"
	    "hc_03_returned: ud2");

static void by_iret_slot(const void *code)
{
	struct start s = kernel_code(code);
	struct record *r;

	catch_all();
	NAME_CODE(hc_03_jump);
	NAME_CODE(hc_03_call);
	name_range("the iret's stack", (u64)hc_03_stack, (u64)hc_03_stack + sizeof(hc_03_stack) + 1);
	r = go(&s, NULL);
	show_frame(vector_name(r->kind), r);
}

static void hc_03(void)
{
	const u8 *slot = (const u8 *)hypercall_page + __HYPERVISOR_iret * 32;

	show_bytes("slot 23", slot, 11);
	say("%u bytes of 0xcc behind it", filler(slot, 11));
	by_iret_slot(hc_03_jump);
}

static void hc_03_bad(void)
{
	by_iret_slot(hc_03_call);
}

static void show_rcx_r11(const struct record *r)
{
	name_range("next instruction", (u64)hc_raw_next, (u64)hc_raw_next + 1);
	say("RCX = %s, R11 = %s", named(r->frame[0]), named(r->frame[1]));
}

KERNEL_CODE(hc_04_page, "call hypercall_page + 17 * 32\nud2");

static void hc_04(void)
{
	struct start s = raw_call(0, XENVER_version, 0, 0);

	catch_all();
	s.at.ip = (u64)hc_04_page;
	show_rcx_r11(go(&s, NULL));
}

static void hc_04_bad(void)
{
	struct start s = raw_call(__HYPERVISOR_xen_version, XENVER_version, 0, 0);

	catch_all();
	s.at.flags |= FLAG_CF | FLAG_DF;
	show_rcx_r11(go(&s, NULL));
}

static void hc_05(void)
{
	static const enum gpr arguments[] = { RDI, RSI, RDX, R10, R8, R9 };
	static const char *const names[] = { "RDI", "RSI", "RDX", "R10", "R8", "R9" };
	struct start s = raw_call(__HYPERVISOR_mmu_update, 0, 0, 0);
	struct record *r;

	catch_all();
	s.gpr[R10] = DOMID_SELF;
	r = go(&s, NULL);
	say_result("mmu_update of an empty list", result_of(r));
	for (u32 i = 0; i < ARRAY_LEN(arguments); i++)
		say("%s %s", names[i], r->gpr[arguments[i]] == s.gpr[arguments[i]] ? "as before" :
		    r->gpr[arguments[i]] == 0xdeadbeefdeadf00d ? "overwritten" : "changed");
}

static void hc_06(void)
{
	static const u64 numbers[] = { 11, 38, 43, 47, 50, 55, 56, 63, 64, 127, 0xffffffff };

	for (u32 i = 0; i < ARRAY_LEN(numbers); i++) {
		long result = call_number(numbers[i], 0, 0, 0, 0, 0);

		say("number 0x%lx = %s", numbers[i], result == -ENOSYS ? "-ENOSYS" : "something else");
	}
	say_result("number 17 with bit 32 set", call_number(17 | 1UL << 32, XENVER_version, 0, 0, 0, 0));
	say("an unknown command: xen_version = -%s, vcpu_op = -%s, event_channel_op = -%s, sched_op = -%s",
	    errno_name(HYPERVISOR_xen_version(0x7777, NULL)),
	    errno_name(HYPERVISOR_vcpu_op(0x7777, 0, NULL)),
	    errno_name(HYPERVISOR_event_channel_op(0x7777, NULL)),
	    errno_name(HYPERVISOR_sched_op(0x7777, NULL)));
}

const struct demo hc_demos[] = {
	{ "HC-01", BREAKABLE, hc_01, hc_01_bad },
	{ "HC-02", BREAKABLE, hc_02, hc_02_bad, BAD_DIES },
	{ "HC-03", BREAKABLE, hc_03, hc_03_bad, BAD_DIES },
	{ "HC-04", BREAKABLE, hc_04, hc_04_bad },
	{ "HC-05", FACT, hc_05 },
	{ "HC-06", FACT, hc_06 },
	{}
};
