/* areas.c - the areas of the rule book that have demos. */
#include "rules.h"

extern const struct demo boot_demos[], boot_cpu_demos[], boot_start_demos[];
extern const struct demo hc_demos[], hc_batch_demos[], hc_mode_demos[], hc_table_demos[];
extern const struct demo frame_demos[], frame_gate_demos[];
extern const struct demo callback_demos[], callback_nmi_demos[], mm_demos[];
extern const struct demo iret_demos[], iret_mode_demos[];
extern const struct demo debug_demos[], debug_reg_demos[];
extern const struct demo priv_demos[], seg_demos[];
extern const struct demo evt_demos[], evt_time_demos[], evt_port_ops_demos[];
extern const struct demo evt_periodic_demos[], evt_vcpu_demos[], evt_pirq_demos[], evt_fifo_demos[];
extern const struct demo evt_sched_demos[], evt_many_demos[], evt_fpu_demos[], callback_switch_demos[];
extern const struct demo crash_demos[], crash_not_demos[], crash_vcpu_demos[];
extern const struct demo nat_gate_demos[], nat_return_demos[], abi_demos[];
extern const struct demo hist_demos[];
extern const struct demo hc_width_demos[];
extern const struct demo tool_sysctl_demos[], tool_platform_demos[], tool_domctl_demos[], tool_misc_demos[];
extern const struct demo gnt_demos[], mm_grant_demos[];

const struct area areas[] = {
	{ "BOOT", boot_demos },
	{ "BOOT", boot_cpu_demos },
	{ "BOOT", boot_start_demos },
	{ "HC", hc_demos },
	{ "HC", hc_batch_demos },
	{ "HC", hc_mode_demos },
	{ "HC", hc_table_demos },
	{ "HC", hc_width_demos },
	{ "FRAME", frame_demos },
	{ "FRAME", frame_gate_demos },	/* an area may have several rows */
	{ "CB", callback_demos },
	{ "CB", callback_nmi_demos },
	{ "CB", callback_switch_demos },
	{ "IRET", iret_demos },
	{ "IRET", iret_mode_demos },
	{ "DBG", debug_demos },
	{ "DBG", debug_reg_demos },
	{ "PRIV", priv_demos },
	{ "SEG", seg_demos },
	{ "EVT", evt_demos },
	{ "EVT", evt_time_demos },
	{ "EVT", evt_port_ops_demos },
	{ "EVT", evt_periodic_demos },
	{ "EVT", evt_vcpu_demos },
	{ "EVT", evt_fifo_demos },
	{ "EVT", evt_pirq_demos },
	{ "EVT", evt_sched_demos },
	{ "EVT", evt_many_demos },
	{ "EVT", evt_fpu_demos },
	{ "MM", mm_demos },
	{ "MM", mm_grant_demos },
	{ "GNT", gnt_demos },
	{ "TOOL", tool_sysctl_demos },
	{ "TOOL", tool_platform_demos },
	{ "TOOL", tool_domctl_demos },
	{ "TOOL", tool_misc_demos },
	{ "CRASH", crash_demos },
	{ "CRASH", crash_vcpu_demos },
	{ "CRASH", crash_not_demos },
	{ "NAT", nat_gate_demos },
	{ "NAT", nat_return_demos },
	{ "ABI", abi_demos },
	{ "HIST", hist_demos },
	{ NULL, NULL },
};
