/* xen_rules.h - more of Xen's public interface than the bench kernel uses, for
   demos; names and numbers as in xen/include/public. */
#ifndef XEN_RULES_H
#define XEN_RULES_H

#include "xen.h"

#define __HYPERVISOR_set_callbacks	4
#define __HYPERVISOR_set_debugreg	8
#define __HYPERVISOR_get_debugreg	9
#define __HYPERVISOR_update_descriptor	10
#define __HYPERVISOR_multicall		13
#define __HYPERVISOR_vm_assist		21
#define __HYPERVISOR_nmi_op		28
#define __HYPERVISOR_physdev_op		33

#define CALLBACKOP_unregister		1
#define CALLBACKTYPE_sysenter		5
#define CALLBACKTYPE_syscall32		7

#define PHYSDEVOP_set_iopl		6
#define PHYSDEVOP_set_iobitmap		7

#define VMASST_CMD_enable		0
#define VMASST_CMD_disable		1
#define VMASST_TYPE_writable_pagetables	2
#define VMASST_TYPE_architectural_iopl	4

#define VGCF_IN_SYSCALL			0x100	/* a flag of iret */

#define HOLE_START			0xffff800000000000	/* Xen's own addresses */
#define HOLE_END			0xffff880000000000
#define M2P_START			HOLE_START

#define MMUEXT_NEW_BASEPTR		5
#define MMUEXT_INVLPG_LOCAL		7
#define MMUEXT_FLUSH_CACHE		12
#define MMUEXT_SET_LDT		13

#define SEGBASE_GS_USER_SEL		3

#ifndef __ASSEMBLER__
struct multicall_entry { u64 op, result, args[6]; };
struct physdev_set_iobitmap { u64 bitmap; u32 nr_ports; };

static inline long HYPERVISOR_set_callbacks(u64 event, u64 failsafe, u64 syscall)
{ return HYPERCALL(__HYPERVISOR_set_callbacks, event, failsafe, syscall, 0); }
static inline long HYPERVISOR_set_debugreg(u64 reg, u64 v)
{ return HYPERCALL(__HYPERVISOR_set_debugreg, reg, v, 0, 0); }
static inline long HYPERVISOR_get_debugreg(u64 reg)
{ return HYPERCALL(__HYPERVISOR_get_debugreg, reg, 0, 0, 0); }
static inline long HYPERVISOR_update_descriptor(u64 ma, u64 desc)
{ return HYPERCALL(__HYPERVISOR_update_descriptor, ma, desc, 0, 0); }
static inline long HYPERVISOR_multicall(struct multicall_entry *calls, u64 n)
{ return HYPERCALL(__HYPERVISOR_multicall, calls, n, 0, 0); }
static inline long HYPERVISOR_vm_assist(u64 cmd, u64 type)
{ return HYPERCALL(__HYPERVISOR_vm_assist, cmd, type, 0, 0); }
static inline long HYPERVISOR_physdev_op(u64 cmd, void *arg)
{ return HYPERCALL(__HYPERVISOR_physdev_op, cmd, arg, 0, 0); }
#endif

#endif /* XEN_RULES_H */
