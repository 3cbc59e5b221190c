package xenpv_test

import (
	"encoding/binary"
	"testing"

	"pvlab/hypercall"
	"pvlab/hypercall/abi"
)

// TestTableKeepsItsWord: an operation of which the table says that Xen answers
// one error, answers it to a good structure full of zeros; one that it says is
// answered, is not loud to that.
func TestTableKeepsItsWord(t *testing.T) {
	for _, dom0 := range []bool{true, false} {
		for _, row := range hypercall.Rows() {
			for i := range row.Ops.List {
				op := &row.Ops.List[i]
				level := op.Dom0
				if !dom0 {
					level = op.DomU
				}
				if level >= 0 && level != hypercall.Full {
					continue
				}
				b := newBare(t, dom0, 1)
				rax := b.callOp(&row, op)
				switch {
				case level == hypercall.Full && b.unsure != "":
					t.Errorf("dom0 %v: %s is full, but: %s", dom0, op.Name, b.unsure)
				case level < 0 && abi.Errno(-int64(rax)) != abi.Errno(-level):
					t.Errorf("dom0 %v: %s = %v, the table has %v", dom0, op.Name, abi.Errno(-int64(rax)), level)
				}
			}
		}
	}
}

// callOp makes one operation with a structure of zeros on the caller itself.
func (b *bare) callOp(row *hypercall.Row, op *hypercall.SubOp) uint64 {
	const at = bareText
	if version, ok := versions[row.Number]; ok {
		head := make([]byte, 152)
		binary.LittleEndian.PutUint32(head, uint32(op.Number))
		binary.LittleEndian.PutUint32(head[4:], version)
		if row.Number == abi.HypDomctl || row.Number == abi.HypPagingDomctlCont {
			binary.LittleEndian.PutUint16(head[8:], b.Dom.ID)
		}
		b.CopyTo(at, head)
		return b.call(uint64(row.Number), at)
	}
	switch row.Number {
	case abi.HypMMUUpdate, abi.HypMMUExtOp:
		if row.Number == abi.HypMMUExtOp {
			b.Write64(at, op.Number)
		}
		return b.call(uint64(row.Number), at, 1, 0, abi.DomIDSelf)
	case abi.HypEventChannelOpCompat, abi.HypPhysdevOpCompat:
		b.Write64(at, op.Number)
		return b.call(uint64(row.Number), at)
	case abi.HypVCPUOp:
		return b.call(uint64(row.Number), op.Number, 0, at)
	case abi.HypGrantTableOp:
		return b.call(uint64(row.Number), op.Number, at, 1)
	}
	return b.call(uint64(row.Number), op.Number, at)
}
