/* When upcalls and NMIs come, what their frames say, timers, and a second vCPU. */
#include "guest.h"

#define PAGE __attribute__((aligned(4096)))
static u64 PAGE shared[512], PAGE apstack[512], PAGE gdt[512], PAGE data[512];
static volatile u8 *vi;
static u32 timer_port, ipi_port, ap_port;

static void seen(const char *name)
{
	show(name, event_count);
	if (event_count) {
		show(" cs slot", event_frame[3]);
		show(" flags", event_frame[4]);
		show(" aligned", event_frame[5] & 15);
	}
	show(" nmis", nmi_count);
	show(" pending", vi[0]);
	show(" mask", vi[1]);
	event_count = nmi_count = 0;
}

static void callback(u16 type, u16 flags, const void *to)
{
	struct { u16 type, flags; u32 pad; u64 addr; } cb = { type, flags, 0, P(to) };
	hc(30, 0, P(&cb), 0, 0, 0);
}
static long send(u32 port) { return hc(32, 4, P(&port), 0, 0, 0); }
static long unmask(u32 port) { return hc(32, 9, P(&port), 0, 0, 0); }
static void clear(void)
{
	for (int i = 0; i < 64; i++) shared[256 + i] = 0;
	((u64 *)vi)[1] = 0;
	vi[0] = 0;
}

static void upcalls(void)
{
	clear();
	seen("at start");
	send(ipi_port);
	seen("EVT-02 sent while masked");
	vi[1] = 0;
	seen("EVT-05 unmasked by a store");
	hc(17, 0, 0, 0, 0, 0);
	seen("EVT-05 after a hypercall");
	show("EVT-03 the port's bit stays", shared[256] != 0);
	send(ipi_port);
	seen("EVT-03 sent again with the bit set");
	clear();
	send(ipi_port);
	seen("EVT-03 sent with all clear");
	clear();
	((u64 *)vi)[1] = 1;
	send(ipi_port);
	seen("EVT-03 selector left dirty");
	clear();
	shared[320] = 1ul << ipi_port;
	send(ipi_port);
	seen("EVT-04 sent while the port is masked");
	shared[320] = 0;
	hc(17, 0, 0, 0, 0, 0);
	seen("EVT-04 unmasked by a store");
	shared[320] = 1ul << ipi_port;
	unmask(ipi_port);
	seen("EVT-04 unmasked by hypercall");
	clear();
	vi[1] = 0x80;
	send(ipi_port);
	hc(17, 0, 0, 0, 0, 0);
	seen("EVT-02 mask 0x80");
	vi[1] = 2;
	hc(17, 0, 0, 0, 0, 0);
	seen("EVT-02 mask 2");
	vi[1] = 0;
	vi[0] = 0x40;
	hc(17, 0, 0, 0, 0, 0);
	seen("EVT-02 pending 0x40");
	clear();
	static const struct trap shut[] = { { 3, 4, 0, 0, (u64)on_int3 }, { 0 } }, open[] = { { 3, 0, 0, 0, (u64)on_int3 }, { 0 } };
	hc(0, P(shut), 0, 0, 0, 0);
	vi[0] = 1;
	asm volatile("int3" ::: "memory");
	seen("FRAME-13 int3 through a masking gate");
	show(" interrupted the handler", event_frame[2] - P(on_int3) < 64);
	hc(0, P(open), 0, 0, 0, 0);
	clear();
	vi[0] = 1;
	asm volatile("int3" ::: "memory");
	seen("FRAME-13 int3 through an open gate");
	show(" interrupted the int3", event_frame[2] - P(upcalls) < 4096);
	set_traps();
	clear();
	vi[1] = 1;
	u64 keep;
	asm volatile("mov %%rsp, %0; sub $5, %%rsp; movb $0, 1(%2); movb $1, (%2); mov $17, %%eax; xor %%edi, %%edi; syscall; mov %0, %%rsp"
		     : "=&r"(keep) : "0"(0), "r"(vi) : "rax", "rdi", "rcx", "r11", "memory");
	seen("FRAME-04 an event on a crooked stack");
	vi[1] = 1;
}

static void blocking(void)
{
	clear();
	vi[1] = 1;
	send(ipi_port);
	show("EVT-07 block with an event pending", hc(29, 1, 0, 0, 0, 0));
	seen("EVT-07 delivered");
	clear();
	vi[1] = 1;
	hc(15, 1, 0, 0, 0, 0);
	seen("EVT-11 a timer in the past");
	show("EVT-07 block", hc(29, 1, 0, 0, 0, 0));
	seen("EVT-07 woken by the timer");
	clear();
	vi[1] = 1;
	u32 port = ipi_port;
	struct { u64 ports; u32 n, pad; u64 timeout; } poll = { P(&port), 1, 0, 0 };
	send(ipi_port);
	show("EVT-08 poll of a pending port", hc(29, 3, P(&poll), 0, 0, 0));
	seen("EVT-08 leaves the mask");
	clear();
	poll.timeout = 1;
	show("EVT-08 poll with a timeout gone by", hc(29, 3, P(&poll), 0, 0, 0));
	seen("EVT-08 nothing delivered");
	poll.n = 0;
	poll.timeout = 0;
	vi[0] = 1;
	vi[1] = 0;
	show("EVT-08 poll with an upcall due", hc(29, 3, P(&poll), 0, 0, 0));
	seen("EVT-08 delivered");
	vi[1] = 1;
	u64 one[2] = { 1, 0 };
	clear();
	show("EVT-11 single shot in the past", hc(24, 8, 0, P(one), 0, 0));
	seen("EVT-11 pending at once");
}

static void nmis(void)
{
	static const struct trap gate[] = { { 2, 0, 0, 0, (u64)on_nmi }, { 0 } };
	clear();
	vi[1] = 1;
	show("CB-12 without handler", hc(24, 11, 0, 0, 0, 0));
	seen("CB-12 dropped");
	hc(28, 0, P((u64[2]){ P(on_nmi), 0 }), 0, 0, 0);
	hc(24, 11, 0, 0, 0, 0);
	seen("CB-11 in spite of the mask");
	vi[1] = 0;
	hc(24, 11, 0, 0, 0, 0);
	seen("FRAME-12 through nmi_op");
	hc(0, P(gate), 0, 0, 0, 0);
	hc(24, 11, 0, 0, 0, 0);
	seen("FRAME-12 through the trap table");
	vi[0] = 1;
	hc(24, 11, 0, 0, 0, 0);
	seen("HC-10 with an event pending");
	vi[1] = 1;
}

static u8 ctx[5168] __attribute__((aligned(64)));
#define U64(off) (*(u64 *)(ctx + (off)))
static long init(void) { return hc(24, 0, 1, P(ctx), 0, 0); }
static volatile u32 ap_done;

void ap_main(void)
{
	ap_done = 1;
	hc(24, 2, 1, 0, 0, 0);
	/* Up again. */
	ap_done = 2;
	hc(24, 2, 1, 0, 0, 0);
}

static void wait(u32 n)
{
	for (u64 i = 0; i < 100000000 && ap_done != n; i++) hc(29, 0, 0, 0, 0, 0);
	for (u64 i = 0; i < 100000000 && hc(24, 3, 1, 0, 0, 0); i++) hc(29, 0, 0, 0, 0, 0);
}

static void second(void)
{
	u64 cr3;
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	show("EVT-15 up before initialise", hc(24, 1, 1, 0, 0, 0));
	show("EVT-14 an empty context", init());
	U64(512) = 4;
	show("EVT-14 no root", init());
	U64(4984 + 24) = cr3;
	U64(520 + 128) = 1ul << 63;
	show("EVT-14 rip", init());
	U64(520 + 128) = P(ap_start);
	U64(520 + 152) = 1ul << 63;
	show("EVT-14 rsp", init());
	U64(520 + 152) = P(apstack + 512) - 8;
	U64(4976) = 1ul << 63;
	show("EVT-14 kernel_sp", init());
	U64(4976) = 0;
	U64(5128) = 1ul << 63;
	show("EVT-14 syscall callback", init());
	U64(5128) = 0;
	U64(720 + 16 * 200 + 8) = 1ul << 63;
	show("EVT-14 trap 200", init());
	U64(720 + 16 * 200 + 8) = 0;
	U64(4816) = 0xffff820000000000;
	show("EVT-14 LDT in the hole", init());
	U64(4816) = 8;
	show("EVT-14 LDT misaligned", init());
	U64(4816) = 0;
	U64(4824) = 9000;
	show("EVT-14 LDT too long", init());
	U64(4824) = 0;
	U64(4832) = mfn(gdt);
	U64(4960) = 512;
	show("EVT-14 GDT still writable", init());
	U64(4960) = 8000;
	show("EVT-14 GDT too long", init());
	U64(4960) = 0;
	U64(512) = 0;
	show("EVT-14 user start without a table", init());
	U64(512) = 4;
	U64(520 + 80) = 0x1234;
	U64(520 + 0) = 0xf15;
	U64(520 + 144) = 1;
	U64(520 + 136) = 0xe033;
	U64(520 + 160) = 0xe02b;
	U64(520 + 176) = 0xe02b;
	U64(520 + 184) = 0;
	data[0] = 0x6553;
	U64(5152) = P(data);
	show("EVT-14 good", init());
	show("EVT-14 twice", init());
	show("EVT-15 is up", hc(24, 3, 1, 0, 0, 0));
	show("EVT-15 up", hc(24, 1, 1, 0, 0, 0));
	wait(1);
	show("the second vCPU ran", ap_done);
	show(" rsp", ap_regs[0] - P(apstack));
	show(" flags", ap_regs[1]);
	show(" cs", ap_regs[2] & 0xffff);
	show(" ss", ap_regs[3] & 0xffff);
	show(" ds", ap_regs[4] & 0xffff);
	show(" fs", ap_regs[5] & 0xffff);
	show(" rax", ap_regs[6]);
	show(" r15", ap_regs[7]);
	show(" gs:0", ap_regs[8]);
	show(" mask", vi[64 + 1]);
	hc(24, 1, 1, 0, 0, 0);
	wait(2);
	show("EVT-15 up again", ap_done);
	u64 area[2] = { mfn(data), 128 };
	show("EVT-16 info of a vCPU that is down", hc(24, 10, 1, P(area), 0, 0));
	show("EVT-16 mask kept", ((u8 *)data)[129]);
	show("EVT-16 pending", ((u8 *)data)[128]);
}

void run(u64 *si)
{
	u32 a[3] = { 0, 0, 0 };
	start_info = si;
	mfn_list = (u64 *)si[13];
	hc(14, P(shared), start_info[5] | 0x67, 2, 0, 0);
	vi = (u8 *)shared;
	vcpu_info = shared;
	set_traps();
	callback(0, 0, on_event);
	hc(24, 7, 0, 0, 0, 0);
	hc(32, 1, P(a), 0, 0, 0);
	timer_port = a[2];
	a[0] = 0;
	hc(32, 7, P(a), 0, 0, 0);
	ipi_port = a[1];
	(void)timer_port; (void)ap_port;
	upcalls();
	blocking();
	nmis();
	second();
	put("end\n", 4);
	done();
}
