/*
 * xen.h - the part of Xen's public interface for 64-bit PV guests that the
 * bench kernel uses: numbers and layouts as in xen/include/public, under the
 * names used there.
 */
#ifndef XEN_H
#define XEN_H

/* ELF notes, owner "Xen" (public/elfnote.h). */
#define XEN_ELFNOTE_ENTRY		1
#define XEN_ELFNOTE_HYPERCALL_PAGE	2
#define XEN_ELFNOTE_VIRT_BASE		3
#define XEN_ELFNOTE_XEN_VERSION		5
#define XEN_ELFNOTE_GUEST_OS		6
#define XEN_ELFNOTE_GUEST_VERSION	7
#define XEN_ELFNOTE_LOADER		8
#define XEN_ELFNOTE_PAE_MODE		9
#define XEN_ELFNOTE_FEATURES		10
#define XEN_ELFNOTE_PHYS32_ENTRY	18

/* Hypercalls: slot n of the hypercall page is at n * 32. */
#define __HYPERVISOR_set_trap_table	0
#define __HYPERVISOR_mmu_update		1
#define __HYPERVISOR_set_gdt		2
#define __HYPERVISOR_stack_switch	3
#define __HYPERVISOR_fpu_taskswitch	5
#define __HYPERVISOR_update_va_mapping	14
#define __HYPERVISOR_set_timer_op	15
#define __HYPERVISOR_xen_version	17
#define __HYPERVISOR_console_io		18
#define __HYPERVISOR_iret		23
#define __HYPERVISOR_vcpu_op		24
#define __HYPERVISOR_set_segment_base	25
#define __HYPERVISOR_mmuext_op		26
#define __HYPERVISOR_sched_op		29
#define __HYPERVISOR_callback_op	30
#define __HYPERVISOR_event_channel_op	32

#define CONSOLEIO_write			0

#define SCHEDOP_yield			0
#define SCHEDOP_block			1
#define SCHEDOP_shutdown		2
#define SHUTDOWN_poweroff		0
#define SHUTDOWN_reboot			1
#define SHUTDOWN_crash			3

#define CALLBACKOP_register		0
#define CALLBACKTYPE_event		0
#define CALLBACKTYPE_failsafe		1
#define CALLBACKTYPE_syscall		2
#define CALLBACKTYPE_nmi		4
#define CALLBACKF_mask_events		1

#define UVMF_TLB_FLUSH			1
#define UVMF_INVLPG			2

#define MMUEXT_PIN_L2_TABLE		1
#define MMUEXT_PIN_L4_TABLE		3
#define MMUEXT_NEW_USER_BASEPTR		15
#define DOMID_SELF			0x7ff0

#define SEGBASE_FS			0
#define SEGBASE_GS_USER			1
#define SEGBASE_GS_KERNEL		2

#define EVTCHNOP_bind_virq		1
#define EVTCHNOP_send			4
#define EVTCHNOP_bind_ipi		7
#define EVTCHNOP_unmask			9
#define VIRQ_TIMER			0

#define VCPUOP_initialise		0
#define VCPUOP_up			1
#define VCPUOP_stop_periodic_timer	7
#define VCPUOP_send_nmi			11

#define VGCF_IN_KERNEL			4	/* vcpu_guest_context.flags */

/* trap_info.flags: the DPL, and this bit to enter with events masked. */
#define TI_EVENT_MASK			4

#ifndef __ASSEMBLER__
#include "arch.h"

struct start_info {
	char magic[32];
	u64 nr_pages;
	u64 shared_info;		/* machine address */
	u32 flags;
	u64 store_mfn;
	u32 store_evtchn;
	u64 console_mfn;		/* domU only */
	u32 console_evtchn;
	u64 pt_base;
	u64 nr_pt_frames;
	u64 mfn_list;
	u64 mod_start;
	u64 mod_len;
	char cmd_line[1024];
	u64 first_p2m_pfn;
	u64 nr_p2m_frames;
};
#define SIF_INITDOMAIN	2

struct vcpu_time_info {
	u32 version;			/* odd while Xen writes */
	u32 pad0;
	u64 tsc_timestamp;
	u64 system_time;		/* ns at tsc_timestamp */
	u32 tsc_to_system_mul;		/* fraction of 2^32 ns per (shifted) tick */
	signed char tsc_shift;
	u8 flags;
	u8 pad1[2];
};

struct vcpu_info {
	u8 evtchn_upcall_pending;
	u8 evtchn_upcall_mask;
	u64 evtchn_pending_sel;
	u64 cr2;
	u64 pad1;
	struct vcpu_time_info time;
};

struct shared_info {
	struct vcpu_info vcpu_info[32];
	u64 evtchn_pending[64];
	u64 evtchn_mask[64];
};

struct trap_info {
	u8 vector;
	u8 flags;
	u16 cs;
	u64 address;
};

struct callback_register {
	u16 type;
	u16 flags;
	u64 address;
};

struct mmu_update {
	u64 ptr;			/* machine address of the entry | command */
	u64 val;
};

struct mmuext_op {
	u32 cmd;
	u64 mfn;
	u64 arg2;
};

struct sched_shutdown { u32 reason; };
struct evtchn_bind_virq { u32 virq, vcpu, port; };
struct evtchn_bind_ipi { u32 vcpu, port; };
struct evtchn_send { u32 port; };

/* The domU console ring, one page (public/io/console.h). */
struct xencons_interface {
	char in[1024];
	char out[2048];
	u32 in_cons, in_prod;
	u32 out_cons, out_prod;
};

/* State a vCPU starts with (arch-x86/xen.h). */
struct vcpu_guest_context {
	u8 fpu_ctxt[512];
	u64 flags;
	struct {
		u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
		u32 error_code, entry_vector;
		u64 rip;
		u16 cs, pad0;
		u8 saved_upcall_mask, pad1[3];
		u64 rflags, rsp, ss, es, ds, fs, gs;
	} user_regs;
	struct trap_info trap_ctxt[256];
	u64 ldt_base, ldt_ents;
	u64 gdt_frames[16], gdt_ents;
	u64 kernel_ss, kernel_sp;
	u64 ctrlreg[8];
	u64 debugreg[8];
	u64 event_callback_eip, failsafe_callback_eip, syscall_callback_eip;
	u64 vm_assist;
	u64 fs_base, gs_base_kernel, gs_base_user;
};

extern char hypercall_page[];

/* One hypercall: up to four arguments, result or -errno. */
#define HYPERCALL(nr, a1, a2, a3, a4) ({					\
	long ret_;								\
	u64 a1_ = (u64)(a1), a2_ = (u64)(a2), a3_ = (u64)(a3);			\
	register u64 a4_ asm("r10") = (u64)(a4);				\
	asm volatile("call hypercall_page+%c[slot]"				\
		     : "=a"(ret_), "+D"(a1_), "+S"(a2_), "+d"(a3_), "+r"(a4_)	\
		     : [slot] "i"((nr) * 32)					\
		     : "memory", "rcx", "r8", "r11");				\
	ret_; })

static inline long HYPERVISOR_set_trap_table(const struct trap_info *t)
{ return HYPERCALL(__HYPERVISOR_set_trap_table, t, 0, 0, 0); }
static inline long HYPERVISOR_mmu_update(struct mmu_update *u, u32 n, u32 *done)
{ return HYPERCALL(__HYPERVISOR_mmu_update, u, n, done, DOMID_SELF); }
static inline long HYPERVISOR_set_gdt(u64 *frames, u32 entries)
{ return HYPERCALL(__HYPERVISOR_set_gdt, frames, entries, 0, 0); }
static inline long HYPERVISOR_stack_switch(u64 ss, u64 sp)
{ return HYPERCALL(__HYPERVISOR_stack_switch, ss, sp, 0, 0); }
static inline long HYPERVISOR_fpu_taskswitch(u64 set)
{ return HYPERCALL(__HYPERVISOR_fpu_taskswitch, set, 0, 0, 0); }
static inline long HYPERVISOR_update_va_mapping(u64 va, u64 pte, u64 flags)
{ return HYPERCALL(__HYPERVISOR_update_va_mapping, va, pte, flags, 0); }
static inline long HYPERVISOR_set_timer_op(u64 ns)
{ return HYPERCALL(__HYPERVISOR_set_timer_op, ns, 0, 0, 0); }
static inline long HYPERVISOR_xen_version(u32 cmd, void *arg)
{ return HYPERCALL(__HYPERVISOR_xen_version, cmd, arg, 0, 0); }
static inline long HYPERVISOR_console_io(u32 cmd, u32 len, const char *buf)
{ return HYPERCALL(__HYPERVISOR_console_io, cmd, len, buf, 0); }
static inline long HYPERVISOR_vcpu_op(u32 cmd, u32 vcpu, void *arg)
{ return HYPERCALL(__HYPERVISOR_vcpu_op, cmd, vcpu, arg, 0); }
static inline long HYPERVISOR_set_segment_base(u32 which, u64 base)
{ return HYPERCALL(__HYPERVISOR_set_segment_base, which, base, 0, 0); }
static inline long HYPERVISOR_mmuext_op(struct mmuext_op *op, u32 n, u32 *done)
{ return HYPERCALL(__HYPERVISOR_mmuext_op, op, n, done, DOMID_SELF); }
static inline long HYPERVISOR_sched_op(u32 cmd, void *arg)
{ return HYPERCALL(__HYPERVISOR_sched_op, cmd, arg, 0, 0); }
static inline long HYPERVISOR_callback_op(u32 cmd, void *arg)
{ return HYPERCALL(__HYPERVISOR_callback_op, cmd, arg, 0, 0); }
static inline long HYPERVISOR_event_channel_op(u32 cmd, void *arg)
{ return HYPERCALL(__HYPERVISOR_event_channel_op, cmd, arg, 0, 0); }

#endif /* !__ASSEMBLER__ */
#endif /* XEN_H */
