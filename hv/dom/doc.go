// Package dom holds the state of a PV domain and of its vCPUs as Xen keeps
// it, and what must stay true of that state: which frames belong to whom,
// where the vcpu_info lies, which page table and GS base are in force, which
// events are pending, when a timer is due. It does not decide what a guest's
// exits mean; entry, emul and hypercall do, and hv/xenpv puts them together.
//
// Everything that changes while the guest runs lies in plain structs (State,
// VCPUState) or in the machine's memory, so that a snapshot is a copy.
package dom
