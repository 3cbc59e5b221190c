package abi

// Hypercall numbers (Xen public xen.h; pv-rules HC-13).
const (
	HypSetTrapTable         = 0
	HypMMUUpdate            = 1
	HypSetGDT               = 2
	HypStackSwitch          = 3
	HypSetCallbacks         = 4
	HypFPUTaskswitch        = 5
	HypSchedOpCompat        = 6
	HypPlatformOp           = 7
	HypSetDebugreg          = 8
	HypGetDebugreg          = 9
	HypUpdateDescriptor     = 10
	HypMemoryOp             = 12
	HypMulticall            = 13
	HypUpdateVAMapping      = 14
	HypSetTimerOp           = 15
	HypEventChannelOpCompat = 16
	HypXenVersion           = 17
	HypConsoleIO            = 18
	HypPhysdevOpCompat      = 19
	HypGrantTableOp         = 20
	HypVMAssist             = 21
	HypUpdateVAMappingOther = 22
	HypIret                 = 23
	HypVCPUOp               = 24
	HypSetSegmentBase       = 25
	HypMMUExtOp             = 26
	HypXSMOp                = 27
	HypNMIOp                = 28
	HypSchedOp              = 29
	HypCallbackOp           = 30
	HypXenoprofOp           = 31
	HypEventChannelOp       = 32
	HypPhysdevOp            = 33
	HypHVMOp                = 34
	HypSysctl               = 35
	HypDomctl               = 36
	HypKexecOp              = 37
	HypTmemOp               = 38
	HypArgoOp               = 39
	HypXenPMUOp             = 40
	HypDMOp                 = 41
	HypHypfsOp              = 42
	HypMCA                  = 48
	HypPagingDomctlCont     = 49

	// HypercallSlots is the number of 32-byte stubs in the hypercall page
	// (HC-02).
	HypercallSlots = 128
)

// Special domain ids (Xen public xen.h).
const (
	DomIDSelf    = 0x7ff0
	DomIDIO      = 0x7ff1
	DomIDXen     = 0x7ff2
	DomIDCow     = 0x7ff3
	DomIDInvalid = 0x7ff4
)

// Callback types (Xen public callback.h; CB-01).
const (
	CallbackEvent     = 0
	CallbackFailsafe  = 1
	CallbackSyscall   = 2
	CallbackNMI       = 4
	CallbackSysenter  = 5
	CallbackSyscall32 = 7

	CallbackOpRegister   = 0
	CallbackOpUnregister = 1

	// CallbackMaskEvents asks that the upcall mask be set on entry.
	CallbackMaskEvents = 1
)

// VGCF flags: the flags word of struct vcpu_guest_context, and of the iret
// frame (Xen public arch-x86/xen.h, xen-x86_64.h).
const (
	VGCFI387Valid             = 1 << 0
	VGCFInKernel              = 1 << 2
	VGCFFailsafeDisableEvents = 1 << 3
	VGCFSyscallDisableEvents  = 1 << 4
	VGCFOnline                = 1 << 5
	VGCFInSyscall             = 1 << 8 // iret frame only: leave by SYSRET (IRET-05)
)

// set_segment_base selectors (PRIV-10).
const (
	SegBaseFS        = 0
	SegBaseGSUser    = 1
	SegBaseGSKernel  = 2
	SegBaseGSUserSel = 3
)

// vm_assist (MM-17).
const (
	VMAssistEnable  = 0
	VMAssistDisable = 1

	VMAssist4GBSegments        = 0
	VMAssist4GBSegmentsNotify  = 1
	VMAssistWritablePagetables = 2
	VMAssistPAEExtendedCR3     = 3
	VMAssistArchitecturalIOPL  = 4
	VMAssistRunstateUpdateFlag = 5
	VMAssistM2PStrict          = 32
)

// Shutdown reasons (Xen public sched.h; EVT-09).
const (
	ShutdownPoweroff  = 0
	ShutdownReboot    = 1
	ShutdownSuspend   = 2
	ShutdownCrash     = 3
	ShutdownWatchdog  = 4
	ShutdownSoftReset = 5
)

// sched_op commands.
const (
	SchedOpYield          = 0
	SchedOpBlock          = 1
	SchedOpShutdown       = 2
	SchedOpPoll           = 3
	SchedOpRemoteShutdown = 4
	SchedOpShutdownCode   = 5
	SchedOpWatchdog       = 6
	SchedOpPinOverride    = 7
)

// vcpu_op commands (Xen public vcpu.h).
const (
	VCPUOpInitialise           = 0
	VCPUOpUp                   = 1
	VCPUOpDown                 = 2
	VCPUOpIsUp                 = 3
	VCPUOpGetRunstateInfo      = 4
	VCPUOpRegisterRunstateArea = 5
	VCPUOpSetPeriodicTimer     = 6
	VCPUOpStopPeriodicTimer    = 7
	VCPUOpSetSingleshotTimer   = 8
	VCPUOpStopSingleshotTimer  = 9
	VCPUOpRegisterVCPUInfo     = 10
	VCPUOpSendNMI              = 11
	VCPUOpGetPhysID            = 12
	VCPUOpRegisterVCPUTimeArea = 13

	// SingleshotFuture in set_singleshot_timer's flags: a past timeout is
	// -ETIME instead of an immediate event (EVT-11).
	SingleshotFuture = 1
)

// Runstates (Xen public vcpu.h).
const (
	RunstateRunning  = 0
	RunstateRunnable = 1
	RunstateBlocked  = 2
	RunstateOffline  = 3
)

// VIRQ numbers (Xen public xen.h).
const (
	VIRQTimer     = 0
	VIRQDebug     = 1
	VIRQConsole   = 2
	VIRQDomExc    = 3
	VIRQTbuf      = 4
	VIRQDebugger  = 6
	VIRQXenoprof  = 7
	VIRQConRing   = 8
	VIRQPcpuState = 9
	VIRQMemEvent  = 10
	VIRQArgo      = 11
	VIRQEnomem    = 12
	VIRQXenPMU    = 13
	VIRQArch0     = 16
	NrVIRQs       = 24
)

// event_channel_op commands (Xen public event_channel.h).
const (
	EvtchnOpBindInterdomain = 0
	EvtchnOpBindVIRQ        = 1
	EvtchnOpBindPIRQ        = 2
	EvtchnOpClose           = 3
	EvtchnOpSend            = 4
	EvtchnOpStatus          = 5
	EvtchnOpAllocUnbound    = 6
	EvtchnOpBindIPI         = 7
	EvtchnOpBindVCPU        = 8
	EvtchnOpUnmask          = 9
	EvtchnOpReset           = 10
	EvtchnOpInitControl     = 11
	EvtchnOpExpandArray     = 12
	EvtchnOpSetPriority     = 13
	EvtchnOpResetCont       = 14 // Xen's own continuation of a reset

	// NrEventChannels of the 2-level ABI with 64-bit words (EVT-01).
	NrEventChannels = 4096
)

// The FIFO ABI of event channels.
const (
	NrFIFOChannels      = 1 << 17
	FIFOLinkBits        = 17
	FIFOQueues          = 16 // priorities, 0 is the highest
	FIFOPriorityDefault = 7

	// Bits of an event word; below them the number of the next port.
	FIFOPending  = 1 << 31
	FIFOMasked   = 1 << 30
	FIFOLinked   = 1 << 29
	FIFOBusy     = 1 << 28
	FIFOLinkMask = 1<<FIFOLinkBits - 1

	FIFOWordsPerPage = 1024
	FIFOArrayPages   = NrFIFOChannels / FIFOWordsPerPage

	// Control block: ready u32, reserved u32, head u32[16].
	FIFOReady            = 0
	FIFOHeads            = 8
	FIFOControlBlockSize = 72
)

// evtchn_status values.
const (
	EvtchnStatClosed      = 0
	EvtchnStatUnbound     = 1
	EvtchnStatInterdomain = 2
	EvtchnStatPIRQ        = 3
	EvtchnStatVIRQ        = 4
	EvtchnStatIPI         = 5
)

// BindPIRQWillShare in bind_pirq's flags lets several domains bind the PIRQ.
const BindPIRQWillShare = 1

// console_io commands.
const (
	ConsoleIOWrite = 0
	ConsoleIORead  = 1
)

// nmi_op commands.
const (
	NMIOpRegisterCallback   = 0
	NMIOpUnregisterCallback = 1
)

// physdev_op commands (Xen public physdev.h).
const (
	PhysdevIRQUnmaskNotify  = 4
	PhysdevIRQStatusQuery   = 5
	PhysdevSetIOPL          = 6
	PhysdevSetIOBitmap      = 7
	PhysdevApicRead         = 8
	PhysdevApicWrite        = 9
	PhysdevAllocIRQVector   = 10
	PhysdevIRQEOI           = 12
	PhysdevMapPIRQ          = 13
	PhysdevUnmapPIRQ        = 14
	PhysdevManagePCIAdd     = 15
	PhysdevManagePCIRemove  = 16
	PhysdevPIRQEOIGMFNV1    = 17
	PhysdevRestoreMSI       = 19
	PhysdevManagePCIAddExt  = 20
	PhysdevSetupGSI         = 21
	PhysdevGetFreePIRQ      = 23
	PhysdevPCIMMCFGReserved = 24
	PhysdevPCIDeviceAdd     = 25
	PhysdevPCIDeviceRemove  = 26
	PhysdevRestoreMSIExt    = 27
	PhysdevPIRQEOIGMFNV2    = 28
	PhysdevDbgpOp           = 29
	PhysdevPrepareMSIX      = 30
	PhysdevReleaseMSIX      = 31

	IRQStatusNeedsEOI = 1 // in irq_status_query's flags

	MapPIRQMSI      = 0
	MapPIRQGSI      = 1
	MapPIRQMSISeg   = 3
	MapPIRQMultiMSI = 4

	PCIDevExtFn  = 1 // flags of pci_device_add
	PCIDevVirtFn = 2
	PCIDevPXM    = 4
)
