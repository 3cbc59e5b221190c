package xenstore

import (
	"encoding/binary"
	"testing"
)

// FuzzRing: a domain may put anything into its page at any time. The input is
// a list of {offset u16, length u8, bytes}: each is stored, and the daemon
// called. It never panics, keeps to the page, comes to an end, and stays within
// the quotas.
func FuzzRing(f *testing.F) {
	store := func(off int, b []byte) []byte {
		return append([]byte{byte(off), byte(off >> 8), byte(len(b))}, b...)
	}
	message := func(t Type, tx uint32, body string) []byte {
		h := Header{t, 1, tx, uint32(len(body))}.bytes()
		return append(h[:], body...)
	}
	word := func(off int, v uint32) []byte { return store(off, binary.LittleEndian.AppendUint32(nil, v)) }
	for _, m := range [][]byte{
		message(Read, 0, "name\x00"), message(Watch, 0, "data\x00t\x00"), message(Write, 0, "data/x\x00v"),
		message(Rm, 0, "data\x00"), message(TransactionStart, 0, "\x00"), message(SetPerms, 0, "data\x00n1\x00r0\x00"),
		message(DirectoryPart, 0, "cpu\x000\x00"), message(99, 7, "rubbish"),
	} {
		f.Add(append(store(RingReq, m), word(ReqProd, uint32(len(m)))...))
	}
	f.Add(append(word(RspProd, 0xffffffff), word(ReqProd, 5)...))
	f.Add(word(ReqCons, 0x80000000))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := Start(1, Guest{Name: "g", UUID: "u", VCPUs: 1}, func() uint64 { return 0 })
		page := make([]byte, 4096)
		for len(in) > 3 {
			off, n := int(binary.LittleEndian.Uint16(in)), min(int(in[2]), len(in)-3)
			if off < len(page) {
				copy(page[off:], in[3:3+n])
			}
			in = in[3+n:]
			s.Serve(page)
			st := s.Save()
			if s.entries > quotaEntries+100 || s.memory > quotaMemory+2*PayloadMax || s.outstanding > quotaOutstanding ||
				len(s.txs) > quotaTransactions+1 || len(s.watches) > quotaWatches+1 {
				t.Fatalf("%d nodes, %d bytes, %d requests under way, %d transactions, %d watches", s.entries, s.memory,
					s.outstanding, len(s.txs), len(s.watches))
			}
			s.Load(st)
		}
	})
}
