package cpu

import (
	"fmt"
	"testing"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// Where single-instruction tests run: the same addresses on the model and in
// the traced child.
const (
	codeVA      = 0x1000_0000
	dataVA      = 0x2000_0000
	dataBytes   = 0x2000 // then one read-only page, then nothing
	sharedBytes = 0x1000 + dataBytes + 0x1000

	comparedFlags = x86.FlagsStatus | x86.FlagDF | x86.FlagAC
)

// cpuState is what an instruction starts from and leads to.
type cpuState struct {
	R              [16]uint64
	RIP, Flags     uint64
	FSBase, GSBase uint64
}

// outcome is the fault of an instruction: "" for none.
type outcome struct {
	what string
	addr uint64 // of a #PF
}

func (o outcome) String() string {
	if o.what == "#PF" {
		return fmt.Sprintf("#PF at %#x", o.addr)
	}
	return o.what
}

// modelCPU is a CPU at CPL 3 with the test's pages mapped.
type modelCPU struct {
	*CPU
}

const modelCodePA = 0x10000 // the shared bytes follow in order

func newModelCPU(t testing.TB, v Vendor) *modelCPU {
	t.Helper()
	m, err := mem.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	c := New(m, nil, v)
	next := uint64(0x2000)
	pageAt := func(va, pa, bits uint64) {
		table := uint64(0x1000)
		for level := 3; level > 0; level-- {
			at := table + va>>(12+9*level)&511*8
			if m.Read64(at) == 0 {
				m.Write64(at, next|7)
				next += 0x1000
			}
			table = m.Read64(at) &^ 0xfff
		}
		m.Write64(table+va>>12&511*8, pa|bits)
	}
	const present, write, user = 1, 2, 4
	pageAt(codeVA, modelCodePA, present|write|user)
	for i := uint64(0); i < dataBytes; i += 0x1000 {
		pageAt(dataVA+i, modelCodePA+0x1000+i, present|write|user)
	}
	pageAt(dataVA+dataBytes, modelCodePA+0x1000+dataBytes, present|user)
	c.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0WP | x86.CR0NE | x86.CR0ET | x86.CR0AM
	c.CR4 = x86.CR4PAE
	c.CR3 = 0x1000
	c.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE | x86.EFERSCE
	return &modelCPU{c}
}

// setup is the segments code runs in.
type setup struct {
	name string
	mode Mode
	segs [6]x86.Segment
	rip  uint64 // offset in CS of codeVA
}

const flatUser = x86.AttrP | x86.AttrS | x86.AttrDPL | x86.AttrG

var (
	flatCode64 = x86.Segment{Sel: userSel64, Attr: flatUser | x86.AttrL | 0xb, Limit: 0xffffffff}
	flatCode32 = x86.Segment{Sel: userSel32, Attr: flatUser | x86.AttrDB | 0xb, Limit: 0xffffffff}
	flatData   = x86.Segment{Sel: userSelData, Attr: flatUser | x86.AttrDB | 3, Limit: 0xffffffff}

	setup64 = setup{"64", Mode64, [6]x86.Segment{x86.CS: flatCode64, x86.SS: flatData}, codeVA}
	setup32 = setup{"32", Mode32, [6]x86.Segment{x86.CS: flatCode32, x86.SS: flatData, x86.DS: flatData, x86.ES: flatData}, codeVA}
	// The other two have segments with all kinds of limits.
	setup32segs = setup{"32segs", Mode32, [6]x86.Segment{
		x86.CS: flatCode32, x86.SS: ldt[5], x86.DS: ldt[2], x86.ES: ldt[3], x86.FS: ldt[4], x86.GS: ldt[6]}, codeVA}
	setup16 = setup{"16", Mode16, [6]x86.Segment{
		x86.CS: ldt[0], x86.SS: ldt[1], x86.DS: ldt[2], x86.ES: ldt[3], x86.FS: ldt[4], x86.GS: ldt[6]}, 0}

	// ldt is the local descriptor table of both.
	ldt = [...]x86.Segment{
		ldtEntry(0, 0xb, codeVA, 0xfff),                  // 16-bit code
		ldtEntry(1, 0x3, dataVA, 0x1fff),                 // 16-bit stack
		ldtEntry(2, 0x3|x86.AttrDB, dataVA, 0x17ff),      // data
		ldtEntry(3, 0x7, dataVA-0xe000, 0xdfff),          // expand-down: e000-ffff
		ldtEntry(4, 0x1|x86.AttrDB, dataVA, 0x1fff),      // read-only
		ldtEntry(5, 0x3|x86.AttrDB, dataVA-0x10, 0x2010), // 32-bit stack
		ldtEntry(6, 0xb|x86.AttrDB, dataVA, 0x1fff),      // readable code
	}
)

func ldtEntry(n, attr uint16, base uint64, limit uint32) x86.Segment {
	return x86.Segment{Sel: n<<3 | 7, Attr: x86.AttrP | x86.AttrS | x86.AttrDPL | attr, Base: base, Limit: limit}
}

// setupOf is the flat setup of a mode.
func setupOf(m Mode) *setup {
	if m == Mode64 {
		return &setup64
	}
	return &setup32
}

// load puts the CPU into a start state.
func (c *modelCPU) load(s *cpuState, u *setup) {
	c.State.Seg = u.segs
	c.CPL = 3
	copy(c.R[:16], s.R[:])
	c.RIP = s.RIP
	if u.mode == Mode64 {
		c.Seg[x86.FS].Base, c.Seg[x86.GS].Base = s.FSBase, s.GSBase
	}
	c.SetFlags(s.Flags | x86.FlagIF)
	c.updateMode()
}

// Selectors as Linux has them (arch/x86/include/asm/segment.h).
const (
	userSel64, userSel32, userSelData = 0x33, 0x23, 0x2b
)

// run executes one instruction: up to n pieces of a REP until RIP moves, or
// with TF set a single step.
func (c *modelCPU) run(s *cpuState, n int) (outcome, error) {
	var o outcome
	for ; n > 0 && c.RIP == s.RIP; n-- {
		switch ex := c.Run(1); {
		case ex.Kind == ExitBudget:
			continue
		case ex.Kind == ExitFault && ex.Fault.Vector == x86.VectorDB:
			// the single-step trap asked for
		case ex.Kind == ExitFault:
			o.what = x86.VectorName(ex.Fault.Vector)
			if ex.Fault.Vector == x86.VectorPF {
				o.addr = ex.Fault.Addr
			}
		case ex.Unmodelled != nil:
			return o, ex.Unmodelled
		default:
			return o, fmt.Errorf("exit %v", ex.Kind)
		}
		break
	}
	copy(s.R[:], c.R[:16])
	s.RIP, s.Flags = c.RIP, c.Flags()&comparedFlags
	return o, nil
}
