/* compute.c - loads of plain code that leave the machine alone: arithmetic,
   memory, calls, sorting, an interpreter. */
#include "perf.h"

/* A round is 1,000 turns of five integer instructions. */
static u64 loop_run(u64 n)
{
	u64 sum = 0;

	while (n--) {
		u64 i = 1000;

		sum = 0;
		asm volatile("1:	add	%1, %0\n"
			     "	rol	$7, %0\n"
			     "	xor	%1, %0\n"
			     "	dec	%1\n"
			     "	jnz	1b"
			     : "+r"(sum), "+r"(i));
	}
	return sum;
}

const struct load integer_loads[] = { { "loop", loop_run }, {} };

/* 4,096 nodes of 64 bytes, 64 pages, linked in an order that no one foresees. */
#define NODES	4096
static struct node { struct node *next; u64 pad[7]; } nodes[NODES];

static void chase_prepare(void)
{
	static u16 order[NODES];
	u64 x = 88172645463325252;

	for (u32 i = 0; i < NODES; i++)
		order[i] = i;
	for (u32 i = NODES - 1; i; i--) {
		u32 k;
		u16 t = order[i];

		x = xorshift(x);
		k = x % (i + 1);
		order[i] = order[k];
		order[k] = t;
	}
	for (u32 i = 0; i < NODES; i++)
		nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
}

/* A round goes once through all nodes. */
static u64 chase_run(u64 n)
{
	const struct node *p = nodes;

	while (n--)
		for (u32 i = 0; i < NODES; i++)
			p = *(const struct node *const volatile *)&p->next;
	return (u64)(p - nodes);
}

#define COPY_WORDS	4096
static u64 copy_from[COPY_WORDS], copy_to[COPY_WORDS];

static void copy_prepare(void)
{
	u64 x = 1;

	for (u32 i = 0; i < COPY_WORDS; i++)
		copy_from[i] = x = xorshift(x);
}

/* A round copies 32 KiB, word by word. */
static u64 copy_run(u64 n)
{
	while (n--)
		for (u32 i = 0; i < COPY_WORDS; i++) {
			u64 w = copy_from[i];

			barrier();
			copy_to[i] = w;
		}
	return copy_to[COPY_WORDS - 1] ^ copy_to[0];
}

const struct load memory_loads[] = {
	{ "chase", chase_run, chase_prepare },
	{ "copy", copy_run, copy_prepare },
	{}
};

static __attribute__((noinline, noclone)) u64 fib(u64 n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* A round is fib(16) the long way: 3,193 calls. */
static u64 calls_run(u64 n)
{
	u64 sum = 0;

	while (n--) {
		sum = fib(16);
		barrier();
	}
	return sum;
}

/*
 * A machine of one accumulator and four cells whose operations are found
 * through a table of labels: each is an indirect jump.
 */
enum { OP_LOAD, OP_STORE, OP_ADD, OP_XOR, OP_SHIFT, OP_DEC, OP_LOOP, OP_END };

static const u8 program[] = {
	OP_LOAD, 0, OP_ADD, 1, OP_SHIFT, 3, OP_XOR, 0, OP_STORE, 0,
	OP_LOAD, 1, OP_ADD, 0, OP_STORE, 1,
	OP_DEC, 2, OP_LOOP, 0,
	OP_END,
};

/* A round lets the program loop 200 times: 2,000 operations. */
static u64 interp_run(u64 n)
{
	static const void *const labels[] = {
		[OP_LOAD] = &&load, [OP_STORE] = &&store, [OP_ADD] = &&add, [OP_XOR] = &&xor,
		[OP_SHIFT] = &&shift, [OP_DEC] = &&dec, [OP_LOOP] = &&loop, [OP_END] = &&end,
	};
	volatile u64 sum = 0;

#define NEXT	goto *labels[*pc++]
	while (n--) {
		u64 cell[4] = { 1, 2, 200, 0 }, acc = 0;
		const u8 *pc = program;

		NEXT;
load:		acc = cell[*pc++]; NEXT;
store:		cell[*pc++] = acc; NEXT;
add:		acc += cell[*pc++]; NEXT;
xor:		acc ^= cell[*pc++]; NEXT;
shift:		acc = acc << *pc | acc >> (64 - *pc); pc++; NEXT;
dec:		acc = --cell[*pc++]; NEXT;
loop:		pc = acc ? program + *pc : pc + 1; NEXT;
end:		sum = cell[0] ^ cell[1];
	}
#undef NEXT
	return sum;
}

const struct load flow_loads[] = {
	{ "calls", calls_run },
	{ "interp", interp_run },
	{}
};

#define KEYS	1024
static u64 keys[KEYS];

static __attribute__((noinline, noclone)) void quicksort(u64 *a, long n)
{
	while (n > 1) {
		u64 pivot = a[n / 2];
		long i = 0, k = n - 1;

		for (;;) {
			u64 t;

			while (a[i] < pivot)
				i++;
			while (a[k] > pivot)
				k--;
			if (i >= k)
				break;
			t = a[i];
			a[i++] = a[k];
			a[k--] = t;
		}
		quicksort(a, i);
		a += i;
		n -= i;
	}
}

/* A round makes 1,024 numbers and sorts them. */
static u64 sort_run(u64 n)
{
	u64 sum = 0;

	while (n--) {
		u64 x = 0x9e3779b97f4a7c15;

		for (u32 i = 0; i < KEYS; i++)
			keys[i] = x = xorshift(x);
		quicksort(keys, KEYS);
		sum = 0;
		for (u32 i = 1; i < KEYS; i++)
			sum = sum * 31 + keys[i] + (keys[i] < keys[i - 1]);
	}
	return sum;
}

const struct load sort_loads[] = { { "sort", sort_run }, {} };
