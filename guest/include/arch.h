/*
 * arch.h - what C and assembly of the bench kernel know about x86-64.
 * Layouts: Intel SDM vol. 3 (descriptors ch. 3, paging ch. 4, interrupts ch. 6).
 */
#ifndef ARCH_H
#define ARCH_H

/* Where the kernel is linked; its memory begins at this address plus 1 MiB.
   Physical (on Xen: pseudo-physical) address 0 is seen at KERNEL_BASE. */
#define KERNEL_BASE	0xffffffff80000000
/* Two MiB for mappings made at run time, one L1 table. */
#define AREA_BASE	0xffffffffc0000000

/* Segment selectors of the native GDT; the order is what SYSCALL and SYSRET ask. */
#define GDT_KERNEL_CS32	0x08
#define GDT_KERNEL_CS	0x10
#define GDT_KERNEL_DS	0x18
#define GDT_USER_CS32	0x23
#define GDT_USER_DS	0x2b
#define GDT_USER_CS	0x33
#define GDT_TSS		0x40
/* Data segments that are not present, of DPL 3 and 0: loading them faults. */
#define GDT_ABSENT_DS	0x50
#define GDT_ABSENT_DS0	0x58
#define GDT_TSS1	0x60		/* of the second CPU */
#define GDT_SIZE	0x70
#define DESC_ABSENT_DS	0x00cf73000000ffff
/* Selectors that Xen has put into every PV guest's GDT (xen-x86_64.h). */
#define FLAT_CS		0xe033
#define FLAT_DS		0xe02b

#define FLAG_CF		0x001
#define FLAG_FIXED	0x002
#define FLAG_AF		0x010
#define FLAG_SF		0x080
#define FLAG_TF		0x100
#define FLAG_IF		0x200
#define FLAG_DF		0x400
#define FLAG_OF		0x800

#define MSR_EFER	0xc0000080
#define EFER_SCE	0x001
#define EFER_LME	0x100
#define EFER_NXE	0x800
#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_SFMASK	0xc0000084
#define MSR_FS_BASE	0xc0000100
#define MSR_GS_BASE	0xc0000101
#define MSR_USER_GS_BASE 0xc0000102	/* the one SWAPGS brings in */

#define CR0_PE		(1 << 0)
#define CR0_MP		(1 << 1)
#define CR0_TS		(1 << 3)
#define CR0_NE		(1 << 5)
#define CR0_WP		(1 << 16)
#define CR0_PG		(1 << 31)
#define CR4_PAE		(1 << 5)
#define CR4_PGE		(1 << 7)
#define CR4_OSFXSR	(1 << 9)
#define CR4_SMEP	(1 << 20)
#define CR4_SMAP	(1 << 21)

#define PTE_P		0x001
#define PTE_RW		0x002
#define PTE_US		0x004
#define PTE_PCD		0x010
#define PTE_A		0x020
#define PTE_D		0x040
#define PTE_PS		0x080
#define PTE_G		0x100

/* Offsets in struct pt_regs. */
#define PT_R15		0x00
#define PT_R11		0x30
#define PT_RAX		0x50
#define PT_RCX		0x58
#define PT_RDI		0x70
#define PT_ORIG		0x78
#define PT_IP		0x80

#define PAGE_SIZE	4096

#ifndef __ASSEMBLER__

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef _Bool bool;
#define true		1
#define false		0
#define NULL		((void *)0)
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

#define PTE_NX		(1UL << 63)
#define PTE_FRAME	0x000ffffffffff000UL

/* Registers as an entry stub has stored them, lowest address first; the order
   is that of Linux. orig is the error code, or -1 if the vector has none. */
struct pt_regs {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 orig;
	u64 ip, cs, flags, sp, ss;
};

static inline void outb(u16 port, u8 v) { asm volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline void outw(u16 port, u16 v) { asm volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
static inline u8 inb(u16 port)
{
	u8 v;
	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void wrmsr(u32 msr, u64 v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;
	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (u64)hi << 32;
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;
	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (u64)hi << 32;
}

#define READ_REG(name, reg)					\
static inline u64 name(void)					\
{								\
	u64 v;							\
	asm volatile("mov %%" reg ", %0" : "=r"(v) : : "memory");	\
	return v;						\
}
READ_REG(read_cr0, "cr0")
READ_REG(read_cr2, "cr2")
READ_REG(read_cr3, "cr3")
READ_REG(read_cr4, "cr4")
READ_REG(read_dr6, "dr6")
#undef READ_REG

static inline void write_cr0(u64 v) { asm volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(u64 v) { asm volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(u64 v) { asm volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static inline void write_dr6(u64 v) { asm volatile("mov %0, %%dr6" : : "r"(v)); }
static inline void invlpg(u64 va) { asm volatile("invlpg (%0)" : : "r"(va) : "memory"); }
static inline u64 read_flags(void)
{
	u64 v;
	asm volatile("pushfq; popq %0" : "=r"(v) : : "memory");
	return v;
}
static inline void cpuid(u32 leaf, u32 sub, u32 out[4])
{
	asm volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			     : "a"(leaf), "c"(sub));
}
static inline void barrier(void) { asm volatile("" : : : "memory"); }
static inline void relax(void) { asm volatile("pause" : : : "memory"); }

#endif /* !__ASSEMBLER__ */
#endif /* ARCH_H */
