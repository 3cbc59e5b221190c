package dom

// Version is the release of Xen that is modelled. The few places where
// releases differ ask it (pv-rules, section 12, HIST-*); nothing else knows a
// version number.
type Version struct {
	Major, Minor uint16
	Extra        string // as XENVER_extraversion reports it
	Banner       string // as the register dump names it
	Changeset    string
	CompileBy    string
	CompileDom   string
	CompileDate  string
	Compiler     string
	BuildID      [20]byte

	// Text is where Xen's code that console lines name lies: addresses of one
	// build, masked wherever consoles are compared.
	Text TextAddresses
}

// TextAddresses are the addresses printed by a domain_crash_sync line, and
// source lines printed by a domain_crash line.
type TextAddresses struct {
	BadStack     string // CRASH-01
	NullHandler  string // CRASH-02
	StoreFault   uint64 // CRASH-03 for slot 6; each lower slot lies 4 bytes further
	IretCrash    string // CRASH-04, CRASH-05
	FailsafeLine string // CRASH-06
	L1TFLine     string // CRASH-09
	IDT          uint64 // the first processor's table, as SIDT reads it (PRIV-05)
}

// Xen417 is Debian 12's package 4.17.7, release build.
func Xen417() Version {
	return Version{
		Major: 4, Minor: 17, Extra: ".7", Banner: "4.17.7",
		CompileBy: "pkg-xen-devel", CompileDom: "lists.alioth.debian.org",
		CompileDate: "Wed Nov  4 16:52:28 UTC 2026",
		BuildID: [20]byte{0x15, 0x1b, 0x37, 0x3f, 0xd6, 0x4b, 0x32, 0x15, 0x93, 0xbf,
			0x98, 0x7f, 0xd9, 0x23, 0xcd, 0x10, 0xda, 0xba, 0xda, 0xc4},
		Compiler: "x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0",
		Text: TextAddresses{
			BadStack:     "ffff82d040204a77 x86_64/entry.S#create_bounce_frame+0x4e/0x177",
			NullHandler:  "ffff82d040204b78 x86_64/entry.S#create_bounce_frame+0x14f/0x177",
			StoreFault:   0xffff82d0403602d0,
			IDT:          0xffff82d040577000,
			IretCrash:    "arch/x86/pv/iret.c:104",
			FailsafeLine: "arch/x86/domain.c:1745",
			L1TFLine:     "./arch/x86/include/asm/shadow.h:219",
		},
	}
}

// IretSanitisesFlags reports whether HYPERVISOR_iret clears reserved RFLAGS
// bits itself instead of leaving that to the processor (HIST-25).
func (v Version) IretSanitisesFlags() bool { return v.atLeast(4, 22) }

// SoftIntLengthKnown reports whether the length of an INT n is decoded; else
// it is taken to be 2 (HIST-24, FRAME-22).
func (v Version) SoftIntLengthKnown() bool { return v.atLeast(4, 22) }

// SyscallUDKeepsDF reports whether the #UD of a user SYSCALL without callback
// leaves DF alone (HIST-02; 4.17.7 has the change of 4.19).
func (v Version) SyscallUDKeepsDF() bool { return v.atLeast(4, 19) || v.Minor == 17 }

// SyscallFlagsByStack reports whether RFLAGS of a handler entered by a user
// SYSCALL are ANDed with the low half of its RSP: the mask that was to clear DF
// is held in a register that building the frame overwrites (since 4.19, and in
// 4.17.7; seen on real Xen by the demo of CB-05).
func (v Version) SyscallFlagsByStack() bool { return v.SyscallUDKeepsDF() }

// DR6Merges reports whether new breakpoint bits replace old ones in the
// virtual DR6; before they accumulate (HIST-11, DBG-10).
func (v Version) DR6Merges() bool { return v.atLeast(4, 20) }

// PTWRStepSetsBS reports whether the #DB of a single step over an emulated
// page-table write shows in the virtual DR6; before 4.20 it is delivered with
// DR6 as it was (DBG-06, seen on 4.17.7).
func (v Version) PTWRStepSetsBS() bool { return v.atLeast(4, 20) }

// PhysAreas reports whether runstate and time areas can be registered by
// physical address: feature bits 18 and 19 (BOOT-13).
func (v Version) PhysAreas() bool { return v.atLeast(4, 18) }

// IOBitmapFaults reports whether an unreadable I/O bitmap is a #PF to the
// guest; before it counts as denied (PRIV-13).
func (v Version) IOBitmapFaults() bool { return v.atLeast(4, 20) }

// Syscall32OwnMask reports whether syscall32 uses its own mask flag (CB-06).
func (v Version) Syscall32OwnMask() bool { return false } // only on FRED hosts

func (v Version) atLeast(major, minor uint16) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}
