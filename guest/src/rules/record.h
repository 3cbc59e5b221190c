/*
 * record.h - how a demo runs a piece of code with registers of its choice, and
 * what the recorder writes down when that code is interrupted, on Xen
 * and on bare metal.
 */
#ifndef RECORD_H
#define RECORD_H

/* What a recorder stands for: a vector below 256, or a callback. */
#define KIND_EVENT	256
#define KIND_FAILSAFE	257
#define KIND_SYSCALL	258
#define KIND_NMI	259
#define KIND_SYSENTER	260
#define KIND_SYSCALL32	261

/* Offsets in struct record, for recorder.S. gpr[] has the order of struct pt_regs:
   r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi. */
#define REC_KIND	0
#define REC_GPR		8
#define REC_R11		(REC_GPR + 6 * 8)
#define REC_RAX		(REC_GPR + 10 * 8)
#define REC_RCX		(REC_GPR + 11 * 8)
#define REC_RBX		(REC_GPR + 5 * 8)
#define REC_FLAGS	128
#define REC_RSP		136
#define REC_CS		144
#define REC_SS		152
#define REC_DS		160
#define REC_ES		168
#define REC_FS		176
#define REC_GS		184
#define REC_FRAME	192
#define REC_FRAME_WORDS	12
#define REC_IP		288
#define REC_VGCF	328
#define REC_SIZE	360
#define RECORDS		32

/* What a handler decides. */
#define LEAVE		0		/* end the code: go() returns */
#define BACK_IRET	1		/* HYPERVISOR_iret with back and vgcf */
#define BACK_IRETQ	2		/* the instruction, CS RPL put back to 3 */
#define BACK_IRETQ_RAW	3		/* the instruction on back as it is */
#define BACK_NATIVE	4		/* the same, RCX and R11 from gpr: what BACK_IRET is there */

/* Offsets in struct start. */
#define START_GPR	0
#define START_IP	120
#define START_HOW	160
#define START_VGCF	168

#define START_IRETQ	0		/* on Xen: stay in kernel mode, RFLAGS taken with RIP */
#define START_IRET	1		/* HYPERVISOR_iret: user mode if CS has RPL 3 */

#ifndef __ASSEMBLER__
#include "arch.h"

/* RFLAGS bits that arch.h has no need for. */
#define FLAG_PF		0x004UL
#define FLAG_ZF		0x040UL
#define FLAG_IOPL	0x3000UL
#define FLAG_NT		0x4000UL
#define FLAG_RF		0x10000UL
#define FLAG_VM		0x20000UL
#define FLAG_AC		0x40000UL
#define FLAG_ID		0x200000UL

enum gpr { R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI, GPRS };

struct target {				/* what an iret loads */
	u64 ip, cs, flags, sp, ss;
};

struct record {
	u64 kind;
	u64 gpr[GPRS];			/* at the first instruction of the handler */
	u64 flags, rsp, cs, ss, ds, es, fs, gs;
	u64 frame[REC_FRAME_WORDS];	/* the words at that RSP */
	struct target back;		/* the frame, for the way back; may be changed */
	u64 vgcf;
	u8 mask, pending;		/* evtchn_upcall_mask and _pending at that time */
	u64 cr2;			/* vcpu_info's, or the register */
	u64 words;			/* words of the frame below RIP: 2, 3 or 6, or natively 0 or 1 */
};
_Static_assert(__builtin_offsetof(struct record, frame) == REC_FRAME, "recorder.S");
_Static_assert(__builtin_offsetof(struct record, back) == REC_IP, "recorder.S");
_Static_assert(__builtin_offsetof(struct record, vgcf) == REC_VGCF, "recorder.S");
_Static_assert(sizeof(struct record) == REC_SIZE, "recorder.S");

struct start {				/* a piece of code, and what it begins with */
	u64 gpr[GPRS];
	struct target at;
	u64 how, vgcf;
};
_Static_assert(__builtin_offsetof(struct start, at) == START_IP, "recorder.S");
_Static_assert(__builtin_offsetof(struct start, how) == START_HOW, "recorder.S");

/* What the recorders have seen since the last go(), in order of entry; beyond
   RECORDS the last is written over. */
extern struct record seen[];
extern u64 seen_count;

/* Decides how an interruption ends; without one the first ends the code. Runs
   with events as the entry left them. */
typedef int record_handler(struct record *r);

int back_once(struct record *r);	/* the first returns by iret, the next leaves */

/* Runs the code until a handler decides to LEAVE; returns the first record. */
struct record *go(const struct start *s, record_handler *handler);

/* Code in kernel or user text with sentinels in all registers (sentinel()), its
   own stack, events open in RFLAGS (FLAG_IF) but masked in vcpu_info if kernel. */
struct start kernel_code(const void *ip);
#define CODE_FLAGS	(FLAG_IF | FLAG_FIXED)
struct start user_code(const void *ip);
u64 sentinel(enum gpr reg);
extern char kernel_code_stack[], user_code_stack[];	/* the tops */

/* Recorders in the trap table, at DPL 3 for vectors 3 and 4 only, entered with
   events masked; and for one vector with other flags (DPL | TI_EVENT_MASK). */
void catch_all(void);
void catch_vector(u8 vector, u8 flags);
/* A recorder as callback, CALLBACKTYPE_*. Returns 0 or -errno. */
long catch_callback(u16 type, u16 flags);
u64 recorder_of(u64 kind);		/* its address; 0 if the vector has none */

/* Print "ID: label" and the words of a frame, symbols and sentinels by name. */
void show_frame(const char *label, const struct record *r);
/* One line: vector or callback, error code, and where. */
void show_entry(const char *label, const struct record *r);
/* A value as name: a sentinel register, symbol+offset of code, or hex. */
const char *named(u64 v);
/* Names in named() for one more stretch of memory, until the demo ends. */
void name_range(const char *name, u64 from, u64 to);

/* Assembly in kernel or user text under a global name; labels in it begin with
   that name. CODE_NAME declares such a label. */
#define CODE_NAME(name) extern char name[]
#define NAME_CODE(code) name_range(#code, (u64)(code), (u64)code##_end)
#define KERNEL_CODE(name, text)						\
	CODE_NAME(name); CODE_NAME(name##_end);				\
	asm(".pushsection .text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" \
	    text "\n.globl " #name "_end\n" #name "_end: .size " #name ", . - " #name "\n.popsection")
#define USER_CODE(name, text)						\
	CODE_NAME(name); CODE_NAME(name##_end);				\
	asm(".pushsection .user.text, \"ax\"\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" \
	    text "\n.globl " #name "_end\n" #name "_end: .size " #name ", . - " #name "\n.popsection")

#endif /* !__ASSEMBLER__ */
#endif /* RECORD_H */
