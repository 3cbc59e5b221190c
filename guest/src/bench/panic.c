/* panic.c - the end of a run that the kernel itself gives up on. */
#include "bench.h"
#include "cell.h"

static const char *const names[32] = {
	[0] = "#DE", [1] = "#DB", [2] = "NMI", [3] = "#BP", [4] = "#OF", [5] = "#BR", [6] = "#UD",
	[7] = "#NM", [8] = "#DF", [10] = "#TS", [11] = "#NP", [12] = "#SS", [13] = "#GP",
	[14] = "#PF", [16] = "#MF", [17] = "#AC", [18] = "#MC", [19] = "#XM", [20] = "#VE",
	[21] = "#CP",
};

const char *vector_name(long vector)
{
	return vector >= 0 && vector < 32 && names[vector] ? names[vector] : "vector";
}

/* A panic inside a panic: say no more, end. */
static void enter_panic(void)
{
	static bool panicking;

	if (panicking)
		report_crash();
	panicking = true;
}

void panic(const char *why)
{
	enter_panic();
	print("PANIC: %s\n", why);
	report_crash();
}

void panic_trap(struct pt_regs *r, long vector)
{
	u64 address = fault_address();

	enter_panic();
	cell_print_seen();
	print("PANIC: unexpected %s vec=%ld err=%lx rip=%016lx cs=%lx flags=%lx rsp=%016lx ss=%lx cr2=%lx\n",
	      vector_name(vector), vector, r->orig, r->ip, r->cs & 0xffff, r->flags, r->sp, r->ss,
	      vector == 14 ? address : 0);
	print("  rax=%016lx rbx=%016lx rcx=%016lx rdx=%016lx\n", r->ax, r->bx, r->cx, r->dx);
	print("  rsi=%016lx rdi=%016lx rbp=%016lx r8 =%016lx\n", r->si, r->di, r->bp, r->r8);
	print("  r9 =%016lx r10=%016lx r11=%016lx r12=%016lx\n", r->r9, r->r10, r->r11, r->r12);
	print("  r13=%016lx r14=%016lx r15=%016lx\n", r->r13, r->r14, r->r15);
	report_crash();
}
