/* chainswapped: handed on to the kernel with the two words in the wrong
   order. */
#include "stub.h"

STUB(chainswapped)
	pop	%rcx
	pop	%r11
	push	%rcx		/* should be r11 first */
	push	%r11
	jmp	STUB_GLUE(kernel_handler_, STUB_VECTOR)
END_STUB(chainswapped)
