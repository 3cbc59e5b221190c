package abi

// struct start_info of a 64-bit PV guest, byte offsets (Xen public xen.h).
const (
	StartInfoMagic       = 0    // char[32]
	StartInfoNrPages     = 32   // u64: pages allocated to the domain
	StartInfoSharedInfo  = 40   // u64: machine address
	StartInfoFlags       = 48   // u32: SIF*
	StartInfoStoreMFN    = 56   // u64
	StartInfoStoreEvtchn = 64   // u32
	StartInfoConsoleMFN  = 72   // u64, domU
	StartInfoConsolePort = 80   // u32, domU
	StartInfoDom0InfoOff = 72   // u32, dom0: offset of the VGA console info
	StartInfoDom0InfoLen = 76   // u32, dom0: its size
	StartInfoPTBase      = 88   // u64: virtual address of the L4
	StartInfoNrPTFrames  = 96   // u64
	StartInfoMFNList     = 104  // u64: virtual address of the p2m list
	StartInfoModStart    = 112  // u64: virtual address, or PFN with SIFModStartPFN
	StartInfoModLen      = 120  // u64: bytes
	StartInfoCmdline     = 128  // char[MaxGuestCmdline]
	StartInfoFirstP2MPFN = 1152 // u64
	StartInfoNrP2MFrames = 1160 // u64
	StartInfoSize        = 1168

	// MaxGuestCmdline is the command line's space, terminating NUL included.
	MaxGuestCmdline = 1024
	// Dom0VGAConsoleInfoSize is sizeof(struct dom0_vga_console_info), which
	// the dom0 builder puts right behind start_info.
	Dom0VGAConsoleInfoSize = 40
)

// start_info.flags.
const (
	SIFPrivileged   = 1 << 0
	SIFInitDomain   = 1 << 1
	SIFMultibootMod = 1 << 2
	SIFModStartPFN  = 1 << 3
	SIFVirtP2MTools = 1 << 4 // the tools understand a virtually mapped p2m
	SIFPMShift      = 8      // XEN_PROCESSOR_PM_* bits
	SIFPMMask       = 0xff << SIFPMShift
)

// Architecture strings in start_info.magic. The dom0 builder adds a "p" when
// the image has PAE_MODE other than "no" (X/pv/dom0_build.c:dom0_construct_pv);
// the tools never do.
const (
	StartMagic    = "xen-3.0-x86_64"
	StartMagicPAE = "xen-3.0-x86_64p"
)
