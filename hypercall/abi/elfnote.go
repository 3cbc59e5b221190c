package abi

// ELF notes of owner "Xen" (Xen public elfnote.h).
const (
	ELFNoteInfo              = 0
	ELFNoteEntry             = 1
	ELFNoteHypercallPage     = 2
	ELFNoteVirtBase          = 3
	ELFNotePaddrOffset       = 4
	ELFNoteXenVersion        = 5
	ELFNoteGuestOS           = 6
	ELFNoteGuestVersion      = 7
	ELFNoteLoader            = 8
	ELFNotePAEMode           = 9
	ELFNoteFeatures          = 10
	ELFNoteBSDSymtab         = 11
	ELFNoteHVStartLow        = 12
	ELFNoteL1MFNValid        = 13
	ELFNoteSuspendCancel     = 14
	ELFNoteInitP2M           = 15
	ELFNoteModStartPFN       = 16
	ELFNoteSupportedFeatures = 17
	ELFNotePhys32Entry       = 18
)

// ELFNoteOwner is the name field of those notes.
const ELFNoteOwner = "Xen"

var elfNotes = [...]struct {
	name string
	str  bool
}{
	ELFNoteInfo:              {"INFO", true},
	ELFNoteEntry:             {"ENTRY", false},
	ELFNoteHypercallPage:     {"HYPERCALL_PAGE", false},
	ELFNoteVirtBase:          {"VIRT_BASE", false},
	ELFNotePaddrOffset:       {"PADDR_OFFSET", false},
	ELFNoteXenVersion:        {"XEN_VERSION", true},
	ELFNoteGuestOS:           {"GUEST_OS", true},
	ELFNoteGuestVersion:      {"GUEST_VERSION", true},
	ELFNoteLoader:            {"LOADER", true},
	ELFNotePAEMode:           {"PAE_MODE", true},
	ELFNoteFeatures:          {"FEATURES", true},
	ELFNoteBSDSymtab:         {"BSD_SYMTAB", true},
	ELFNoteHVStartLow:        {"HV_START_LOW", false},
	ELFNoteL1MFNValid:        {"L1_MFN_VALID", false},
	ELFNoteSuspendCancel:     {"SUSPEND_CANCEL", false},
	ELFNoteInitP2M:           {"INIT_P2M", false},
	ELFNoteModStartPFN:       {"MOD_START_PFN", false},
	ELFNoteSupportedFeatures: {"SUPPORTED_FEATURES", false},
	ELFNotePhys32Entry:       {"PHYS32_ENTRY", false},
}

// ELFNoteName is the name of a note type without its XEN_ELFNOTE_ prefix, ""
// for an unknown type.
func ELFNoteName(typ uint32) string {
	if uint64(typ) < uint64(len(elfNotes)) {
		return elfNotes[typ].name
	}
	return ""
}

// ELFNoteIsString reports whether the note's descriptor is a string; the
// others are numbers.
func ELFNoteIsString(typ uint32) bool {
	return uint64(typ) < uint64(len(elfNotes)) && elfNotes[typ].str
}
