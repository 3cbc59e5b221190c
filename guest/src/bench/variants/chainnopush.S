/* chainnopush: handed on to the kernel without the two words, which the
   kernel will take off once more. */
#include "stub.h"

STUB(chainnopush)
	pop	%rcx
	pop	%r11
	jmp	STUB_GLUE(kernel_handler_, STUB_VECTOR)
END_STUB(chainnopush)
