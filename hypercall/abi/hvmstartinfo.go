package abi

// struct hvm_start_info, what a PVH entry gets in EBX, byte offsets (Xen
// public arch-x86/hvm/start_info.h).
const (
	HVMStartMagic         = 0  // u32: HVMStartMagicValue
	HVMStartVersion       = 4  // u32
	HVMStartFlags         = 8  // u32
	HVMStartNrModules     = 12 // u32
	HVMStartModlist       = 16 // u64: physical address
	HVMStartCmdline       = 24 // u64: physical address
	HVMStartRSDP          = 32 // u64: physical address
	HVMStartMemmap        = 40 // u64: physical address, from version 1
	HVMStartMemmapEntries = 48 // u32, from version 1
	HVMStartSize          = 56

	HVMStartMagicValue = 0x336ec578
)

// struct hvm_modlist_entry.
const (
	HVMModPaddr   = 0  // u64
	HVMModSize    = 8  // u64: bytes
	HVMModCmdline = 16 // u64: physical address, 0 = none
	HVMModEntry   = 32
)

// struct hvm_memmap_table_entry; the types are those of ACPI's system address
// map.
const (
	HVMMemmapAddr  = 0  // u64
	HVMMemmapSize  = 8  // u64: bytes
	HVMMemmapType  = 16 // u32: HVMMemmap*
	HVMMemmapEntry = 24

	HVMMemmapRAM      = 1
	HVMMemmapReserved = 2
	HVMMemmapACPI     = 3
	HVMMemmapNVS      = 4
)
