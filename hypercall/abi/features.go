package abi

// XENFEAT_*: bit numbers of the feature word, which XENVER_get_features
// answers and the notes FEATURES and SUPPORTED_FEATURES name (Xen public
// features.h).
const (
	FeatWritablePageTables       = 0
	FeatWritableDescriptorTables = 1
	FeatAutoTranslatedPhysmap    = 2
	FeatSupervisorModeKernel     = 3
	FeatPAEPgdirAbove4GB         = 4
	FeatMMUPTUpdatePreserveAD    = 5
	FeatHighmemAssist            = 6
	FeatGnttabMapAvailBits       = 7
	FeatHVMCallbackVector        = 8
	FeatHVMSafePVClock           = 9
	FeatHVMPirqs                 = 10
	FeatDom0                     = 11
	FeatGrantMapIdentity         = 12
	FeatMemoryOpVnodeSupported   = 13
	FeatARMSMCCCSupported        = 14
	FeatLinuxRSDPUnrestricted    = 15
	FeatNotDirectMapped          = 16
	FeatDirectMapped             = 17
)

// FeatureByName gives the bit of a name that the FEATURES note may use; Xen's
// loader knows no others (C/libelf/libelf-dominfo.c:elf_xen_feature_names).
func FeatureByName(name string) (bit uint, ok bool) {
	switch name {
	case "writable_page_tables":
		return FeatWritablePageTables, true
	case "writable_descriptor_tables":
		return FeatWritableDescriptorTables, true
	case "auto_translated_physmap":
		return FeatAutoTranslatedPhysmap, true
	case "supervisor_mode_kernel":
		return FeatSupervisorModeKernel, true
	case "pae_pgdir_above_4gb":
		return FeatPAEPgdirAbove4GB, true
	case "hvm_callback_vector":
		return FeatHVMCallbackVector, true
	case "dom0":
		return FeatDom0, true
	}
	return 0, false
}
