package xenstore

import "encoding/binary"

// The page that daemon and domain share (P/io/xs_wire.h:
// xenstore_domain_interface): req[1024] at 0, rsp[1024] at 1024, then 32-bit
// words. Indices run freely, modulo 2^32; all of them are the domain's to
// spoil.
const (
	RingSize   = 1024
	RingReq    = 0
	RingRsp    = 1024
	ReqCons    = 2048
	ReqProd    = 2052
	RspCons    = 2056
	RspProd    = 2060
	Features   = 2064 // of the server: this one has none to announce
	Connection = 2068 // 1 (reconnect) only means something to Introduce
	RingError  = 2072
)

// Values of the error word.
const (
	errorRingIndex = 2
	errorProtocol  = 3
)

// ring is the daemon's access to the page.
type ring struct {
	page  []byte
	moved bool // something was read or written: the domain is to be told
}

func (r *ring) word(off int) uint32   { return binary.LittleEndian.Uint32(r.page[off:]) }
func (r *ring) set(off int, v uint32) { binary.LittleEndian.PutUint32(r.page[off:], v) }
func (r *ring) hasRequests() bool     { return r.word(ReqCons) != r.word(ReqProd) }
func (r *ring) hasRoom() bool         { return r.word(RspProd)-r.word(RspCons) != RingSize }

// piece is how much of n bytes at an index lies before the ring's end.
func piece(index, n uint32) int { return int(min(RingSize-index%RingSize, n)) }

// read takes up to len(b) bytes of requests, not across the ring's end; false
// when the indices are impossible.
func (r *ring) read(b []byte) (n int, good bool) {
	cons, prod := r.word(ReqCons), r.word(ReqProd)
	if prod-cons > RingSize {
		return 0, false
	}
	n = min(len(b), piece(cons, prod-cons))
	copy(b[:n], r.page[RingReq+cons%RingSize:])
	r.set(ReqCons, cons+uint32(n))
	r.moved = true
	return n, true
}

// write puts up to len(b) bytes into the ring of replies.
func (r *ring) write(b string) (n int, good bool) {
	cons, prod := r.word(RspCons), r.word(RspProd)
	if prod-cons > RingSize {
		return 0, false
	}
	n = min(len(b), piece(prod, RingSize-(prod-cons)))
	copy(r.page[RingRsp+prod%RingSize:], b[:n])
	r.set(RspProd, prod+uint32(n))
	r.moved = true
	return n, true
}
