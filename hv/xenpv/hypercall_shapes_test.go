package xenpv_test

// What the structures of hypercalls look like, for the fuzzer: a letter for
// each field.
//
//	d domain id u16       D the same, where the caller goes by its number
//	m frame u64           e page-table entry u64    u machine address with a command u64
//	a address u64         t time u64                p port u32
//	v vCPU or CPU u32     c scheduler u32           r grant reference u32
//	n count u32           N count u64               S small count u64
//	f small number u32    V version u32             Z mostly 0, u32
//	y kind of power state u32
//	x anything u32        X anything u64            h anything u16
//	b anything u8         . byte of padding
//	* everything behind it again, some times
var shapes = map[string]string{
	"mmu_update": "*ue", "set_gdt": "*m", "set_trap_table": "*bbha",

	"EVTCHNOP_bind_interdomain": "d..pp", "EVTCHNOP_bind_virq": "fvp", "EVTCHNOP_bind_pirq": "ffp", "EVTCHNOP_close": "p",
	"EVTCHNOP_send": "p", "EVTCHNOP_status": "d..pxxxx", "EVTCHNOP_alloc_unbound": "ddp", "EVTCHNOP_bind_ipi": "vp",
	"EVTCHNOP_bind_vcpu": "pv", "EVTCHNOP_unmask": "p", "EVTCHNOP_reset": "d", "EVTCHNOP_reset_cont": "d",
	"EVTCHNOP_init_control": "mfvb", "EVTCHNOP_expand_array": "m", "EVTCHNOP_set_priority": "pf",

	"VCPUOP_register_runstate_memory_area": "a", "VCPUOP_register_vcpu_time_memory_area": "a", "VCPUOP_set_periodic_timer": "t",
	"VCPUOP_set_singleshot_timer": "tf", "VCPUOP_register_vcpu_info": "mff",

	"SCHEDOP_shutdown": "f", "SCHEDOP_shutdown_code": "f", "SCHEDOP_poll": "anxt", "SCHEDOP_remote_shutdown": "d..f",
	"SCHEDOP_watchdog": "ff", "SCHEDOP_pin_override": "x",

	"PHYSDEVOP_irq_status_query": "pf", "PHYSDEVOP_set_iopl": "f", "PHYSDEVOP_set_iobitmap": "an", "PHYSDEVOP_apic_read": "Xff",
	"PHYSDEVOP_apic_write": "Xfx", "PHYSDEVOP_alloc_irq_vector": "ff", "PHYSDEVOP_eoi": "p",
	"PHYSDEVOP_map_pirq": "d..fffffX", "PHYSDEVOP_unmap_pirq": "d..f", "PHYSDEVOP_manage_pci_add": "bb",
	"PHYSDEVOP_manage_pci_remove": "bb", "PHYSDEVOP_pirq_eoi_gmfn_v1": "m", "PHYSDEVOP_pirq_eoi_gmfn_v2": "m",
	"PHYSDEVOP_restore_msi": "bb", "PHYSDEVOP_manage_pci_add_ext": "bbffbb", "PHYSDEVOP_setup_gsi": "fbb",
	"PHYSDEVOP_get_free_pirq": "ff", "PHYSDEVOP_pci_mmcfg_reserved": "Xhbbf", "PHYSDEVOP_pci_device_add": "hbbfbbf",
	"PHYSDEVOP_pci_device_remove": "hbb", "PHYSDEVOP_restore_msi_ext": "hbb", "PHYSDEVOP_dbgp_op": "bb..hbb",
	"PHYSDEVOP_prepare_msix": "hbb", "PHYSDEVOP_release_msix": "hbb",

	"GNTTABOP_map_grant_ref": "*afrdhxX", "GNTTABOP_unmap_grant_ref": "*aXxh..", "GNTTABOP_setup_table": "d..nh......a",
	"GNTTABOP_dump_table": "dh", "GNTTABOP_transfer": "*md..rh......", "GNTTABOP_copy": "*mdhmdhhhh..",
	"GNTTABOP_query_size": "d..nnh", "GNTTABOP_unmap_and_replace": "*aaxh..", "GNTTABOP_set_version": "V",
	"GNTTABOP_get_status_frames": "nd.h.....a", "GNTTABOP_get_version": "dhf", "GNTTABOP_swap_grant_ref": "*rrh..",
	"GNTTABOP_cache_flush": "*Xhhf",

	"XENMEM_increase_reservation": "aSZfd", "XENMEM_decrease_reservation": "aSZfd", "XENMEM_populate_physmap": "aSZfd",
	"XENMEM_current_reservation": "d", "XENMEM_maximum_reservation": "d", "XENMEM_maximum_gpfn": "d",
	"XENMEM_machphys_mfn_list": "nxan", "XENMEM_machphys_compat_mfn_list": "nxan", "XENMEM_add_to_physmap": "dhfNm",
	"XENMEM_memory_map": "nxa", "XENMEM_machine_memory_map": "nxa", "XENMEM_set_memory_map": "D......nxa",
	"XENMEM_exchange": "aSZZd......aSZZd......Z", "XENMEM_remove_from_physmap": "D......m", "XENMEM_set_pod_target": "NNNNd",
	"XENMEM_get_pod_target": "NNNNd", "XENMEM_access_op": "bbd....naa", "XENMEM_add_to_physmap_batch": "dhhhaaa",
	"XENMEM_claim_pages": "aNffd", "XENMEM_get_vnumainfo": "d..xnnnxaaaa", "XENMEM_reserved_device_memory_map": "nxah",
	"XENMEM_acquire_resource": "dhfnxNa",

	"mmuext_op": "*fxme", "CALLBACKOP_register": "hh....a", "CALLBACKOP_unregister": "hh", "XENNMI_register_callback": "aX",
	"XENVER_get_features": "fx", "XENVER_build_id": "nx",

	"dm_op": "*aN", "HVMOP_set_param": "dhfX", "HVMOP_get_param": "dhfX", "HVMOP_pagetable_dying": "dhhhX",
	"HVMOP_xentrace": "hhX", "HVMOP_get_mem_type": "dhhhN", "KEXEC_CMD_kexec_load": "bbhnaX*aNXX",
	"KEXEC_CMD_kexec_get_range": "ffXX",

	// Of the tools' calls: what follows command and version.
	"XENPF_resource_op": "nva", "XENPF_get_cpuinfo": "v", "XENPF_settime64": "Xxft", "XENPF_set_processor_pminfo": "vfa",
	"XEN_SYSCTL_readconsole": "bbhxan", "XEN_SYSCTL_tbuf_op": "fxanxX", "XEN_SYSCTL_getdomaininfolist": "d..nan",
	"XEN_SYSCTL_debug_keys": "an", "XEN_SYSCTL_getcpuinfo": "nxa", "XEN_SYSCTL_availheap": "fff", "XEN_SYSCTL_get_pmstat": "yvffXaa",
	"XEN_SYSCTL_page_offline_op": "fnnxa", "XEN_SYSCTL_cputopoinfo": "nxa", "XEN_SYSCTL_numainfo": "nxaa",
	"XEN_SYSCTL_cpupool_op": "ffffvfan", "XEN_SYSCTL_scheduler_op": "ZcfZf", "XEN_SYSCTL_pcitopoinfo": "nxaa",
	"XEN_SYSCTL_get_cpu_featureset": "fna", "XEN_SYSCTL_livepatch_op": "ff*fanf", "XEN_SYSCTL_get_cpu_policy": "fnnfaa",
	"XEN_DOMCTL_setvcpuaffinity": "D......vfanxanx", "XEN_DOMCTL_getvcpuaffinity": "D......vfanxanx",
	"XEN_DOMCTL_getvcpucontext": "D......vxa", "XEN_DOMCTL_getvcpuinfo": "D......v", "XEN_DOMCTL_scheduler_op": "D......cfhh",
	"XEN_DOMCTL_max_mem": "D......N", "XEN_DOMCTL_iomem_permission": "D......mNb", "XEN_DOMCTL_memory_mapping": "D......NmNf",
	"XEN_DOMCTL_ioport_permission": "D......ffb", "XEN_DOMCTL_irq_permission": "D......fb", "XEN_DOMCTL_hypercall_init": "D......m",
	"XEN_DOMCTL_getpageframeinfo3": "D......Na", "XEN_DOMCTL_setnodeaffinity": "D......an", "XEN_DOMCTL_getnodeaffinity": "D......an",
	"XEN_DOMCTL_sendtrigger": "D......fv", "XEN_DOMCTL_vm_event_op": "D......fff", "XEN_DOMCTL_setvnumainfo": "D......nnvf",
	"XEN_DOMCTL_get_cpu_policy": "D......nnaa", "XEN_MC_fetch": "ffXa", "XEN_MC_physcpuinfo": "nxa", "XEN_MC_inject_v2": "fxan",
}

// fieldSize of each letter.
var fieldSize = map[byte]int{'d': 2, 'v': 4, 'm': 8, 'e': 8, 'a': 8, 'p': 4, 'n': 4, 'N': 8, 'r': 4, 'f': 4, 'x': 4, 'X': 8, 'h': 2,
	'b': 1, '.': 1, 't': 8, 'u': 8, 'D': 2, 'c': 4, 'y': 4, 'S': 8, 'V': 4, 'Z': 4}
