// Package hypercall is Xen's answer to each hypercall of a 64-bit PV guest:
// one table row a number, one file a group of calls. A handler works on the
// calling vCPU's domain and returns what RAX gets. -ENOSYS comes only from
// where Xen 4.17 itself answers it; a call that is not built returns
// *Unmodelled, which stops the run.
//
// The flow: hv/xenpv finds a SYSCALL in guest-kernel mode, Caller.Do looks
// the row up and runs it, with probes before and after. HYPERVISOR_iret is a
// row like the others; its work is entry.Xen.Iret.
package hypercall
