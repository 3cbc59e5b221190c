package abi

// Schedulers (Xen public domctl.h); credit2 is the default.
const (
	SchedulerCredit  = 5
	SchedulerCredit2 = 6
)
