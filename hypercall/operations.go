package hypercall

import (
	"slices"

	"pvlab/hypercall/abi"
)

// The operations of the calls about memory, events, vCPUs and interrupts;
// those of the other calls stand beside their handlers.

func schedOps() Ops {
	return Ops{inArg, mask32, slices.Concat(
		both(Full, 0, "SCHEDOP_yield", "SCHEDOP_block", "SCHEDOP_shutdown", "SCHEDOP_poll", "SCHEDOP_remote_shutdown",
			"SCHEDOP_shutdown_code", "SCHEDOP_watchdog"),
		each(Full, Denied, abi.SchedOpPinOverride, "SCHEDOP_pin_override"),
	)}
}

func schedCompatOps() Ops {
	return Ops{inArg, mask32, both(Full, 0, "SCHEDOP_yield", "SCHEDOP_block", "SCHEDOP_shutdown")}
}

func vcpuOps() Ops {
	return Ops{inArg, mask32, []SubOp{
		{0, "VCPUOP_initialise", Full, Full, "", nil},
		{1, "VCPUOP_up", Full, Full, "", nil},
		{2, "VCPUOP_down", Full, Full, "", nil},
		{3, "VCPUOP_is_up", Full, Full, "", nil},
		{4, "VCPUOP_get_runstate_info", Full, Full, "", nil},
		{5, "VCPUOP_register_runstate_memory_area", Full, Full, "", nil},
		{6, "VCPUOP_set_periodic_timer", Full, Full, "", nil},
		{7, "VCPUOP_stop_periodic_timer", Full, Full, "", nil},
		{8, "VCPUOP_set_singleshot_timer", Full, Full, "", nil},
		{9, "VCPUOP_stop_singleshot_timer", Full, Full, "", nil},
		{10, "VCPUOP_register_vcpu_info", Full, Full, "", nil},
		{11, "VCPUOP_send_nmi", Full, Full, "", nil},
		{12, "VCPUOP_get_physid", Full, Always(abi.EINVAL), "", nil},
		{13, "VCPUOP_register_vcpu_time_memory_area", Full, Full, "", nil},
	}}
}

func eventChannelOps() Ops {
	return Ops{inArg, mask32, []SubOp{
		{0, "EVTCHNOP_bind_interdomain", Full, Full, "", nil},
		{1, "EVTCHNOP_bind_virq", Full, Full, "", nil},
		{2, "EVTCHNOP_bind_pirq", Full, Full, "", nil},
		{3, "EVTCHNOP_close", Full, Full, "", nil},
		{4, "EVTCHNOP_send", Full, Full, "", nil},
		{5, "EVTCHNOP_status", Full, Full, "", nil},
		{6, "EVTCHNOP_alloc_unbound", Full, Full, "", nil},
		{7, "EVTCHNOP_bind_ipi", Full, Full, "", nil},
		{8, "EVTCHNOP_bind_vcpu", Full, Full, "", nil},
		{9, "EVTCHNOP_unmask", Full, Full, "", nil},
		{10, "EVTCHNOP_reset", Full, Full, "", nil},
		{11, "EVTCHNOP_init_control", Full, Full, "", nil},
		{12, "EVTCHNOP_expand_array", Full, Full, "", nil},
		{13, "EVTCHNOP_set_priority", Full, Full, "", nil},
		{14, "EVTCHNOP_reset_cont", Full, Full, "", nil},
	}}
}

// eventChannelCompatOps ends where the interface of Xen 3.2 did.
func eventChannelCompatOps() Ops {
	all := eventChannelOps().List
	return Ops{inStruct, mask32, all[:abi.EvtchnOpUnmask+1]}
}

func physdevOps() Ops {
	const noMSIX = "one without MSI-X crashes Xen 4.17, loud here"
	return Ops{inArg, mask32, []SubOp{
		{4, "PHYSDEVOP_IRQ_UNMASK_NOTIFY", Full, Full, "", nil},
		{5, "PHYSDEVOP_irq_status_query", Full, Full, "", nil},
		{6, "PHYSDEVOP_set_iopl", Full, Full, "", nil},
		{7, "PHYSDEVOP_set_iobitmap", Full, Full, "", nil},
		{8, "PHYSDEVOP_apic_read", Full, Denied, "", nil},
		{9, "PHYSDEVOP_apic_write", Full, Denied, "pin 24 and up crash Xen 4.17, loud here", nil},
		{10, "PHYSDEVOP_alloc_irq_vector", Full, Denied, "", nil},
		{11, "PHYSDEVOP_free_irq_vector", NoSys, NoSys, "", nil},
		{12, "PHYSDEVOP_eoi", Full, Full, "no PIRQ ever fires", nil},
		{13, "PHYSDEVOP_map_pirq", Full, Full, "no device has MSI", nil},
		{14, "PHYSDEVOP_unmap_pirq", Full, Full, "", nil},
		{15, "PHYSDEVOP_manage_pci_add", Full, Denied, "", nil},
		{16, "PHYSDEVOP_manage_pci_remove", Full, Denied, "", nil},
		{17, "PHYSDEVOP_pirq_eoi_gmfn_v1", Full, Full, "", nil},
		{19, "PHYSDEVOP_restore_msi", Full, Full, "", nil},
		{20, "PHYSDEVOP_manage_pci_add_ext", Full, Denied, "", nil},
		{21, "PHYSDEVOP_setup_gsi", Full, Full, "", nil},
		{23, "PHYSDEVOP_get_free_pirq", Full, Full, "", nil},
		{24, "PHYSDEVOP_pci_mmcfg_reserved", Full, Denied, "the machine has no such window", nil},
		{25, "PHYSDEVOP_pci_device_add", Full, Denied, "", nil},
		{26, "PHYSDEVOP_pci_device_remove", Full, Denied, "", nil},
		{27, "PHYSDEVOP_restore_msi_ext", Full, Full, "", nil},
		{28, "PHYSDEVOP_pirq_eoi_gmfn_v2", Full, Full, "", nil},
		{29, "PHYSDEVOP_dbgp_op", Full, Denied, "Xen uses no USB debug port", nil},
		{30, "PHYSDEVOP_prepare_msix", Full, Denied, noMSIX, nil},
		{31, "PHYSDEVOP_release_msix", Full, Denied, noMSIX, nil},
	}}
}

// physdevCompatOps are the same, in one structure with their arguments.
func physdevCompatOps() Ops {
	o := physdevOps()
	o.At = inStruct
	return o
}

func mmuUpdateOps() Ops {
	return Ops{inList, 0, both(Full, 0, "MMU_NORMAL_PT_UPDATE", "MMU_MACHPHYS_UPDATE", "MMU_PT_UPDATE_PRESERVE_AD",
		"MMU_PT_UPDATE_NO_TRANSLATE")}
}

func mmuextOps() Ops {
	const onlySelf = "of the own domain"
	return Ops{inList, 0, []SubOp{
		{0, "MMUEXT_PIN_L1_TABLE", Full, Full, onlySelf, nil},
		{1, "MMUEXT_PIN_L2_TABLE", Full, Full, onlySelf, nil},
		{2, "MMUEXT_PIN_L3_TABLE", Full, Full, onlySelf, nil},
		{3, "MMUEXT_PIN_L4_TABLE", Full, Full, onlySelf, nil},
		{4, "MMUEXT_UNPIN_TABLE", Full, Full, onlySelf, nil},
		{5, "MMUEXT_NEW_BASEPTR", Full, Full, "", nil},
		{6, "MMUEXT_TLB_FLUSH_LOCAL", Full, Full, "", nil},
		{7, "MMUEXT_INVLPG_LOCAL", Full, Full, "", nil},
		{8, "MMUEXT_TLB_FLUSH_MULTI", Full, Full, "", nil},
		{9, "MMUEXT_INVLPG_MULTI", Full, Full, "", nil},
		{10, "MMUEXT_TLB_FLUSH_ALL", Full, Full, "", nil},
		{11, "MMUEXT_INVLPG_ALL", Full, Full, "", nil},
		{12, "MMUEXT_FLUSH_CACHE", Full, Always(abi.EACCES), "caches are not modelled", nil},
		{13, "MMUEXT_SET_LDT", Full, Full, "", nil},
		{15, "MMUEXT_NEW_USER_BASEPTR", Full, Full, "", nil},
		{16, "MMUEXT_CLEAR_PAGE", Full, Full, onlySelf, nil},
		{17, "MMUEXT_COPY_PAGE", Full, Full, onlySelf, nil},
		{18, "MMUEXT_FLUSH_CACHE_GLOBAL", Full, Always(abi.EINVAL), "caches are not modelled", nil},
		{19, "MMUEXT_MARK_SUPER", Always(abi.EOPNOTSUPP), Always(abi.EOPNOTSUPP), "", nil},
		{20, "MMUEXT_UNMARK_SUPER", Always(abi.EOPNOTSUPP), Always(abi.EOPNOTSUPP), "", nil},
	}}
}
