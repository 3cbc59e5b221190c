package judge

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lines of QEMU 7.2's `-d int`, as it writes them.
func TestParseTrap(t *testing.T) {
	for _, c := range []struct {
		line string
		want Trap
	}{
		{"    60: v=0e e=0004 i=0 cpl=3 IP=e033:ffffffff801004e8 pc=ffffffff801004e8 SP=e02b:ffffffff80104000 CR2=0000000000000010\n",
			Trap{Vector: 14, Code: 4, CPL: 3, CS: 0xe033, RIP: 0xffffffff801004e8, RSP: 0xffffffff80104000, CR2: 0x10}},
		// INT3: the log has the instruction's address, the frame the next one.
		{"     0: v=03 e=0000 i=1 cpl=0 IP=0008:000000000010012d pc=000000000010012d SP=0010:0000000000106ff8 env->regs[R_EAX]=0000000000100128\n",
			Trap{Vector: 3, CS: 8, RIP: 0x10012e, RSP: 0x106ff8, Soft: true}},
		{"     0: v=33 e=0000 i=1 cpl=3 IP=0023:00000000003000e5 pc=00000000003000e5 SP=001b:0000000000306400 env->regs[R_EAX]=0\n",
			Trap{Vector: 0x33, CPL: 3, CS: 0x23, RIP: 0x3000e7, RSP: 0x306400, Soft: true}},
	} {
		got, ok := parseTrap([]byte(c.line))
		if !ok || got != c.want {
			t.Errorf("%s got %+v (%v)", c.line, got, ok)
		}
	}
	for _, line := range []string{
		"", "RAX=0000000000000000 RBX=0000000000000000\n", "check_exception old: 0xe new 0xd\n",
		"     0: v=0e e=0000\n", "     0: v=zz e=0000 i=0 cpl=0 IP=0:0 pc=0 SP=0:0 CR2=0\n",
		"     0: v=0e e=0000 i=0 cpl=0 IP=00080000 pc=0 SP=0010:0 CR2=0\n",
	} {
		if got, ok := parseTrap([]byte(line)); ok {
			t.Errorf("%q: read as %+v", line, got)
		}
	}
}

func logLine(v int, soft bool, rip, rsp uint64) string {
	i := 0
	if soft {
		i = 1
	}
	return fmt.Sprintf("%6d: v=%02x e=0000 i=%d cpl=0 IP=0008:%016x pc=%016x SP=0010:%016x CR2=0\n", 1, v, i, rip, rip, rsp)
}

// The chain of a triple fault begins at the exception whose delivery failed.
func TestTripleFaultChain(t *testing.T) {
	for _, c := range []struct {
		name string
		log  string
		want []int
	}{
		{"#PF without an IDT", logLine(14, false, 0x100, 0x800) + logLine(8, false, 0x100, 0x800), []int{14, 8}},
		{"INT3, absent gate", logLine(3, true, 0x100, 0x800) + logLine(11, false, 0x100, 0x800) + logLine(8, false, 0x100, 0x800), []int{3, 11, 8}},
		{"an earlier trap that was handled", logLine(14, false, 0x50, 0x700) + logLine(3, true, 0x100, 0x800) + logLine(8, false, 0x100, 0x800), []int{3, 8}},
		{"a #DF that was handled first", logLine(8, false, 0x100, 0x800) + logLine(14, false, 0x100, 0x800) + logLine(8, false, 0x100, 0x800), []int{14, 8}},
		{"nothing", "", nil},
	} {
		l := newTrapLog(strings.NewReader(c.log+"Triple fault\n"), func(Trap) bool { return true })
		l.wait()
		var got []int
		for _, trap := range l.chain() {
			got = append(got, trap.Vector)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || !l.triple {
			t.Errorf("%s: %s triple %v", c.name, diff, l.triple)
		}
	}
}

// A guest in an endless fault costs no memory, and its last traps are known.
func TestTrapLogIsBounded(t *testing.T) {
	r, w := io.Pipe()
	l := newTrapLog(r, func(t Trap) bool { return t.Vector < 32 })
	const n = 3 * MaxTraps
	for i := range n {
		io.WriteString(w, logLine(14, false, uint64(i), 0)+"RAX=0000000000000000\nServicing hardware INT=0x20\n"+logLine(0x20, false, 1, 1))
	}
	w.Close()
	l.wait()
	if len(l.traps) != MaxTraps || len(l.last) != lastTraps || l.last[lastTraps-1].RIP != n-1 {
		t.Errorf("%d traps, the last %+v", len(l.traps), l.last)
	}
	if got := l.events.Load(); got != 3*n {
		t.Errorf("%d events, want %d", got, 3*n)
	}
}

func TestPlan(t *testing.T) {
	const line = "plan vec=14 err=2 rip=ffffffff80101234 rsp=ffffffff80105000 cr2=0000000000001000"
	want := Plan{Vector: 14, Code: 2, RIP: 0xffffffff80101234, RSP: 0xffffffff80105000, CR2: 0x1000}
	if got, ok := ParsePlan(line); !ok || got != want {
		t.Errorf("%+v (%v)", got, ok)
	}
	if got, ok := ParsePlan("plan vec=3 err=none rip=1000"); !ok || got != (Plan{Vector: 3, RIP: 0x1000}) {
		t.Errorf("no error code: %+v (%v)", got, ok)
	}
	for _, bad := range []string{"", "plan", "plan vec=14", "plan rip=10", "a plan vec=14 rip=10", "plan vec=300 rip=10", "plan vec=x rip=10"} {
		if got, ok := ParsePlan(bad); ok {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

// QEMU's `info registers`, long mode and before it.
func TestParseQemuRegs(t *testing.T) {
	const long = "RAX=00007fff00001010 RBX=1111111111110001 RCX=1111111111110002 RDX=00000000000003f8\r\n" +
		"R8 =0000000000000008 R9 =0000000000000009 R10=0000000000000010 R11=0000000000000011\r\n" +
		"RIP=0000000000100138 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n" +
		"ES =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n" +
		"CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r\n" +
		"FS =0000 ffff888000000000 0000ffff 00009300 DPL=0 DS   [-WA]\r\n" +
		"CR0=80010011 CR2=00007fff00001010 CR3=0000000000102000 CR4=00000020\r\n"
	want := &Regs{RAX: 0x7fff00001010, RBX: 0x1111111111110001, RCX: 0x1111111111110002, RDX: 0x3f8,
		R8: 8, R9: 9, R10: 0x10, R11: 0x11, RIP: 0x100138, RFLAGS: 0x46, ES: 0x10, CS: 8,
		FSBase: 0xffff888000000000, CR0: 0x80010011, CR2: 0x7fff00001010, CR3: 0x102000, CR4: 0x20}
	if diff := cmp.Diff(want, parseQemuRegs(long)); diff != "" {
		t.Error(diff)
	}
	const protected = "EAX=00000001 EBX=00000002\r\nEIP=00100000 EFL=00000002 [-------] CPL=0\r\nCS =0008 00000000 ffffffff 00cf9b00\r\n"
	if diff := cmp.Diff(&Regs{RAX: 1, RBX: 2, RIP: 0x100000, RFLAGS: 2, CS: 8}, parseQemuRegs(protected)); diff != "" {
		t.Error(diff)
	}
}
