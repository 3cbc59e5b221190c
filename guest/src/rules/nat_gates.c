/* nat_gates.c - NAT, first part: gates, stacks and frames of bare metal. */
#include "nat.h"
#include "nat_stubs.h"
#include "code.h"

static const char *level(const struct record *r)
{
	return r->back.cs & 3 ? "user mode" : "the kernel";
}

/* NAT-01 */
static void interrupt_in_handler(u8 gate_type)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	native_gate_write(3, (u64)self_stub, 0);
	gate(3)->type = 0x80 | gate_type;
	native_gate_write(INTERRUPT, (u64)interrupt_stub, 0);
	apic_registers = area_address(AREA_APIC);
	interrupts = interrupts_at_end = 0;
	go(&s, NULL);
	say("if in the handler: %d", if_in_handler);
	say("it raises an interrupt: %u taken at its end, %u after its return", interrupts_at_end, interrupts);
}

static void nat_01(void) { interrupt_in_handler(GATE_INTERRUPT); }
static void nat_01_bad(void) { interrupt_in_handler(GATE_TRAP); }

/* NAT-02 */
USER_CODE(std_int3, "std\nint3\nud2");

static const char *copy_direction(void)
{
	static char copied[8];
	const char *from = "abcd" + 2;
	char *to = copied + 2;
	u64 n = 2;

	asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	asm volatile("cld" : : : "memory");
	return to < copied + 2 ? "backwards" : "forwards";
}

/* The recorder clears DF before it calls C: a handler that does not, here, is one
   that puts it back. */
static int copy_with_cld(struct record *r)
{
	say("df in the handler: %d", !!(r->flags & FLAG_DF));
	say("rep movsb after cld goes %s", copy_direction());
	return LEAVE;
}

static int copy_without_cld(struct record *r)
{
	const char *went;

	if (r->flags & FLAG_DF)
		asm volatile("std" : : : "memory");
	went = copy_direction();
	say("rep movsb without cld goes %s", went);
	return LEAVE;
}

static void df_in_handler(record_handler *handler)
{
	struct start s = user_code(std_int3);

	catch_all();
	go(&s, handler);
}

static void nat_02(void) { df_in_handler(copy_with_cld); }
static void nat_02_bad(void) { df_in_handler(copy_without_cld); }

/* NAT-08: a handler of #GP takes the word at RSP for the error code. */
USER_CODE(user_hlt, "hlt\nud2");

static int gp_handler(struct record *r)
{
	say("vector %lx from %s, rsp mod 16 = %lx", r->kind, level(r), r->rsp % 16);
	say("its error code: %s, its rip: %s, its cs: %s", named(r->frame[0]), named(r->frame[1]),
	    named(r->frame[2]));
	return LEAVE;
}

static void gp_by(char *code)
{
	struct start s = user_code(code);

	catch_all();
	NAME_CODE(user_hlt);
	name_range("user_int13", (u64)user_int13, (u64)user_int13_end);
	catch_vector(13, 3);
	go(&s, gp_handler);
}

static void nat_08(void) { gp_by(user_hlt); }
static void nat_08_bad(void) { gp_by(user_int13); }

/* NAT-09 */
static void nat_09(void)
{
	static const u32 below[] = { 0, 1, 7, 8, 15 };
	struct start s = kernel_code(kernel_int3);
	u64 top = s.at.sp;

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(below); i++) {
		s.at.sp = top - below[i];
		s.at.ip = (u64)kernel_int3;
		go(&s, NULL);
		say("rsp top-%u, no error code: frame at top-%lu, rsp mod 16 %lu, saved rsp %s", below[i],
		    top - seen[0].rsp, seen[0].rsp % 16, named(seen[0].back.sp));
		s.at.ip = (u64)kernel_read;
		s.gpr[RAX] = NOWHERE_KERNEL;
		go(&s, NULL);
		say("rsp top-%u, error code: frame at top-%lu, rsp mod 16 %lu, saved rsp %s", below[i],
		    top - seen[0].rsp, seen[0].rsp % 16, named(seen[0].back.sp));
	}
}

/* NAT-10 */
static void stack_of_handler(const char *what, struct start s)
{
	struct record *r = go(&s, NULL);

	say("%s: vector %lx, handler's rsp %s; saved cs %lx, rsp %s, ss %lx", what, r->kind,
	    named(r->rsp), r->back.cs, named(r->back.sp), r->back.ss);
	if (r->back.cs & 3)
		say("ss in the handler: %lx", r->ss);
}

static void nat_10(void)
{
	catch_all();
	stack_of_handler("from user mode", user_code(user_int3));
	stack_of_handler("from the kernel", kernel_code(kernel_int3));
	gate(3)->ist = IST_DEMO;
	stack_of_handler("from user mode, by IST", user_code(user_int3));
	stack_of_handler("from the kernel, by IST", kernel_code(kernel_int3));
}

static void nat_10_bad(void)
{
	catch_all();
	task_state()->rsp[0] = NOWHERE_KERNEL;
	gate(8)->ist = IST_DEMO;
	stack_of_handler("int3 in user mode, nothing mapped at RSP0", user_code(user_int3));
}

/* NAT-11 */
USER_CODE(user_int14, "int $14\nud2");

static void raise(const char *what, char *code, u8 vector, u8 dpl)
{
	struct start s = user_code(code);

	catch_vector(vector, dpl);
	go(&s, NULL);
	say("%s, gate of DPL %u:", what, dpl);
	show_entry("  entered", &seen[0]);
}

static void name_user_code(void)
{
	NAME_CODE(user_int14);
	name_range("user_int30", (u64)user_int30, (u64)user_int30_end);
	name_range("user_int3", (u64)user_int3, (u64)user_int3_end);
	name_range("user_nop", (u64)user_nop, (u64)user_nop_end);
}

static void nat_11(void)
{
	catch_all();
	name_user_code();
	raise("int $0x30 in user mode", user_int30, 0x30, 0);
	raise("int $0x30 in user mode", user_int30, 0x30, 3);
	raise("int3 in user mode", user_int3, 3, 0);
	raise("int3 in user mode", user_int3, 3, 3);
	raise("int $14 in user mode", user_int14, 14, 0);
	raise("an undefined instruction in user mode", user_nop, 6, 0);
}

static void nat_11_bad(void)
{
	catch_all();
	name_user_code();
	raise("int $14 in user mode", user_int14, 14, 3);
}

/* NAT-12 */
static void limit_idt(u16 limit)
{
	struct __attribute__((packed)) { u16 limit; u64 base; } p = { limit, (u64)gate(0) };

	asm volatile("lidt %0" : : "m"(p));
}

static void enter(const char *what, char *code)
{
	struct start s = kernel_code(code);

	name_range("the instruction", (u64)code, (u64)code + 4);
	go(&s, NULL);
	show_entry(what, &seen[0]);
	names_forget();
}

static void nat_12(void)
{
	catch_all();
	enter("int3", kernel_int3);
	enter("int $0x30", kernel_int30);
}

static void nat_12_bad(void)
{
	catch_all();
	gate_set(3, 0);
	gate_set(0x30, 0);
	enter("int3, no gate", kernel_int3);
	enter("int $0x30, no gate", kernel_int30);
	limit_idt(0x30 * 16 - 1);
	enter("int $0x30 beyond the table", kernel_int30);
	limit_idt(256 * 16 - 1);
}

/* NAT-13: the stack is no memory, so that every delivery on it fails. */
KERNEL_CODE(kernel_bad_segment, "mov %eax, %ds\nud2");

static void deliver(const char *what, char *code)
{
	struct start s = kernel_code(code);
	struct record *r;

	s.at.sp = NOWHERE_KERNEL + 0x800;
	s.gpr[RAX] = 0x1230;
	r = go(&s, NULL);
	say("%s: vector %lx, %s %lx, cr2 is below RSP: %d", what, r->kind, r->words ? "error" : "none",
	    r->words ? r->frame[0] : 0, r->cr2 < NOWHERE_KERNEL + 0x800 && r->cr2 >= NOWHERE_KERNEL);
}

static void nat_13(void)
{
	catch_all();
	gate(8)->ist = IST_DEMO;
	deliver("#BP, then #PF, then #PF", kernel_int3);
	deliver("#GP, then #PF, then #PF", kernel_bad_segment);
	gate(14)->ist = IST_DEMO;
	deliver("#BP, then #PF, which can be delivered", kernel_int3);
	deliver("#GP, then #PF, which can be delivered", kernel_bad_segment);
	gate(14)->type &= 0x7f;
	deliver("#BP, then #PF, whose gate is absent", kernel_int3);
}

static void nat_13_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	gate(8)->ist = 0;
	s.at.sp = NOWHERE_KERNEL + 0x800;
	say("int3 on no stack, #DF on the same");
	go(&s, NULL);
}

const struct demo nat_gate_demos[] = {
	{ "NAT-01", BREAKABLE, nat_01, nat_01_bad, NATIVE },
	{ "NAT-02", BREAKABLE, nat_02, nat_02_bad, NATIVE },
	{ "NAT-08", BREAKABLE, nat_08, nat_08_bad, NATIVE },
	{ "NAT-09", FACT, nat_09, NULL, NATIVE },
	{ "NAT-10", BREAKABLE, nat_10, nat_10_bad, NATIVE },
	{ "NAT-11", BREAKABLE, nat_11, nat_11_bad, NATIVE },
	{ "NAT-12", BREAKABLE, nat_12, nat_12_bad, NATIVE },
	{ "NAT-13", BREAKABLE, nat_13, nat_13_bad, NATIVE | BAD_DIES },
	{ NULL, 0, NULL, NULL, 0 },
};
