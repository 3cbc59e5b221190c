package dev

// Intel 8042 keyboard controller with neither keyboard nor mouse connected
// (IBM PS/2 technical reference, "Keyboard/Auxiliary Device Controller"). It
// is here because its output port resets the machine.

const (
	kbcStatusOutput  = 1 << 0 // output buffer full
	kbcStatusSystem  = 1 << 2 // self test passed
	kbcStatusCommand = 1 << 3 // last write was to 64h
	kbcStatusUnlock  = 1 << 4
	kbcStatusTimeout = 1 << 6 // a device did not answer

	kbcModeSystem     = 1 << 2
	kbcModeNoKeyboard = 1 << 4
	kbcModeNoMouse    = 1 << 5
	kbcOutputBase     = 0xcf // no reset, A20 on, lines idle
)

// KBCState is the 8042.
type KBCState struct {
	Mode    uint8 // command byte
	Output  uint8 // what port 60h reads
	Full    bool  // and nobody has read it
	Timeout bool
	Command bool  // last write was a command
	Expects uint8 // the command whose data byte comes next, or 0
}

type kbc struct {
	d *Devices
	KBCState
}

func (k *kbc) reset() { k.KBCState = KBCState{Mode: kbcModeSystem | 3} }

func (k *kbc) answer(v uint8) { k.Output, k.Full = v, true }

func (k *kbc) in(port uint16, _ int) uint32 {
	if port == 0x60 {
		k.Full, k.Timeout = false, false
		return uint32(k.Output)
	}
	v := uint32(kbcStatusUnlock | k.Mode&kbcModeSystem)
	if k.Full {
		v |= kbcStatusOutput
	}
	if k.Command {
		v |= kbcStatusCommand
	}
	if k.Timeout {
		v |= kbcStatusTimeout
	}
	return v
}

func (k *kbc) out(port uint16, _ int, value uint32) {
	v := uint8(value)
	k.Command = port != 0x60
	if k.Command {
		k.command(v)
		return
	}
	what := k.Expects
	k.Expects = 0
	switch what {
	case 0x60:
		k.Mode = v
	case 0xd1:
		k.outputPort(v)
	case 0xd2, 0xd3:
		k.answer(v)
	default: // to a device: it does not answer
		k.answer(0xfe)
		k.Timeout = true
	}
}

func (k *kbc) command(v uint8) {
	k.Expects = 0
	switch {
	case v == 0x20:
		k.answer(k.Mode)
	case v == 0x60 || v >= 0xd1 && v <= 0xd4:
		k.Expects = v
	case v == 0xad: // disable and enable the keyboard, then the mouse
		k.Mode |= kbcModeNoKeyboard
	case v == 0xae:
		k.Mode &^= kbcModeNoKeyboard
	case v == 0xa7:
		k.Mode |= kbcModeNoMouse
	case v == 0xa8:
		k.Mode &^= kbcModeNoMouse
	case v == 0xa9 || v == 0xab: // interface tests: good
		k.answer(0)
	case v == 0xaa: // self test: good
		k.Mode |= kbcModeSystem
		k.answer(0x55)
	case v == 0xd0:
		k.answer(kbcOutputBase)
	case v >= 0xf0: // pulses the output port's low bits that are 0
		k.outputPort(kbcOutputBase&^0xf | v&0xf | 2)
	default:
		k.d.unmodelled("8042 command %#x", v)
	}
}

// outputPort drives the lines: bit 0 is the machine's reset, low active; bit 1
// is A20.
func (k *kbc) outputPort(v uint8) {
	if v&1 == 0 {
		k.d.cfg.Signals.Reset("keyboard controller (port 64h)")
	}
	if v&2 == 0 {
		k.d.unmodelled("keyboard controller: turning the A20 line off")
	}
}
