package entry

import (
	"encoding/binary"

	"pvlab/hv/cpu"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// The seven words every frame has, as offsets below the aligned stack top,
// and their index in Xen's numbering of the stores (judged by the label of a
// failed one: _6x8 is SS). With an error code the last two move down by 8 and
// the code is stored where R11 would be.
const (
	slotSS     = 8
	slotRSP    = 16
	slotRFLAGS = 24
	slotCS     = 32
	slotRIP    = 40
	slotCode   = 48
	frameSize  = 56
)

// deliver builds the pending bounce's frame and makes the guest go on at its
// handler: Xen's create_bounce_frame to the bit, with its order of checks and
// stores and its partial effects when it cannot finish (FRAME-*, CRASH-14;
// X/x86_64/entry.S:create_bounce_frame).
func (x *Xen) deliver() {
	v, c, tb := x.V, x.V.CPU, &x.tb
	tb.pending = false
	fromUser := !v.KernelMode
	cs := c.Seg[x86.CS].Sel
	sp := v.KernelSP
	if fromUser {
		v.ToggleMode()
	} else {
		sp = c.R[x86.RSP]
		cs &^= 3 // tells the guest that its kernel was interrupted (FRAME-06)
	}
	top := sp &^ 15
	if top > abi.HypervisorVirtStart && top < abi.HypervisorVirtEnd+8*8 {
		x.crashBadStack(cs)
		return
	}
	// A pointer below the guest's upper range loses bit 63: Xen's guard
	// against speculative access to its own memory.
	if top < abi.HypervisorVirtEnd {
		top &= 1<<63 - 1
	}
	bottom := top - frameSize
	if tb.hasCode {
		bottom -= 8
	}
	flags := x.flags()
	watch := len(v.Dom.Probes.Frame) != 0
	if watch {
		x.startFrame(top, fromUser)
	}
	if w := x.frameWindow(top, bottom); w != nil && !watch {
		x.placeFrame(w, flags, cs)
	} else if !x.storeFrame(top, bottom, flags, cs, watch) {
		return
	}
	x.setFlags(flags &^ (x86.FlagAC | x86.FlagVM | x86.FlagRF | x86.FlagNT | x86.FlagTF))
	v.Sysret = true
	c.R[x86.RSP] = bottom
	loadFlat(c)
	x.V.Reload = false
	if tb.handler == 0 {
		x.crashNullHandler()
		return
	}
	c.RIP = tb.handler
	if watch {
		x.endFrame(bottom)
	}
}

// frameWindow is the memory of the frame if it can be written in one go. The
// translation is asked for as the first store asks for it.
func (x *Xen) frameWindow(top, bottom uint64) []byte {
	c := x.V.CPU
	w := c.Window(cpu.ViewHypervisor, bottom, int(top-bottom), true)
	if w == nil && !c.CheckLinear(cpu.ViewHypervisor, top-slotSS, 8, true).Valid {
		w = c.Window(cpu.ViewHypervisor, bottom, int(top-bottom), true)
	}
	return w
}

// placeFrame writes the frame into memory that is known to be writable, in
// the order of storeFrame.
func (x *Xen) placeFrame(w []byte, flags uint64, cs uint16) {
	c, tb := x.V.CPU, &x.tb
	put := binary.LittleEndian.PutUint64
	put(w[len(w)-slotSS:], uint64(c.Seg[x86.SS].Sel))
	put(w[len(w)-slotRSP:], c.R[x86.RSP])
	saved := x.takeMask()
	put(w[len(w)-slotCS:], saved<<32|uint64(cs))
	put(w[len(w)-slotRFLAGS:], x.frameFlags(flags, uint8(saved)))
	put(w[len(w)-slotRIP:], c.RIP)
	if tb.hasCode {
		put(w[len(w)-slotCode:], uint64(tb.code))
	}
	put(w[8:], c.R[x86.R11])
	put(w, c.R[x86.RCX])
}

// storeFrame writes the frame word by word through the guest's page tables.
// False when a word could not be stored, which is the guest's end.
func (x *Xen) storeFrame(top, bottom, flags uint64, cs uint16, watch bool) bool {
	c, tb := x.V.CPU, &x.tb
	store := func(off uint64, n int, name string, val uint64) bool {
		if f := c.WriteLinear64(cpu.ViewHypervisor, top-off, val); f.Valid {
			x.crashStore(top-off, n, name, f)
			return false
		}
		if watch {
			x.noteSlot(name, top-off, val)
		}
		return true
	}
	if !store(slotSS, 6, "ss", uint64(c.Seg[x86.SS].Sel)) || !store(slotRSP, 5, "rsp", c.R[x86.RSP]) {
		return false
	}
	saved := x.takeMask()
	return store(slotCS, 3, "cs", saved<<32|uint64(cs)) &&
		store(slotRFLAGS, 4, "rflags", x.frameFlags(flags, uint8(saved))) &&
		store(slotRIP, 2, "rip", c.RIP) &&
		(!tb.hasCode || store(slotCode, 2, "error", uint64(tb.code))) &&
		store(top-bottom-8, 1, "r11", c.R[x86.R11]) && store(top-bottom, 0, "rcx", c.R[x86.RCX])
}

// takeMask is the word with the upcall mask that the frame shows; where the
// handler is to begin with events masked, they are from here on.
func (x *Xen) takeMask() uint64 {
	v, tb := x.V, &x.tb
	saved := v.MaskWord()
	if tb.mask {
		v.SetMask(uint8(saved) | 1)
	}
	return saved
}

// frameFlags is RFLAGS as a frame shows it: IF is "upcalls were on", IOPL the
// virtual one where the guest asked for it (FRAME-08).
func (x *Xen) frameFlags(flags uint64, mask uint8) uint64 {
	flags = uint64(uint32(flags)) &^ (x86.FlagIF | x86.FlagIOPL)
	if mask == 0 {
		flags |= x86.FlagIF
	}
	if x.V.Dom.Is(abi.VMAssistArchitecturalIOPL) {
		flags |= uint64(x.V.IOPL) << 12
	}
	return flags
}

func (x *Xen) startFrame(top uint64, fromUser bool) {
	x.frame = probe.Frame{VCPU: x.V.ID, Vector: x.tb.vector, Kind: x.tb.kind, FromUser: fromUser,
		Handler: x.tb.handler, StackTop: top, Slots: x.slots[:0]}
}

// noteSlot keeps the slots ordered by address, lowest first.
func (x *Xen) noteSlot(name string, addr, val uint64) {
	s := append(x.frame.Slots, probe.Slot{})
	i := len(s) - 1
	for ; i > 0 && s[i-1].Addr > addr; i-- {
		s[i] = s[i-1]
	}
	s[i] = probe.Slot{Name: name, Addr: addr, Value: val}
	x.frame.Slots = s
}

func (x *Xen) endFrame(at uint64) {
	x.frame.At = at
	probe.Fire(x.V.Dom.Probes.Frame, &x.frame)
}
