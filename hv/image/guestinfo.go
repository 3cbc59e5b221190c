package image

import (
	"bytes"
	"strconv"
	"strings"
)

// guestInfoSection is the legacy way to tell Xen what the notes tell now: a
// section with one string "NAME=value,NAME=value,...".
const guestInfoSection = "__xen_guest"

// readGuestInfo parses that string (C/libelf/libelf-dominfo.c:
// elf_xen_parse_guest_info). Names it does not know are skipped, as Xen does.
func (r reporter) readGuestInfo(data []byte) (p XenParms, err *Error) {
	p = unsetParms()
	p.Legacy = true
	text, _, ok := bytes.Cut(data, []byte{0})
	if !ok || len(text) > maxString {
		return p, r.errorf("section "+guestInfoSection, "expected a NUL-terminated string of at most %d bytes", maxString)
	}
	for _, item := range strings.Split(string(text), ",") {
		name, value, _ := strings.Cut(item, "=")
		number := func(dst *uint64) {
			// As strtoull with base 0: 0x, 0 or decimal.
			v, e := strconv.ParseUint(value, 0, 64)
			if e != nil && err == nil {
				err = r.errorf("section "+guestInfoSection, "%.32s is %.40q, expected a number", name, value)
			}
			*dst = v
		}
		switch name {
		case "LOADER":
			p.Loader = value
		case "GUEST_OS":
			p.GuestOS = value
		case "GUEST_VER":
			p.GuestVersion = value
		case "XEN_VER":
			p.XenVersion = value
		case "PAE":
			if strings.HasPrefix(value, "yes") {
				p.PAE = "yes"
			}
		case "BSD_SYMTAB":
			p.BSDSymtab = true
		case "VIRT_BASE":
			number(&p.VirtBase)
		case "VIRT_ENTRY":
			number(&p.Entry)
		case "ELF_PADDR_OFFSET":
			number(&p.PaddrOffset)
		case "HYPERCALL_PAGE": // a page number, counted from VIRT_BASE
			number(&p.HypercallPage)
			p.HypercallPage <<= 12
		case "FEATURES":
			if e := r.readFeatures("section "+guestInfoSection+" FEATURES", value, &p); e != nil && err == nil {
				err = e
			}
		}
	}
	if p.VirtBase != Unset && p.HypercallPage != Unset {
		p.HypercallPage += p.VirtBase
	}
	return p, err
}
