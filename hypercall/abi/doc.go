// Package abi is what a Xen PV guest and its hypervisor agree on: numbers,
// errno values and structure layouts of Xen's public headers. It computes
// nothing and knows no other room.
package abi
