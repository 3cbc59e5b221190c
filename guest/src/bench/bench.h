/* bench.h - what the files of the bench kernel offer to each other. */
#ifndef BENCH_H
#define BENCH_H

#include "arch.h"
#include "user_abi.h"

/* platform.c: where we run, found from the entry point that was used. */
enum platform { PLATFORM_NATIVE, PLATFORM_XEN };
extern enum platform platform;
static inline bool on_xen(void) { return platform == PLATFORM_XEN; }

/* boot_*.S and the linker script */
extern char main_stack_top[], trap_stack[], trap_stack_top[], cell_stack[], cell_stack_top[];
extern char ist_df_stack_top[], ist_nmi_stack_top[], ap_ist_stack_top[];
extern char text_start[], text_end[], rodata_start[], rodata_end[], data_start[], data_end[];
extern char image_start[], image_end[];

/* string.c */
void *memcpy(void *to, const void *from, u64 n);
void *memset(void *to, int c, u64 n);
bool str_equal(const char *a, const char *b);

/* console.c */
void console_init(void);
void console_use_ring(void);
void console_write(const char *s, u64 len);

/* print.c: %s %c %d %u %x, with l for 64 bits and an optional 0 and width. */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void print_to(void (*put)(char), const char *fmt, __builtin_va_list ap);

/* cmdline.c */
void cmdline_set(const char *s);
const char *cmdline(void);
/* The value of "key=value" copied to buf, "" for a bare "key", NULL if absent. */
const char *cmdline_option(const char *key, char *buf, u64 size);
bool parse_u64(const char *s, u64 *value);

/* shutdown.c: none of these returns. */
void power_off(void) __attribute__((noreturn));
void reboot(void) __attribute__((noreturn));
void report_crash(void) __attribute__((noreturn));

/* panic.c */
void panic(const char *why) __attribute__((noreturn));
void panic_trap(struct pt_regs *regs, long vector) __attribute__((noreturn));
const char *vector_name(long vector);

/* traps.c: the kernel's own handlers, each vector has one. */
typedef void trap_handler(struct pt_regs *regs, long vector);
void do_trap(struct pt_regs *regs, long vector);
trap_handler *trap_handle(long vector, trap_handler *fn);	/* NULL: panic; returns the old one */
bool from_user(const struct pt_regs *regs);
u64 fault_address(void);

/* gates.c: the platform's table of handlers. */
void gates_init(void);
void gate_set(u8 vector, u64 stub);	/* 0: no handler */
void gates_clear(void);			/* no handler for anything */
void gates_load(void);			/* on a further CPU: the table as it is */
u64 kernel_stub(u8 vector);		/* the kernel's good stub, 0 if it has none */
u8 gate_dpl(u8 vector);

/* paging.c */
u64 frame_of(const void *p);		/* machine or physical frame of kernel memory */
void paging_init(void);
void paging_use(void);			/* native: the kernel's tables on this CPU */
int page_set(u64 va, u64 pte);		/* writes one L1 entry and drops the old translation */
void *area_map(u32 slot, u64 frame, u64 flags);
static inline u64 area_address(u32 slot) { return AREA_BASE + slot * PAGE_SIZE; }
enum area_slot {
	AREA_SHARED_INFO, AREA_CONSOLE, AREA_APIC, AREA_DEMAND, AREA_ALIAS,
	AREA_SNAP_0 = 8, AREA_SNAP_1,
	AREA_HOLE = 100,		/* never mapped */
};

/* cpu.c: segment bases, per-CPU data, system call entry, each by platform */
struct percpu {				/* GS points here; entry.S knows the offsets */
	u64 self;			/* its own address: reading %gs:0 tells the base */
	u64 kernel_sp;			/* native SYSCALL entry loads this */
	u64 user_sp;
	u64 cpu;			/* number: 0, 1 */
};
#define CPUS	2
extern struct percpu percpus[CPUS];
extern u64 fs_block;			/* FS points here, and it holds its own address */
void cpu_init(void);
void cpu_init_second(void);		/* on CPU 1 itself */
u64 this_cpu(void);
u64 gs_base(void);
u64 fs_base(void);
void trap_stack_set(void *top);		/* where traps from user mode push */
void cpu_native_init(u32 cpu);
void cpu_native_trap_stack(void *top);
void native_gate_write(u8 vector, u64 stub, u8 dpl);
void native_idt_load(void);

/* events.c: one set of names for Xen's event channels and the local APIC. */
void events_init(void);
u32 events_bind_ipi(u32 vcpu);		/* Xen: a port that interrupts the vCPU */
void events_mask(void);
void events_unmask(void);
bool events_masked(void);
void events_wait(void);			/* unmask, sleep until something came, mask */
void timer_arm(void);			/* one tick, about a millisecond from now */
void ipi_self(void);
void nmi_self(void);
extern volatile u64 timer_ticks, ipi_count, nmi_count;
extern void (*timer_hook)(struct pt_regs *regs);	/* called at a tick, or NULL */
void timer_tick(struct pt_regs *regs);
void do_upcall(struct pt_regs *regs);

/* apic.c */
#define APIC_VECTOR_IPI	0xfd
#define APIC_NMI	0x400		/* ICR commands: delivery mode, vector */
#define APIC_INIT	0x4500
#define APIC_STARTUP	0x4600		/* | page number of the code */
void apic_init(void);
void apic_enable(void);
u32 apic_id(void);
void apic_timer_arm(void);
void apic_icr(u32 id, u32 command);
void apic_self(u32 command);

/* user.S, usermode.S: run code in user mode until it makes the exit call. */
u64 run_user(u64 ip, u64 sp, u64 flags, u64 arg);
void user_exit(u64 value) __attribute__((noreturn));
void do_syscall(struct pt_regs *regs);
extern struct pt_regs syscall_regs;	/* as the last system call came in */

/* Commands, main.c lists them; value is what follows "=" on the command line. */
void cmd_selftest(const char *value);
void cmd_cell(const char *value);
void cmd_list(const char *value);
void cmd_int3(const char *value);
void cmd_snap(const char *value);
void cmd_smp(const char *value);

#endif /* BENCH_H */
