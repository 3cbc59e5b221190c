/* evt_fpu.c - EVT: the x87 and SSE state that a vCPU begins with. */
#include "ap.h"
#include "evt.h"

#define VGCF_I387_VALID	1

struct fpu { u16 fcw, fsw; u32 mxcsr; u64 low, high; };

static struct fpu at_boot, of_ap;
static volatile u32 ran;

/* By the layout of FXSAVE64. */
static void look(struct fpu *f)
{
	static u8 image[512] __attribute__((aligned(16)));

	asm volatile("fxsave64 %0" : "=m"(image));
	f->fcw = *(u16 *)&image[0];
	f->fsw = *(u16 *)&image[2];
	f->mxcsr = *(u32 *)&image[24];
	f->low = *(u64 *)&image[160 + 80];
	f->high = *(u64 *)&image[160 + 88];
}

static void say_fpu(const char *what, const struct fpu *f)
{
	say("%s: fcw %x, fsw %x, mxcsr %x, xmm5 %lx %lx", what, f->fcw, f->fsw, f->mxcsr, f->low, f->high);
}

static void __attribute__((noreturn)) ap_code(void)
{
	look(&of_ap);
	ran = 1;
	for (;;)
		HYPERVISOR_vcpu_op(2, 1, NULL);
}

static void start(struct vcpu_guest_context *c)
{
	say_result("initialise", ap_initialise(c));
	say_result("up", ap_up());
	say("it ran: %d", ap_wait(&ran));
	say_fpu("vCPU 1", &of_ap);
}

/* EVT-29 */
static void evt_29(void)
{
	struct vcpu_guest_context *c = ap_context(ap_code);

	look(&at_boot);
	say_fpu("vCPU 0 since boot", &at_boot);
	start(c);
}

/* EVT-30: the image is taken with VGCF_I387_VALID only. */
static void evt_30(void)
{
	struct vcpu_guest_context *c = ap_context(ap_code);
	u8 *image = c->fpu_ctxt;

	c->flags |= VGCF_I387_VALID;
	*(u16 *)&image[0] = 0x027f;
	*(u16 *)&image[2] = 0x4700;
	*(u32 *)&image[24] = 0x1fa0;
	*(u64 *)&image[160 + 80] = 0x1122334455667788;
	*(u64 *)&image[160 + 88] = 0x99aabbccddeeff00;
	/* Xen counts the pages of the GDT in 32 bits. */
	c->gdt_ents = (17UL * 512 + 1) << 32 | 8 * 1024;
	say_result("a GDT of many entries", ap_initialise(c));
	c->gdt_ents = 1UL << 41;
	start(c);
}

const struct demo evt_fpu_demos[] = {
	{ "EVT-29", FACT, evt_29, NULL, RUN_DIES | TWO_VCPUS },
	{ "EVT-30", FACT, evt_30, NULL, RUN_DIES | TWO_VCPUS },
	{}
};
