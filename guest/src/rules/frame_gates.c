/* frame_gates.c - FRAME, second part: which handler is entered, with which mask,
   and when none is. */
#include "rules.h"
#include "code.h"

/* A pending event: Xen looks at nothing but this byte and the mask. */
static void event_pending(bool on)
{
	vcpu_info()->evtchn_upcall_pending = on;
}

static struct start unmasking_code(void)
{
	struct start s = kernel_code(kernel_unmask_int3);

	s.gpr[RBX] = (u64)&vcpu_info()->evtchn_upcall_mask;
	return s;
}

/* FRAME-12 */
static void mask_in_handler(const char *what, struct start s)
{
	struct record *r = go(&s, NULL);

	say("%s: mask in the handler %d, if in the frame %d", what, r->mask,
	    !!(r->back.flags & FLAG_IF));
}

static void frame_12(void)
{
	struct start kernel = unmasking_code(), user = user_code(user_syscall), event = kernel_code(kernel_nop);

	catch_all();
	mask_in_handler("trap with flag 4", kernel);
	catch_vector(3, 3);
	mask_in_handler("trap with flag 0", kernel);
	catch_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events);
	mask_in_handler("syscall with CALLBACKF_mask_events", user);
	catch_callback(CALLBACKTYPE_syscall, 0);
	mask_in_handler("syscall without", user);
	catch_callback(CALLBACKTYPE_event, 0);
	event_pending(true);
	event.how = START_IRET;
	event.at.cs = FLAT_CS & ~3;
	mask_in_handler("event", event);
	event_pending(false);
}

/* FRAME-13 */
static int entries_in_order(struct record *r)
{
	if (r->kind == KIND_EVENT) {
		event_pending(false);
		say("event, interrupted: rip %s, cs %lx, rcx %s, r11 %s", named(r->back.ip),
		    r->back.cs & 0xffff, named(r->frame[0]), named(r->frame[1]));
		return BACK_IRET;
	}
	show_entry("exception, interrupted", r);
	return r->kind == 6 ? LEAVE : BACK_IRET;
}

static void trap_and_event(u8 flags)
{
	struct start s = unmasking_code();

	catch_all();
	NAME_CODE(kernel_unmask_int3);
	catch_vector(3, flags);
	catch_callback(CALLBACKTYPE_event, 0);
	event_pending(true);
	go(&s, entries_in_order);
	event_pending(false);
}

static void frame_13(void) { trap_and_event(3 | TI_EVENT_MASK); }
static void frame_13_bad(void) { trap_and_event(3); }

/* FRAME-14 */
static void int3_above_guard(u64 bytes)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	s.at.sp = (u64)cell_stack + bytes;
	say("int3 with %lu bytes of stack left", bytes);
	say("handler's rsp is %lu bytes above the end", go(&s, NULL)->rsp - (u64)cell_stack);
}

static void frame_14(void) { int3_above_guard(64); }
static void frame_14_bad(void) { int3_above_guard(48); }

/* FRAME-15: a page right behind the hole, in a top-level slot of its own. */
static void int3_at(u64 sp)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	s.at.sp = sp;
	say("int3 with rsp %lx", sp);
	say("handler's rsp is %lx", go(&s, NULL)->rsp);
}

static void frame_15(void)
{
	u64 *l1 = (u64 *)test_pages[0], *l2 = (u64 *)test_pages[1], *l3 = (u64 *)test_pages[2];
	u64 table = PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D;
	u64 l4 = frame_of((void *)start_info->pt_base) * PAGE_SIZE + 272 * 8;
	struct mmu_update update = { l4, frame_of(l3) * PAGE_SIZE | table };
	u32 done;

	l1[0] = frame_of(test_pages[3]) * PAGE_SIZE | PAGE_WRITABLE;
	l2[0] = frame_of(l1) * PAGE_SIZE | table;
	l3[0] = frame_of(l2) * PAGE_SIZE | table;
	for (u32 i = 0; i < 3; i++)
		page_map((u64)test_pages[i], test_pages[i], PAGE_READONLY);
	say_result("a page at the end of the hole", HYPERVISOR_mmu_update(&update, 1, &done));
	int3_at(HOLE_END + 0x48);
	update.val = 0;
	HYPERVISOR_mmu_update(&update, 1, &done);
}

static void frame_15_bad(void) { int3_at(HOLE_END + 0x30); }

/* FRAME-16 */
static void frame_16(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	go(&s, NULL);
	show_entry("int3", &seen[0]);
}

static void frame_16_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	HYPERVISOR_set_trap_table(NULL);
	say("int3 without a handler");
	go(&s, NULL);
}

/* FRAME-17 */
static void frame_17(void)
{
	struct trap_info table[] = {
		{ 0x30, 3 | TI_EVENT_MASK, FLAT_CS, recorder_of(0x30) },
		{ 0x31, 3 | TI_EVENT_MASK, FLAT_CS, 0x8000000000000000 },
		{ 0x32, 3 | TI_EVENT_MASK, FLAT_CS, recorder_of(0x32) },
		{},
	};
	struct callback_register reg = { CALLBACKTYPE_syscall, 0, 0x8000000000000000 };
	struct start s[] = { kernel_code(kernel_int30), kernel_code(kernel_int31), kernel_code(kernel_int32) };

	HYPERVISOR_set_trap_table(NULL);
	catch_vector(13, TI_EVENT_MASK);
	say_result("set_trap_table, entry 2 of 3 not canonical", HYPERVISOR_set_trap_table(table));
	NAME_CODE(kernel_int30);
	NAME_CODE(kernel_int31);
	NAME_CODE(kernel_int32);
	for (u32 i = 0; i < 3; i++) {
		go(&s[i], NULL);
		show_entry("int n", &seen[0]);
	}
	say_result("callback_op(register)", HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
	say_result("set_callbacks", HYPERVISOR_set_callbacks(0x8000000000000000, 0x8000000000000000,
							     0x8000000000000000));
}

/* FRAME-18 */
static int without_error_code(struct record *r)
{
	r->words = 2;
	return LEAVE;
}

static void frame_18(void)
{
	struct start s = user_code(user_int13);
	struct start gp = user_code(user_read);

	catch_all();
	NAME_CODE(user_int13);
	NAME_CODE(user_read);
	catch_vector(13, 3 | TI_EVENT_MASK);
	gp.gpr[RAX] = sentinel(RAX);
	go(&gp, NULL);
	show_frame("a real #GP", &seen[0]);
	go(&s, without_error_code);
	show_frame("int $13", &seen[0]);
}

/* FRAME-19 */
static bool read_first;

extern char probe_read[], probe_next[];
static int second_fault_first(struct record *r)
{
	u64 cr2 = r->cr2;

	if (r->back.ip == (u64)probe_read) {	/* the handler's own fault */
		r->back.ip = (u64)probe_next;
		return BACK_IRET;
	}
	asm volatile(".globl probe_read, probe_next\nprobe_read: mov (%0), %%al\nprobe_next:"
		     : : "r"(NOWHERE_KERNEL + PAGE_SIZE) : "rax", "memory");
	if (!read_first)
		cr2 = vcpu_info()->cr2;
	say("cr2 is the address %s", cr2 == NOWHERE_KERNEL ? "of this fault" :
	    cr2 == NOWHERE_KERNEL + PAGE_SIZE ? "of the handler's own fault" : "of no fault");
	return LEAVE;
}

static void nested_fault(bool first)
{
	struct start s = kernel_code(kernel_read);

	catch_all();
	s.gpr[RAX] = NOWHERE_KERNEL;
	read_first = first;
	go(&s, second_fault_first);
}

static void frame_19(void)
{
	struct start s = kernel_code(kernel_read);

	nested_fault(true);
	s.gpr[RAX] = NOWHERE_KERNEL;
	go(&s, NULL);
	say("vcpu_info.cr2 is the address: %d, mov from cr2 too: %d",
	    vcpu_info()->cr2 == NOWHERE_KERNEL, read_cr2() == NOWHERE_KERNEL);
	vcpu_info()->cr2 = 0x1234;
	say("after a store to vcpu_info.cr2: mov from cr2 still the address: %d",
	    read_cr2() == NOWHERE_KERNEL);
	asm volatile("mov %0, %%cr2" : : "r"(0x5678UL));
	say("after mov to cr2: vcpu_info.cr2 %lx, mov from cr2 %lx", vcpu_info()->cr2, read_cr2());
}

static void frame_19_bad(void) { nested_fault(false); }

/* FRAME-20 */
static void error_of_both(const char *what, const struct start *k, const struct start *u)
{
	u64 kernel = go(k, NULL)->frame[2];
	u64 user = go(u, NULL)->frame[2];

	say("%s: kernel error %lx, user error %lx", what, kernel, user);
}

static void frame_20(void)
{
	struct start k = kernel_code(kernel_read), u = user_code(user_read);

	catch_all();
	k.gpr[RAX] = u.gpr[RAX] = NOWHERE_KERNEL;
	error_of_both("read of nothing", &k, &u);
	k.at.ip = (u64)kernel_write;
	u.at.ip = (u64)user_write;
	k.gpr[RAX] = u.gpr[RAX] = (u64)user_nop;
	error_of_both("write to a read-only page", &k, &u);
	k.at.ip = u.at.ip = (u64)user_word_at();
	error_of_both("fetch from data", &k, &u);
}

/* FRAME-21: the frame tells of the target, not of the iret. */
static void frame_21(void)
{
	struct start k = kernel_code(kernel_nop), u = user_code(user_nop);

	catch_all();
	NAME_CODE(kernel_nop);
	NAME_CODE(user_nop);
	u.at.cs = 0x1234 | 3;
	go(&u, NULL);
	show_frame("iret to user cs 1237", &seen[0]);
	k.how = START_IRET;
	k.at.cs = 0x1234;
	go(&k, NULL);
	show_frame("iret to kernel cs 1234", &seen[0]);
}

/* FRAME-22 */
static void int_from_both(const char *what, const void *kernel, const void *user)
{
	struct start k = kernel_code(kernel), u = user_code(user);
	static char label[64];

	go(&k, NULL);
	name_range("int", (u64)kernel, (u64)kernel + 16);
	name_range("int", (u64)user, (u64)user + 16);
	for (u32 i = 0; i < 2; i++) {
		const char *mode = i ? " from user mode" : " from the kernel";
		u32 n = 0;

		for (const char *s = what; *s; s++)
			label[n++] = *s;
		for (const char *s = mode; *s; s++)
			label[n++] = *s;
		label[n] = 0;
		if (i)
			go(&u, NULL);
		show_entry(label, &seen[0]);
	}
	names_forget();
}

static void frame_22(void)
{
	static const char *const dpl[] = { "DPL 0", "DPL 1", "DPL 2", "DPL 3" };

	catch_all();
	for (u32 i = 0; i < 4; i++) {
		catch_vector(0x30, i | TI_EVENT_MASK);
		int_from_both(dpl[i], kernel_int30, user_int30);
	}
	int_from_both("DPL 3, with a prefix", kernel_int30_rex, user_int30_rex);
}

/* FRAME-23 */
static void frame_23(void)
{
	catch_all();
	catch_vector(3, TI_EVENT_MASK);
	catch_vector(4, TI_EVENT_MASK);
	int_from_both("int3 with DPL 0", kernel_int3, user_int3);
	int_from_both("int $3 with DPL 0", kernel_int3_long, user_int3_long);
	int_from_both("int $4 with DPL 0", kernel_int4, user_int4);
}

/* FRAME-24 */
static void frame_24(void)
{
	HYPERVISOR_set_trap_table(NULL);
	catch_vector(13, TI_EVENT_MASK);
	int_from_both("int $0x80 without a handler", kernel_int80, user_int80);
	catch_vector(0x80, TI_EVENT_MASK);
	int_from_both("int $0x80 with DPL 0", kernel_int80, user_int80);
	say("mask in the handler with flag 4: %d", seen[0].mask);
	catch_vector(0x80, 0);
	int_from_both("int $0x80 with flags 0", kernel_int80, user_int80);
	say("mask in the handler with flag 0: %d", seen[0].mask);
}

/* FRAME-26 */
static void frame_26(void)
{
	struct trap_info table[] = { { 0x30, 3, FLAT_CS, 0 }, { 0x31, 3 | TI_EVENT_MASK, FLAT_CS, recorder_of(0x31) }, {} };

	catch_all();
	catch_vector(0x30, 3 | TI_EVENT_MASK);
	HYPERVISOR_set_trap_table(NULL);
	catch_vector(13, TI_EVENT_MASK);
	int_from_both("after set_trap_table(NULL)", kernel_int30, user_int30);
	catch_vector(0x30, 3 | TI_EVENT_MASK);
	say_result("a list that begins with address 0", HYPERVISOR_set_trap_table(table));
	int_from_both("its first vector", kernel_int30, user_int30);
	int_from_both("the vector behind", kernel_int31, user_int31);
	table[0].address = recorder_of(0x30);
	HYPERVISOR_set_trap_table(table);
	table[0].address = 0;
	int_from_both("a table that was changed afterwards", kernel_int30, user_int30);
}

const struct demo frame_gate_demos[] = {
	{ "FRAME-12", FACT, frame_12 },
	{ "FRAME-13", BREAKABLE, frame_13, frame_13_bad },
	{ "FRAME-14", BREAKABLE, frame_14, frame_14_bad, BAD_DIES },
	{ "FRAME-15", BREAKABLE, frame_15, frame_15_bad, BAD_DIES },
	{ "FRAME-16", BREAKABLE, frame_16, frame_16_bad, BAD_DIES },
	{ "FRAME-17", FACT, frame_17 },
	{ "FRAME-18", FACT, frame_18 },
	{ "FRAME-19", BREAKABLE, frame_19, frame_19_bad },
	{ "FRAME-20", FACT, frame_20 },
	{ "FRAME-21", FACT, frame_21 },
	{ "FRAME-22", FACT, frame_22 },
	{ "FRAME-23", FACT, frame_23 },
	{ "FRAME-24", FACT, frame_24 },
	{ "FRAME-26", FACT, frame_26 },
	{}
};
