// Package entry delivers events (exceptions, interrupts, callbacks) to a
// guest and takes it back from them: Native as the processor does it through
// IDT and TSS, Xen as the hypervisor does it for a PV guest with a bounce
// frame. Both record where each slot of the frame lies (Frame), so that what
// a stub does with it later can be explained.
package entry
