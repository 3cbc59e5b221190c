// Package judge asks the two reference machines what a guest really does: real
// Xen 4.17 under QEMU's TCG for a PV guest, and plain QEMU for the same image on
// bare x86-64. What happened becomes an Outcome; Compare lays the Outcome of the
// model beside that of the reference under one mask (mask.txt) and lists every
// difference.
//
// The flow of one judgement:
//
//	Open                find QEMU and the hypervisor, fill the cache (install.go)
//	Judge.Run           start QEMU, read the serial line and the trap log
//	  xen.go              dom0 under Xen: the console tells how it ended
//	  native.go           bare machine: QMP tells how it ended
//	ParseConsole        the guest's lines and Xen's lines to an Outcome
//	Quirks.Touched      does the run depend on something QEMU does wrong?
//	Compare             model against reference, masked
//
// The model prints the same console text as Xen does, so that ParseConsole
// reads both; natively the model fills the Outcome itself.
//
// The package is no part of the machine: it imports none of pvlab's rooms and
// reads nothing but the installed packages and its own cache folder.
package judge
