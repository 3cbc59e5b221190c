/* boot.h - what the files of the BOOT demos share. */
#ifndef BOOT_H
#define BOOT_H

#include "rules.h"

/* The boot stack's page: the one behind the boot page tables (BOOT-07). */
static inline u64 boot_stack(void) { return start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE; }

#endif /* BOOT_H */
