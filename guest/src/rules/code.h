/* code.h - the pieces of code of code.S. */
#ifndef CODE_H
#define CODE_H

#define CODE(name)	extern char name[], name##_next[], name##_end[]
#define CODE_BOTH(name)	CODE(kernel_##name); CODE(user_##name)

CODE_BOTH(int3);
CODE_BOTH(int3_long);			/* CD 03 */
CODE_BOTH(int4);
CODE_BOTH(int13);			/* int $13 */
CODE_BOTH(int30);			/* int $0x30 */
CODE_BOTH(int31);
CODE_BOTH(int32);
CODE_BOTH(int80);
CODE_BOTH(int30_rex);			/* int $0x30 with a REX prefix: three bytes */
CODE_BOTH(read);			/* mov (%rax), %eax */
CODE_BOTH(write);			/* mov %ebx, (%rax) */
CODE_BOTH(syscall);
CODE_BOTH(iretq);
CODE_BOTH(nop);				/* four, then ud2 */
CODE(kernel_pushf_int3);		/* RFLAGS to RAX, int3 */
/* movb $0, (%rbx); int3: with RBX the address of the upcall mask, what is
   pending comes at the int3. */
CODE(kernel_unmask_int3);

/* One word of user data; both modes see it at this address, which is too far away
   for a relative one. */
static inline u64 *user_word_at(void)
{
	u64 *p;

	asm("movabs $user_word, %0" : "=r"(p));
	return p;
}

#endif /* CODE_H */
