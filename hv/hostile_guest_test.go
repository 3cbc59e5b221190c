package hv

import (
	hexenc "encoding/hex"
	"testing"
	"time"
)

// hostileGuest is a kernel that goes wrong on purpose.
type hostileGuest struct {
	on    on
	end   End // how it ends within hostileGuestSteps
	title string
	asm   string // what code is
	code  string
}

type on uint8

const (
	onXen on = 1 << iota
	onNative
	onBoth = onXen | onNative
)

// endPanic is the end by the guest's own handlers of exceptions: they report
// a crash to Xen, and natively can only power off.
const endPanic End = 100

// hostileGuestSteps is how long each runs.
const hostileGuestSteps = 20_000

// TestHostileGuests: loops, jumps into the dark, stacks and tables of garbage,
// requests without end. Each ends as on the real thing, or is still running
// when its steps are used up; none takes long for them.
func TestHostileGuests(t *testing.T) {
	for _, s := range newStages() {
		if s.cfg.VCPUs != 1 || s.user {
			continue
		}
		for i := range hostileGuests {
			g := &hostileGuests[i]
			if mine := map[Platform]on{Xen: onXen, Native: onNative}[s.cfg.Platform]; g.on&mine == 0 {
				continue
			}
			t.Run(s.name+"/"+g.title, func(t *testing.T) {
				s.raise(t)
				s.m.Restore(s.start)
				s.out.Reset()
				code, err := hexenc.DecodeString(g.code)
				if err != nil {
					t.Fatal(err)
				}
				s.place(0, s.where[0].rip, code)
				start := time.Now()
				r, err := s.m.Run(hostileGuestSteps)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took > trialTime {
					t.Errorf("%d steps took %v", r.Steps, took)
				}
				want := g.end
				if want == endPanic {
					want = map[Platform]End{Xen: EndGuestCrash, Native: EndPowerOff}[s.cfg.Platform]
				}
				if r.End != want {
					t.Errorf("%s: ended %v, want %v", g.asm, &r, want)
				}
			})
		}
	}
}

var hostileGuests = []hostileGuest{
	{onXen, endPanic, "cli without the I/O privilege", "cli",
		"fa"},
	{onBoth, EndRunning, "a loop", "1: jmp 1b",
		"ebfe"},
	{onNative, EndRunning, "a loop with events off, as far as they go", "cli; 1: jmp 1b",
		"faebfe"},
	{onNative, EndKilled, "the root table of nothing", "mov $0x3ff000, %rax; mov %rax, %cr3; nop",
		"48c7c000f03f000f22d890"},
	{onNative, EndKilled, "a root table outside memory", "mov $0xfffffff000, %rax; mov %rax, %cr3; nop",
		"48b800f0ffffff0000000f22d890"},
	{onNative, EndKilled, "every entry of the root table points at it", "mov %cr3, %rax; mov %rax, %rbx; or $0x67, %rbx; mov $-0x80000000, %rdi; add %rax, %rdi; mov $512, %ecx; mov %rbx, %rax; cld; rep stosq; mov %cr3, %rax; mov %rax, %cr3; nop",
		"0f20d84889c34883cb6748c7c7000000804801c7b9000200004889d8fcf348ab0f20d80f22d890"},
	{onNative, EndKilled, "no interrupt table", "push $0; push $0; lidt (%rsp); int3",
		"6a006a000f011c24cc"},
	{onNative, endPanic, "a stack of nothing: #DF has one of its own", "xor %esp, %esp; push %rax",
		"31e450"},
	{onNative, EndKilled, "an interrupt table of garbage", "lea -8(%rip), %rax; push %rax; push $-1; lidt 6(%rsp); int3",
		"488d05f8ffffff506aff0f015c2406cc"},
	{onNative, EndKilled, "an interrupt table that is not mapped", "mov $0x100000000, %rax; push %rax; push $-1; lidt 6(%rsp); ud2",
		"48b80000000001000000506aff0f015c24060f0b"},
	{onBoth, endPanic, "flags kept single stepping", "pushf; orl $0x100, (%rsp); popf; 1: jmp 1b",
		"9c810c24000100009debfe"},
	{onNative, EndBlocked, "sleep with interrupts off", "cli; hlt",
		"faf4"},
	{onNative, endPanic, "a copy of all memory onto itself", "mov $-0x80000000, %rsi; lea 1(%rsi), %rdi; mov $-1, %rcx; rep movsb",
		"48c7c600000080488d7e0148c7c1fffffffff3a4"},
	{onNative, endPanic, "code that eats itself backwards", "std; mov $-1, %rcx; lea 1f(%rip), %rdi; mov $0xcc, %al; 1: rep stosb; 1: jmp 1b",
		"fd48c7c1ffffffff488d3d02000000b0ccf3aaebfe"},
	{onNative, endPanic, "a stack where the local APIC would be", "mov $0xfee00ff0, %rsp; push %rax; ud2",
		"48bcf00fe0fe00000000500f0b"},
	{onNative, endPanic, "code that writes over what follows until it cannot", "1: lea 2f(%rip), %rdi; mov $0x90, %al; stosb; 2: nop; jmp 1b",
		"488d3d03000000b090aa90ebf3"},
	{onNative, endPanic, "paging off in long mode", "mov %cr0, %rax; btr $31, %rax; mov %rax, %cr0; nop",
		"0f20c0480fbaf01f0f22c090"},
	{onNative, EndReboot, "reset by the keyboard controller", "mov $0xfe, %al; out %al, $0x64; 1: jmp 1b",
		"b0fee664ebfe"},
	{onXen, EndKilled, "a stack in Xen's hole", "mov $0xffff800000001000, %rsp; int3",
		"48bc001000000080ffffcc"},
	{onXen, EndKilled, "a stack that ends", "1: push %rax; jmp 1b",
		"50ebfd"},
	{onXen, EndKilled, "iret from nowhere", "xor %esp, %esp; mov $23, %eax; syscall",
		"31e4b8170000000f05"},
	{onXen, EndRunning, "a new root table of garbage is refused", "1: push $0x12345; push $0x12345; push $5; mov %rsp, %rdi; mov $1, %esi; xor %edx, %edx; mov $0x7ff0, %r10d; mov $26, %eax; syscall; add $24, %rsp; jmp 1b",
		"684523010068452301006a054889e7be0100000031d241baf07f0000b81a0000000f054883c418ebd7"},
	{onXen, EndRunning, "requests without end", "1: mov %rsp, %rdi; mov $-1, %rsi; xor %edx, %edx; mov $0x7ff0, %r10d; mov $1, %eax; syscall; jmp 1b",
		"4889e748c7c6ffffffff31d241baf07f0000b8010000000f05ebe5"},
	{onXen, EndRunning, "a batch of batches", "1: mov $-1, %rsi; mov %rsp, %rdi; mov $13, %eax; syscall; jmp 1b",
		"48c7c6ffffffff4889e7b80d0000000f05ebed"},
	{onXen, EndRunning, "a console line without end", "1: xor %edi, %edi; mov $0x7fffffff, %esi; mov $-0x7ff00000, %rdx; mov $18, %eax; syscall; jmp 1b",
		"31ffbeffffff7f48c7c200001080b8120000000f05ebe9"},
	{onXen, EndRunning, "the largest number to every hypercall but iret and sched_op", "mov $-1, %rbx; 1: inc %rbx; and $63, %rbx; cmp $23, %ebx; je 1b; cmp $29, %ebx; je 1b; cmp $6, %ebx; je 1b; mov $-1, %rdi; mov $-1, %rsi; mov $-1, %rdx; mov $-1, %r10; mov $-1, %r8; mov %rbx, %rax; syscall; jmp 1b",
		"48c7c3ffffffff48ffc34883e33f83fb1774f483fb1d74ef83fb0674ea48c7c7ffffffff48c7c6ffffffff48c7c2ffffffff49c7c2ffffffff49c7c0ffffffff4889d80f05ebc0"},
	{onXen, EndBlocked, "block with a timer in the past whose event nobody bound", "1: mov $1, %edi; mov $15, %eax; syscall; mov $1, %edi; xor %esi, %esi; mov $29, %eax; syscall; jmp 1b",
		"bf01000000b80f0000000f05bf0100000031f6b81d0000000f05ebe4"},
	{onXen, EndOther, "a shutdown reason that nobody knows", "push $77; mov $2, %edi; mov %rsp, %rsi; mov $29, %eax; syscall",
		"6a4dbf020000004889e6b81d0000000f05"},
	{onXen, EndRunning, "the whole of memory given back, page by page", "xor %ebx, %ebx; 1: push %rbx; mov %rsp, %rcx; push $0x7ff0; push $0; push $1; push %rcx; mov %rsp, %rsi; mov $1, %edi; mov $12, %eax; syscall; add $40, %rsp; inc %rbx; jmp 1b",
		"31db534889e168f07f00006a006a01514889e6bf01000000b80c0000000f054883c42848ffc3ebda"},
}

// TestManyVCPUs: as many vCPUs as there can be, all spinning without a pause
// (natively in real mode, where a start-up IPI puts them), share the steps
// among them, the same way each time.
func TestManyVCPUs(t *testing.T) {
	const steps = 2_000_000
	m := observe(t, Config{Platform: Native, VCPUs: MaxVCPUs, Cmdline: "spin", Memory: 8 << 20, Seed: 3}).Machine
	const vector = 9 // the page at 0x9000
	m.mem.Write(vector<<12, []byte{0xeb, 0xfe})
	n := m.plat.(*native)
	for v := 1; v < MaxVCPUs; v++ {
		n.signals().Startup(v, vector)
	}
	s := m.Snapshot()
	var got [2]Digest
	for i := range got {
		if r, err := m.Run(steps); err != nil || r.End != EndRunning {
			t.Fatalf("%v, %v", &r, err)
		}
		for v, c := range m.cpus {
			if share := c.Retired * MaxVCPUs; share < steps/2 || share > steps*2 {
				t.Errorf("vCPU %d ran %d of %d steps", v, c.Retired, steps)
			}
		}
		got[i] = DigestOf(m)
		m.Restore(s)
	}
	if d := got[0].Diff(got[1]); d != "" {
		t.Errorf("the second time different in %s", d)
	}
}
