package hv

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"pvlab/guest"
	"pvlab/hv/image"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/pagetable"
)

// stage is a booted machine into which hostile code is put.
type stage struct {
	name    string
	cfg     Config
	boot    uint64                // instructions at most until it stands
	stands  func(m *Machine) bool // nil: after boot instructions
	m       *Machine
	out     transcript
	start   *Snapshot
	last    Result
	user    bool // it stands in user mode
	initial Digest
	where   []scene // of each vCPU that runs
}

// transcript is what a guest said: the beginning, how much, and a hash of
// all, since a hostile one may say more than memory holds.
type transcript struct {
	begin  []byte
	length uint64
	hash   maphash.Hash
}

func (w *transcript) Write(b []byte) (int, error) {
	const keep = 1 << 16
	w.begin = append(w.begin, b[:min(len(b), keep-min(keep, len(w.begin)))]...)
	w.length += uint64(len(b))
	return w.hash.Write(b)
}

func (w *transcript) Reset() {
	w.begin, w.length = w.begin[:0], 0
	w.hash.SetSeed(digestSeed)
}

func (w *transcript) String() string {
	return fmt.Sprintf("%s [%d bytes, %#x]", w.begin, w.length, w.hash.Sum64())
}

// stages are built at their first use: a fuzzer's process uses each many times.
func newStages() []*stage {
	user := func(m *Machine) bool {
		c := m.cpus[0]
		if d := m.Domain(); d != nil {
			return !d.VCPU[0].KernelMode && c.RIP < 1<<47
		}
		return c.CPL == 3
	}
	second := func(m *Machine) bool {
		d := m.Domain()
		return m.cpus[1].Retired > 500 && (d == nil || d.VCPU[1].Trap[x86.VectorPF].Address != 0)
	}
	var all []*stage
	for _, b := range []struct {
		name string
		cfg  Config
	}{
		{"native", Config{Platform: Native}},
		{"dom0", Config{Platform: Xen, Dom0: true}},
		{"domU", Config{Platform: Xen}},
	} {
		for _, drop := range []bool{false, true} {
			name := b.name
			cfg := b.cfg
			cfg.Memory, cfg.DropTLB = 4<<20, drop
			if drop {
				name += " drop"
				cfg.CPU = "amd"
				cfg.Tolerant = true
			}
			boot := uint64(200_000)
			add := func(what, cmdline string, vcpus int, stands func(*Machine) bool) {
				c := cfg
				c.Cmdline, c.VCPUs = cmdline, vcpus
				all = append(all, &stage{name: name + " " + what, cfg: c, boot: boot, stands: stands, user: what == "user"})
			}
			add("kernel", "spin", 1, nil)
			add("user", "cell=retq16:pf:user", 1, user)
			boot = 2_000_000 // it waits long before it starts the second
			add("two", "smp", 2, second)
		}
	}
	return all
}

// kernelBase is where the bench guest has (pseudo-)physical address 0.
const kernelBase = 0xffffffff80000000

// raise boots the stage.
func (s *stage) raise(tb testing.TB) {
	if s.m != nil {
		return
	}
	elf, err := guest.Image("bench")
	if err != nil {
		tb.Fatal(err)
	}
	img, err := image.Load("bench", elf, 1<<30)
	if err != nil {
		tb.Fatal(err)
	}
	s.cfg.Console = &s.out
	s.cfg.Hypervisor = func(l string) { fmt.Fprintln(&s.out, l) }
	m, err := New(img, s.cfg)
	if err != nil {
		tb.Fatal(err)
	}
	for m.Steps() < s.boot && (s.stands == nil || !s.stands(m)) {
		n := uint64(1)
		if s.stands == nil {
			n = s.boot - m.Steps()
		} else if s.cfg.VCPUs > 1 {
			n = 10
		}
		if r, err := m.Run(n); err != nil || r.End != EndRunning {
			tb.Fatalf("%s: %v, %v\n%s", s.name, &r, err, &s.out)
		}
	}
	if s.stands != nil && !s.stands(m) {
		tb.Fatalf("%s: not where it should be after %d instructions", s.name, m.Steps())
	}
	for v, c := range m.cpus {
		w := scene{native: s.cfg.Platform == Native, rip: c.RIP, rsp: c.R[x86.RSP], cr3: c.CR3 &^ 0xfff}
		w.addresses = []uint64{0, c.RIP, c.R[x86.RSP], c.CR3 &^ 0xfff, c.GDTR.Base, c.IDTR.Base, 0xffffffff80000000,
			0xffffffff80100000, 0x400000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffff87ffffffffff,
			0xffff880000000000, 0xfee00000, 0xfec00000, 0xfffffffffffff000, uint64(m.mem.Size()), uint64(m.mem.Size()) - 8}
		root := c.CR3 >> mem.PageShift
		if d := m.Domain(); d != nil {
			root = uint64(slices.Index(d.P2M(), d.VCPU[v].GuestTable))
			w.addresses = append(w.addresses, d.SharedInfoMFN()<<12, d.VCPU[v].GuestTable<<12, d.VCPU[v].GuestTableUser<<12)
		}
		w.tables = kernelBase + root<<mem.PageShift
		s.where = append(s.where, w)
	}
	s.m, s.start = m, m.Snapshot()
	s.initial = DigestOf(m)
}

// place writes code at an address of vCPU v's.
func (s *stage) place(v int, lin uint64, code []byte) {
	for len(code) > 0 {
		w := pagetable.Translate(s.m.mem, s.m.cpus[v].CR3, lin, 46, true)
		n := min(len(code), int(mem.PageSize-lin%mem.PageSize))
		if !w.Mapped || !s.m.mem.Write(w.PA, code[:n]) {
			return
		}
		code, lin = code[n:], lin+uint64(n)
	}
}

// exceptions is the number of vectors that get the resuming handler.
const exceptions = 32

// survive gives all exceptions of vCPU v the handler that goes on with the
// next slot, put where the handler of page faults was.
func (s *stage) survive(v int) {
	if d := s.m.Domain(); d != nil {
		traps := &d.VCPU[v].Trap
		at := traps[x86.VectorPF].Address
		for i := range traps[:exceptions] {
			traps[i].Address = at
		}
		s.place(v, at, s.where[v].resume())
		return
	}
	c := s.m.cpus[v]
	const gate = 16
	w := pagetable.Translate(s.m.mem, c.CR3, c.IDTR.Base, 46, true)
	idt := make([]byte, exceptions*gate)
	if !w.Mapped || !s.m.mem.Read(w.PA, idt) {
		return
	}
	pf := idt[x86.VectorPF*gate:][:gate]
	at := uint64(pf[0]) | uint64(pf[1])<<8 | uint64(binary.LittleEndian.Uint16(pf[6:]))<<16 | uint64(binary.LittleEndian.Uint32(pf[8:]))<<32
	for i := range exceptions {
		g := idt[i*gate:][:gate]
		copy(g, pf[:2])
		copy(g[6:], pf[6:12])
	}
	s.m.mem.Write(w.PA, idt)
	s.place(v, at, s.where[v].resume())
}

// hostileSteps is how long a trial runs.
const hostileSteps = 10_000

// outcomeOf is a trial: what the machine was after it, and what it said.
type outcomeOf struct {
	result Result
	digest Digest
	said   string
}

func (s *stage) trial(t *testing.T, code []byte) outcomeOf {
	t.Helper()
	s.m.Restore(s.start)
	s.out.Reset()
	for v := range s.m.cpus {
		g := hostile{in: code[min(len(code), 1+v):], at: &s.where[v]}
		if len(code) == 0 || code[0]&1 == 0 {
			s.place(v, s.where[v].rip, g.program(1024))
			continue
		}
		s.place(v, s.where[v].rip, g.slotted())
		s.survive(v)
	}
	before := s.m.Steps()
	var r Result
	var err error
	for n := uint64(0); n < hostileSteps; n += 2500 {
		if r, err = s.m.Run(2500); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	if ran := r.Steps - before; ran > hostileSteps || r.Steps != s.m.Steps() {
		t.Fatalf("%s: ran %d steps of %d", s.name, ran, hostileSteps)
	}
	if r.End == EndRunning != (s.m.Steps()-before == hostileSteps) && s.m.final == nil {
		t.Fatalf("%s: %v after %d steps of %d", s.name, &r, s.m.Steps()-before, hostileSteps)
	}
	return outcomeOf{r, DigestOf(s.m), s.out.String()}
}

// Bounds of a trial on the host.
const (
	trialTime   = 20 * time.Second // a hang, not a slow machine or -race
	trialMemory = 256 << 20
)

func (s *stage) check(t *testing.T, code []byte) {
	s.raise(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	first := s.trial(t, code)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if took > trialTime {
		t.Errorf("%s: %d steps took %v", s.name, hostileSteps, took)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > trialMemory {
		t.Errorf("%s: %d steps took %d bytes of memory", s.name, hostileSteps, n)
	}
	second := s.trial(t, code)
	if d := first.digest.Diff(second.digest); d != "" {
		t.Errorf("%s: two runs from one snapshot differ in %s", s.name, d)
	}
	if first.said != second.said {
		t.Errorf("%s: two runs from one snapshot say\n%s\nand\n%s", s.name, first.said, second.said)
	}
	if first.result.End != second.result.End || first.result.Steps != second.result.Steps {
		t.Errorf("%s: two runs from one snapshot end %v and %v", s.name, &first.result, &second.result)
	}
	s.last = second.result
	s.m.Restore(s.start)
	if d := s.initial.Diff(DigestOf(s.m)); d != "" {
		t.Errorf("%s: restored, but different in %s", s.name, d)
	}
}

// FuzzGuest runs hostile code on both platforms, from kernel and user mode,
// with one and two vCPUs. Whatever it does: no defect, no more steps than
// asked for, no hang, no memory without bound, the same again from the same
// snapshot, and everything as it was after a restore.
func FuzzGuest(f *testing.F) {
	stages := newStages()
	for i := range stages {
		f.Add(uint8(i), []byte("\x00\x09\x02\xeb\xfe"))                     // jmp .
		f.Add(uint8(i), []byte("\x01\x06\x00\x06\x01\x06\x02\x06\x0e\x06")) // control registers
		f.Add(uint8(i), []byte("\x01\x0d\x07\x0a\x00\x0a\x00\x03"))         // rep stos without end
		f.Add(uint8(i), []byte("\x01\x02\x07\x1b\x02\x04\x05\x1c\x0c\x0d\x0a\x01\x01\x00\x12\x13\x14\x15"))
		f.Add(uint8(i), []byte("\x01\x05\x03\x0d\x02\x04\x05\x1c\x0c\x0d\x0d\x01\x01\x00\x12\x13\x14\x15\x01\x07"))
	}
	f.Fuzz(func(t *testing.T, where uint8, code []byte) {
		if len(code) > 512 {
			t.Skip("longer than a trial can use")
		}
		stages[int(where)%len(stages)].check(t, code)
	})
}

var (
	hostileTrials = flag.Int("hostile", 40, "random programs that TestHostile runs on each stage")
	hostileSeed   = flag.Uint64("hostile-seed", 1, "which ones")
)

// TestHostile runs random programs without a fuzzer's guidance: the same ones
// each time.
func TestHostile(t *testing.T) {
	for _, s := range newStages() {
		t.Run(s.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(len(s.name)), *hostileSeed))
			ends := map[End]int{}
			for i := range *hostileTrials {
				code := make([]byte, 16+rng.IntN(400))
				for j := range code {
					code[j] = byte(rng.Uint32())
				}
				s.check(t, code)
				if t.Failed() {
					t.Fatalf("program %d: %x", i, code)
				}
				ends[s.last.End]++
			}
			t.Log(ends)
			s.m.Close()
			s.m, s.start = nil, nil
		})
	}
}
