/*
 * stacks.S - the kernel's stacks. The page below each is a guard that
 * paging_init unmaps, so an overflow hits nothing else.
 */
#include "arch.h"

.macro STACK name, pages
	.fill	PAGE_SIZE, 1, 0		/* guard */
	.globl	\name, \name\()_top
\name:	.fill	\pages * PAGE_SIZE, 1, 0
\name\()_top:
.endm

	.section .stacks, "aw", @nobits
	STACK	main_stack, 3		/* the kernel's own work */
	STACK	trap_stack, 2		/* traps and system calls from user mode */
	STACK	cell_stack, 2		/* the code that a cell interrupts */
	STACK	ist_df_stack, 1		/* native #DF */
	STACK	ist_nmi_stack, 1	/* native NMI */
	STACK	ap_stack, 2		/* the second CPU */
	STACK	ap_ist_stack, 1		/* its native #DF and NMI */
