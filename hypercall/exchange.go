package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// exchangeArgs is struct xen_memory_exchange: {in, out reservations,
// nr_exchanged u64}.
type exchangeArgs struct {
	at      uint64
	in, out memoryReservation
	done    uint64 // input extents exchanged

	inChunk, outChunk uint32 // orders: extents that are exchanged at a time
}

const (
	exchangeSize = 2*reservationSize + 8
	exchangeDone = 2 * reservationSize
)

// exchange is XENMEM_exchange (MM-28; C/memory.c:memory_exchange).
func exchange(c *Caller) (uint64, error) {
	var b [exchangeSize]byte
	at := c.args[1]
	if !c.copyIn(at, b[:]) {
		return ret(abi.EFAULT)
	}
	x := &exchangeArgs{at: at, in: parseReservation(b[:]), out: parseReservation(b[reservationSize:]),
		done: le.Uint64(b[exchangeDone:])}
	err := c.checkExchange(x)
	if err == 0 && x.done == x.in.n {
		return ret(0)
	}
	if err == 0 {
		var again bool
		if err, again = c.exchangeChunks(x); again {
			if !c.V.Write64(at+exchangeDone, x.done) {
				return ret(abi.EFAULT)
			}
			return c.proceed(abi.MemOpExchange)
		}
	}
	if !c.V.Write64(at+exchangeDone, x.done) {
		err = abi.EFAULT
	}
	return ret(err)
}

// checkExchange makes all the checks that come before any extent.
func (c *Caller) checkExchange(x *exchangeArgs) abi.Errno {
	in, out := &x.in, &x.out
	all := ^uint64(0)
	switch {
	case max(in.order, out.order) > c.maxOrder():
		return abi.EPERM
	case x.done > in.n || in.domain != out.domain || all>>in.order < in.n || all>>out.order < out.n ||
		in.n<<in.order != out.n<<out.order:
		return abi.EINVAL
	case x.done == in.n:
		return 0
	}
	first := x.done
	if in.order <= out.order {
		x.inChunk = out.order - in.order
		first >>= x.inChunk
	} else {
		x.outChunk = in.order - out.order
		first <<= x.outChunk
	}
	if !handlesOK(in.list, x.done, in.n) || !handlesOK(out.list, first, out.n) {
		return abi.EFAULT
	}
	if _, ok := out.node(c.D.Privileged); !ok {
		return abi.EINVAL
	}
	return c.domain(in.domain)
}

// handlesOK is what Xen checks of a list of words from first to n-1 before it
// reads any: where it begins, and that its size can be told
// (XI/guest_access.h:guest_handle_subrange_okay).
func handlesOK(list, first, n uint64) bool {
	return n-first < ^uint64(0)/8 && dom.AddrOK(list+8*first)
}

// exchangeChunks exchanges chunk after chunk: as many extents of one side as
// make one of the other. again asks for a continuation.
func (c *Caller) exchangeChunks(x *exchangeArgs) (err abi.Errno, again bool) {
	begin := x.done >> x.inChunk
	i := begin
	for ; i < x.in.n>>x.inChunk; i++ {
		if !c.more(i - begin) {
			x.done = i << x.inChunk
			return 0, true
		}
		if err := c.exchangeChunk(x, i); err != 0 {
			x.done = i << x.inChunk
			return err, false
		}
	}
	x.done = x.in.n
	return 0, false
}

// exchangeChunk is one chunk: nothing of it happens, or all of it. A chunk
// whose list could not be read or written in full has happened all the same,
// but is an error and not counted.
func (c *Caller) exchangeChunk(x *exchangeArgs, i uint64) abi.Errno {
	taken, err := c.stealChunk(x, i)
	if err != 0 {
		c.giveBack(taken)
		return err
	}
	given := make([]uint64, 0, 1<<x.outChunk)
	exists, _ := x.out.node(c.D.Privileged)
	for range 1 << x.outChunk {
		mfn, ok := uint64(0), exists
		if ok {
			mfn, ok = c.D.Take(x.out.order, x.out.flags&0xff)
		}
		if !ok {
			c.giveBack(taken)
			for _, mfn := range given {
				c.D.Discard(mfn, x.out.order)
			}
			return abi.ENOMEM
		}
		given = append(given, mfn)
	}
	for _, mfn := range taken {
		c.D.Discard(mfn, 0)
	}
	for j, mfn := range given {
		c.work += 1 << x.out.order
		c.D.Assign(mfn, x.out.order)
		at := x.out.list + 8*(i<<x.outChunk+uint64(j))
		pfn, ok := c.V.Read64(at)
		if ok {
			c.enter(mfn, pfn, x.out.order)
			ok = c.V.Write64(at, mfn)
		}
		if !ok {
			err = abi.EFAULT
		}
	}
	return err
}

// stealChunk takes the frames of a chunk's input extents away from the
// domain; it returns those it has when one cannot be had.
func (c *Caller) stealChunk(x *exchangeArgs, i uint64) (taken []uint64, err abi.Errno) {
	for j := uint64(0); j < 1<<x.inChunk; j++ {
		first, ok := c.V.Read64(x.in.list + 8*(i<<x.inChunk+j))
		if !ok {
			return taken, abi.EFAULT
		}
		for k := uint64(0); k < 1<<x.in.order; k++ {
			c.work++
			if err := c.D.Steal(first + k); err != 0 {
				return taken, err
			}
			taken = append(taken, first+k)
		}
	}
	return taken, 0
}

func (c *Caller) giveBack(taken []uint64) {
	for _, mfn := range taken {
		c.D.Assign(mfn, 0)
	}
}
