package image

import (
	"encoding/binary"

	"pvlab/hv/mem"
)

// The ACPI tables of the native platform: those of QEMU's "pc" machine as far
// as its devices are modelled (ACPI 1.0 forms, as QEMU has them). Left out
// are the HPET and the hot-plug ports; the DSDT names only the S5 state.

const (
	rsdpAddr   = 0xf59d0 // where SeaBIOS has it
	facsSize   = 64
	acpiHeader = 36

	ioapicAddr = 0xfec00000
	lapicAddr  = 0xfee00000
	pmBase     = 0x600
	sciIRQ     = 9
)

// acpiTables lays out tables one after the other.
type acpiTables struct {
	m    *mem.Memory
	next uint64
}

// buildACPI writes the tables from base up, and the RSDP into the BIOS area;
// it returns the RSDP's address.
func buildACPI(m *mem.Memory, base uint64, cpus int) uint64 {
	t := &acpiTables{m: m, next: base}
	facs := make([]byte, facsSize)
	copy(facs, "FACS")
	binary.LittleEndian.PutUint32(facs[4:], facsSize)
	facsAt := t.raw(facs)
	dsdt := t.table("DSDT", 1, []byte(dsdtCode))
	fadt := t.table("FACP", 1, fadtBody(facsAt, dsdt))
	madt := t.table("APIC", 1, madtBody(cpus))
	var entries []byte
	for _, a := range []uint64{fadt, madt} {
		entries = binary.LittleEndian.AppendUint32(entries, uint32(a))
	}
	rsdt := t.table("RSDT", 1, entries)

	rsdp := make([]byte, 20)
	copy(rsdp, "RSD PTR ")
	copy(rsdp[9:], acpiOEM)
	binary.LittleEndian.PutUint32(rsdp[16:], uint32(rsdt))
	rsdp[8] = checksum(rsdp)
	m.Write(rsdpAddr, rsdp)
	return rsdpAddr
}

const acpiOEM = "PVLAB "

func (t *acpiTables) raw(b []byte) (at uint64) {
	at = t.next
	t.m.Write(at, b)
	t.next += uint64(len(b))
	return at
}

// table adds a table with the common header (ACPI, "System Description Table
// Header").
func (t *acpiTables) table(sig string, revision byte, body []byte) uint64 {
	le := binary.LittleEndian
	b := make([]byte, acpiHeader, acpiHeader+len(body))
	copy(b, sig)
	le.PutUint32(b[4:], uint32(acpiHeader+len(body)))
	b[8] = revision
	copy(b[10:], acpiOEM)
	copy(b[16:], "PVLABPC ")
	le.PutUint32(b[24:], 1)
	copy(b[28:], "PVLB")
	le.PutUint32(b[32:], 1)
	b = append(b, body...)
	b[9] = checksum(b)
	return t.raw(b)
}

// checksum is the byte that makes all bytes add up to 0.
func checksum(b []byte) (c byte) {
	for _, v := range b {
		c -= v
	}
	return c
}

// dsdtCode is AML for Name (\_S5, Package () {0, 0, 0, 0}): sleep type 0 of
// the PM1a control register powers off.
const dsdtCode = "\x08_S5_\x12\x06\x04\x00\x00\x00\x00"

// fadtBody is the Fixed ACPI Description Table, revision 1, behind its header;
// offsets are those of the whole table.
func fadtBody(facs, dsdt uint64) []byte {
	b := make([]byte, 116)
	le := binary.LittleEndian
	put32 := func(off int, v uint32) { le.PutUint32(b[off:], v) }
	put32(36, uint32(facs))
	put32(40, uint32(dsdt))
	b[44] = 1 // INT_MODEL: there are APICs
	le.PutUint16(b[46:], sciIRQ)
	put32(48, 0xb2) // SMI_CMD
	b[52] = 0xf1    // ACPI_ENABLE
	b[53] = 0xf0    // ACPI_DISABLE
	put32(56, pmBase)
	put32(64, pmBase+4)
	put32(76, pmBase+8)
	b[88] = 4                          // PM1_EVT_LEN
	b[89] = 2                          // PM1_CNT_LEN
	b[91] = 4                          // PM_TMR_LEN
	le.PutUint16(b[96:], 0xfff)        // P_LVL2_LAT: no C2
	le.PutUint16(b[98:], 0xfff)        // P_LVL3_LAT: no C3
	b[108] = 0x32                      // CENTURY: CMOS index
	put32(112, 1|1<<2|1<<5|1<<7|1<<15) // WBINVD, PROC_C1, SLP_BUTTON, RTC_S4, USE_PLATFORM_CLOCK
	return b[acpiHeader:]
}

// madtBody is the Multiple APIC Description Table behind its header: the local
// APICs, with their number as ID, the I/O APIC, the interrupts that are not
// wired 1:1 or not edge-triggered, and NMI on every LINT1.
func madtBody(cpus int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, lapicAddr)
	b = le.AppendUint32(b, 1) // PCAT_COMPAT: there are 8259s
	for i := 0; i < cpus; i++ {
		b = append(b, 0, 8, byte(i), byte(i), 1, 0, 0, 0)
	}
	b = append(b, 1, 12, 0, 0)
	b = le.AppendUint32(b, ioapicAddr)
	b = le.AppendUint32(b, 0)
	override := func(irq, gsi byte, flags uint16) {
		b = append(b, 2, 10, 0, irq, gsi, 0, 0, 0)
		b = le.AppendUint16(b, flags)
	}
	const levelHigh = 0xd
	override(0, 2, 0)
	for _, irq := range []byte{5, 9, 10, 11} {
		override(irq, irq, levelHigh)
	}
	return append(b, 4, 6, 0xff, 0, 0, 1)
}
