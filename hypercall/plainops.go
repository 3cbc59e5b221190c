package hypercall

import (
	"slices"

	"pvlab/hypercall/abi"
)

// The operations of calls that a kernel makes for itself and that are short.

func versionOps() Ops {
	return Ops{inArg, mask32, slices.Concat(
		both(Full, 0, "XENVER_version", "XENVER_extraversion", "XENVER_compile_info", "XENVER_capabilities", "XENVER_changeset",
			"XENVER_platform_parameters", "XENVER_get_features", "XENVER_pagesize", "XENVER_guest_handle", "XENVER_commandline"),
		each(Full, Denied, 10, "XENVER_build_id"),
	)}
}

func consoleOps() Ops {
	return Ops{inArg, mask32, each(Full, Denied, 0, "CONSOLEIO_write", "CONSOLEIO_read")}
}

func vmAssistOps() Ops {
	return Ops{inArg, mask32, both(Full, 0, "VMASST_CMD_enable", "VMASST_CMD_disable")}
}

func segmentBaseOps() Ops {
	return Ops{inArg, mask32, both(Full, 0, "SEGBASE_FS", "SEGBASE_GS_USER", "SEGBASE_GS_KERNEL", "SEGBASE_GS_USER_SEL")}
}

func nmiOps() Ops {
	return Ops{inArg, mask32, both(Full, 0, "XENNMI_register_callback", "XENNMI_unregister_callback")}
}

func callbackOps() Ops {
	return Ops{inArg, mask32, both(Full, 0, "CALLBACKOP_register", "CALLBACKOP_unregister")}
}

// pmuOps: without vPMU Xen looks at nothing else.
func pmuOps() Ops {
	return Ops{inArg, mask32, both(Always(abi.EOPNOTSUPP), 0, "XENPMU_mode_get", "XENPMU_mode_set", "XENPMU_feature_get",
		"XENPMU_feature_set", "XENPMU_init", "XENPMU_finish", "XENPMU_lvtpc_set", "XENPMU_flush")}
}
