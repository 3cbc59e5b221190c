package abi

import (
	"encoding/binary"
	"fmt"
)

// Operations of grant_table_op (Xen public grant_table.h).
const (
	GnttabMapGrantRef     = 0
	GnttabUnmapGrantRef   = 1
	GnttabSetupTable      = 2
	GnttabDumpTable       = 3
	GnttabTransfer        = 4
	GnttabCopy            = 5
	GnttabQuerySize       = 6
	GnttabUnmapAndReplace = 7
	GnttabSetVersion      = 8
	GnttabGetStatusFrames = 9
	GnttabGetVersion      = 10
	GnttabSwapGrantRef    = 11
	GnttabCacheFlush      = 12
)

// GrantStatus is the status that an operation leaves in its structure.
type GrantStatus int16

// Status values (GNTST_*).
const (
	GrantOkay             GrantStatus = 0
	GrantGeneralError     GrantStatus = -1
	GrantBadDomain        GrantStatus = -2
	GrantBadGntref        GrantStatus = -3
	GrantBadHandle        GrantStatus = -4
	GrantBadVirtAddr      GrantStatus = -5
	GrantBadDevAddr       GrantStatus = -6
	GrantNoDeviceSpace    GrantStatus = -7
	GrantPermissionDenied GrantStatus = -8
	GrantBadPage          GrantStatus = -9
	GrantBadCopyArg       GrantStatus = -10
	GrantAddressTooBig    GrantStatus = -11
	GrantEagain           GrantStatus = -12
	GrantNoSpace          GrantStatus = -13
)

var grantStatusNames = [...]string{"okay", "general_error", "bad_domain", "bad_gntref", "bad_handle", "bad_virt_addr",
	"bad_dev_addr", "no_device_space", "permission_denied", "bad_page", "bad_copy_arg", "address_too_big", "eagain",
	"no_space"}

func (s GrantStatus) String() string {
	if n := -int(s); n >= 0 && n < len(grantStatusNames) {
		return "GNTST_" + grantStatusNames[n]
	}
	return fmt.Sprintf("GNTST(%d)", int16(s))
}

// Flags of a grant entry (GTF_*). The two lowest bits are its type.
const (
	GTFTypeMask       = 3
	GTFInvalid        = 0
	GTFPermitAccess   = 1
	GTFAcceptTransfer = 2
	GTFTransitive     = 3 // version 2

	GTFReadonly          = 1 << 2 // permit_access: by the granting domain
	GTFReading           = 1 << 3 // permit_access: by Xen, in use for reading
	GTFWriting           = 1 << 4 // permit_access: by Xen, in use for writing
	GTFSubPage           = 1 << 8 // version 2: a part of the page, for copies
	GTFTransferCommitted = 1 << 2 // accept_transfer: by Xen
	GTFTransferCompleted = 1 << 3 // accept_transfer: by Xen
)

// Flags of a mapping (GNTMAP_*). Bits from GntmapGuestAvail up go into the
// available bits 9 to 11 of the page-table entry.
const (
	GntmapDeviceMap      = 1 << 0
	GntmapHostMap        = 1 << 1
	GntmapReadonly       = 1 << 2
	GntmapApplicationMap = 1 << 3 // user mode may use it
	GntmapContainsPTE    = 1 << 4 // host_addr is the machine address of the entry
	GntmapGuestAvail     = 16
)

// Flags of a copy (GNTCOPY_*).
const (
	GntcopySourceGref = 1 << 0
	GntcopyDestGref   = 1 << 1
)

// Operations of a cache flush (GNTTAB_CACHE_*).
const (
	GnttabCacheClean      = 1 << 0
	GnttabCacheInval      = 1 << 1
	GnttabCacheSourceGref = 1 << 31
)

// References that the toolstack fills in for a domU, and how many it keeps.
const (
	GnttabReservedConsole  = 0
	GnttabReservedXenstore = 1
	GnttabReservedEntries  = 8
)

// Grant entries. Version 1 (8 bytes): flags u16 at 0, domid u16 at 2, frame
// u32 at 4. Version 2 (16 bytes): the same header, then
//
//	full_page	frame u64 at 8
//	sub_page	page_off u16 at 4, length u16 at 6, frame u64 at 8
//	transitive	trans_domid u16 at 4, gref u32 at 8
//
// and a table of status words u16 beside it.
const (
	GrantEntryV1Size = 8
	GrantEntryV2Size = 16
	GrantStatusSize  = 2

	GrantEntryFlags      = 0
	GrantEntryDomid      = 2
	GrantEntryV1Frame    = 4
	GrantEntryPageOff    = 4
	GrantEntryTransDomid = 4
	GrantEntryLength     = 6
	GrantEntryV2Frame    = 8
	GrantEntryTransGref  = 8
)

// Sizes of the structures of the operations, and the offsets of the status
// that is written back alone.
const (
	GnttabMapSize          = 32
	GnttabUnmapSize        = 24
	GnttabUnmapStatus      = 20
	GnttabReplaceSize      = 24
	GnttabReplaceStatus    = 20
	GnttabSetupSize        = 24
	GnttabSetupStatus      = 8
	GnttabTransferSize     = 24
	GnttabTransferStatus   = 16
	GnttabCopySize         = 40
	GnttabCopyStatus       = 36
	GnttabQuerySizeSize    = 16
	GnttabSetVersionSize   = 4
	GnttabStatusFramesSize = 16
	GnttabStatusFramesStat = 6
	GnttabGetVersionSize   = 8
	GnttabGetVersionOut    = 4
	GnttabSwapSize         = 12
	GnttabSwapStatus       = 8
	GnttabCacheFlushSize   = 16
)

// GrantMap is struct gnttab_map_grant_ref: host_addr u64 at 0, flags u32 at
// 8, ref u32 at 12, dom u16 at 16, status s16 at 18, handle u32 at 20,
// dev_bus_addr u64 at 24.
type GrantMap struct {
	HostAddr   uint64 // a linear address, or that of an entry (GntmapContainsPTE)
	Flags, Ref uint32
	Dom        uint16
	Status     GrantStatus // out
	Handle     uint32      // out
	DevBusAddr uint64      // out: machine address of the frame
}

// DecodeGrantMap reads the structure; Encode writes it back whole.
func DecodeGrantMap(b []byte) GrantMap {
	le := binary.LittleEndian
	return GrantMap{le.Uint64(b[0:]), le.Uint32(b[8:]), le.Uint32(b[12:]), le.Uint16(b[16:]),
		GrantStatus(le.Uint16(b[18:])), le.Uint32(b[20:]), le.Uint64(b[24:])}
}

// Encode is the inverse of DecodeGrantMap.
func (m *GrantMap) Encode(b []byte) {
	le := binary.LittleEndian
	le.PutUint64(b[0:], m.HostAddr)
	le.PutUint32(b[8:], m.Flags)
	le.PutUint32(b[12:], m.Ref)
	le.PutUint16(b[16:], m.Dom)
	le.PutUint16(b[18:], uint16(m.Status))
	le.PutUint32(b[20:], m.Handle)
	le.PutUint64(b[24:], m.DevBusAddr)
}

// GrantCopyPtr is one side of a copy (16 bytes): ref u32 or gmfn u64 at 0,
// domid u16 at 8, offset u16 at 10.
type GrantCopyPtr struct {
	U      uint64 // the union; a grant reference is its low half
	Domid  uint16
	Offset uint16
}

// GrantCopy is struct gnttab_copy: source at 0, dest at 16, len u16 at 32,
// flags u16 at 34, status s16 at 36.
type GrantCopy struct {
	Source, Dest GrantCopyPtr
	Len, Flags   uint16
}

// DecodeGrantCopy reads the structure.
func DecodeGrantCopy(b []byte) GrantCopy {
	le := binary.LittleEndian
	ptr := func(b []byte) GrantCopyPtr {
		return GrantCopyPtr{le.Uint64(b[0:]), le.Uint16(b[8:]), le.Uint16(b[10:])}
	}
	return GrantCopy{ptr(b[0:]), ptr(b[16:]), le.Uint16(b[32:]), le.Uint16(b[34:])}
}
