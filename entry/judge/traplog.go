package judge

import (
	"bufio"
	"bytes"
	"io"
	"sync/atomic"
)

// trapLog reads what QEMU writes with `-d int,cpu_reset` as it is written: one
// line for each exception or interrupt, each followed by a register dump of some
// 20 lines that nobody needs here. A guest in an endless fault writes megabytes
// a second, so nothing but the traps is kept, and of them at most MaxTraps from
// the start and the last few.
//
//	60: v=0e e=0004 i=0 cpl=3 IP=e033:ffffffff801004e8 pc=... SP=e02b:ffffffff80104000 CR2=0000000000000010
type trapLog struct {
	keep   func(Trap) bool
	traps  []Trap
	last   []Trap       // the most recent ones of those kept, at most lastTraps
	triple bool         // QEMU reported a triple fault
	events atomic.Int64 // exceptions and interrupts of any kind so far
	done   chan struct{}
}

// lastTraps is more than a triple fault's chain can have.
const lastTraps = 8

func newTrapLog(r io.Reader, keep func(Trap) bool) *trapLog {
	t := &trapLog{keep: keep, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.read(r)
	}()
	return t
}

// wait returns when the log has ended, which it does with QEMU. Only then may
// the fields be read.
func (t *trapLog) wait() { <-t.done }

func (t *trapLog) read(r io.Reader) {
	br := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := br.ReadSlice('\n')
		t.line(line)
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (t *trapLog) line(line []byte) {
	if bytes.HasPrefix(line, []byte("Triple fault")) {
		t.triple = true
		return
	}
	if bytes.HasPrefix(line, []byte("Servicing hardware INT")) {
		t.events.Add(1)
		return
	}
	trap, ok := parseTrap(line)
	if !ok {
		return
	}
	t.events.Add(1)
	if !t.keep(trap) {
		return
	}
	if len(t.traps) < MaxTraps {
		t.traps = append(t.traps, trap)
	}
	if len(t.last) == lastTraps {
		copy(t.last, t.last[1:])
		t.last = t.last[:lastTraps-1]
	}
	t.last = append(t.last, trap)
}

// chain is the exceptions that became the triple fault: the last ones raised at
// one and the same instruction with the same stack pointer.
func (t *trapLog) chain() []Trap {
	n := len(t.last)
	if n == 0 {
		return nil
	}
	end := t.last[n-1]
	i := n - 1
	// INT3 is logged at the instruction, what follows it at the same place.
	for i > 0 && at(t.last[i-1]) == at(end) && t.last[i-1].RSP == end.RSP && t.last[i-1].Vector != 8 {
		i--
	}
	return t.last[i:n]
}

// at is the address of the instruction itself.
func at(t Trap) uint64 {
	if t.Soft {
		return t.RIP - softLength(t.Vector)
	}
	return t.RIP
}

// softLength is how long the instruction is that raises a software exception:
// INT3 one byte (its form CD 03 is taken for it), INT n two. INTO does not exist
// in 64-bit code.
func softLength(vector int) uint64 {
	if vector == 3 {
		return 1
	}
	return 2
}

// parseTrap reads one `v=` line (target/i386/tcg/seg_helper.c:do_interrupt_all).
func parseTrap(line []byte) (Trap, bool) {
	i := bytes.Index(line, []byte(": v="))
	if i < 0 || i > 12 {
		return Trap{}, false
	}
	f := bytes.Fields(line[i+2:])
	if len(f) < 7 {
		return Trap{}, false
	}
	var t Trap
	var soft, cpl uint64
	ok := true
	num := func(f []byte, key string) (n uint64) {
		v, found := bytes.CutPrefix(f, []byte(key))
		ok = ok && found
		return hexBytes(v, &ok)
	}
	vec, code := num(f[0], "v="), num(f[1], "e=")
	soft, cpl = num(f[2], "i="), num(f[3], "cpl=")
	ip, found := bytes.CutPrefix(f[4], []byte("IP="))
	sel, off, colon := bytes.Cut(ip, []byte(":"))
	ok = ok && found && colon
	t.CS, t.RIP = uint16(hexBytes(sel, &ok)), hexBytes(off, &ok)
	sp, found := bytes.CutPrefix(f[6], []byte("SP="))
	_, off, colon = bytes.Cut(sp, []byte(":"))
	ok = ok && found && colon
	t.RSP = hexBytes(off, &ok)
	if len(f) > 7 && bytes.HasPrefix(f[7], []byte("CR2=")) {
		t.CR2 = num(f[7], "CR2=")
	}
	t.Vector, t.Code, t.CPL, t.Soft = int(vec), uint32(code), int(cpl), soft == 1
	if t.Soft {
		t.RIP += softLength(t.Vector)
	}
	return t, ok && vec < 256
}

func hexBytes(b []byte, ok *bool) (n uint64) {
	if len(b) == 0 || len(b) > 16 {
		*ok = false
	}
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			*ok = false
		}
	}
	return n
}
