package dom

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// The console of a domU is a ring in a page of the guest (Xen public
// io/console.h): in[1024] at 0, out[2048] at 1024, then the indices in_cons,
// in_prod, out_cons, out_prod as u32 from 3072.
const (
	ringIn      = 0
	ringInSize  = 1024
	ringOut     = 1024
	ringOutSize = 2048
	ringInCons  = 3072
	ringInProd  = 3076
	ringOutCons = 3080
	ringOutProd = 3084
)

// ConsoleRing moves bytes between the ring in frame mfn and the machine's
// console: what the console daemon does when the guest's event arrives or
// input was typed. The guest is told when anything moved.
func (d *Domain) ConsoleRing(mfn uint64) {
	page := d.Mem.Frame(mfn)
	if page == nil || d.Privileged {
		return
	}
	le := binary.LittleEndian
	moved := false
	cons, prod := le.Uint32(page[ringOutCons:]), le.Uint32(page[ringOutProd:])
	if n := prod - cons; n != 0 && n <= ringOutSize {
		out := make([]byte, 0, n)
		for ; cons != prod; cons++ {
			out = append(out, page[ringOut+cons%ringOutSize])
		}
		if d.Console != nil {
			d.Console(out)
		}
		d.put32(mfn, ringOutCons, prod)
		moved = true
	}
	cons, prod = le.Uint32(page[ringInCons:]), le.Uint32(page[ringInProd:])
	if n := prod - cons; n < ringInSize && len(d.Typed) > 0 {
		k := min(int(ringInSize-n), len(d.Typed))
		d.Mem.PrepareWrite(mfn)
		for _, b := range d.Typed[:k] {
			page[ringIn+prod%ringInSize] = b
			prod++
		}
		d.Typed = append(d.Typed[:0], d.Typed[k:]...)
		d.put32(mfn, ringInProd, prod)
		moved = true
	}
	if moved && d.serves(ConsolePort, ToolConsole) {
		d.Raise(ConsolePort)
	}
}

func (d *Domain) put32(mfn, off uint64, v uint32) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	d.Mem.Write(mfn<<mem.PageShift+off, b[:])
}

// maxTyped bounds the console input that waits for the guest.
const maxTyped = 1 << 16

// Type hands console input to the guest: to its ring (domU), or to console_io
// with VIRQ_CONSOLE (dom0). It returns how many bytes had room.
func (d *Domain) Type(b []byte) int {
	b = b[:min(len(b), maxTyped-len(d.Typed))]
	d.Typed = append(d.Typed, b...)
	if len(b) != 0 && d.Privileged {
		d.VCPU[0].RaiseVIRQ(abi.VIRQConsole)
	}
	if !d.Privileged {
		d.ConsoleRing(d.rings.console)
	}
	return len(b)
}

// Listens reports whether the event of console input could wake a vCPU.
func (d *Domain) Listens() bool {
	port := uint64(ConsolePort)
	if d.Privileged {
		p, ok := d.VCPU[0].VIRQPort(abi.VIRQConsole)
		if !ok {
			return false
		}
		port = p
	} else if !d.serves(ConsolePort, ToolConsole) {
		return false
	}
	if d.deaf(port) {
		return false
	}
	if !d.IsMasked(port) {
		return true
	}
	for _, v := range d.VCPU {
		if v.polls(port) {
			return true
		}
	}
	return false
}

// TakeTyped removes up to n bytes of console input.
func (d *Domain) TakeTyped(n int) []byte {
	n = min(n, len(d.Typed))
	b := append([]byte(nil), d.Typed[:n]...)
	d.Typed = append(d.Typed[:0], d.Typed[n:]...)
	return b
}
