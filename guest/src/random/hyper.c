/* hyper.c - hypercalls by number. */
#include "random.h"

long hypercall(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	extern char hypercall_page[];
	register u64 r10 asm("r10") = a4;
	register u64 r8 asm("r8") = a5;
	long ret;

	asm volatile("call *%[slot]"
		     : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
		     : [slot] "r"(hypercall_page + nr * 32)
		     : "memory", "rcx", "r11");
	return ret;
}

long mmu_update(u64 *done, struct mmu_update *list, u64 count, u64 domain)
{
	return hypercall(__HYPERVISOR_mmu_update, (u64)list, count, (u64)done, domain, 0);
}

long mmuext(u32 cmd, u64 arg1, u64 arg2)
{
	struct mmuext_op op = { cmd, arg1, arg2 };
	u32 done;

	return HYPERVISOR_mmuext_op(&op, 1, &done);
}
