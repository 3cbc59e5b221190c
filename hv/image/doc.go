// Package image loads guest kernels: it unpacks a file, reads the ELF and its
// Xen notes, and builds the start-of-day memory that each platform gives a
// kernel.
//
//	Load       bytes of a file -> Image; every unusable file is an *Error
//	BuildPVH   Image -> guest-physical memory as `qemu-system-x86_64 -kernel`
//	           leaves it for a kernel with a PVH note
//	BuildPV    Image -> a domain's frames as Xen 4.17 leaves them: its dom0
//	           builder, or the toolstack's domain builder for a domU
//
// The room writes bytes of frames. It gives frames no owner, type or count
// (the hypervisor validates the finished page tables), starts no vCPU, and
// fills neither Xen's own slots of the L4 nor the M2P.
package image
