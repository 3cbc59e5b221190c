/* tool.h - calls of the toolstack as rows of a table: a structure is filled, the
   call made, and what it answered is printed. */
#ifndef TOOL_H
#define TOOL_H

#include "hc.h"

struct tool_field { u8 at, size; u64 value; };	/* size 0 ends a list */

struct tool_step {
	const char *what;
	u32 cmd;
	struct tool_field in[6];
	/* 32-bit words of the structure, and of tool_data, that depend on the
	   machine: bit n is word n. They are not printed. */
	u64 hide, hide_data;
};

/* Where the structures' pointers point. */
extern u8 tool_data[PAGE_SIZE];
#define TOOL_DATA	((u64)tool_data)

/* Structures of sysctl, platform_op and mca: command, version, union from 8 on; of
   domctl: domain at 8, union from 16 on. */
#define SYSCTL_VERSION		0x15
#define DOMCTL_VERSION		0x15
#define PLATFORM_VERSION	0x03000001
#define MCA_VERSION		0x01ecc003
void tool_steps(u32 call, u32 version, const struct tool_step *steps, u32 n);
/* Prints the result, and which words of the structure and of tool_data are not 0
   or, of the structure, were changed. */
void tool_show(const char *what, long result, const u32 *was, const u32 *is, u32 words,
	       u64 hide, u64 hide_data);

#endif /* TOOL_H */
