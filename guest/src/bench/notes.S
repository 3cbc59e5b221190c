/* notes.S - what the two loaders look for: Xen's PV builder, and the PVH entry
   that Xen's HVM builder and QEMU use. */
#include "arch.h"
#include "xen.h"

.macro NOTE type, kind, value:vararg
	.pushsection .note.Xen, "a", @note
	.balign	4
	.long	4, 2f - 1f, \type	/* sizes of owner and content, type */
	.asciz	"Xen"
1:	\kind	\value
2:	.balign	4
	.popsection
.endm

	NOTE XEN_ELFNOTE_GUEST_OS,	.asciz, "pvlab bench"
	NOTE XEN_ELFNOTE_GUEST_VERSION,	.asciz, "1"
	NOTE XEN_ELFNOTE_XEN_VERSION,	.asciz, "xen-3.0"
	NOTE XEN_ELFNOTE_LOADER,	.asciz, "generic"
	NOTE XEN_ELFNOTE_PAE_MODE,	.asciz, "yes"
	NOTE XEN_ELFNOTE_FEATURES,	.asciz, ""
	NOTE XEN_ELFNOTE_VIRT_BASE,	.quad, KERNEL_BASE
	NOTE XEN_ELFNOTE_ENTRY,		.quad, start_xen
	NOTE XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	NOTE XEN_ELFNOTE_PHYS32_ENTRY,	.quad, start_pvh - KERNEL_BASE
