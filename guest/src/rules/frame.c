/* frame.c - FRAME: what an exception, event or system call finds on the stack. */
#include "rules.h"

KERNEL_CODE(frame_int3, "int3\nframe_int3_next: ud2");
CODE_NAME(frame_int3_next);

/* The frame of an exception that has no error code, and of one that has. */
static void frame_01(void)
{
	struct start s = kernel_code(frame_int3);
	struct record *r;

	catch_all();
	NAME_CODE(frame_int3);
	r = go(&s, NULL);
	show_frame("#BP", r);
	s.at.ip = (u64)frame_int3_next;
	s.gpr[RAX] = 0;
	r = go(&s, NULL);
	show_frame("#UD", r);
}

const struct demo frame_demos[] = {
	{ "FRAME-01", FACT, frame_01 },
	{}
};
