package cpu

import "fmt"

// families lists the rows of every instruction family.
func families() [][]row {
	return [][]row{
		pseudoRows(),
		movRows(),
		condRows(),
		aluRows(),
		unaryRows(),
		exchangeRows(),
		mulRows(),
		shiftRows(),
		bitRows(),
		bmiRows(),
		bcdRows(),
		stackRows(),
		flowRows(),
		flagRows(),
		stringRows(),
		stringIORows(),
		hintRows(),
		systemRows(),
		segmentRows(),
		tableRows(),
		verifyRows(),
		fpuRows(),
		sseMoveRows(),
		packedRows(),
		vectorShiftRows(),
		shuffleRows(),
		extractRows(),
		cryptoRows(),
		stringCompareRows(),
		randomRows(),
		ssefpRows(),
		x87Rows(),
	}
}

// maxOps bounds the operation numbers: eight to a row.
const maxOps = 1 << 13

// slot is what an opcode of a map can be: rows[first:first+n] of table.order.
type slot struct {
	first uint16
	n     uint8
	plain bool // one row that selects nothing further
}

// opTable is everything decoding looks up. It is built once and never
// changes.
type opTable struct {
	rows  []row
	order []uint16 // row numbers, grouped by slot
	slots [numMaps][256]slot
	gaps  [numMaps][256]gap
}

var (
	// exec is the function of each operation number. Its length spares the
	// bounds check of the run loop's index.
	exec  [1 << 16]execFn
	table opTable
)

func init() {
	table.build(families(), &exec)
	buildHot(&table)
}

// build fills t and the function array. It panics when two rows claim the
// same encoding: that is a mistake in the tables.
func (t *opTable) build(fams [][]row, fn *[1 << 16]execFn) {
	var lists [numMaps][256][]uint16
	for _, fam := range fams {
		for _, r := range fam {
			n := len(t.rows)
			if (n+1)*8 > maxOps {
				panic("cpu: instruction table: too many rows")
			}
			for i := range r.fn.reg {
				fn[n*8+i] = r.fn.reg[i]
				fn[n*8+4+i] = r.fn.mem[i]
			}
			r.needs = since2012[r.name]
			t.rows = append(t.rows, r)
			if n < numPseudo {
				continue // reached by operation number only
			}
			for op := int(r.op); op < int(r.op)+max(int(r.span), 1); op++ {
				l := &lists[r.m][op]
				for _, other := range *l {
					if o := &t.rows[other]; r.overlaps(o) {
						panic(fmt.Sprintf("cpu: instruction table: %s and %s share map %d opcode %#x", o.name, r.name, r.m, op))
					}
				}
				*l = append(*l, uint16(n))
			}
		}
	}
	for m := range lists {
		for op, l := range lists[m] {
			if len(l) == 0 {
				continue
			}
			r := &t.rows[l[0]]
			t.slots[m][op] = slot{
				first: uint16(len(t.order)), n: uint8(len(l)),
				plain: len(l) == 1 && r.digit|r.rm == 0 && r.mod == 0 && r.pfx == 0 && r.modes == 0 && r.w == 0 && r.needs == 0,
			}
			t.order = append(t.order, l...)
		}
	}
	t.buildGaps()
}

// overlaps reports whether some encoding of the same opcode fits both rows.
func (r *row) overlaps(o *row) bool {
	return meet(r.digit, o.digit) && meet(r.rm, o.rm) && meet(r.mod, o.mod) &&
		meet(r.pfx, o.pfx) && meet(r.modes, o.modes) && meet(r.w, o.w)
}

func meet[S ~uint8](a, b S) bool { return a == 0 || b == 0 || a&b != 0 }
