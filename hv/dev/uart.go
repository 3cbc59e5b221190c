package dev

// National Semiconductor PC16550D data sheet, at 3F8h with IRQ4. A byte
// written is sent at once; a byte received appears as soon as there is room
// for it, the rest waits in a queue as flow control would make it.

const (
	uartBase  = 0x3f8
	uartIRQ   = 4
	uartClock = 1843200 // Hz; a bit takes 16*divisor cycles
	fifoSize  = 16
	// inputMax bounds the queue of bytes that have not been received yet.
	inputMax = 64 << 10
)

// Registers, as offsets from the base; DLL and DLM are behind LCR.DLAB.
const (
	regData    = 0 // RBR, THR; DLL
	regIER     = 1 // DLM
	regIIR     = 2 // FCR when written
	regLCR     = 3
	regMCR     = 4
	regLSR     = 5
	regMSR     = 6
	regScratch = 7
)

const (
	ierReceive = 1 << 0
	ierSend    = 1 << 1
	ierLine    = 1 << 2
	ierModem   = 1 << 3

	iirNone    = 0x1
	iirModem   = 0x0
	iirSend    = 0x2
	iirReceive = 0x4
	iirLine    = 0x6
	iirTimeout = 0xc
	iirFIFO    = 0xc0

	fcrEnable    = 1 << 0
	fcrClearRecv = 1 << 1

	lcrDLAB = 1 << 7

	mcrLoop = 1 << 4
	mcrOut2 = 1 << 3 // on a PC it connects the interrupt

	lsrReady   = 1 << 0
	lsrOverrun = 1 << 1
	lsrTHRE    = 1 << 5
	lsrTEMT    = 1 << 6

	msrCTS  = 1 << 4
	msrDSR  = 1 << 5
	msrRing = 1 << 6
	msrDCD  = 1 << 7
)

// UARTState is the 16550.
type UARTState struct {
	IER, FCR, LCR, MCR, Scratch uint8
	LSR                         uint8 // the error bits; the others are derived
	Delta                       uint8 // MSR bits 0-3
	Divisor                     uint16
	SendEmpty                   bool // the THRE interrupt is due
	FIFO                        [fifoSize]byte
	Count                       int
	Queue                       []byte // not received yet
	// Timeout is when (ns) the FIFO's character timeout comes; TimedOut when
	// it has come.
	Timeout  uint64
	TimedOut bool
}

type uart struct {
	d *Devices
	UARTState
}

func (u *uart) reset() {
	// MSR and MCR as QEMU's, which has the other side connected and OUT2 on.
	u.UARTState = UARTState{MCR: mcrOut2, Divisor: 12, Timeout: never}
}

// depth is how many bytes the receiver holds: the FIFO or one register.
func (u *uart) depth() int {
	if u.FCR&fcrEnable != 0 {
		return fifoSize
	}
	return 1
}

// trigger is the receiver's interrupt level.
func (u *uart) trigger() int {
	if u.FCR&fcrEnable == 0 {
		return 1
	}
	return [4]int{1, 4, 8, 14}[u.FCR>>6]
}

func (u *uart) push(b []byte) int {
	n := min(len(b), inputMax-len(u.Queue))
	u.Queue = append(u.Queue, b[:n]...)
	u.fill()
	return n
}

// fill moves bytes from the queue to the receiver.
func (u *uart) fill() {
	if u.MCR&mcrLoop == 0 {
		n := min(len(u.Queue), u.depth()-u.Count)
		for i := 0; i < n; i++ {
			u.receive(u.Queue[i])
		}
		u.Queue = u.Queue[max(n, 0):]
		if len(u.Queue) == 0 {
			u.Queue = nil
		}
	}
	u.update()
}

// receive puts a byte into the receiver.
func (u *uart) receive(b byte) {
	switch {
	case u.Count < u.depth():
		u.FIFO[u.Count] = b
		u.Count++
	case u.FCR&fcrEnable != 0: // the new byte is lost
		u.LSR |= lsrOverrun
	default: // the old one is
		u.LSR |= lsrOverrun
		u.FIFO[0] = b
	}
	u.restartTimeout()
}

// restartTimeout sets the character timeout: four characters' time after the
// last byte came or went.
func (u *uart) restartTimeout() {
	u.Timeout, u.TimedOut = never, false
	if u.FCR&fcrEnable == 0 || u.Count == 0 {
		return
	}
	bits := uint64(1 + 5 + u.LCR&3 + 1) // start, data, one stop
	bits += uint64(u.LCR>>2&1 + u.LCR>>3&1)
	u.Timeout = after(u.d.now, scale(4*bits*16*uint64(u.Divisor), nsPerSecond, uartClock))
}

func (u *uart) next() uint64 {
	if u.IER&ierReceive == 0 {
		return never
	}
	return u.Timeout
}

func (u *uart) advance() {
	if u.d.now >= u.Timeout {
		u.Timeout, u.TimedOut = never, true
		u.update()
	}
}

// cause is IIR's bits 0-3: the pending interrupt of the highest priority.
func (u *uart) cause() uint8 {
	switch {
	case u.IER&ierLine != 0 && u.LSR != 0:
		return iirLine
	case u.IER&ierReceive != 0 && u.Count >= u.trigger():
		return iirReceive
	case u.IER&ierReceive != 0 && u.TimedOut:
		return iirTimeout
	case u.IER&ierSend != 0 && u.SendEmpty:
		return iirSend
	case u.IER&ierModem != 0 && u.Delta != 0:
		return iirModem
	}
	return iirNone
}

func (u *uart) update() { u.d.setLine(uartIRQ, u.cause() != iirNone && u.wired()) }

// wired reports whether the interrupt output is connected.
func (u *uart) wired() bool { return u.MCR&(mcrOut2|mcrLoop) == mcrOut2 }

func (u *uart) interruptsOnInput() bool { return u.IER&ierReceive != 0 && u.wired() }

// modem is MSR's bits 4-7: the connected side, or in loopback the outputs.
func (u *uart) modem() uint8 {
	if u.MCR&mcrLoop == 0 {
		return msrCTS | msrDSR | msrDCD
	}
	// DTR, RTS, OUT1, OUT2 are read as DSR, CTS, RI, DCD.
	m := u.MCR
	return m&1<<5 | m&2<<3 | m&4<<4 | m&8<<4
}

func (u *uart) in(port uint16, _ int) (v uint32) {
	switch port - uartBase {
	case regData:
		if u.LCR&lcrDLAB != 0 {
			return uint32(u.Divisor & 0xff)
		}
		return uint32(u.readData())
	case regIER:
		if u.LCR&lcrDLAB != 0 {
			return uint32(u.Divisor >> 8)
		}
		return uint32(u.IER)
	case regIIR:
		cause := u.cause()
		if cause == iirSend {
			u.SendEmpty = false // reading it is the acknowledgement
			u.update()
		}
		if u.FCR&fcrEnable != 0 {
			cause |= iirFIFO
		}
		return uint32(cause)
	case regLCR:
		return uint32(u.LCR)
	case regMCR:
		return uint32(u.MCR)
	case regLSR:
		v = uint32(u.LSR | lsrTHRE | lsrTEMT)
		if u.Count > 0 {
			v |= lsrReady
		}
		u.LSR = 0
		u.update()
		return v
	case regMSR:
		v = uint32(u.modem() | u.Delta)
		u.Delta = 0
		u.update()
		return v
	}
	return uint32(u.Scratch)
}

func (u *uart) readData() byte {
	if u.Count == 0 {
		return 0
	}
	b := u.FIFO[0]
	copy(u.FIFO[:], u.FIFO[1:u.Count])
	u.Count--
	u.restartTimeout()
	u.fill()
	return b
}

func (u *uart) out(port uint16, _ int, value uint32) {
	v := uint8(value)
	switch port - uartBase {
	case regData:
		if u.LCR&lcrDLAB != 0 {
			u.Divisor = u.Divisor&0xff00 | uint16(v)
			return
		}
		u.send(v)
	case regIER:
		if u.LCR&lcrDLAB != 0 {
			u.Divisor = u.Divisor&0xff | uint16(v)<<8
			return
		}
		if v&ierSend != 0 && u.IER&ierSend == 0 {
			u.SendEmpty = true // enabling it with THR empty raises it
		}
		u.IER = v & 0xf
	case regIIR:
		u.control(v)
	case regLCR:
		u.LCR = v
	case regMCR:
		u.setMCR(v & 0x1f)
	case regScratch:
		u.Scratch = v
	}
	u.update()
}

// send transmits a byte. The interrupt line falls while the transmitter is
// full, however shortly, so that an edge tells that it is empty again.
func (u *uart) send(v byte) {
	u.SendEmpty = false
	u.update()
	u.SendEmpty = true
	if u.MCR&mcrLoop != 0 {
		u.receive(v)
		return
	}
	u.d.cfg.Signals.Output(v)
}

// control is a write to FCR. Changing its enable bit empties the FIFOs.
func (u *uart) control(v uint8) {
	if v&fcrClearRecv != 0 || (v^u.FCR)&fcrEnable != 0 {
		u.Count = 0
		u.Timeout, u.TimedOut = never, false
	}
	u.FCR = v & 0xc9
	if v&fcrEnable == 0 {
		u.FCR = 0
	}
	u.fill()
}

func (u *uart) setMCR(v uint8) {
	was := u.modem()
	u.MCR = v
	if is := u.modem(); is != was {
		u.Delta |= (is ^ was) >> 4 & 0xb
		if was&msrRing != 0 && is&msrRing == 0 { // trailing edge only
			u.Delta |= 1 << 2
		}
	}
	u.fill()
}
