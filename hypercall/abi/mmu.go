package abi

// mmu_update: the low bits of ptr are the command (Xen public xen.h; MM-08).
const (
	MMUNormalUpdate      = 0
	MMUMachphysUpdate    = 1
	MMUUpdatePreserveAD  = 2
	MMUUpdateNoTranslate = 3
	MMUCommandMask       = 7

	MMUUpdateSize = 16 // {u64 ptr, u64 val}

	// MMUUpdatePreempted is the flag Xen itself sets in count when it
	// continues a preempted call.
	MMUUpdatePreempted = 1 << 31
)

// mmuext_op commands.
const (
	MMUExtPinL1          = 0
	MMUExtPinL2          = 1
	MMUExtPinL3          = 2
	MMUExtPinL4          = 3
	MMUExtUnpin          = 4
	MMUExtNewBaseptr     = 5
	MMUExtTLBFlushLocal  = 6
	MMUExtInvlpgLocal    = 7
	MMUExtTLBFlushMulti  = 8
	MMUExtInvlpgMulti    = 9
	MMUExtTLBFlushAll    = 10
	MMUExtInvlpgAll      = 11
	MMUExtFlushCache     = 12
	MMUExtSetLDT         = 13
	MMUExtNewUserBaseptr = 15
	MMUExtClearPage      = 16
	MMUExtCopyPage       = 17
	MMUExtFlushCacheGlob = 18
	MMUExtMarkSuper      = 19
	MMUExtUnmarkSuper    = 20

	MMUExtOpSize = 24 // {u32 cmd, pad, u64 arg1, u64 arg2}
)

// update_va_mapping flags (MM-10).
const (
	UVMFNone      = 0
	UVMFTLBFlush  = 1
	UVMFInvlpg    = 2
	UVMFFlushMask = 3
	UVMFLocal     = 0
	UVMFAll       = 4
)

// memory_op commands (Xen public memory.h); the command is the low 6 bits,
// the rest a continuation's start extent.
const (
	MemOpIncreaseReservation   = 0
	MemOpDecreaseReservation   = 1
	MemOpMaximumRAMPage        = 2
	MemOpCurrentReservation    = 3
	MemOpMaximumReservation    = 4
	MemOpMachphysMFNList       = 5
	MemOpPopulatePhysmap       = 6
	MemOpAddToPhysmap          = 7
	MemOpMemoryMap             = 9
	MemOpMachineMemoryMap      = 10
	MemOpExchange              = 11
	MemOpMachphysMapping       = 12
	MemOpMaximumGPFN           = 14
	MemOpRemoveFromPhysmap     = 15
	MemOpMachphysCompatMFNList = 25
	MemOpCmdMask               = 63
)

// Type of an E820 entry.
const (
	E820RAM      = 1
	E820Reserved = 2
)

// The address space of a 64-bit PV guest (Xen public arch-x86/xen-x86_64.h
// and arch/x86/include/asm/config.h; BOOT-14).
const (
	HypervisorVirtStart uint64 = 0xffff800000000000
	HypervisorVirtEnd   uint64 = 0xffff880000000000
	M2PVirtStart        uint64 = 0xffff800000000000
	M2PVirtEnd          uint64 = 0xffff804000000000
	PerDomainVirtStart  uint64 = 0xffff820000000000

	L4FirstXenSlot = 256
	L4LastXenSlot  = 271
	L4M2PSlot      = 256
	L4Linear       = 258 // the root itself: page tables as linear memory
	L4PerDomain    = 260
	L4Xen          = 261 // Xen's image, its own M2P mapping, frame table
	L4DirectMap    = 262
)

// Descriptor table geometry (SEG-01).
const (
	FirstReservedGDTEntry = 7168
	FirstReservedGDTPage  = 14
	LastReservedGDTByte   = 0xefff
	MaxLDTEntries         = 8192
)

// Xen's selectors (BOOT-16; arch/x86/include/asm/desc.h).
const (
	FlatUserCS32   = 0xe023
	FlatUserDS32   = 0xe02b
	FlatKernelCS   = 0xe033
	FlatKernelSS   = 0xe02b
	FlatUserSS     = 0xe02b
	HypervisorCS   = 0xe008
	HypervisorDS   = 0xe010
	TSSSelector    = 0xe040
	LDTSelector    = 0xe050
	PerCPUSelector = 0xe060
)
