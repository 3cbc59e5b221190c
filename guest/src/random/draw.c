/* draw.c - random numbers, each operation's a stream of its own. */
#include "random.h"

static u64 stream;

/* SplitMix64. */
static u64 scramble(u64 z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void draw_begin(u64 seed, u64 sequence, u64 operation)
{
	stream = scramble(scramble(scramble(seed + 1) + sequence + 1) + operation + 1);
}

u64 draw(void)
{
	return scramble(stream += 0x9e3779b97f4a7c15);
}

u64 below(u64 n)
{
	return (draw() >> 32) * n >> 32;
}

bool chance(u32 percent)
{
	return below(100) < percent;
}

u64 no_frame(u64 word)
{
	u64 frame = (word & PTE_FRAME) / PAGE_SIZE;

	return frame && frame < FAR ? word | FAR * 32 * PAGE_SIZE : word;
}

u64 draw_word(void)
{
	switch (below(6)) {
	case 0:
		return below(16);
	case 1:
		return no_frame(1UL << below(64));
	case 2:
		return no_frame((1UL << below(64)) - 1);
	case 3:
		return ~below(16);
	case 4:
		return no_frame(draw() & draw() & draw());
	}
	return no_frame(draw());
}

u64 draw_bad_pointer(void)
{
	static const u64 places[] = {
		0, 8, 0x1000, 0x00007ffffffffff8, 0x0000800000000000, 0xffff7ffffffffff8,
		0xffff800000000000, 0xffff830000000000, 0xffff87fffffffff8, 0xfffffffffffffff8,
		0xffffffffffffffff, AREA_BASE + AREA_HOLE * PAGE_SIZE, AREA_BASE + AREA_HOLE * PAGE_SIZE - 4,
	};

	return pick(places);
}
