// Package dev holds the devices of the native platform: local APIC, 8259
// pair, 8254, 16550, power and reset ports, and the bus that finds them by
// port and by physical address. Devices keep their state in plain structs
// that a snapshot copies, and live in virtual time.
package dev
