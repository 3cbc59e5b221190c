/* priv.h - the demos of PRIV, in a file for each kind of instruction. */
#ifndef PRIV_H
#define PRIV_H

#include "attempt.h"

/* priv_list.c: which instructions Xen emulates */
void priv_01(void), priv_05(void), priv_05_bad(void), priv_19(void);
/* priv_if.c: CLI, STI, POPF, HLT */
void priv_02(void), priv_02_bad(void), priv_03(void), priv_03_bad(void);
/* priv_cr.c: control registers, the FPU, XCR0, the time-stamp counter */
void priv_06(void), priv_06_bad(void), priv_14(void), priv_15(void), priv_17(void);
/* priv_base.c: bases of FS and GS */
void priv_04(void), priv_04_bad(void), priv_09(void), priv_10(void), priv_18(void);
/* priv_msr.c: the other MSRs, CPUID */
void priv_07(void), priv_07_bad(void), priv_08(void), priv_11(void), priv_12(void);
/* priv_io.c: ports, caches */
void priv_13(void), priv_16(void);
/* priv_machine.c: CPUID's leaves, the 8254 */
void priv_20(void), priv_21(void);

/* Virtual IOPL, by PHYSDEVOP_set_iopl; the framework puts it back to 0. */
void priv_iopl(u32 iopl);
/* The bits of CR4 as the guest gets to see them after MOV. Puts nothing back. */
u64 priv_cr4(u64 v);

#endif /* PRIV_H */
