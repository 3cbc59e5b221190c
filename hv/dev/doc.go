// Package dev holds the devices of the native platform, those of QEMU's
// default PC ("pc", an i440FX with PIIX3/PIIX4) started with -nodefaults:
// local APICs, I/O APIC, 8259 pair, 8254, MC146818 clock, 16550, 8042, the
// PIIX4 power management block with the reset registers, and the three PCI
// functions these live in. docs/limits.md lists what such a PC has in
// addition.
//
// A CPU reaches them through its Bus (bus.go), which implements cpu.Bus. What
// the devices want from the machine goes out through the functions of Signals
// (devices.go). They live in the machine's virtual time: Config.Now says what
// time it is, NextEvent when something happens next, Advance makes it happen.
// All state is in the plain values of State (state.go).
//
// After New the devices are as the firmware hands them over to a kernel
// started by `qemu-system-x86_64 -kernel` (firmware.go), which is not how they
// come out of reset.
package dev
