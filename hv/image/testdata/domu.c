/*
 * domu.c: builds a PV domain with the toolstack's own library, in plain memory
 * and without a hypervisor, for the comparison with BuildPV.
 *
 *   domu KERNEL RAMDISK|- MIB CMDLINE FIRST_MFN
 *
 * MFN = PFN + FIRST_MFN. Prints a line of numbers (entry, stack, start_info,
 * L4 MFN) and then, for each page that the library wrote, the PFN as 8 bytes
 * and the page.
 * Build: cc domu.c -lxenguest -lxenctrl (Debian: libxen-dev).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenguest.h>

static void check(int failed, const char *what)
{
	if (failed) {
		fprintf(stderr, "domu: %s failed\n", what);
		exit(1);
	}
}

/* In place of the library's, which needs the hypervisor. */
int xc_clear_domain_pages(xc_interface *xch, uint32_t domid,
			  unsigned long pfn, int num)
{
	return 0;
}

int main(int argc, char **argv)
{
	check(argc != 6, "usage");
	xc_interface *xch = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);
	check(!xch, "xc_interface_open");
	struct xc_dom_image *dom = xc_dom_allocate(xch, argv[4], NULL);
	check(!dom, "xc_dom_allocate");
	dom->container_type = XC_DOM_PV_CONTAINER;
	check(xc_dom_kernel_file(dom, argv[1]), "kernel");
	if (strcmp(argv[2], "-"))
		check(xc_dom_module_file(dom, argv[2], NULL), "ramdisk");
	dom->flags = 0;			/* as libxl does */
	dom->xenstore_evtchn = 1;
	dom->console_evtchn = 2;
	dom->shared_info_mfn = 0x77;
	strcpy(dom->xen_caps, "xen-3.0-x86_64 ");
	check(xc_dom_parse_image(dom), "parse");
	check(xc_dom_mem_init(dom, atoi(argv[3])), "mem_init");

	/* What the hook meminit does with the hypervisor's help. */
	uint64_t first = strtoull(argv[5], NULL, 0);
	dom->p2m_size = dom->total_pages;
	dom->pv_p2m = calloc(dom->p2m_size, sizeof(*dom->pv_p2m));
	for (xen_pfn_t pfn = 0; pfn < dom->p2m_size; pfn++)
		dom->pv_p2m[pfn] = pfn + first;

	check(xc_dom_build_image(dom), "build");
	check(dom->arch_hooks->setup_pgtables(dom), "page tables");
	check(dom->arch_hooks->start_info(dom), "start_info");

	printf("%#llx %#llx %#llx %#llx\n", (unsigned long long)xc_dom_virt_entry(dom),
	       (unsigned long long)(xc_dom_virt_base(dom) + (dom->bootstack_pfn + 1) * 4096),
	       (unsigned long long)(xc_dom_virt_base(dom) + dom->start_info_pfn * 4096),
	       (unsigned long long)xc_dom_p2m(dom, dom->pgtables_seg.pfn));
	for (uint64_t pfn = 0; pfn < dom->total_pages; pfn++) {
		/* Only what lies in a block that the library has mapped. */
		void *page = xc_dom_pfn_to_ptr(dom, pfn, 0);
		if (page) {
			fwrite(&pfn, 8, 1, stdout);
			fwrite(page, 4096, 1, stdout);
		}
	}
	return 0;
}
