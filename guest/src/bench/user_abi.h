/* user_abi.h - system calls of the bench kernel, for C and assembly. The numbers
   are none of Xen's hypercalls: code that only believes to be in user mode gets
   -ENOSYS from Xen for them. Number in RAX, argument in RDI, result in RAX. */
#ifndef USER_ABI_H
#define USER_ABI_H

#define SYS_EXIT	0x200		/* leave user mode; RDI is what run_user returns */
#define SYS_COUNT	0x201		/* how many calls there have been */

#endif /* USER_ABI_H */
