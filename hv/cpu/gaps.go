package cpu

// gap says why an opcode without a row is not simply undefined: it is a legal
// instruction that pvlab does not model. What CPUID does not announce (AVX,
// SSE4a, ...) is no gap: it is undefined, as on a processor without it.
type gap uint8

const (
	gapNone gap = iota
	gapX87
)

var gapOps = [...]Op{gapNone: pseudoUD * 8, gapX87: pseudoX87 * 8}

// gapRange marks opcodes lo to hi of a map.
type gapRange struct {
	m      opMap
	lo, hi uint8
	g      gap
}

var gapRanges = []gapRange{
	{map1, 0xd8, 0xdf, gapX87},
}

func (t *opTable) buildGaps() {
	for _, r := range gapRanges {
		for op := int(r.lo); op <= int(r.hi); op++ {
			t.gaps[r.m][op] = r.g
		}
	}
}
