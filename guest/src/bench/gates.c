/* gates.c - which stub each vector enters: Xen's trap table, or the IDT. */
#include "bench.h"
#include "xen_guest.h"

struct kernel_stub_row { u64 vector, native, xen; };
extern const struct kernel_stub_row kernel_stubs[];
extern u64 chain_pf, chain_bp, chain_db, chain_gp;

static u64 gates[256];

u64 kernel_stub(u8 vector)
{
	for (const struct kernel_stub_row *row = kernel_stubs; row->native; row++)
		if (row->vector == vector)
			return on_xen() ? row->xen : row->native;
	return 0;
}

u8 gate_dpl(u8 vector)
{
	return vector == 3 || vector == 4 || vector == 0x31 || vector == 0x80 ? 3 : 0;
}

/* Exception handlers are entered with events masked on either platform. */
static struct trap_info trap_info(u8 vector)
{
	return (struct trap_info){ vector, gate_dpl(vector) | TI_EVENT_MASK, FLAT_CS, gates[vector] };
}

static void load_xen(const struct trap_info *table)
{
	if (HYPERVISOR_set_trap_table(table) < 0)
		panic("set_trap_table was refused");
}

void gates_clear(void)
{
	memset(gates, 0, sizeof(gates));
	if (on_xen())
		load_xen(NULL);
	else
		for (u32 v = 0; v < 256; v++)
			native_gate_write(v, 0, 0);
}

void gate_set(u8 vector, u64 stub)
{
	struct trap_info one[2] = {};

	gates[vector] = stub;
	if (!on_xen()) {
		native_gate_write(vector, stub, gate_dpl(vector));
		return;
	}
	if (stub) {
		one[0] = trap_info(vector);
		load_xen(one);
		return;
	}
	/* A null address ends the list, so one vector is taken out by clearing
	   the table and loading the rest again (FRAME-26). */
	load_xen(NULL);
	gates_load();
}

void gates_load(void)
{
	struct trap_info table[64 + 1] = {};
	u32 n = 0;

	if (!on_xen()) {
		native_idt_load();
		return;
	}
	for (u32 v = 0; v < 256 && n < 64; v++)
		if (gates[v])
			table[n++] = trap_info(v);
	load_xen(table);
}

void gates_init(void)
{
	for (u32 v = 0; v < 256; v++)
		if (!on_xen())
			native_gate_write(v, gates[v] = kernel_stub(v), gate_dpl(v));
		else
			gates[v] = kernel_stub(v);
	gates_load();
	chain_pf = kernel_stub(14);
	chain_bp = kernel_stub(3);
	chain_db = kernel_stub(1);
	chain_gp = kernel_stub(13);
}
