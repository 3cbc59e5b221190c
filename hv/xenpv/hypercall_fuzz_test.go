package xenpv_test

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hv/xenpv"
	"pvlab/hypercall"
	"pvlab/hypercall/abi"
)

var corpus = flag.String("corpus", "", "a fuzzer's inputs for FuzzHypercalls to run as seeds, in the form of its cache")

// hostileCalls makes hypercalls as bytes say: which call and operation, a
// structure of plausible fields for it, and where it lies.
type hostileCalls struct {
	*bare
	in    []byte
	calls []knownCall
}

// knownCall is one operation of the table, or a call that has none.
type knownCall struct {
	row hypercall.Row
	op  *hypercall.SubOp
}

// knownCalls lists what can be called; what is about memory comes more often.
func knownCalls() (list []knownCall) {
	for _, r := range hypercall.Rows() {
		again := 1
		switch r.Number {
		case abi.HypGrantTableOp, abi.HypMemoryOp:
			again = 3
		case abi.HypMMUUpdate, abi.HypMMUExtOp, abi.HypUpdateVAMapping, abi.HypMulticall:
			again = 24
		}
		if r.Number == abi.HypMMUUpdate || r.Number == abi.HypMMUExtOp || len(r.Ops.List) == 0 {
			r.Ops.List = make([]hypercall.SubOp, 1)
		}
		for i := range r.Ops.List {
			for range again {
				list = append(list, knownCall{r, &r.Ops.List[i]})
			}
		}
	}
	return list
}

func (h *hostileCalls) next() uint64 {
	if len(h.in) == 0 {
		return 0
	}
	b := h.in[0]
	h.in = h.in[1:]
	return uint64(b)
}

func (h *hostileCalls) pick(list ...uint64) uint64 { return list[h.next()%uint64(len(list))] }

// page is a page of the guest's; 14 and 15 hold addresses of hostile kinds in
// what they are used for, nothing else about them is special.
func (h *hostileCalls) page() uint64 { return bareText + h.next()%barePages<<mem.PageShift }

// address is where a structure may lie.
func (h *hostileCalls) address() uint64 {
	switch k := h.next(); {
	case k < 160:
		return h.page()
	case k < 184:
		return h.page() + 0xff0 + h.next()%16 // over the end of a page
	case k < 192:
		return bareText + barePages<<mem.PageShift - h.next()%64 // over the last one's
	case k < 208:
		return h.entryAddress()
	case k < 216:
		return 0
	}
	return h.pick(0xffff800000000000, 0xffff820000000000, 1<<47, ^uint64(0), 1<<47-8, 1<<63, 0xffff87fffffffff8, abi.HypervisorVirtEnd,
		0xffff7ffffffffff0)
}

// entryAddress is where the guest sees one of its own page tables.
func (h *hostileCalls) entryAddress() uint64 {
	pa, _ := h.KernelL1At(h.page())
	return 0xffffffff80000000 + h.pfnOf(pa>>mem.PageShift)<<mem.PageShift + pa&mem.PageMask
}

// pfnOf is where the domain has a frame.
func (h *hostileCalls) pfnOf(mfn uint64) uint64 { return mfn - h.Dom.P2M()[0] }

func (h *hostileCalls) frameNumber() uint64 {
	switch k := h.next(); {
	case k < 160:
		e, _ := h.KernelL1(h.page())
		return e.MFN()
	case k < 176:
		return h.GuestTable
	case k < 200:
		pa, _ := h.KernelL1At(h.page())
		return pa >> mem.PageShift
	case k < 208:
		return h.Dom.SharedInfoMFN()
	case k < 216:
		return h.Dom.P2M()[h.next()*4%uint64(len(h.Dom.P2M()))]
	case k < 224:
		return h.next()
	}
	return h.pick(h.mem.Frames(), h.mem.Frames()-1, 1<<34, 1<<40-1, 1<<52-1, ^uint64(0), 0xfee00, 0xfec00, 0xa0, 0)
}

func (h *hostileCalls) small() uint64 {
	if k := h.next(); k < 240 {
		return k % 24
	}
	return h.pick(1<<31, 1<<32-1, 0x1000, 4096, 1<<16, 1<<17, 255)
}

func (h *hostileCalls) count() uint64 {
	if k := h.next(); k < 224 {
		return k % 12
	}
	return h.pick(1<<31, 1<<32-1, 1024, 1025, 4096, 1<<20, 1<<30, ^uint64(0), 1<<63, 3000)
}

func (h *hostileCalls) domain() uint64 {
	if h.next() < 160 {
		return abi.DomIDSelf
	}
	return h.pick(0, 1, 2, abi.DomIDIO, abi.DomIDXen, abi.DomIDCow, abi.DomIDInvalid, 0xffff)
}

func (h *hostileCalls) anything() uint64 {
	switch k := h.next(); {
	case k < 64:
		return h.small()
	case k < 128:
		return h.frameNumber()<<mem.PageShift | h.next()<<3
	case k < 192:
		return h.address()
	}
	return h.next()<<56 | h.next()<<40 | h.next()<<20 | h.next()
}

// field is a value for a letter of shapes.
func (h *hostileCalls) field(kind byte) uint64 {
	const flags = 0x67 // present, writable, user, accessed, dirty
	switch kind {
	case 'd':
		return h.domain()
	case 'v':
		return h.pick(0, 1, 0, 1, 2, 63, 1<<32-1)
	case 'm':
		return h.frameNumber()
	case 'e':
		e := h.frameNumber()<<mem.PageShift | flags&^(h.next()&2)
		switch k := h.next(); {
		case k < 32:
			return 0
		case k < 64:
			return e ^ 1<<(k&63)
		}
		return e
	case 'a':
		return h.address()
	case 'p', 'f', 'r', 'h', 'b':
		return h.small()
	case 'n', 'N':
		return h.count()
	case 'D':
		if h.next() < 192 {
			return uint64(h.Dom.ID)
		}
		return h.domain()
	case 'c':
		return h.pick(abi.SchedulerCredit2, abi.SchedulerCredit2, abi.SchedulerCredit2, abi.SchedulerCredit, 0)
	case 'y':
		return 0x10 + h.next()%0x20
	case 'S':
		return h.pick(1, 1, 1, 1, 2, 2, 3, h.next()%12)
	case 'V':
		return h.pick(1, 2, 1, 2, 2, 0, 3)
	case 'Z':
		if h.next() < 224 {
			return 0
		}
		return h.small()
	case 't':
		return h.pick(0, 1, h.now, h.now+1000, h.now+1_000_000, 1<<62, ^uint64(0))
	case 'u':
		k := h.next()
		if k < 128 {
			pa, _ := h.KernelL1At(h.page())
			return pa | k%5
		}
		return h.frameNumber()<<mem.PageShift | h.next()<<3 | k%5
	case 'x', 'X':
		return h.anything()
	}
	return 0
}

// build makes a structure of the shape, at most 480 bytes.
func (h *hostileCalls) build(head []byte, shape string) []byte {
	b := head
	again := ""
	for len(b) < 480 {
		if shape == "" {
			if shape = again; again == "" || h.next()&3 == 0 {
				break
			}
		}
		kind := shape[0]
		if shape = shape[1:]; kind == '*' {
			again = shape
			continue
		}
		n := fieldSize[kind]
		if kind != 'b' && kind != '.' && kind != 'h' {
			for len(b)%n != 0 {
				b = append(b, 0)
			}
		}
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], h.field(kind))
		b = append(b, w[:n]...)
	}
	if k := h.next(); k >= 224 && len(b) > 0 { // a byte of it is wrong
		b[h.next()%uint64(len(b))] ^= byte(k << 3)
	}
	return b
}

// setStage changes what calls will find: a page full of frames, entries or
// addresses, an entry of the grant table, or a context for a vCPU.
func (h *hostileCalls) setStage() {
	page := h.page()
	switch h.next() % 5 {
	case 0, 1:
		kind := []byte("memxd")[h.next()%5]
		var b []byte
		for range 1 + h.next()%64 {
			b = binary.LittleEndian.AppendUint64(b, h.field(kind))
		}
		h.CopyTo(page, b)
	case 2, 3:
		t := h.Dom.Grants.Table(h.Dom.ID)
		if t == nil || t.Shared == 0 {
			return
		}
		b := binary.LittleEndian.AppendUint16(nil, uint16(h.pick(1, 1, 1, 2, 3, 5, 0, 0x21, 0x108)))
		b = binary.LittleEndian.AppendUint16(b, uint16(h.pick(uint64(h.Dom.ID), abi.DomIDSelf, 0, 1)))
		b = binary.LittleEndian.AppendUint32(b, uint32(h.frameNumber()))
		b = binary.LittleEndian.AppendUint64(b, h.frameNumber())
		n := 8 * int(1+t.Version/2)
		h.mem.Write(t.SharedFrame(0)<<mem.PageShift+uint64(n)*(h.next()%24), b[:n])
	case 4:
		b := make([]byte, abi.VGCSize)
		put := func(off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }
		put(abi.VGCFlags, abi.VGCFInKernel|abi.VGCFOnline|abi.VGCFI387Valid)
		put(abi.VGCUserRegs+abi.RegsRIP, bareText)
		put(abi.VGCUserRegs+abi.RegsCS, abi.FlatKernelCS)
		put(abi.VGCUserRegs+abi.RegsSS, 0xe02b)
		put(abi.VGCCtrlReg+8*3, h.GuestTable<<mem.PageShift)
		for range h.next() % 3 {
			put(int(h.next()*20%(abi.VGCSize-8)), h.anything())
		}
		h.CopyTo(bareText, b)
	}
}

// versions of the calls that carry one.
var versions = map[int]uint32{abi.HypPlatformOp: 0x03000001, abi.HypSysctl: 0x15, abi.HypDomctl: 0x15, abi.HypPagingDomctlCont: 0x15,
	abi.HypMCA: 0x01ecc003}

// prepare draws a call: its number and arguments, with the structure that they
// point to in place.
func (h *hostileCalls) prepare(depth int) (n uint64, args [5]uint64) {
	call := &h.calls[(h.next()<<8|h.next())%uint64(len(h.calls))]
	row, op := &call.row, call.op
	n = uint64(row.Number)
	at := h.address()
	args = [5]uint64{at, h.count(), h.address(), h.domain(), h.anything()}
	put := func(b []byte) { h.CopyTo(at, b) }
	shape := "*X"
	if shapes[op.Name] != "" {
		shape = shapes[op.Name]
	} else if shapes[row.Name] != "" {
		shape = shapes[row.Name]
	}
	switch row.Number {
	case abi.HypMulticall:
		if depth > 1 {
			return n, args
		}
		var list []byte
		for i := h.next() % 8; i > 0; i-- {
			cn, ca := h.prepare(depth + 1)
			for _, w := range [...]uint64{cn, 0, ca[0], ca[1], ca[2], ca[3], ca[4], 0} {
				list = binary.LittleEndian.AppendUint64(list, w)
			}
		}
		put(list)
	case abi.HypUpdateVAMapping, abi.HypUpdateVAMappingOther:
		args = [5]uint64{h.page(), h.field('e'), h.pick(0, 1, 2, 5, 6, at, at|1, at|2), h.domain(), 0}
	case abi.HypUpdateDescriptor:
		args = [5]uint64{h.frameNumber()<<mem.PageShift | h.next()<<3, h.pick(0x00cffb000000ffff, 0x00aff3000000ffff, 0, h.anything())}
	case abi.HypMMUUpdate, abi.HypMMUExtOp, abi.HypSetGDT, abi.HypSetTrapTable, abi.HypDMOp:
		put(h.build(nil, shape))
		if h.next() < 192 {
			args[3] = abi.DomIDSelf
		}
		if row.Number == abi.HypDMOp {
			args = [5]uint64{h.domain(), args[1], at}
		}
	case abi.HypSetSegmentBase, abi.HypStackSwitch, abi.HypSetDebugreg, abi.HypGetDebugreg, abi.HypVMAssist, abi.HypFPUTaskswitch:
		args = [5]uint64{h.small(), h.anything()}
	case abi.HypSetTimerOp:
		args[0] = h.field('t')
	case abi.HypVCPUOp:
		if op.Number == abi.VCPUOpInitialise {
			at = bareText
		} else {
			put(h.build(nil, shape))
		}
		args = [5]uint64{op.Number, h.field('v'), at}
	case abi.HypGrantTableOp:
		put(h.build(nil, shape))
		args = [5]uint64{op.Number, at, h.pick(1, 1, 1, 1, 1, h.count())}
	case abi.HypMemoryOp:
		put(h.build(nil, shape))
		args = [5]uint64{op.Number | h.pick(0, 0, 0, 0, 0, 0, 1<<6, 5<<6, 1<<40), at}
	case abi.HypConsoleIO:
		args = [5]uint64{op.Number, h.count(), at}
	case abi.HypHypfsOp:
		path := []string{"/", "/params", "/buildinfo/version/major", "/params/loglvl", "/cpupool/0/sched-gran", "params", "/x"}[h.next()%7]
		put([]byte(path + "\x00"))
		args = [5]uint64{op.Number, at, h.pick(uint64(len(path))+1, uint64(len(path))+1, 1025, 0, 4), h.address(), h.count() * 64}
	default:
		if op.Name == "" {
			break
		}
		if version, ok := versions[row.Number]; ok {
			head := binary.LittleEndian.AppendUint32(nil, uint32(op.Number))
			head = binary.LittleEndian.AppendUint32(head, version)
			put(append(h.build(head, shape), make([]byte, 152)...)[:152])
			break
		}
		if row.Number == abi.HypEventChannelOpCompat || row.Number == abi.HypPhysdevOpCompat {
			head := binary.LittleEndian.AppendUint32(nil, uint32(op.Number))
			if row.Number == abi.HypPhysdevOpCompat {
				head = append(head, 0, 0, 0, 0)
			}
			put(h.build(head, shape))
			break
		}
		put(h.build(nil, shape))
		args = [5]uint64{op.Number, at, h.count()}
	}
	if h.next() >= 250 {
		args[h.next()%5] = h.anything()
	}
	return n, args
}

// Bounds of one input on the host, and how many are drawn as seeds.
const (
	seeds     = 3000
	callTime  = 5 * time.Second
	inputHeap = 256 << 20
)

// run makes calls until the bytes are used up.
func (h *hostileCalls) run(t *testing.T) {
	const continuations = 40
	for len(h.in) > 0 && !h.Dom.ShutDown {
		h.Blocked = false
		if h.next() < 48 {
			h.setStage()
			continue
		}
		n, args := h.prepare(0)
		start := time.Now()
		at := h.CPU.RIP
		rax := h.call(n, args[:]...)
		r := &h.CPU.R
		for i := 0; i < continuations && h.CPU.RIP == at && n != abi.HypIret; i++ {
			rax = h.call(rax, r[x86.RDI], r[x86.RSI], r[x86.RDX], r[x86.R10], r[x86.R8])
		}
		if took := time.Since(start); took > callTime {
			t.Fatalf("hypercall %d%#x took %v", n, args, took)
		}
		h.CPU.RIP = at
		h.now += 1000
		h.Dom.Advance()
		if !h.KernelMode {
			h.ToggleMode()
		}
	}
}

// FuzzHypercalls makes hypercalls of every operation with structures that are
// nearly right, and arguments that lean towards the hostile. Nothing may panic,
// hang or take memory without bound, and the invariants of page types hold
// afterwards.
func FuzzHypercalls(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range seeds {
		in := make([]byte, 40+rng.IntN(900))
		for i := range in {
			in[i] = byte(rng.Uint32())
		}
		f.Add(in)
	}
	for _, in := range kept(f) {
		f.Add(in)
	}
	calls := knownCalls()
	type world struct {
		*bare
		snap  *mem.Snapshot
		state *xenpv.State
		regs  cpu.State
	}
	var worlds []world
	for _, b := range []*bare{newBare(f, true, 2), newBare(f, false, 2)} {
		worlds = append(worlds, world{b, b.mem.Snapshot(), b.p.Save(), b.CPU.State})
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1024 {
			t.Skip("longer than needed")
		}
		w := worlds[len(in)&1]
		w.mem.Restore(w.snap)
		w.p.Load(w.state)
		w.CPU.State = w.regs
		w.CPU.StateChanged()
		w.CPU.FlushTLB()
		w.now = 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h := &hostileCalls{bare: w.bare, in: in, calls: calls}
		h.run(t)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > inputHeap {
			t.Errorf("%d bytes of memory taken", n)
		}
		if err := w.Dom.Audit(); err != nil && !w.Dom.ShutDown {
			t.Error(err)
		}
	})
}

// kept reads the inputs that -corpus names.
func kept(f *testing.F) (list [][]byte) {
	if *corpus == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(*corpus, "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		_, value, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		s, err := strconv.Unquote(strings.TrimSuffix(strings.TrimPrefix(value, "[]byte("), ")"))
		if err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		list = append(list, []byte(s))
	}
	return list
}
