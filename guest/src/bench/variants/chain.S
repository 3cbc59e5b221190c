/* chain: a tracer looks at the trap, finds that it is not its own, and hands it
   on to the kernel as it was. */
#include "stub.h"

STUB(chain)
	pop	%rcx
	pop	%r11
	push	%r11		/* the kernel takes them off again */
	push	%rcx
	jmp	STUB_GLUE(kernel_handler_, STUB_VECTOR)
END_STUB(chain)
