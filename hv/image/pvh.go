package image

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Where `qemu-system-x86_64 -kernel` (7.2, its default "pc" machine, SeaBIOS)
// has things when it enters a kernel by its PVH note; read there by
// TestPVHAsQEMUBuildsIt.
const (
	biosEBDAWord   = 0x40e // u16: segment of the extended BIOS data area
	biosMemoryWord = 0x413 // u16: KiB of low memory
	pvhMemmap      = 0x5a8
	pvhCmdline     = 0x11c0
	pvhModlist     = 0x21c0
	pvhStartInfo   = 0x21e0
	pvhLowEnd      = pvhStartInfo + abi.HVMStartSize

	lowRAMEnd  = 0x9fc00 // the EBDA follows, 1 KiB
	biosROM    = 0xf0000 // 64 KiB
	highRAM    = 0x100000
	acpiSize   = 0x20000 // at the end of memory: ACPI tables
	initrdGap  = 0x28000 // kept free at the end of memory below a ramdisk
	flashStart = 0xfffc0000
	flashSize  = 0x40000
	// The top of the address space of AMD's HyperTransport, which QEMU
	// reserves.
	htStart = 0xfd00000000
	htSize  = 0x300000000

	minNative = 4 << 20
	// maxNative is where the PC's hole for devices begins; QEMU moves memory
	// beyond it above 4 GiB, which is not modelled.
	maxNative = 0xe0000000
)

// NativeOptions say how the native platform is set up.
type NativeOptions struct {
	Cmdline string
	Initrd  []byte
	CPUs    int // for the ACPI tables; 0 means 1
}

// NativeStart is where the boot processor begins: in 32-bit protected mode
// without paging.
type NativeStart struct {
	Entry     uint64 // EIP
	StartInfo uint64 // EBX: struct hvm_start_info
}

// BuildPVH places a kernel in a PC's memory and writes what its PVH entry
// gets: start info, memory map, command line, ramdisk, and ACPI tables of
// this machine. All of m is the PC's memory, and zero.
func BuildPVH(m *mem.Memory, img *Image, o NativeOptions) (NativeStart, error) {
	if img.native != nil {
		return NativeStart{}, img.native
	}
	r := reporter(img.Name)
	top := m.Size()
	if top < minNative || top > maxNative {
		return NativeStart{}, r.errorf("memory", "%d bytes, the native platform takes %d to %d", top, minNative, uint64(maxNative))
	}
	if len(o.Cmdline) >= pvhModlist-pvhCmdline {
		return NativeStart{}, r.errorf("command line", "%d bytes, expected at most %d", len(o.Cmdline), pvhModlist-pvhCmdline-1)
	}
	ramEnd := top - acpiSize
	for i := range img.Segments {
		s := &img.Segments[i]
		low := s.Paddr >= pvhLowEnd && s.end() <= lowRAMEnd
		if !low && (s.Paddr < highRAM || s.end() > ramEnd) {
			return NativeStart{}, r.errorf(segField(s.Index, "p_paddr"), "%#x..%#x, free memory is %#x..%#x and %#x..%#x",
				s.Paddr, s.end(), pvhLowEnd, lowRAMEnd, highRAM, ramEnd)
		}
	}
	initrd := uint64(0)
	if n := uint64(len(o.Initrd)); n > 0 {
		if room := MaxRamdiskPVH(top, img); n > room {
			return NativeStart{}, r.errorf("ramdisk", "%d bytes do not fit between the kernel and the end of memory, where there is room for %d", n, room)
		}
		initrd = (top - initrdGap - 1 - n) &^ mem.PageMask
	}

	for i := range img.Segments {
		m.Write(img.Segments[i].Paddr, img.Segments[i].Data)
	}
	m.Write(initrd, o.Initrd)
	b := pvhBuilder{m: m}
	b.put16(biosEBDAWord, lowRAMEnd>>4)
	b.put16(biosMemoryWord, lowRAMEnd>>10)
	rsdp := buildACPI(m, top-acpiSize, max(o.CPUs, 1))
	b.startInfo(top, initrd, rsdp, o)
	return NativeStart{Entry: img.Phys32Entry, StartInfo: pvhStartInfo}, nil
}

type pvhBuilder struct{ m *mem.Memory }

func (b pvhBuilder) put16(pa uint64, v uint16) {
	b.m.Write(pa, binary.LittleEndian.AppendUint16(nil, v))
}

// startInfo writes hvm_start_info and what it points at.
func (b pvhBuilder) startInfo(top, initrd, rsdp uint64, o NativeOptions) {
	le := binary.LittleEndian
	memmap := []struct {
		addr, size uint64
		typ        uint32
	}{
		{0, lowRAMEnd, abi.HVMMemmapRAM},
		{lowRAMEnd, 0xa0000 - lowRAMEnd, abi.HVMMemmapReserved},
		{biosROM, highRAM - biosROM, abi.HVMMemmapReserved},
		{highRAM, top - acpiSize - highRAM, abi.HVMMemmapRAM},
		{top - acpiSize, acpiSize, abi.HVMMemmapReserved},
		{flashStart, flashSize, abi.HVMMemmapReserved},
		{htStart, htSize, abi.HVMMemmapReserved},
	}
	for i, e := range memmap {
		var w [abi.HVMMemmapEntry]byte
		le.PutUint64(w[abi.HVMMemmapAddr:], e.addr)
		le.PutUint64(w[abi.HVMMemmapSize:], e.size)
		le.PutUint32(w[abi.HVMMemmapType:], e.typ)
		b.m.Write(pvhMemmap+uint64(i)*abi.HVMMemmapEntry, w[:])
	}
	b.m.Write(pvhCmdline, append([]byte(o.Cmdline), 0))

	var si [abi.HVMStartSize]byte
	le.PutUint32(si[abi.HVMStartMagic:], abi.HVMStartMagicValue)
	le.PutUint32(si[abi.HVMStartVersion:], 1)
	le.PutUint64(si[abi.HVMStartCmdline:], pvhCmdline)
	le.PutUint64(si[abi.HVMStartRSDP:], rsdp)
	le.PutUint64(si[abi.HVMStartMemmap:], pvhMemmap)
	le.PutUint32(si[abi.HVMStartMemmapEntries:], uint32(len(memmap)))
	if initrd != 0 {
		le.PutUint32(si[abi.HVMStartNrModules:], 1)
		le.PutUint64(si[abi.HVMStartModlist:], pvhModlist)
		var mod [abi.HVMModEntry]byte
		le.PutUint64(mod[abi.HVMModPaddr:], initrd)
		le.PutUint64(mod[abi.HVMModSize:], uint64(len(o.Initrd)))
		b.m.Write(pvhModlist, mod[:])
	}
	b.m.Write(pvhStartInfo, si[:])
}
