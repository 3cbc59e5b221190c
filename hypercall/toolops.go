package hypercall

import "slices"

// The operations of the calls in toolstack.go.

func platformOps() Ops {
	return Ops{inStruct, mask32, slices.Concat(
		each(Absent, Denied, 17, "XENPF_settime32"),
		each(Absent, Denied, 31, "XENPF_add_memtype", "XENPF_del_memtype", "XENPF_read_memtype"),
		each(Absent, Denied, 35, "XENPF_microcode_update"),
		each(Absent, Denied, 39, "XENPF_platform_quirk"),
		each(Absent, Denied, 48, "XENPF_get_cpu_version", "XENPF_efi_runtime_call", "XENPF_firmware_info", "XENPF_enter_acpi_sleep",
			"XENPF_change_freq", "XENPF_getidletime", "XENPF_set_processor_pminfo", "XENPF_get_cpuinfo", "XENPF_cpu_online",
			"XENPF_cpu_offline", "XENPF_cpu_hotadd", "XENPF_mem_hotadd", "XENPF_core_parking", "XENPF_resource_op",
			"XENPF_settime64", "XENPF_get_symbol"),
	)}
}

func sysctlOps() Ops {
	return Ops{inStruct, mask32, slices.Concat(
		each(Absent, Denied, 1, "XEN_SYSCTL_readconsole", "XEN_SYSCTL_tbuf_op", "XEN_SYSCTL_physinfo", "XEN_SYSCTL_sched_id",
			"XEN_SYSCTL_perfc_op", "XEN_SYSCTL_getdomaininfolist", "XEN_SYSCTL_debug_keys", "XEN_SYSCTL_getcpuinfo",
			"XEN_SYSCTL_availheap", "XEN_SYSCTL_get_pmstat", "XEN_SYSCTL_cpu_hotplug", "XEN_SYSCTL_pm_op"),
		each(Absent, Denied, 14, "XEN_SYSCTL_page_offline_op", "XEN_SYSCTL_lockprof_op", "XEN_SYSCTL_cputopoinfo", "XEN_SYSCTL_numainfo",
			"XEN_SYSCTL_cpupool_op", "XEN_SYSCTL_scheduler_op", "XEN_SYSCTL_coverage_op", "XEN_SYSCTL_psr_cmt_op",
			"XEN_SYSCTL_pcitopoinfo", "XEN_SYSCTL_psr_alloc"),
		each(Absent, Denied, 25, "XEN_SYSCTL_get_cpu_levelling_caps", "XEN_SYSCTL_get_cpu_featureset", "XEN_SYSCTL_livepatch_op"),
		each(Absent, Denied, 29, "XEN_SYSCTL_get_cpu_policy"),
	)}
}

func domctlOps() Ops {
	return Ops{inStruct, mask32, slices.Concat(
		each(Absent, Denied, 1, "XEN_DOMCTL_createdomain", "XEN_DOMCTL_destroydomain", "XEN_DOMCTL_pausedomain",
			"XEN_DOMCTL_unpausedomain", "XEN_DOMCTL_getdomaininfo"),
		each(Absent, Denied, 9, "XEN_DOMCTL_setvcpuaffinity", "XEN_DOMCTL_shadow_op", "XEN_DOMCTL_max_mem", "XEN_DOMCTL_setvcpucontext",
			"XEN_DOMCTL_getvcpucontext", "XEN_DOMCTL_getvcpuinfo", "XEN_DOMCTL_max_vcpus", "XEN_DOMCTL_scheduler_op",
			"XEN_DOMCTL_setdomainhandle", "XEN_DOMCTL_setdebugging", "XEN_DOMCTL_irq_permission", "XEN_DOMCTL_iomem_permission",
			"XEN_DOMCTL_ioport_permission", "XEN_DOMCTL_hypercall_init", "XEN_DOMCTL_soft_reset_cont", "XEN_DOMCTL_settimeoffset",
			"XEN_DOMCTL_getvcpuaffinity", "XEN_DOMCTL_real_mode_area", "XEN_DOMCTL_resumedomain", "XEN_DOMCTL_sendtrigger",
			"XEN_DOMCTL_subscribe"),
		each(Absent, Denied, 33, "XEN_DOMCTL_gethvmcontext", "XEN_DOMCTL_sethvmcontext", "XEN_DOMCTL_set_address_size",
			"XEN_DOMCTL_get_address_size", "XEN_DOMCTL_assign_device", "XEN_DOMCTL_bind_pt_irq", "XEN_DOMCTL_memory_mapping",
			"XEN_DOMCTL_ioport_mapping"),
		each(Absent, Denied, 42, "XEN_DOMCTL_set_ext_vcpucontext", "XEN_DOMCTL_get_ext_vcpucontext", "XEN_DOMCTL_set_opt_feature",
			"XEN_DOMCTL_test_assign_device", "XEN_DOMCTL_set_target", "XEN_DOMCTL_deassign_device", "XEN_DOMCTL_unbind_pt_irq"),
		each(Absent, Denied, 50, "XEN_DOMCTL_get_device_group"),
		each(Absent, Denied, 54, "XEN_DOMCTL_debug_op", "XEN_DOMCTL_gethvmcontext_partial", "XEN_DOMCTL_vm_event_op",
			"XEN_DOMCTL_mem_sharing_op"),
		each(Absent, Denied, 59, "XEN_DOMCTL_gettscinfo", "XEN_DOMCTL_settscinfo", "XEN_DOMCTL_getpageframeinfo3",
			"XEN_DOMCTL_setvcpuextstate", "XEN_DOMCTL_getvcpuextstate", "XEN_DOMCTL_set_access_required", "XEN_DOMCTL_audit_p2m",
			"XEN_DOMCTL_set_virq_handler", "XEN_DOMCTL_set_broken_page_p2m", "XEN_DOMCTL_setnodeaffinity",
			"XEN_DOMCTL_getnodeaffinity"),
		each(Absent, Denied, 71, "XEN_DOMCTL_cacheflush", "XEN_DOMCTL_get_vcpu_msrs", "XEN_DOMCTL_set_vcpu_msrs",
			"XEN_DOMCTL_setvnumainfo", "XEN_DOMCTL_psr_cmt_op"),
		each(Absent, Denied, 77, "XEN_DOMCTL_monitor_op", "XEN_DOMCTL_psr_alloc", "XEN_DOMCTL_soft_reset"),
		each(Absent, Denied, 81, "XEN_DOMCTL_vuart_op", "XEN_DOMCTL_get_cpu_policy", "XEN_DOMCTL_set_cpu_policy",
			"XEN_DOMCTL_vmtrace_op", "XEN_DOMCTL_get_paging_mempool_size", "XEN_DOMCTL_set_paging_mempool_size"),
		each(Absent, Denied, 1000, "XEN_DOMCTL_gdbsx_guestmemio", "XEN_DOMCTL_gdbsx_pausevcpu", "XEN_DOMCTL_gdbsx_unpausevcpu",
			"XEN_DOMCTL_gdbsx_domstatus"),
	)}
}

func pagingDomctlOps() Ops {
	return Ops{inStruct, mask32, both(Absent, 10, "XEN_DOMCTL_shadow_op")}
}

func mcaOps() Ops {
	return Ops{inStruct, mask32, each(Absent, Denied, 1, "XEN_MC_fetch", "XEN_MC_notifydomain", "XEN_MC_physcpuinfo",
		"XEN_MC_msrinject", "XEN_MC_mceinject", "XEN_MC_inject_v2")}
}

func kexecOps() Ops {
	return Ops{inArg, mask64, each(Absent, Denied, 0, "KEXEC_CMD_kexec", "KEXEC_CMD_kexec_load_v1", "KEXEC_CMD_kexec_unload_v1",
		"KEXEC_CMD_kexec_get_range", "KEXEC_CMD_kexec_load", "KEXEC_CMD_kexec_unload", "KEXEC_CMD_kexec_status")}
}

func hypfsOps() Ops {
	return Ops{inArg, mask32, slices.Concat(
		each(Full, Denied, 0, "XEN_HYPFS_OP_get_version"),
		each(Absent, Denied, 1, "XEN_HYPFS_OP_read", "XEN_HYPFS_OP_write_contents"),
	)}
}

func hvmOps() Ops {
	return Ops{inArg, mask64, slices.Concat(
		both(Absent, 0, "HVMOP_set_param", "HVMOP_get_param"),
		both(Absent, 5, "HVMOP_flush_tlbs"),
		both(Absent, 9, "HVMOP_pagetable_dying", "HVMOP_get_time", "HVMOP_xentrace"),
		both(Absent, 15, "HVMOP_get_mem_type"),
		both(Absent, 23, "HVMOP_set_evtchn_upcall_vector", "HVMOP_guest_request_vm_event", "HVMOP_altp2m"),
	)}
}

func xenoprofOps() Ops {
	return Ops{inArg, mask32, slices.Concat(
		both(Absent, 0, "XENOPROF_init"),
		both(Denied, 1, "XENOPROF_reset_active_list", "XENOPROF_reset_passive_list", "XENOPROF_set_active", "XENOPROF_set_passive",
			"XENOPROF_reserve_counters", "XENOPROF_counter", "XENOPROF_setup_events"),
		both(Absent, 8, "XENOPROF_enable_virq"),
		both(Denied, 9, "XENOPROF_start", "XENOPROF_stop"),
		both(Absent, 11, "XENOPROF_disable_virq"),
		both(Denied, 12, "XENOPROF_release_counters", "XENOPROF_shutdown"),
		both(Absent, 14, "XENOPROF_get_buffer"),
		both(Denied, 15, "XENOPROF_set_backtrace", "XENOPROF_get_ibs_caps", "XENOPROF_ibs_counter"),
	)}
}
