package dom

import (
	"testing"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// fifoGuest is a domain on the FIFO ABI, with a guest's view of the pages.
type fifoGuest struct {
	*Domain
	t           *testing.T
	block, page uint64 // frames
}

func newFIFO(t *testing.T, vcpus int) *fifoGuest {
	t.Helper()
	d := newDomain(t, Options{Privileged: true, VCPUs: vcpus})
	g := &fifoGuest{d, t, d.P2M()[10], d.P2M()[11]}
	g.must(d.InitControl(d.VCPU[0], g.block, 0))
	g.must(d.ExpandArray(g.page))
	return g
}

func (g *fifoGuest) must(err abi.Errno) {
	g.t.Helper()
	if err != 0 {
		g.t.Fatal(err)
	}
}

// open binds an IPI to a vCPU.
func (g *fifoGuest) open(vcpu uint16) uint32 {
	g.t.Helper()
	p, err := g.FreePort()
	g.must(err)
	g.Open(p, Port{State: abi.EvtchnStatIPI, VCPU: vcpu})
	return p
}

func (g *fifoGuest) word(port uint32) uint32 { return g.read32(g.page<<mem.PageShift + uint64(port)*4) }

func (g *fifoGuest) setWord(port, w uint32) { g.write32(g.page<<mem.PageShift+uint64(port)*4, w) }

func (g *fifoGuest) head(queue uint8) uint32 {
	return g.read32(g.block<<mem.PageShift + abi.FIFOHeads + 4*uint64(queue))
}

func (g *fifoGuest) setHead(queue uint8, port uint32) {
	g.write32(g.block<<mem.PageShift+abi.FIFOHeads+4*uint64(queue), port)
}

func (g *fifoGuest) ready() uint32 { return g.read32(g.block << mem.PageShift) }

// consume takes the first port off a queue as a guest has to, 0 if it is
// empty.
func (g *fifoGuest) consume(queue uint8) uint32 {
	p := g.head(queue)
	if p != 0 {
		g.setHead(queue, g.word(p)&abi.FIFOLinkMask)
		g.setWord(p, g.word(p)&^(abi.FIFOPending|abi.FIFOLinked|abi.FIFOLinkMask))
	}
	return p
}

// TestFIFOOrder: events come in the order in which they were raised, each
// once, on the queue of the port's priority (EVT-20).
func TestFIFOOrder(t *testing.T) {
	g := newFIFO(t, 1)
	var ports []uint32
	for range 200 {
		ports = append(ports, g.open(0))
	}
	for i, p := range ports {
		g.must(g.SetPriority(&g.Ports[p], uint32(i%3)))
	}
	for range 2 {
		for _, p := range ports {
			g.Raise(uint64(p)) // the second time they are on their queues
		}
	}
	if got := g.ready(); got != 0b111 {
		t.Errorf("ready is %b", got)
	}
	for q := uint8(0); q < 3; q++ {
		for i := int(q); i < len(ports); i += 3 {
			if got := g.consume(q); got != ports[i] {
				t.Fatalf("queue %d: port %d, want %d", q, got, ports[i])
			}
		}
		if got := g.consume(q); got != 0 {
			t.Errorf("queue %d: port %d too many", q, got)
		}
	}
}

// TestFIFOHostileWords: whatever the guest makes of words, heads and the
// ready mask, Xen's part stays in bounds and no frame but those two changes.
func TestFIFOHostileWords(t *testing.T) {
	g := newFIFO(t, 2)
	var ports []uint32
	for i := range 40 {
		ports = append(ports, g.open(uint16(i%2))) // vCPU 1 has no control block
	}
	words := []uint32{0, 1, abi.FIFOLinkMask, abi.FIFOLinked, abi.FIFOLinked | abi.FIFOLinkMask, abi.FIFOBusy | abi.FIFOLinked,
		abi.FIFOMasked, abi.FIFOPending, abi.FIFOPending | abi.FIFOMasked | abi.FIFOLinked, ^uint32(0)}
	rng := uint32(1)
	next := func(n uint32) uint32 {
		rng = rng*1664525 + 1013904223
		return (rng >> 8) % n
	}
	for range 20_000 {
		p := ports[next(uint32(len(ports)))]
		switch next(7) {
		case 0, 1:
			g.Raise(uint64(p))
		case 2:
			g.Unmask(uint64(p))
		case 3:
			g.setWord(p, words[next(uint32(len(words)))])
		case 4:
			g.setHead(uint8(next(16)), words[next(uint32(len(words)))])
		case 5:
			g.must(g.SetPriority(&g.Ports[p], next(16)))
		case 6:
			g.IsMasked(uint64(p))
			g.deaf(uint64(p))
		}
	}
	if err := g.Audit(); err != nil {
		t.Error(err)
	}
}

// TestFIFOHolds: the pages are held writable until the reset, and counted.
func TestFIFOHolds(t *testing.T) {
	g := newFIFO(t, 1)
	if err := g.Audit(); err != nil {
		t.Error(err)
	}
	for _, mfn := range []uint64{g.block, g.page} {
		if err := g.Rules.Pin(mfn, g.Owner(), pagetable.TypeL1); err == 0 {
			t.Errorf("frame %#x of the FIFO ABI became a page table", mfn)
		}
	}
	if !g.ResetPorts(func() bool { return false }) || g.FIFO.On {
		t.Error("the reset left the FIFO ABI on")
	}
	for _, mfn := range []uint64{g.block, g.page} {
		g.must(g.Rules.Pin(mfn, g.Owner(), pagetable.TypeL1))
	}
	if err := g.Audit(); err != nil {
		t.Error(err)
	}
}

// TestPortsRunOut: as many ports as the ABI has numbers, the lowest closed one
// first; a domU has as many as its toolstack allows.
func TestPortsRunOut(t *testing.T) {
	for _, test := range []struct {
		name       string
		privileged bool
		fifo       bool
		last       uint32
	}{
		{"2-level", true, false, 4095},
		{"FIFO", true, true, 131071},
		{"domU", false, false, 1023},
		{"domU, FIFO", false, true, 1023},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDomain(t, Options{Privileged: test.privileged})
			if test.fifo {
				if err := d.InitControl(d.VCPU[0], d.P2M()[10], 0); err != 0 {
					t.Fatal(err)
				}
			}
			var last uint32
			for {
				p, err := d.FreePort()
				if err != 0 {
					if err != abi.ENOSPC {
						t.Error(err)
					}
					break
				}
				d.Open(p, Port{State: abi.EvtchnStatIPI})
				last = p
			}
			if last != test.last {
				t.Errorf("the last port is %d, want %d", last, test.last)
			}
			d.Close(700)
			d.Close(70)
			if p, err := d.FreePort(); p != 70 || err != 0 {
				t.Errorf("after closing 70 and 700: port %d, %v", p, err)
			}
			if !d.ResetPorts(func() bool { return false }) {
				t.Error("the reset was interrupted")
			}
			if p, err := d.FreePort(); p != 1 || err != 0 {
				t.Errorf("after a reset: port %d, %v", p, err)
			}
		})
	}
}

// TestResetInPieces: a reset that is interrupted after each bucket of ports
// goes on where it was.
func TestResetInPieces(t *testing.T) {
	g := newFIFO(t, 1)
	for range 1000 {
		g.open(0)
	}
	rounds := 0
	preempt := func() bool { rounds++; return rounds%2 == 1 }
	for !g.ResetPorts(preempt) {
		if g.NextReset == 0 {
			t.Fatal("interrupted, but nothing says where it goes on")
		}
	}
	if rounds < 10 || g.NextReset != 0 || g.FIFO.On {
		t.Errorf("%d looks for events, next %d, FIFO %v", rounds, g.NextReset, g.FIFO.On)
	}
}
