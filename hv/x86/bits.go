package x86

// RFLAGS bits (SDM vol. 1, "EFLAGS Register").
const (
	FlagCF   = 1 << 0
	FlagOne  = 1 << 1 // always 1
	FlagPF   = 1 << 2
	FlagAF   = 1 << 4
	FlagZF   = 1 << 6
	FlagSF   = 1 << 7
	FlagTF   = 1 << 8
	FlagIF   = 1 << 9
	FlagDF   = 1 << 10
	FlagOF   = 1 << 11
	FlagIOPL = 3 << 12
	FlagNT   = 1 << 14
	FlagRF   = 1 << 16
	FlagVM   = 1 << 17
	FlagAC   = 1 << 18
	FlagVIF  = 1 << 19
	FlagVIP  = 1 << 20
	FlagID   = 1 << 21

	// FlagsStatus are the arithmetic flags.
	FlagsStatus = FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagOF
	// FlagsDefined are all bits that can be set in RFLAGS.
	FlagsDefined = FlagsStatus | FlagOne | FlagTF | FlagIF | FlagDF | FlagIOPL | FlagNT |
		FlagRF | FlagVM | FlagAC | FlagVIF | FlagVIP | FlagID
)

// Control register bits.
const (
	CR0PE = 1 << 0
	CR0MP = 1 << 1
	CR0EM = 1 << 2
	CR0TS = 1 << 3
	CR0ET = 1 << 4
	CR0NE = 1 << 5
	CR0WP = 1 << 16
	CR0AM = 1 << 18
	CR0NW = 1 << 29
	CR0CD = 1 << 30
	CR0PG = 1 << 31

	CR4VME        = 1 << 0
	CR4PVI        = 1 << 1
	CR4TSD        = 1 << 2
	CR4DE         = 1 << 3
	CR4PSE        = 1 << 4
	CR4PAE        = 1 << 5
	CR4MCE        = 1 << 6
	CR4PGE        = 1 << 7
	CR4PCE        = 1 << 8
	CR4OSFXSR     = 1 << 9
	CR4OSXMMEXCPT = 1 << 10
	CR4UMIP       = 1 << 11
	CR4FSGSBASE   = 1 << 16
	CR4PCIDE      = 1 << 17
	CR4OSXSAVE    = 1 << 18
	CR4SMEP       = 1 << 20
	CR4SMAP       = 1 << 21
)

// Debug register bits (SDM vol. 3, "Debug Registers").
const (
	DR6B0   = 1 << 0
	DR6BD   = 1 << 13
	DR6BS   = 1 << 14
	DR6BT   = 1 << 15
	DR6Init = 0xffff0ff0
	DR7Init = 0x400
	DR7GD   = 1 << 13
)

// Model-specific registers.
const (
	MSRTSC          = 0x10
	MSRAPICBase     = 0x1b
	MSRSysenterCS   = 0x174
	MSRSysenterESP  = 0x175
	MSRSysenterEIP  = 0x176
	MSRMiscEnable   = 0x1a0
	MSRPAT          = 0x277
	MSRTSCDeadline  = 0x6e0
	MSRX2APICFirst  = 0x800
	MSRX2APICLast   = 0x8ff
	MSRXSS          = 0xda0
	MSREFER         = 0xc0000080
	MSRSTAR         = 0xc0000081
	MSRLSTAR        = 0xc0000082
	MSRCSTAR        = 0xc0000083
	MSRSFMASK       = 0xc0000084
	MSRFSBase       = 0xc0000100
	MSRGSBase       = 0xc0000101
	MSRKernelGSBase = 0xc0000102
	MSRTSCAux       = 0xc0000103
)

// EFER bits.
const (
	EFERSCE = 1 << 0
	EFERLME = 1 << 8
	EFERLMA = 1 << 10
	EFERNXE = 1 << 11
)

// Indices of the general registers, as instructions encode them.
const (
	RAX = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// RegNames are the 64-bit names in encoding order.
var RegNames = [16]string{
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
}

// Indices of the segment registers, as instructions encode them.
const (
	ES = iota
	CS
	SS
	DS
	FS
	GS
)

// SegNames are the names in encoding order.
var SegNames = [6]string{"es", "cs", "ss", "ds", "fs", "gs"}

// Canonical reports whether a 48-bit linear address is canonical.
func Canonical(addr uint64) bool { return uint64(int64(addr<<16)>>16) == addr }
