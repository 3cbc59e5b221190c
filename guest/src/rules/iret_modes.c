/* iret_modes.c - IRET, second part: the bare instructions, what a change of mode
   takes with it, and what comes before the target runs. */
#include "rules.h"
#include "code.h"

/* IRET-08 */
static void iret_08(void)
{
	struct start s = user_code(user_int3);

	catch_all();
	go(&s, NULL);
	say("HYPERVISOR_iret to user text: cs %lx, the frame is at %s", seen[0].back.cs & 0xffff,
	    named(seen[0].rsp));
}

static void iret_08_bad(void)
{
	struct start s = user_code(user_int3);

	catch_all();
	s.how = START_IRETQ;
	go(&s, NULL);
	say("iretq to user text: cs %lx, the frame is at %s", seen[0].back.cs & 0xffff,
	    named(seen[0].rsp));
	s.at.ip = (u64)user_syscall;
	s.gpr[RAX] = __HYPERVISOR_xen_version;
	s.gpr[RDI] = 0;
	go(&s, NULL);
	say("its system call %d is xen_version: it returns %lu.%lu", __HYPERVISOR_xen_version,
	    seen[0].gpr[RAX] >> 16, seen[0].gpr[RAX] & 0xffff);
}

/* IRET-09 */
static int iretq_once(struct record *r) { return seen_count == 1 ? BACK_IRETQ : LEAVE; }
static int raw_iretq_once(struct record *r) { return seen_count == 1 ? BACK_IRETQ_RAW : LEAVE; }

static void return_by(record_handler *how)
{
	extern char recorder_iretq[];
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	name_range("the stub's iretq", (u64)recorder_iretq, (u64)recorder_iretq + 1);
	go(&s, how);
	show_entry("after int3 and the return", &seen[1]);
}

static void iret_09(void) { return_by(iretq_once); }
static void iret_09_bad(void) { return_by(raw_iretq_once); }

/* IRET-10 */
static int way_back;

static int clear_and_go_back(struct record *r)
{
	if (r->kind != KIND_EVENT)
		return LEAVE;
	vcpu_info()->evtchn_upcall_pending = 0;
	return way_back;
}

static void mask_after_event(int way)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	catch_vector(3, 3);
	catch_callback(CALLBACKTYPE_event, 0);
	way_back = way;
	vcpu_info()->evtchn_upcall_pending = 1;
	s.how = START_IRET;
	s.at.cs = FLAT_CS & ~3;
	go(&s, clear_and_go_back);
	say("entered %lu times, the first is %s", seen_count, named(recorder_of(seen[0].kind)));
	say("the code that goes on has mask %d, and its frame says if %d", seen[1].mask,
	    !!(seen[1].back.flags & FLAG_IF));
}

static void iret_10(void) { mask_after_event(BACK_IRET); }
static void iret_10_bad(void) { mask_after_event(BACK_IRETQ); }

/* IRET-11 */
KERNEL_CODE(bare_sysret, "sysretq");
KERNEL_CODE(bare_sysexit, "sysexitl");
KERNEL_CODE(bare_rsm, "rsm");
/* A frame to itself, so that only NT is in the way. */
KERNEL_CODE(bare_iretq, "iretq");

static void iret_11(void)
{
	static const struct { const char *name; char *code; } rows[] = {
		{ "sysretq", bare_sysret }, { "sysexit", bare_sysexit }, { "rsm", bare_rsm },
		{ "iretq with nt", bare_iretq },
	};

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
		struct start s = kernel_code(rows[i].code);
		u64 *frame = (u64 *)s.at.sp;
		struct target to = { (u64)kernel_int3, FLAT_CS, CODE_FLAGS, s.at.sp, FLAT_DS };

		memcpy(frame, &to, sizeof(to));
		if (rows[i].code == bare_iretq)
			s.at.flags |= FLAG_NT;
		name_range(rows[i].name, (u64)rows[i].code, (u64)rows[i].code + 1);
		go(&s, NULL);
		show_entry(rows[i].name, &seen[0]);
	}
}

/* IRET-12 */
USER_CODE(user_read_gs, "mov %gs:0, %rax\nint3");
static u64 base_in_handler, table_in_handler;

static int read_bases(struct record *r)
{
	base_in_handler = gs_base();
	table_in_handler = read_cr3();
	return LEAVE;
}

static void iret_12(void)
{
	struct start k = kernel_code(kernel_int3), u = user_code(user_read_gs);
	u64 table;

	catch_all();
	*user_word_at() = 0x65ba5e;
	say_result("set_segment_base(user gs)",
		   HYPERVISOR_set_segment_base(SEGBASE_GS_USER, (u64)user_word_at()));
	go(&k, read_bases);
	table = table_in_handler;
	say("from the kernel: gs in the handler is the kernel's %d", base_in_handler == (u64)&percpus[0]);
	for (u32 i = 0; i < 2; i++) {
		go(&u, read_bases);
		say("from user mode: gs there %lx, gs in the handler is the kernel's %d, same cr3 %d",
		    seen[0].gpr[RAX], base_in_handler == (u64)&percpus[0], table_in_handler == table);
	}
}

/* IRET-13 */
/* An absent SS is left out: it is #SS (SDM vol. 2, "IRET"), but #NP in QEMU. */
static void iret_13(void)
{
	static const struct { const char *name; u16 cs, ss; } rows[] = {
		{ "null cs", 0, FLAT_DS }, { "null ss", FLAT_CS, 0 }, { "cs of Xen's own, ring 0", 0xe008, FLAT_DS },
		{ "cs is data", FLAT_DS, FLAT_DS }, { "ss is code", FLAT_CS, FLAT_CS },
		{ "cs not there", 0x1000, FLAT_DS }, { "cs in the LDT", 0x0c, FLAT_DS },
		{ "ss with RPL 0", FLAT_CS, FLAT_DS & ~3 },
		{ "cs 32-bit", 0xe023, FLAT_DS },
	};

	catch_all();
	NAME_CODE(kernel_int3);
	NAME_CODE(user_int3);
	for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
		struct start k = kernel_code(kernel_int3), u = user_code(user_int3);

		k.how = START_IRET;
		k.at.cs = rows[i].cs & ~3;
		u.at.cs = rows[i].cs | 3;
		k.at.ss = u.at.ss = rows[i].ss;
		/* A 32-bit segment cannot hold the kernel's addresses. */
		if (rows[i].cs != 0xe023) {
			go(&k, NULL);
			show_entry(rows[i].name, &seen[0]);
			say("  kernel frame: cs %lx, ss %lx, on %s", seen[0].back.cs & 0xffff,
			    seen[0].back.ss, named(seen[0].rsp));
		}
		go(&u, NULL);
		show_entry(rows[i].name, &seen[0]);
		say("  user frame: cs %lx, ss %lx, on %s", seen[0].back.cs & 0xffff, seen[0].back.ss,
		    named(seen[0].rsp));
	}
}

/* IRET-14 */
static void iret_14(void)
{
	struct start s = user_code(user_int3);

	catch_all();
	NAME_CODE(user_int3);
	catch_callback(CALLBACKTYPE_event, 0);
	vcpu_info()->evtchn_upcall_pending = 1;
	way_back = BACK_IRET;
	go(&s, clear_and_go_back);
	show_frame("event", &seen[0]);
	show_entry("the user's first instruction", &seen[1]);
}

const struct demo iret_mode_demos[] = {
	{ "IRET-08", BREAKABLE, iret_08, iret_08_bad },
	{ "IRET-09", BREAKABLE, iret_09, iret_09_bad },
	{ "IRET-10", BREAKABLE, iret_10, iret_10_bad },
	{ "IRET-11", FACT, iret_11 },
	{ "IRET-12", FACT, iret_12 },
	{ "IRET-13", FACT, iret_13 },
	{ "IRET-14", FACT, iret_14 },
	{}
};
