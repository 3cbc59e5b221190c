package cpu

// Packed integer arithmetic on 64 bits: eight bytes, four words or two
// doublewords side by side. An xmm operation is two of these.

const (
	lane8Top  = 0x8080808080808080
	lane16Top = 0x8000800080008000
	lane32Top = 0x8000000080000000
)

// addLanes adds lanes whose top bits are top: without those no carry leaves a
// lane.
func addLanes(a, b, top uint64) uint64 { return (a&^top + b&^top) ^ (a^b)&top }

func subLanes(a, b, top uint64) uint64 { return (a | top - b&^top) ^ (a^^b)&top }

func paddb(d, s uint64) uint64 { return addLanes(d, s, lane8Top) }
func paddw(d, s uint64) uint64 { return addLanes(d, s, lane16Top) }
func paddd(d, s uint64) uint64 { return addLanes(d, s, lane32Top) }
func paddq(d, s uint64) uint64 { return d + s }
func psubb(d, s uint64) uint64 { return subLanes(d, s, lane8Top) }
func psubw(d, s uint64) uint64 { return subLanes(d, s, lane16Top) }
func psubd(d, s uint64) uint64 { return subLanes(d, s, lane32Top) }
func psubq(d, s uint64) uint64 { return d - s }

func pand(d, s uint64) uint64  { return d & s }
func pandn(d, s uint64) uint64 { return ^d & s }
func por(d, s uint64) uint64   { return d | s }
func pxor(d, s uint64) uint64  { return d ^ s }

// laneInt are the element types.
type laneInt interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32
}

// each applies f to each pair of elements of type T.
func each[T laneInt](f func(d, s T) T) func(d, s uint64) uint64 {
	var t T
	w := laneWidth(t)
	mask := uint64(1)<<w - 1
	return func(d, s uint64) (r uint64) {
		for i := uint(0); i < 64; i += w {
			r |= uint64(f(T(d>>i), T(s>>i))) & mask << i
		}
		return r
	}
}

func laneWidth(t any) uint {
	switch t.(type) {
	case int8, uint8:
		return 8
	case int16, uint16:
		return 16
	}
	return 32
}

func maxLane[T laneInt](d, s T) T { return max(d, s) }
func minLane[T laneInt](d, s T) T { return min(d, s) }

func equalLane[T laneInt](d, s T) T {
	if d == s {
		var zero T
		return zero - 1
	}
	return 0
}

func greaterLane[T laneInt](d, s T) T {
	if d > s {
		var zero T
		return zero - 1
	}
	return 0
}

// saturate brings v into the range of T.
func saturate[T laneInt](v int64, lo, hi int64) T { return T(min(max(v, lo), hi)) }

func addSatB(d, s int8) int8      { return saturate[int8](int64(d)+int64(s), -128, 127) }
func addSatW(d, s int16) int16    { return saturate[int16](int64(d)+int64(s), -32768, 32767) }
func addSatUB(d, s uint8) uint8   { return saturate[uint8](int64(d)+int64(s), 0, 255) }
func addSatUW(d, s uint16) uint16 { return saturate[uint16](int64(d)+int64(s), 0, 65535) }
func subSatB(d, s int8) int8      { return saturate[int8](int64(d)-int64(s), -128, 127) }
func subSatW(d, s int16) int16    { return saturate[int16](int64(d)-int64(s), -32768, 32767) }
func subSatUB(d, s uint8) uint8   { return saturate[uint8](int64(d)-int64(s), 0, 255) }
func subSatUW(d, s uint16) uint16 { return saturate[uint16](int64(d)-int64(s), 0, 65535) }

func avgB(d, s uint8) uint8   { return uint8((uint(d) + uint(s) + 1) >> 1) }
func avgW(d, s uint16) uint16 { return uint16((uint(d) + uint(s) + 1) >> 1) }

func mulLow16(d, s uint16) uint16   { return d * s }
func mulLow32(d, s uint32) uint32   { return d * s }
func mulHigh16(d, s int16) int16    { return int16(int32(d) * int32(s) >> 16) }
func mulHighU16(d, s uint16) uint16 { return uint16(uint32(d) * uint32(s) >> 16) }
func mulRound16(d, s int16) int16   { return int16((int32(d)*int32(s)>>14 + 1) >> 1) }

func pmuludq(d, s uint64) uint64 { return d & 0xffffffff * (s & 0xffffffff) }
func pmuldq(d, s uint64) uint64  { return uint64(int64(int32(d)) * int64(int32(s))) }

// pmaddwd adds the products of neighbouring signed words.
func pmaddwd(d, s uint64) (r uint64) {
	for i := uint(0); i < 64; i += 32 {
		p := int32(int16(d>>i))*int32(int16(s>>i)) + int32(int16(d>>(i+16)))*int32(int16(s>>(i+16)))
		r |= uint64(uint32(p)) << i
	}
	return r
}

// pmaddubsw adds the products of unsigned bytes of d and signed bytes of s.
func pmaddubsw(d, s uint64) (r uint64) {
	for i := uint(0); i < 64; i += 16 {
		p := int64(uint8(d>>i))*int64(int8(s>>i)) + int64(uint8(d>>(i+8)))*int64(int8(s>>(i+8)))
		r |= uint64(uint16(saturate[int16](p, -32768, 32767))) << i
	}
	return r
}

// psadbw adds the absolute differences of eight bytes.
func psadbw(d, s uint64) (r uint64) {
	for i := uint(0); i < 64; i += 8 {
		a, b := uint8(d>>i), uint8(s>>i)
		r += uint64(max(a, b) - min(a, b))
	}
	return r
}

func absLane[T int8 | int16 | int32](_, s T) T {
	if s < 0 {
		return -s
	}
	return s
}

func signLane[T int8 | int16 | int32](d, s T) T {
	switch {
	case s < 0:
		return -d
	case s == 0:
		return 0
	}
	return d
}

func equal64(a, b uint64) uint64 {
	if a == b {
		return ^uint64(0)
	}
	return 0
}

func greater64(d, s uint64) uint64 {
	if int64(d) > int64(s) {
		return ^uint64(0)
	}
	return 0
}

// packedRows are the operations that work on each half alone.
func packedRows() []row {
	rows := []row{}
	for _, r := range []struct {
		m    opMap
		op   uint8
		name string
		f    func(d, s uint64) uint64
	}{
		{map0F, 0xfc, "PADDB", paddb}, {map0F, 0xfd, "PADDW", paddw}, {map0F, 0xfe, "PADDD", paddd}, {map0F, 0xd4, "PADDQ", paddq},
		{map0F, 0xf8, "PSUBB", psubb}, {map0F, 0xf9, "PSUBW", psubw}, {map0F, 0xfa, "PSUBD", psubd}, {map0F, 0xfb, "PSUBQ", psubq},
		{map0F, 0xdb, "PAND", pand}, {map0F, 0xdf, "PANDN", pandn}, {map0F, 0xeb, "POR", por}, {map0F, 0xef, "PXOR", pxor},
		{map0F, 0xec, "PADDSB", each(addSatB)}, {map0F, 0xed, "PADDSW", each(addSatW)},
		{map0F, 0xdc, "PADDUSB", each(addSatUB)}, {map0F, 0xdd, "PADDUSW", each(addSatUW)},
		{map0F, 0xe8, "PSUBSB", each(subSatB)}, {map0F, 0xe9, "PSUBSW", each(subSatW)},
		{map0F, 0xd8, "PSUBUSB", each(subSatUB)}, {map0F, 0xd9, "PSUBUSW", each(subSatUW)},
		{map0F, 0x74, "PCMPEQB", each(equalLane[uint8])}, {map0F, 0x75, "PCMPEQW", each(equalLane[uint16])},
		{map0F, 0x76, "PCMPEQD", each(equalLane[uint32])},
		{map0F, 0x64, "PCMPGTB", each(greaterLane[int8])}, {map0F, 0x65, "PCMPGTW", each(greaterLane[int16])},
		{map0F, 0x66, "PCMPGTD", each(greaterLane[int32])},
		{map0F, 0xd5, "PMULLW", each(mulLow16)}, {map0F, 0xe5, "PMULHW", each(mulHigh16)}, {map0F, 0xe4, "PMULHUW", each(mulHighU16)},
		{map0F, 0xf4, "PMULUDQ", pmuludq}, {map0F, 0xf5, "PMADDWD", pmaddwd}, {map0F, 0xf6, "PSADBW", psadbw},
		{map0F, 0xda, "PMINUB", each(minLane[uint8])}, {map0F, 0xde, "PMAXUB", each(maxLane[uint8])},
		{map0F, 0xea, "PMINSW", each(minLane[int16])}, {map0F, 0xee, "PMAXSW", each(maxLane[int16])},
		{map0F, 0xe0, "PAVGB", each(avgB)}, {map0F, 0xe3, "PAVGW", each(avgW)},
		{map0F38, 0x04, "PMADDUBSW", pmaddubsw}, {map0F38, 0x0b, "PMULHRSW", each(mulRound16)},
		{map0F38, 0x08, "PSIGNB", each(signLane[int8])}, {map0F38, 0x09, "PSIGNW", each(signLane[int16])},
		{map0F38, 0x0a, "PSIGND", each(signLane[int32])},
		{map0F38, 0x1c, "PABSB", each(absLane[int8])}, {map0F38, 0x1d, "PABSW", each(absLane[int16])},
		{map0F38, 0x1e, "PABSD", each(absLane[int32])},
	} {
		rows = append(rows, bothRows(r.m, r.op, r.name, r.f)...)
	}
	for _, r := range []struct {
		op   uint8
		name string
		f    func(d, s uint64) uint64
	}{
		{0x28, "PMULDQ", pmuldq}, {0x29, "PCMPEQQ", equal64}, {0x37, "PCMPGTQ", greater64},
		{0x38, "PMINSB", each(minLane[int8])}, {0x39, "PMINSD", each(minLane[int32])},
		{0x3a, "PMINUW", each(minLane[uint16])}, {0x3b, "PMINUD", each(minLane[uint32])},
		{0x3c, "PMAXSB", each(maxLane[int8])}, {0x3d, "PMAXSD", each(maxLane[int32])},
		{0x3e, "PMAXUW", each(maxLane[uint16])}, {0x3f, "PMAXUD", each(maxLane[uint32])},
		{0x40, "PMULLD", each(mulLow32)},
	} {
		rows = append(rows, xmmRow(map0F38, r.op, r.name, lanes(r.f)))
	}
	return rows
}
