/* vgcf: adjusted as it should be, but the return claims to end a system call. */
#include "stub.h"

STUB(vgcf)
	ADJUST
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN	VGCF_IN_SYSCALL	/* Xen need not give rcx and r11 back, then */
END_STUB(vgcf)
