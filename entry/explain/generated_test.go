package explain

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"pvlab/hv/x86"
)

// The proof of the tracker: stubs of random pops, adds, loads and exchanges,
// ending in iretq, run on the real processor core. What the tracker says about
// each of the five words that iretq takes must be what a reading of the stub
// by names alone gives. The reading below knows neither addresses nor values
// nor instruction bytes: it moves names about in two lists.

// op is one generated instruction: a, b are registers, n counts words.
type op struct {
	kind    opKind
	a, b, n int
}

type opKind int

const (
	opPop     opKind = iota // pop a
	opPush                  // push a
	opAddSP                 // add $8n, %rsp
	opSubSP                 // sub $8n, %rsp
	opLoad                  // mov 8n(%rsp), a
	opStore                 // mov a, 8n(%rsp)
	opXchgMem               // xchg a, 8n(%rsp)
	opXchgReg               // xchg a, b
	opLea                   // lea 8n(%rsp), %rsp
	opMovReg                // mov a, b
	opAddMem                // addq $1, 8n(%rsp)
	numOps
)

func (o op) bytes() []byte {
	rexR, rexB := byte(o.a>>3)<<2, byte(o.a>>3)
	lo := byte(o.a & 7)
	switch disp := byte(int8(8 * o.n)); o.kind {
	case opPop:
		return []byte{0x40 | rexB, 0x58 | lo}
	case opPush:
		return []byte{0x40 | rexB, 0x50 | lo}
	case opAddSP:
		return []byte{0x48, 0x83, 0xc4, disp}
	case opSubSP:
		return []byte{0x48, 0x83, 0xec, disp}
	case opLoad:
		return []byte{0x48 | rexR, 0x8b, 0x44 | lo<<3, 0x24, disp}
	case opStore:
		return []byte{0x48 | rexR, 0x89, 0x44 | lo<<3, 0x24, disp}
	case opXchgMem:
		return []byte{0x48 | rexR, 0x87, 0x44 | lo<<3, 0x24, disp}
	case opXchgReg:
		return []byte{0x48 | rexR | byte(o.b>>3), 0x87, 0xc0 | lo<<3 | byte(o.b&7)}
	case opLea:
		return []byte{0x48, 0x8d, 0x64, 0x24, disp}
	case opMovReg:
		return []byte{0x48 | rexR | byte(o.b>>3), 0x89, 0xc0 | lo<<3 | byte(o.b&7)}
	case opAddMem:
		return []byte{0x48, 0x83, 0x44, 0x24, disp, 1}
	}
	panic("no such op")
}

func (o op) String() string {
	r := func(n int) string { return "%" + x86.RegNames[n] }
	switch o.kind {
	case opPop:
		return "pop " + r(o.a)
	case opPush:
		return "push " + r(o.a)
	case opAddSP:
		return fmt.Sprintf("add $%d,%%rsp", 8*o.n)
	case opSubSP:
		return fmt.Sprintf("sub $%d,%%rsp", 8*o.n)
	case opLoad:
		return fmt.Sprintf("mov %d(%%rsp),%s", 8*o.n, r(o.a))
	case opStore:
		return fmt.Sprintf("mov %s,%d(%%rsp)", r(o.a), 8*o.n)
	case opXchgMem:
		return fmt.Sprintf("xchg %s,%d(%%rsp)", r(o.a), 8*o.n)
	case opXchgReg:
		return fmt.Sprintf("xchg %s,%s", r(o.a), r(o.b))
	case opLea:
		return fmt.Sprintf("lea %d(%%rsp),%%rsp", 8*o.n)
	case opMovReg:
		return fmt.Sprintf("mov %s,%s", r(o.a), r(o.b))
	case opAddMem:
		return fmt.Sprintf("addq $1,%d(%%rsp)", 8*o.n)
	}
	return "?"
}

// reading is the independent symbolic interpreter: names in registers, names
// in a stack of words, and the index of the top one.
type reading struct {
	reg [16]string
	mem []string
	sp  int
}

func (r *reading) do(o op) {
	switch at := r.sp + o.n; o.kind {
	case opPop:
		r.reg[o.a] = r.mem[r.sp]
		r.sp++
	case opPush:
		r.sp--
		r.mem[r.sp] = r.reg[o.a]
	case opAddSP, opLea:
		r.sp += o.n
	case opSubSP:
		r.sp -= o.n
	case opLoad:
		r.reg[o.a] = r.mem[at]
	case opStore:
		r.mem[at] = r.reg[o.a]
	case opXchgMem:
		r.reg[o.a], r.mem[at] = r.mem[at], r.reg[o.a]
	case opXchgReg:
		r.reg[o.a], r.reg[o.b] = r.reg[o.b], r.reg[o.a]
	case opMovReg:
		r.reg[o.b] = r.reg[o.a]
	}
}

// generate makes a stub that stays within the words [0, size) around a frame
// of n words at index base, and leaves five words for iretq.
func generate(rnd *rand.Rand, base, n, size int) []op {
	sp := base
	var ops []op
	reg := func() int {
		for {
			if r := rnd.Intn(16); r != x86.RSP {
				return r
			}
		}
	}
	for range 1 + rnd.Intn(14) {
		o := op{kind: opKind(rnd.Intn(int(numOps))), a: reg(), b: reg()}
		switch o.kind {
		case opLoad, opStore, opXchgMem, opAddMem:
			o.n = rnd.Intn(n+6) - 3
		case opAddSP, opSubSP:
			o.n = rnd.Intn(4)
		case opLea:
			o.n = rnd.Intn(9) - 4
		}
		after := sp
		switch o.kind {
		case opPop:
			after++
		case opPush:
			after--
		case opAddSP, opLea:
			after += o.n
		case opSubSP:
			after -= o.n
		}
		if at := sp + o.n; at < 0 || at >= size || after < 1 || after > size-5 {
			continue
		}
		sp = after
		ops = append(ops, o)
	}
	return ops
}

// named is the tracker's answer in the words of the reading.
func named(o Origin, stack string) string {
	switch o.Kind {
	case Slot:
		return "slot " + o.Name
	case Live, Scratch:
		return "register " + o.Name
	case Unknown:
		return stack
	}
	return o.Kind.String()
}

func TestGeneratedStubs(t *testing.T) {
	stubs := 10_000
	const below, above = 20, 12
	f := newFlat(t, Xen)
	rnd := rand.New(rand.NewSource(1))
	slotsSeen := make(map[string]int)
	for i := range stubs {
		platform, names := Xen, xenSlots
		switch rnd.Intn(4) {
		case 1:
			names = xenSlotsCode
		case 2:
			platform, names = Native, natSlots
		case 3:
			platform, names = Native, natSlotsCode
		}
		f.reset(platform)
		size := below + len(names) + above
		ops := generate(rnd, below, len(names), size)

		var code []byte
		read := reading{mem: make([]string, size), sp: below}
		for k := range read.reg {
			read.reg[k] = "register " + x86.RegNames[k]
		}
		lowest := uint64(flatStack - 8*above - 8*len(names) - 8*below)
		for k := range read.mem {
			read.mem[k] = fmt.Sprintf("stack word %d", k)
			f.write64(lowest+8*uint64(k), 0x2222_0000_0000_0000|uint64(k)<<16)
		}
		values := make([]uint64, len(names))
		for k, n := range names {
			read.mem[below+k] = "slot " + n
			values[k] = 0x3333_0000_0000_0000 | uint64(k)<<16
		}
		for _, o := range ops {
			code = append(code, o.bytes()...)
			read.do(o)
		}
		code = append(code, 0x48, 0xcf) // iretq
		f.write(flatCode, code)
		f.deliver(f.frame(names, values, lowest+8*below))
		f.run(len(ops) + 1)

		text := func() string {
			var s []string
			for _, o := range ops {
				s = append(s, o.String())
			}
			return strings.Join(s, "; ") + "; iretq"
		}
		if len(f.t.returns) != 1 {
			t.Fatalf("stub %d (%s): %d returns seen, want 1", i, text(), len(f.t.returns))
		}
		r := f.t.returns[0]
		for k, role := range natSlots {
			want := read.mem[read.sp+k]
			got := named(r.Words[k].Origin, want)
			if r.Words[k].Origin.Kind == Unknown && !strings.HasPrefix(want, "stack word") {
				got = "unknown"
			}
			if got != want {
				t.Fatalf("stub %d on %v (%s):\n%s taken from %q, the stub reads as %q", i, platform, text(), role, got, want)
			}
			slotsSeen[want]++
		}
		// The verdict on the return follows from the names alone, too.
		right := true
		for k, role := range natSlots {
			right = right && read.mem[read.sp+k] == "slot "+role
		}
		if right && r.Verdict != Right {
			t.Fatalf("stub %d (%s): verdict %v for a return that takes every slot rightly", i, text(), r.Verdict)
		}
	}
	// The generator must reach every slot, or it proves little.
	for _, n := range xenSlotsCode {
		if slotsSeen["slot "+n] < 100 {
			t.Errorf("slot %s was consumed only %d times in %d stubs", n, slotsSeen["slot "+n], stubs)
		}
	}
}
