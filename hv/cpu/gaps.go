package cpu

// gap says why an opcode without a row is not simply undefined: it is a legal
// instruction that pvlab does not model.
type gap uint8

const (
	gapNone gap = iota
	gapX87
	gapMMX // MMX with no or 66/F3/F2 prefix: the prefixed forms are SSE
	gapSSE
	gapAVX
)

var gapOps = [...]Op{
	gapNone: pseudoUD * 8, gapX87: pseudoX87 * 8, gapMMX: pseudoMMX * 8,
	gapSSE: pseudoSSE * 8, gapAVX: pseudoAVX * 8,
}

// gapRange marks opcodes lo to hi of a map.
type gapRange struct {
	m      opMap
	lo, hi uint8
	g      gap
}

// gapRanges is taken from the opcode maps of SDM vol. 2, appendix A.
var gapRanges = []gapRange{
	{map1, 0xd8, 0xdf, gapX87},
	{map0F, 0x10, 0x17, gapSSE},
	{map0F, 0x28, 0x2f, gapSSE},
	{map0F, 0x50, 0x5f, gapSSE},
	{map0F, 0x60, 0x6b, gapMMX},
	{map0F, 0x6c, 0x6d, gapSSE},
	{map0F, 0x6e, 0x77, gapMMX},
	{map0F, 0x7c, 0x7d, gapSSE},
	{map0F, 0x7e, 0x7f, gapMMX},
	{map0F, 0xc2, 0xc2, gapSSE},
	{map0F, 0xc4, 0xc6, gapSSE},
	{map0F, 0xd0, 0xfe, gapMMX},
	{map0F38, 0x00, 0x0b, gapSSE},
	{map0F38, 0x10, 0x10, gapSSE},
	{map0F38, 0x14, 0x15, gapSSE},
	{map0F38, 0x17, 0x17, gapSSE},
	{map0F38, 0x1c, 0x1e, gapSSE},
	{map0F38, 0x20, 0x25, gapSSE},
	{map0F38, 0x28, 0x2b, gapSSE},
	{map0F38, 0x30, 0x41, gapSSE},
	{map0F38, 0xc8, 0xcf, gapSSE},
	{map0F38, 0xdb, 0xdf, gapSSE},
	{map0F3A, 0x08, 0x0f, gapSSE},
	{map0F3A, 0x14, 0x17, gapSSE},
	{map0F3A, 0x20, 0x22, gapSSE},
	{map0F3A, 0x40, 0x44, gapSSE},
	{map0F3A, 0x60, 0x63, gapSSE},
	{map0F3A, 0xcc, 0xcf, gapSSE},
	{map0F3A, 0xdf, 0xdf, gapSSE},
	{mapVEX0F, 0x00, 0xff, gapAVX},
	{mapVEX38, 0x00, 0xff, gapAVX},
	{mapVEX3A, 0x00, 0xff, gapAVX},
}

func (t *opTable) buildGaps() {
	for _, r := range gapRanges {
		for op := int(r.lo); op <= int(r.hi); op++ {
			t.gaps[r.m][op] = r.g
		}
	}
}
