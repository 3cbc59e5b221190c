// Package asm turns a user's entry stub (assembly source or a relocatable
// object) into bytes at an address, with symbols and source lines.
//
// The flow: Assemble runs the system's assembler and hands its output to
// Parse; Parse reads any x86-64 ELF object into an Object and trusts nothing
// in it; Link lays the sections out from a base address, resolves symbols and
// applies relocations; Compose writes the result into a guest image, so that
// the very same file boots on real Xen. It executes nothing of the guest.
//
// Formats: System V ABI and its AMD64 supplement (relocation table 4.9),
// DWARF line tables through debug/dwarf.
package asm
