/* mm_domain.c - MM: what belongs to the domain: assists, reservation, the PAT. */
#include "mm.h"

void mm_17(void)
{
	static const u32 types[] = { 0, 1, 2, 3, 4, 5, 6, 31, 32, 33, 63, 64 };

	for (u32 i = 0; i < ARRAY_LEN(types); i++) {
		long on = HYPERVISOR_vm_assist(VMASST_CMD_enable, types[i]);
		/* Extended CR3 has been on since the start: the image's notes ask for it. */
		long off = types[i] == 3 ? 0 : HYPERVISOR_vm_assist(VMASST_CMD_disable, types[i]);

		say("type %u: enable %s, disable %s", types[i], on ? errno_name(on) : "0",
		    off ? errno_name(off) : "0");
	}
	say_result("command 2, type 2", HYPERVISOR_vm_assist(2, 2));
	say_result("command 2, type 6", HYPERVISOR_vm_assist(2, 6));
}

static long memory_op(u32 op, u64 *extents, u64 n)
{
	struct reservation r = { extents, n, 0, 0, DOMID_SELF };

	return HYPERVISOR_memory_op(op, &r);
}

/* Gives the page a frame again, if it has none. */
static void repopulate(void *page)
{
	u64 pfn = ((u64)page - KERNEL_BASE) / PAGE_SIZE, frame = pfn;

	if (memory_op(XENMEM_populate_physmap, &frame, 1) != 1)
		panic("no frame for a page");
	((u64 *)start_info->mfn_list)[pfn] = frame;
	page_map((u64)page, page, PAGE_WRITABLE);
}

void mm_22(void)
{
	const u64 *m2p = (const u64 *)M2P_START;
	u64 *p2m = (u64 *)start_info->mfn_list;
	u64 pfn = ((u64)test_pages[2] - KERNEL_BASE) / PAGE_SIZE, frame = p2m[pfn], more;

	say_result("unmap the page", page_map((u64)test_pages[2], NULL, 0));
	say_result("decrease by it", memory_op(XENMEM_decrease_reservation, &frame, 1));
	say("its M2P entry is %s", m2p[p2m[pfn]] == ~0UL ? "gone" : "still there");
	frame = pfn;
	say_result("populate the same page", memory_op(XENMEM_populate_physmap, &frame, 1));
	p2m[pfn] = frame;
	say("m2p of the new frame is %s", m2p[frame] == pfn ? "the page" : "something else");
	say_result("map it", page_map((u64)test_pages[2], test_pages[2], PAGE_WRITABLE));
	test_pages[2][5] = 5;
	say("it holds %x", test_pages[2][5]);
	say_result("increase by one", memory_op(XENMEM_increase_reservation, &more, 1));
	say_result("decrease by it", memory_op(XENMEM_decrease_reservation, &more, 1));
	say_result("decrease by none", memory_op(XENMEM_decrease_reservation, &more, 0));
}

/* No errno: the number done. And a page in use does not go away. */
void mm_22_bad(void)
{
	const u64 *m2p = (const u64 *)M2P_START;
	u64 *p2m = (u64 *)start_info->mfn_list;
	u64 pfn = ((u64)test_pages[2] - KERNEL_BASE) / PAGE_SIZE;
	u64 frames[3] = { p2m[pfn], 0, p2m[pfn + 1] };

	say("pages are neighbours: %s", (u64)test_pages[3] == (u64)test_pages[2] + PAGE_SIZE ? "yes" : "no");
	test_pages[2][0] = 0x22;
	say_result("free a page still mapped", memory_op(XENMEM_decrease_reservation, frames, 1));
	say("the page still holds %x", *(volatile u8 *)test_pages[2]);
	say("its M2P entry is %s", m2p[frames[0]] == ~0UL ? "gone" : "still there");
	say_result("free it again", memory_op(XENMEM_decrease_reservation, frames, 1));
	say_result("map it a second time", page_set(area_address(TEST_SLOT), frames[0] * PAGE_SIZE | PAGE_READONLY));
	page_set(area_address(TEST_SLOT), 0);
	page_map((u64)test_pages[2], NULL, 0);
	say_result("map it when its last mapping is gone",
		   page_set(area_address(TEST_SLOT), frames[0] * PAGE_SIZE | PAGE_READONLY));
	say_result("free it again", memory_op(XENMEM_decrease_reservation, frames, 1));
	repopulate(test_pages[2]);
	page_map((u64)test_pages[2], NULL, 0);
	page_map((u64)test_pages[3], NULL, 0);
	frames[0] = p2m[pfn];
	say_result("three frames, the second is Xen's", memory_op(XENMEM_decrease_reservation, frames, 3));
	repopulate(test_pages[2]);
	page_map((u64)test_pages[3], test_pages[3], PAGE_WRITABLE);
	say_result("a list at a bad address", memory_op(XENMEM_decrease_reservation, (void *)NOWHERE_KERNEL, 1));
	say_result("arguments at a bad address",
		   HYPERCALL(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, NOWHERE_KERNEL, 0, 0));
}

KERNEL_CODE(pat_read, "mov $0x277, %ecx\nrdmsr\nud2");
KERNEL_CODE(pat_write, "mov $0x277, %ecx\nmov $0x00070406, %eax\nmov $0x0501, %edx\nwrmsr\nud2");
KERNEL_CODE(pat_change, "mov $0x277, %ecx\nmov $0x00070406, %eax\nmov $0x00070406, %edx\nwrmsr\nud2");

void mm_27(void)
{
	struct start s = kernel_code(pat_read);
	struct record *r;

	catch_all();
	r = go(&s, NULL);
	say_end("RDMSR 277", r, 0);
	say("it is %08x %08x", (u32)r->gpr[RDX], (u32)r->gpr[RAX]);
	s = kernel_code(pat_write);
	say_end("WRMSR 277 with the same value", go(&s, NULL), 0);
	s = kernel_code(pat_change);
	say_end("WRMSR 277 with another", go(&s, NULL), 0);
}
