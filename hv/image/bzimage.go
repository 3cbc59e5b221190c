package image

import "encoding/binary"

// Linux's boot header (Documentation/arch/x86/boot.rst), byte offsets in the
// file.
const (
	bzSetupSects    = 0x1f1 // u8: 512-byte sectors of real-mode code; 0 means 4
	bzMagic         = 0x202 // "HdrS"
	bzVersion       = 0x206 // u16
	bzPayloadOffset = 0x248 // u32: from the end of the real-mode code
	bzPayloadLength = 0x24c // u32
	bzHeaderEnd     = 0x250
	// bzMinVersion is the first with the payload fields.
	bzMinVersion = 0x208
)

func isBzImage(raw []byte) bool {
	return len(raw) >= bzHeaderEnd && string(raw[bzMagic:bzMagic+4]) == "HdrS"
}

// bzPayload finds the payload of the file of size bytes that begins with head.
func (r reporter) bzPayload(head []byte, size uint64) (span, *Error) {
	le := binary.LittleEndian
	if v := le.Uint16(head[bzVersion:]); v < bzMinVersion {
		return span{}, r.errorf("bzImage version", "boot protocol %d.%02d, expected at least 2.08", v>>8, v&0xff)
	}
	start, end := bzPayloadAt(head)
	if end > size {
		return span{}, r.errorf("bzImage payload_length", "truncated: payload at %#x..%#x, the file has %#x bytes", start, end, size)
	}
	return span{start, end}, nil
}

// bzPayloadAt tells where in the file the boot header puts the payload.
func bzPayloadAt(raw []byte) (start, end uint64) {
	le := binary.LittleEndian
	sects := uint64(raw[bzSetupSects])
	if sects == 0 {
		sects = 4
	}
	start = (sects+1)*512 + uint64(le.Uint32(raw[bzPayloadOffset:]))
	return start, start + uint64(le.Uint32(raw[bzPayloadLength:]))
}
