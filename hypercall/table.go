package hypercall

import "pvlab/hypercall/abi"

// Row describes one hypercall.
type Row struct {
	Number  int
	Name    string
	NArgs   int
	Support Support
	Note    string

	Ops Ops // empty if it has none

	run handler
}

// handler does one call for c, with its arguments in c.args, and returns the
// value of RAX. The error is *Unmodelled.
type handler func(c *Caller) (uint64, error)

// Rows lists all hypercalls in order of their numbers
// (xen/include/hypercall-defs.c).
func Rows() []Row {
	return []Row{
		{abi.HypSetTrapTable, "set_trap_table", 1, Full, "", Ops{}, setTrapTable},
		{abi.HypMMUUpdate, "mmu_update", 4, Full, "", mmuUpdateOps(), mmuUpdate},
		{abi.HypSetGDT, "set_gdt", 2, Full, "", Ops{}, setGDT},
		{abi.HypStackSwitch, "stack_switch", 2, Full, "", Ops{}, stackSwitch},
		{abi.HypSetCallbacks, "set_callbacks", 3, Full, "", Ops{}, setCallbacks},
		{abi.HypFPUTaskswitch, "fpu_taskswitch", 1, Full, "", Ops{}, fpuTaskswitch},
		{abi.HypSchedOpCompat, "sched_op_compat", 2, Full, "", schedCompatOps(), schedOpCompat},
		{abi.HypPlatformOp, "platform_op", 1, Partial, "what the host is; changes of it are loud", platformOps(), hostCall(platformOpSize, platformOpVersion)},
		{abi.HypSetDebugreg, "set_debugreg", 2, Full, "", Ops{}, setDebugreg},
		{abi.HypGetDebugreg, "get_debugreg", 1, Full, "", Ops{}, getDebugreg},
		{abi.HypUpdateDescriptor, "update_descriptor", 2, Full, "", Ops{}, updateDescriptor},
		{11, "unused", 0, NoSys, "", Ops{}, nil},
		{abi.HypMemoryOp, "memory_op", 2, Full, "", memoryOps(), memoryOp},
		{abi.HypMulticall, "multicall", 2, Full, "", Ops{}, multicall},
		{abi.HypUpdateVAMapping, "update_va_mapping", 3, Full, "", Ops{}, updateVAMapping},
		{abi.HypSetTimerOp, "set_timer_op", 1, Full, "", Ops{}, setTimerOp},
		{abi.HypEventChannelOpCompat, "event_channel_op_compat", 1, Full, "", eventChannelCompatOps(), eventChannelOpCompat},
		{abi.HypXenVersion, "xen_version", 2, Full, "", versionOps(), xenVersion},
		{abi.HypConsoleIO, "console_io", 3, Full, "", consoleOps(), consoleIO},
		{abi.HypPhysdevOpCompat, "physdev_op_compat", 1, Full, "", physdevCompatOps(), physdevOpCompat},
		{abi.HypGrantTableOp, "grant_table_op", 3, Full, "", grantTableOps(), grantTableOp},
		{abi.HypVMAssist, "vm_assist", 2, Full, "", vmAssistOps(), vmAssist},
		{abi.HypUpdateVAMappingOther, "update_va_mapping_otherdomain", 4, Full, "", Ops{}, updateVAMappingOther},
		{abi.HypIret, "iret", 0, Full, "", Ops{}, iret},
		{abi.HypVCPUOp, "vcpu_op", 3, Full, "", vcpuOps(), vcpuOp},
		{abi.HypSetSegmentBase, "set_segment_base", 2, Full, "", segmentBaseOps(), setSegmentBase},
		{abi.HypMMUExtOp, "mmuext_op", 4, Full, "", mmuextOps(), mmuextOp},
		{abi.HypXSMOp, "xsm_op", 1, NoSys, "no XSM policy is loaded", Ops{}, nil},
		{abi.HypNMIOp, "nmi_op", 2, Full, "", nmiOps(), nmiOp},
		{abi.HypSchedOp, "sched_op", 2, Full, "", schedOps(), schedOp},
		{abi.HypCallbackOp, "callback_op", 2, Full, "", callbackOps(), callbackOp},
		{abi.HypXenoprofOp, "xenoprof_op", 2, Partial, "the processor has no counters", xenoprofOps(), xenoprofOp},
		{abi.HypEventChannelOp, "event_channel_op", 2, Full, "no other domain has a channel to offer", eventChannelOps(), eventChannelOp},
		{abi.HypPhysdevOp, "physdev_op", 2, Full, "no PIRQ ever fires", physdevOps(), physdevOp},
		{abi.HypHVMOp, "hvm_op", 2, Full, "there is no HVM domain", hvmOps(), hvmOp},
		{abi.HypSysctl, "sysctl", 1, Partial, "what the host is; changes of it are loud", sysctlOps(), hostCall(sysctlSize, sysctlVersion)},
		{abi.HypDomctl, "domctl", 1, Partial, "on oneself; a second domain is loud", domctlOps(), domctl},
		{abi.HypKexecOp, "kexec_op", 2, Partial, "no image can be loaded", kexecOps(), kexecOp},
		{abi.HypTmemOp, "tmem_op", 0, NoSys, "", Ops{}, nil},
		{abi.HypArgoOp, "argo_op", 5, NoSys, "not compiled in", Ops{}, nil},
		{abi.HypXenPMUOp, "xenpmu_op", 2, Full, "the host has no vPMU", pmuOps(), xenPMUOp},
		{abi.HypDMOp, "dm_op", 3, Full, "there is no HVM domain", Ops{}, dmOp},
		{abi.HypHypfsOp, "hypfs_op", 5, Partial, "reading; writing is loud", hypfsOps(), hypfsOp},
		{abi.HypMCA, "mca", 1, Partial, "no machine check happens", mcaOps(), mca},
		{abi.HypPagingDomctlCont, "paging_domctl_cont", 1, Full, "", pagingDomctlOps(), pagingDomctlCont},
	}
}

// maxHypercall is above every number Xen knows.
const maxHypercall = 50

// Table is the rows indexed by number; the last one stands for all numbers
// beyond.
type Table [maxHypercall + 1]Row

// NewTable builds the table; numbers without a row answer -ENOSYS (HC-06).
func NewTable() *Table {
	t := &Table{}
	for i := range t {
		t[i] = Row{Number: i, Name: "unknown", Support: NoSys}
	}
	for _, r := range Rows() {
		t[r.Number] = r
	}
	return t
}

// Name of a hypercall number, "unknown" if there is none.
func (t *Table) Name(n uint64) string {
	return t[min(n, maxHypercall)].Name
}
