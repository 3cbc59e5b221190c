/* user.c - programs for user mode. Each is entered by run_user with its argument,
   and leaves by SYS_EXIT; no data but what the argument points to. */
#include "bench.h"

#define USER __attribute__((section(".user.text"), used))

static inline __attribute__((always_inline)) u64 syscall1(u64 number, u64 arg)
{
	asm volatile("syscall" : "+a"(number) : "D"(arg) : "rcx", "r11", "memory");
	return number;
}

static inline __attribute__((always_inline, noreturn)) void leave(u64 value)
{
	for (;;)
		syscall1(SYS_EXIT, value);
}

/* The sum of a page of numbers. */
USER void user_sum(const u64 *page)
{
	u64 sum = 0;

	for (u32 i = 0; i < 512; i++)
		sum += page[i];
	leave(sum);
}

/* How often the kernel was entered between two calls: 1 if each call is one. */
USER void user_count(u64 unused)
{
	u64 first = syscall1(SYS_COUNT, 0);

	leave(syscall1(SYS_COUNT, 0) - first);
}

/* A call that does not exist. */
USER void user_no_such_call(u64 unused)
{
	leave(syscall1(0x2ff, 0));
}

/* SYSCALL's own traces: RCX = RIP and R11 = RFLAGS on return (SDM vol. 2). */
USER void user_syscall_traces(u64 unused)
{
	u64 rcx, r11, rip, flags, number = SYS_COUNT;

	asm volatile("pushfq; popq %[flags]; syscall; 1: lea 1b(%%rip), %[rip]\n"
		     "mov %%rcx, %[rcx]; mov %%r11, %[r11]"
		     : "+a"(number), [rcx] "=&r"(rcx), [r11] "=&r"(r11), [rip] "=&r"(rip),
		       [flags] "=&r"(flags) : : "rcx", "r11", "memory");
	leave(rcx == rip && (r11 | 2) == flags);
}

/* Spins until somebody else sets the word. */
USER void user_spin(volatile u64 *word)
{
	while (!*word)
		relax();
	leave(*word);
}
