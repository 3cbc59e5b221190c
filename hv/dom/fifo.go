package dom

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// The FIFO ABI (Xen public event_channel.h; C/event_fifo.c; EVT-19 to EVT-22).
// Each port has an event word of 32 bits in a page of the guest's: bit 31
// PENDING, 30 MASKED, 29 LINKED, 28 BUSY, and in bits 0 to 16 the next port of
// its queue. Each vCPU has a control block: a word of ready bits, one for each
// priority, and the head of each priority's queue. Xen keeps the tails.

// FIFO is what the domain has of it. Frames in it are held writable.
type FIFO struct {
	On    bool
	Words uint32                     // ports that have a word: whole pages
	Pages [abi.FIFOArrayPages]uint64 // frames of the event array
}

// FIFOQueues is a vCPU's part: its control block and the queues' last ports.
type FIFOQueues struct {
	Block  uint64 // frame of the control block, 0 = none
	Offset uint32
	Tail   [abi.FIFOQueues]uint32
}

// eventWord is the machine address of a port's word, 0 when it has none.
func (d *Domain) eventWord(port uint32) uint64 {
	if port >= d.FIFO.Words {
		return 0
	}
	return d.FIFO.Pages[port/abi.FIFOWordsPerPage]<<mem.PageShift + uint64(port%abi.FIFOWordsPerPage)*4
}

func (d *Domain) read32(pa uint64) uint32 {
	return binary.LittleEndian.Uint32(d.Mem.Frame(pa >> mem.PageShift)[pa&mem.PageMask:])
}

func (d *Domain) write32(pa uint64, v uint32) {
	d.Mem.PrepareWrite(pa >> mem.PageShift)
	binary.LittleEndian.PutUint32(d.Mem.Frame(pa >> mem.PageShift)[pa&mem.PageMask:], v)
}

// set32 sets a bit and reports whether it was set.
func (d *Domain) set32(pa uint64, bit uint32) bool {
	w := d.read32(pa)
	if w&bit == 0 {
		d.write32(pa, w|bit)
	}
	return w&bit != 0
}

func (d *Domain) fifoBit(port, bit uint32) bool {
	pa := d.eventWord(port)
	return pa != 0 && d.read32(pa)&bit != 0
}

func (d *Domain) clearFIFO(port, bit uint32) {
	if pa := d.eventWord(port); pa != 0 {
		if w := d.read32(pa); w&bit != 0 {
			d.write32(pa, w&^bit)
		}
	}
}

// fifoLinked reports whether a closed port cannot be used again because the
// guest has not taken it off its queue.
func (d *Domain) fifoLinked(port uint32) bool {
	return d.FIFO.On && d.fifoBit(port, abi.FIFOLinked)
}

func (d *Domain) unmaskFIFO(port uint32) {
	if d.eventWord(port) == 0 {
		return
	}
	d.clearFIFO(port, abi.FIFOMasked)
	if d.fifoBit(port, abi.FIFOPending) {
		d.raiseFIFO(port)
	}
}

// raiseFIFO makes a port pending, and puts it at the end of its queue unless
// it is masked or linked already (C/event_fifo.c:evtchn_fifo_set_pending).
func (d *Domain) raiseFIFO(port uint32) {
	p := &d.Ports[port]
	v := d.VCPU[p.VCPU]
	word := d.eventWord(port)
	if word == 0 {
		p.Waits = true
		return
	}
	if v.FIFO.Block == 0 {
		d.Print(v.Name() + " has no FIFO event channel control block")
		return
	}
	fresh := !d.set32(word, abi.FIFOPending)
	if d.read32(word)&abi.FIFOMasked == 0 && !d.set32(word, abi.FIFOLinked) {
		d.enqueue(v, p, port)
	}
	if fresh {
		d.wakePollers(uint64(port))
	}
}

// enqueue links a port whose LINKED bit was set just now.
func (d *Domain) enqueue(v *VCPU, p *Port, port uint32) {
	// A tail that is raised again was consumed: its queue is empty.
	if old := &d.VCPU[p.LastVCPU].FIFO.Tail[p.LastPriority]; *old == port {
		*old = 0
	}
	p.LastVCPU, p.LastPriority = uint16(v.ID), p.Priority
	tail := &v.FIFO.Tail[p.Priority]
	linked := *tail != 0 && d.link(*tail, port)
	*tail = port
	if linked {
		return
	}
	block := v.FIFO.Block<<mem.PageShift + uint64(v.FIFO.Offset)
	d.write32(block+abi.FIFOHeads+4*uint64(p.Priority), port)
	if !d.set32(block+abi.FIFOReady, 1<<p.Priority) {
		v.MarkPending()
	}
}

// link makes next follow tail, if the guest has not consumed that.
func (d *Domain) link(tail, next uint32) bool {
	pa := d.eventWord(tail)
	w := d.read32(pa)
	if w&abi.FIFOLinked == 0 {
		return false
	}
	d.write32(pa, w&^(abi.FIFOBusy|abi.FIFOLinkMask)|next)
	return true
}

// InitControl gives a vCPU its control block; the first one changes the domain
// from the 2-level to the FIFO ABI (C/event_fifo.c:evtchn_fifo_init_control).
func (d *Domain) InitControl(v *VCPU, mfn uint64, offset uint32) abi.Errno {
	const align = 8
	if offset > mem.PageSize-abi.FIFOControlBlockSize || offset%align != 0 || v.FIFO.Block != 0 ||
		d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeWritable) != 0 {
		return abi.EINVAL
	}
	v.FIFO.Block, v.FIFO.Offset = mfn, offset
	if !d.FIFO.On {
		for p := uint64(1); p < min(uint64(len(d.Ports)), abi.NrEventChannels); p++ {
			if d.IsPending(p) {
				d.Ports[p].Waits = true
			}
			d.Ports[p].Priority = abi.FIFOPriorityDefault
		}
		d.FIFO.On = true
	}
	return 0
}

// ExpandArray appends a page of event words and raises what waited for them.
func (d *Domain) ExpandArray(mfn uint64) abi.Errno {
	first := d.FIFO.Words
	switch {
	case !d.FIFO.On:
		return abi.EOPNOTSUPP
	case first == abi.NrFIFOChannels:
		return abi.ENOSPC
	case d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeWritable) != 0:
		return abi.EINVAL
	}
	d.FIFO.Pages[first/abi.FIFOWordsPerPage] = mfn
	d.FIFO.Words += abi.FIFOWordsPerPage
	for p := first; p < min(d.FIFO.Words, uint32(len(d.Ports))); p++ {
		if d.Ports[p].Waits {
			d.raiseFIFO(p) // a closed one too, and it goes on waiting: so in Xen
		}
	}
	return 0
}

// SetPriority chooses the queue of a port's next events: 0 is the highest, 15
// the lowest.
func (d *Domain) SetPriority(p *Port, priority uint32) abi.Errno {
	switch {
	case !d.FIFO.On:
		return abi.ENOSYS
	case p.State == abi.EvtchnStatClosed:
		return abi.EACCES
	case priority >= abi.FIFOQueues:
		return abi.EINVAL
	}
	p.Priority = uint8(priority)
	return 0
}

// dropFIFO goes back to the 2-level ABI.
func (d *Domain) dropFIFO() {
	for _, v := range d.VCPU {
		if v.FIFO.Block != 0 {
			d.Rules.PutPageAndType(v.FIFO.Block)
		}
		v.FIFO = FIFOQueues{}
	}
	for _, mfn := range d.FIFO.Pages[:d.FIFO.Words/abi.FIFOWordsPerPage] {
		d.Rules.PutPageAndType(mfn)
	}
	d.FIFO = FIFO{}
}

// heldFIFO tells the audit of the references.
func (d *Domain) heldFIFO(hold func(mfn uint64, t pagetable.Type, by string, n int)) {
	for i, v := range d.VCPU {
		hold(v.FIFO.Block, pagetable.TypeWritable, "FIFO control block of vCPU", i)
	}
	for i, mfn := range d.FIFO.Pages {
		hold(mfn, pagetable.TypeWritable, "page of the event array", i)
	}
}
