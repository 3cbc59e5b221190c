package abi

import "encoding/binary"

// vcpu_info (64 bytes; Xen public xen.h, arch-x86/xen.h; EVT-01).
const (
	VCPUInfoSize          = 64
	VCPUInfoUpcallPending = 0  // u8
	VCPUInfoUpcallMask    = 1  // u8
	VCPUInfoPendingSel    = 8  // u64
	VCPUInfoCR2           = 16 // u64
	VCPUInfoTime          = 32 // vcpu_time_info
)

// vcpu_time_info (32 bytes), offsets within it.
const (
	TimeVersion      = 0  // u32, odd while being written
	TimeTSCTimestamp = 8  // u64
	TimeSystemTime   = 16 // u64, ns since boot at TSCTimestamp
	TimeTSCToSysMul  = 24 // u32, 0.32 fixed point
	TimeTSCShift     = 28 // i8
	TimeFlags        = 29 // u8
	TimeInfoSize     = 32
)

// shared_info.
const (
	SharedInfoVCPUs         = 32   // legacy vcpu_info slots
	SharedInfoEvtchnPending = 2048 // u64[64]
	SharedInfoEvtchnMask    = 2560 // u64[64]
	SharedInfoWCVersion     = 3072 // u32
	SharedInfoWCSec         = 3076 // u32
	SharedInfoWCNsec        = 3080 // u32
	SharedInfoWCSecHi       = 3084 // u32
	SharedInfoMaxPFN        = 3088 // u64, start of the arch part
	SharedInfoFrameList     = 3096 // u64
	SharedInfoNMIReason     = 3104 // u64
	SharedInfoP2MCR3        = 3112 // u64
	SharedInfoP2MVaddr      = 3120 // u64
	SharedInfoP2MGeneration = 3128 // u64
)

// runstate_info (48 bytes).
const (
	RunstateState     = 0 // u32
	RunstateEntryTime = 8 // u64
	RunstateTime      = 16
	RunstateInfoSize  = 48
	// RunstateUpdate is set in EntryTime while the area is written, with
	// VMASST runstate_update_flag.
	RunstateUpdate uint64 = 1 << 63
)

// IretContext is the frame HYPERVISOR_iret reads at RSP: nine words
// (IRET-01).
type IretContext struct {
	RAX, R11, RCX, Flags, RIP, CS, RFLAGS, RSP, SS uint64
}

// IretContextSize in bytes.
const IretContextSize = 72

// DecodeIretContext reads the frame from its 72 bytes.
func DecodeIretContext(b *[IretContextSize]byte) IretContext {
	w := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return IretContext{RAX: w(0), R11: w(1), RCX: w(2), Flags: w(3), RIP: w(4), CS: w(5), RFLAGS: w(6), RSP: w(7), SS: w(8)}
}

// TrapInfo is one entry of the trap table (16 bytes; FRAME-26): vector u8 at
// 0, flags u8 at 1, cs u16 at 2, address u64 at 8.
type TrapInfo struct {
	Vector  uint8
	Flags   uint8 // bits 0-1: DPL, bit 2: mask events on entry
	CS      uint16
	Address uint64
}

// TrapInfoSize in bytes.
const TrapInfoSize = 16

// TrapMaskEvents in TrapInfo.Flags sets the upcall mask on entry (FRAME-12).
const TrapMaskEvents = 4

// DPL is the privilege a software interrupt needs (FRAME-22).
func (t TrapInfo) DPL() uint8 { return t.Flags & 3 }

// Masks reports whether the gate sets the upcall mask on entry.
func (t TrapInfo) Masks() bool { return t.Flags&TrapMaskEvents != 0 }

// DecodeTrapInfo reads an entry.
func DecodeTrapInfo(b []byte) TrapInfo {
	return TrapInfo{Vector: b[0], Flags: b[1], CS: binary.LittleEndian.Uint16(b[2:]), Address: binary.LittleEndian.Uint64(b[8:])}
}

// struct vcpu_guest_context of a 64-bit guest, for VCPUOP_initialise
// (EVT-14).
const (
	VGCFlags        = 512
	VGCUserRegs     = 520
	VGCTrapTable    = 720
	VGCLDTBase      = 4816
	VGCLDTEntries   = 4824
	VGCGDTFrames    = 4832
	VGCGDTEntries   = 4960
	VGCKernelSS     = 4968
	VGCKernelSP     = 4976
	VGCCtrlReg      = 4984
	VGCDebugReg     = 5048
	VGCEventEIP     = 5112
	VGCFailsafeEIP  = 5120
	VGCSyscallEIP   = 5128
	VGCVMAssist     = 5136
	VGCFSBase       = 5144
	VGCGSBaseKernel = 5152
	VGCGSBaseUser   = 5160
	VGCSize         = 5168
)

// struct cpu_user_regs (200 bytes), offsets within it.
const (
	RegsR15    = 0
	RegsR14    = 8
	RegsR13    = 16
	RegsR12    = 24
	RegsRBP    = 32
	RegsRBX    = 40
	RegsR11    = 48
	RegsR10    = 56
	RegsR9     = 64
	RegsR8     = 72
	RegsRAX    = 80
	RegsRCX    = 88
	RegsRDX    = 96
	RegsRSI    = 104
	RegsRDI    = 112
	RegsError  = 120
	RegsRIP    = 128
	RegsCS     = 136
	RegsRFLAGS = 144
	RegsRSP    = 152
	RegsSS     = 160
	RegsES     = 168
	RegsDS     = 176
	RegsFS     = 184
	RegsGS     = 192
	RegsSize   = 200
)

// multicall_entry (64 bytes; HC-11).
const (
	MulticallOp     = 0
	MulticallResult = 8
	MulticallArgs   = 16
	MulticallSize   = 64
)
