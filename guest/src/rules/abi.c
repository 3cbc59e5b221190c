/* abi.c - ABI: what C code takes for granted, and stubs owe it. On Xen and on bare
   metal. */
#include "nat.h"
#include "code.h"

/* ABI-01: a function with a variable that has to be aligned to 16: by its RSP it
   knows where. */
KERNEL_CODE(abi_spill, "fxsave -520(%rsp)\nret");
KERNEL_CODE(abi_aligned, "call abi_spill\nint3\nud2");
KERNEL_CODE(abi_one_push, "push %rax\ncall abi_spill\nint3\nud2");

static void call_with_stack(const char *what, char *code)
{
	struct start s = kernel_code(code);

	catch_all();
	NAME_CODE(abi_spill);
	NAME_CODE(abi_aligned);
	NAME_CODE(abi_one_push);
	go(&s, NULL);
	show_entry(what, &seen[0]);
}

static void abi_01(void) { call_with_stack("call at rsp mod 16 = 0", abi_aligned); }
static void abi_01_bad(void) { call_with_stack("call at rsp mod 16 = 8", abi_one_push); }

/* ABI-02 */
KERNEL_CODE(abi_copy, "mov %rdx, %rcx\nrep movsb\nret");
KERNEL_CODE(abi_cld_call, "std\ncld\ncall abi_copy\nint3\nud2");
KERNEL_CODE(abi_std_call, "std\ncall abi_copy\nint3\nud2");

static void call_copy(char *code)
{
	static char from[9] = "abcdefgh", to[9];
	struct start s = kernel_code(code);

	catch_all();
	memset(to, '.', 8);
	s.gpr[RSI] = (u64)from + 4;
	s.gpr[RDI] = (u64)to + 4;
	s.gpr[RDX] = 2;
	go(&s, NULL);
	say("a copy of two bytes at the middle: \"%s\"", to);
}

static void abi_02(void) { call_copy(abi_cld_call); }
static void abi_02_bad(void) { call_copy(abi_std_call); }

/* ABI-03 */
extern char saving_xen[], saving_native[], lazy_xen[], lazy_native[];
KERNEL_CODE(abi_int3, "int3\nud2");

static void registers_after(const char *what, char *stub)
{
	static const char *const names[GPRS] = {
		"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
		"rsi", "rdi",
	};
	struct start s = kernel_code(abi_int3);
	u32 lost = 0;

	catch_all();
	gate_set(3, (u64)stub);
	go(&s, NULL);
	say("a stub that %s around the call of a C function:", what);
	for (u32 i = 0; i < GPRS; i++) {
		u64 v = on_xen() && (i == RCX || i == R11) ? seen[0].frame[i == R11] : seen[0].gpr[i];

		if (v == sentinel(i))
			continue;
		lost++;
		say("the interrupted code lost %s", names[i]);
	}
	say("lost: %u", lost);
}

static void abi_03(void)
{
	registers_after("saves nine registers", on_xen() ? saving_xen : saving_native);
	registers_after("saves rax, rcx, r11", on_xen() ? lazy_xen : lazy_native);
}

/* ABI-04 */
KERNEL_CODE(abi_red_zone, "mov %rbx, -8(%rsp)\nint3\nmov -8(%rsp), %rax\nud2");
KERNEL_CODE(abi_own_zone, "sub $8, %rsp\nmov %rbx, (%rsp)\nint3\nmov (%rsp), %rax\nud2");
USER_CODE(abi_user_red_zone, "mov %rbx, -8(%rsp)\nint3\nmov -8(%rsp), %rax\nud2");

static void local_variable(const char *where, struct start s)
{
	catch_all();
	go(&s, back_once);
	say("%s: stored %s, loaded %s", where, named(s.gpr[RBX]), named(seen[1].gpr[RAX]));
}

static void abi_04(void)
{
	local_variable("in the kernel, above rsp", kernel_code(abi_own_zone));
	local_variable("in user mode, below rsp", user_code(abi_user_red_zone));
}

static void abi_04_bad(void)
{
	local_variable("in the kernel, below rsp", kernel_code(abi_red_zone));
}

/* ABI-05 */
USER_CODE(abi_user_r10, "mov %rcx, %r10\nsyscall\nud2");
USER_CODE(abi_user_rcx, "syscall\nud2");

static void fourth_argument(char *code)
{
	struct start s = user_code(code);
	struct record *r;

	catch_all();
	NAME_CODE(abi_user_r10);
	NAME_CODE(abi_user_rcx);
	if (on_xen()) {
		catch_callback(CALLBACKTYPE_syscall, 0);
	} else {
		catch_syscall(ALL_MASKED);
		s.at.sp = (u64)test_pages[0] + 2048;	/* the recorder runs on it */
	}
	r = go(&s, NULL);
	say("the kernel finds in r10 %s, in rcx %s", named(r->gpr[R10]),
	    named(on_xen() ? r->frame[0] : r->gpr[RCX]));
}

static void abi_05(void) { fourth_argument(abi_user_r10); }
static void abi_05_bad(void) { fourth_argument(abi_user_rcx); }

/* ABI-06: the argument 5 as an int, with a dirty upper half. */
KERNEL_CODE(abi_compare,
	    "movabs $0xdeadbeef00000005, %rdi\nxor %eax, %eax\nxor %ebx, %ebx\n"
	    "cmp $5, %edi\nsete %al\ncmp $5, %rdi\nsete %bl\n"
	    "push %rdi\npop %rdx\nmov %edi, %ecx\nint3\nud2");

static void abi_06(void)
{
	struct start s = kernel_code(abi_compare);
	struct record *r;

	catch_all();
	r = go(&s, NULL);
	say("equal to 5 as 32 bits: %lu, as 64 bits: %lu", r->gpr[RAX], r->gpr[RBX]);
	say("stored and loaded as 64 bits: %lx, moved as 32 bits: %lx", r->gpr[RDX],
	    on_xen() ? r->frame[0] : r->gpr[RCX]);
}

const struct demo abi_demos[] = {
	{ "ABI-01", BREAKABLE, abi_01, abi_01_bad, BOTH },
	{ "ABI-02", BREAKABLE, abi_02, abi_02_bad, BOTH },
	{ "ABI-03", FACT, abi_03, NULL, BOTH },
	{ "ABI-04", BREAKABLE, abi_04, abi_04_bad, BOTH },
	{ "ABI-05", BREAKABLE, abi_05, abi_05_bad, BOTH },
	{ "ABI-06", FACT, abi_06, NULL, BOTH },
	{ NULL, 0, NULL, NULL, 0 },
};
