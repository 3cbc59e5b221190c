// Package pagetable knows x86-64 page-table entries, how a linear address is
// translated by them, and the rules by which Xen lets a PV guest change them
// (page types and reference counts, pv-rules MM-*).
//
// The CPU uses the entry bits and Walk for its TLB fills; the hypervisor side
// uses the update rules. The room knows no vCPU and no domain.
package pagetable
