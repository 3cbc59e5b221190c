package grant

import "pvlab/hypercall/abi"

// activeEntry is what Xen keeps of a reference in use. All but pin means
// something only while pin is not zero.
type activeEntry struct {
	pin    uint32 // four counters of 8 bits, see below
	domid  uint16 // who uses it
	start  uint16 // the part of the page, 15 bits
	length uint16
	part   bool // not the whole page: cannot be mapped
	// The grant behind a transitive one, or this one itself.
	transDomain uint16
	transRef    uint32
	mfn         uint64
}

// One count in activeEntry.pin: mappings by the processor and by devices.
const (
	pinHostWrite   uint32 = 1 << 0
	pinHostRead    uint32 = 1 << 8
	pinDeviceWrite uint32 = 1 << 16
	pinDeviceRead  uint32 = 1 << 24

	pinWriters = 0xff*pinHostWrite | 0xff*pinDeviceWrite
)

// overflows reports whether a counter has come so far that Xen refuses more.
func overflows(pin, increment uint32) bool { return pin&(increment<<7) != 0 }

// needsStatus reports whether this use is the first, or the first for
// writing: then the guest's entry is looked at.
func needsStatus(pin uint32, readonly bool) bool {
	return pin == 0 || !readonly && pin&pinWriters == 0
}

// setStatus checks that entry ref allows domain ld the access and marks it in
// use. mapping excludes what only a copy may use: parts and transitive grants
// (_set_status_v1, _set_status_v2). One vCPU runs at a time: the entry does
// not change meanwhile.
func (t *Table) setStatus(ref, pin uint32, readonly, mapping bool, ld uint16) abi.GrantStatus {
	flags := t.flags(ref)
	mask := uint16(abi.GTFTypeMask)
	if mapping {
		mask |= abi.GTFSubPage
	}
	ok := flags&mask == abi.GTFPermitAccess || t.Version > 1 && !mapping && flags&mask == abi.GTFTransitive
	if pin == 0 && (!ok || t.domid(ref) != ld) {
		return abi.GrantGeneralError
	}
	use := uint16(abi.GTFReading)
	if !readonly {
		if flags&abi.GTFReadonly != 0 {
			return abi.GrantGeneralError
		}
		use |= abi.GTFWriting
	}
	at := t.status(ref)
	t.put16(at, t.get16(at)|use)
	return 0
}

// reduceStatus takes back what the pin counts no longer need.
func (t *Table) reduceStatus(ref, pin uint32, readonly bool) {
	var drop uint16
	if pin == 0 {
		drop = abi.GTFReading
	}
	if !readonly && pin&pinWriters == 0 {
		drop |= abi.GTFWriting
	}
	if drop != 0 && ref < t.Entries() {
		at := t.status(ref)
		t.put16(at, t.get16(at)&^drop)
	}
}
