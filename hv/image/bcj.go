package image

import (
	"encoding/binary"
	"io"
)

// bcjReader undoes xz's x86 filter. The packer replaced the displacement of
// near calls and jumps (E8, E9) by the target address, which packs better;
// here it becomes a displacement again. Only displacements within 16 MiB are
// touched, that is with a top byte of 00 or FF, and none whose opcode seems to
// lie inside a previous one's operand.
type bcjReader struct {
	in   io.Reader
	buf  [64 << 10]byte
	lo   int    // bytes before lo are ready
	at   int    // the next to be handed out
	hi   int    // bytes in buf
	pos  uint32 // position of buf[0] in the stream
	mask uint32 // which of the last bytes were opcode bytes, see convert
	last uint32 // position of the last opcode byte, plus 5
	err  error
}

func (b *bcjReader) Read(p []byte) (int, error) {
	for b.at == b.lo {
		if b.err != nil {
			if b.lo < b.hi { // the tail is too short to hold an instruction
				b.lo = b.hi
				break
			}
			return 0, b.err
		}
		copy(b.buf[:], b.buf[b.lo:b.hi])
		b.pos += uint32(b.lo)
		b.hi, b.lo, b.at = b.hi-b.lo, 0, 0
		for b.hi < len(b.buf) && b.err == nil {
			var n int
			n, b.err = b.in.Read(b.buf[b.hi:])
			b.hi += n
		}
		b.lo = b.convert(b.buf[:b.hi])
	}
	n := copy(p, b.buf[b.at:b.lo])
	b.at += n
	return n, nil
}

// convert rewrites operands in d and returns how many bytes are final.
//
// mask has, for the three bytes before the present one, a bit where an opcode
// byte was seen that was not converted; such an opcode may mean that the
// present byte is no opcode but part of an operand.
func (b *bcjReader) convert(d []byte) int {
	if len(d) < 5 {
		return 0
	}
	top := func(c byte) bool { return c == 0 || c == 0xff }
	end := len(d) - 4
	i := 0
	for ; i < end; i++ {
		if d[i]&0xfe != 0xe8 {
			continue
		}
		here := b.pos + uint32(i)
		if gap := here - (b.last - 5); b.last == 0 || gap > 3 {
			b.mask = 0
		} else {
			b.mask = b.mask << (gap - 1) & 7
			if b.mask != 0 {
				// The operand byte that overlaps the older opcode decides.
				if c := d[i+4-bcjBit[b.mask]]; !bcjAllowed[b.mask] || top(c) {
					b.last = here + 5
					b.mask = b.mask<<1 | 1
					continue
				}
			}
		}
		b.last = here + 5
		if !top(d[i+4]) {
			b.mask = b.mask<<1 | 1
			continue
		}
		v := binary.LittleEndian.Uint32(d[i+1:])
		for {
			v -= here + 5
			if b.mask == 0 {
				break
			}
			shift := uint(bcjBit[b.mask] * 8)
			if !top(byte(v >> (24 - shift))) {
				break
			}
			v ^= 1<<(32-shift) - 1
		}
		v &= 0x1ffffff
		v |= -(v & 0x1000000) // sign extension from bit 24
		binary.LittleEndian.PutUint32(d[i+1:], v)
		i += 4
		b.mask = 0
		b.last = 0
	}
	return i
}

// By mask: whether the present byte may still be an opcode, and which operand
// byte, counted from the top one, overlaps the older opcode.
var (
	bcjAllowed = [8]bool{true, true, true, false, true, false, false, false}
	bcjBit     = [8]int{0, 1, 2, 2, 3, 3, 3, 3}
)
