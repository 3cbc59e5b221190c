package hv

import (
	"encoding/binary"

	"pvlab/hv/x86"
)

// hostile turns the bytes of a fuzzer into guest code that is likely to get
// somewhere: instructions that load interesting values, hypercalls with them,
// privileged and system instructions, string instructions, and raw bytes. The
// same bytes give the same code.
type hostile struct {
	in   []byte
	code []byte
	at   *scene
}

// scene is where the code will run.
type scene struct {
	native    bool
	rip, rsp  uint64
	cr3       uint64 // physical address of the root table
	tables    uint64 // where the kernel has it, and others behind it
	addresses []uint64
}

func (g *hostile) byte() byte {
	if len(g.in) == 0 {
		return 0
	}
	b := g.in[0]
	g.in = g.in[1:]
	return b
}

func (g *hostile) word() uint64 {
	var b [8]byte
	n := copy(b[:], g.in)
	g.in = g.in[n:]
	return binary.LittleEndian.Uint64(b[:])
}

func (g *hostile) emit(b ...byte) { g.code = append(g.code, b...) }

// value is a number that is likely to be near an edge.
func (g *hostile) value() uint64 {
	k := g.byte()
	switch k % 8 {
	case 0:
		return uint64(k >> 3) // small
	case 1:
		return g.word()
	case 2:
		return g.at.rsp + uint64(int64(int8(g.byte())))*8
	case 3:
		return g.at.addresses[int(k>>3)%len(g.at.addresses)]
	case 4: // a table entry or a request for one
		return g.at.cr3 + uint64(g.byte())*16 + uint64(k>>3)
	case 5: // a frame near the root with flags
		return (g.at.cr3+uint64(int64(int8(g.byte())))<<12)&^0xfff | uint64(k>>3)
	case 6:
		return 1 << (g.byte() & 63)
	}
	return ^uint64(0) - uint64(k>>3)
}

// load is mov $value, %reg.
func (g *hostile) load(reg byte, v uint64) {
	g.emit(0x48|reg>>3, 0xb8|reg&7)
	g.code = binary.LittleEndian.AppendUint64(g.code, v)
}

// store is mov $value, (%rsp + 8*slot), through rax.
func (g *hostile) store(slot int8, v uint64) {
	g.load(x86.RAX, v)
	g.emit(0x48, 0x89, 0x84, 0x24)
	g.code = binary.LittleEndian.AppendUint32(g.code, uint32(int32(slot))*8)
}

// program makes code of at most max bytes.
func (g *hostile) program(max int) []byte {
	for len(g.in) > 0 && len(g.code) < max {
		g.step()
	}
	return g.code[:min(len(g.code), max)]
}

// A program that outlives its faults: slots of slotSize bytes, each for one
// step, and a handler for every vector that goes on with the next slot, on a
// fresh stack. After the last slot the first comes again, and finds what the
// others did to the machine.
const (
	slotSize = 384
	slots    = 16
)

// slotted makes the slots. R15 counts them.
func (g *hostile) slotted() []byte {
	var all []byte
	for i := range slots {
		g.code = nil
		g.step()
		slot := append(g.code[:min(len(g.code), slotSize-16)], 0x41, 0xbf, byte(i+1)%slots, 0, 0, 0) // mov $next, %r15d
		if i == slots-1 {
			slot = append(slot, 0xe9)
			slot = binary.LittleEndian.AppendUint32(slot, uint32(-(i*slotSize + len(slot) + 4)))
		}
		for len(slot) < slotSize {
			slot = append(slot, 0x90)
		}
		all = append(all, slot...)
	}
	return all
}

// resume is the handler of slotted.
func (at *scene) resume() []byte {
	le := binary.LittleEndian
	b := le.AppendUint64([]byte{0x48, 0xbc}, at.rsp)                             // mov $rsp, %rsp
	b = append(b, 0x49, 0xff, 0xc7, 0x49, 0x83, 0xe7, slots-1)                   // inc %r15; and $15, %r15
	b = le.AppendUint32(append(b, 0x49, 0x69, 0xc7), slotSize)                   // imul $slotSize, %r15, %rax
	b = append(le.AppendUint64(append(b, 0x48, 0xbb), at.rip), 0x48, 0x01, 0xd8) // mov $rip, %rbx; add %rbx, %rax
	return append(b, 0xff, 0xe0)                                                 // jmp *%rax
}

// step makes one step.
func (g *hostile) step() {
	switch op := g.byte(); op % 20 {
	case 0, 1:
		g.load(g.byte()%15, g.value())
	case 2, 3, 4:
		g.hypercall()
	case 5:
		g.multicall()
	case 6, 7, 8:
		for range 1 + g.byte()&3 {
			g.emit(snippets[int(g.byte())%len(snippets)]...)
		}
	case 9:
		for range g.byte() & 15 {
			g.emit(g.byte())
		}
	case 10: // a store through whatever: tables, descriptors, code, devices
		g.load(x86.RBX, g.value())
		g.load(x86.RAX, g.value())
		g.emit(0x48, 0x89, 0x03)
	case 11:
		g.store(int8(g.byte()), g.value())
	case 12: // jump or call through a register, or change the stack
		g.load(x86.RBX, g.value())
		g.emit([][]byte{{0xff, 0xe3}, {0xff, 0xd3}, {0x48, 0x89, 0xdc}, {0x53, 0xc3}}[g.byte()&3]...)
	case 13: // rep string with an interesting count
		g.load(x86.RCX, g.value())
		g.load(x86.RSI, g.value())
		g.load(x86.RDI, g.value())
		g.emit(0xf3, []byte{0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xae, 0xa6, 0x6c, 0x6e}[g.byte()%9])
	case 14: // model-specific registers
		v := g.value()
		g.load(x86.RCX, registers[int(g.byte())%len(registers)])
		g.load(x86.RAX, v)
		g.load(x86.RDX, v>>32)
		g.emit(0x0f, []byte{0x30, 0x32}[g.byte()&1])
	case 15:
		g.load(x86.RDX, ports[int(g.byte())%len(ports)])
		g.load(x86.RAX, g.value())
		g.emit([][]byte{{0xee}, {0xef}, {0xec}, {0xed}, {0x66, 0xef}, {0xf3, 0x6e}, {0x6c}, {0xe4, 0x71}}[g.byte()&7]...)
	case 16, 17, 18:
		g.tableStore()
	case 19:
		g.privileged()
	}
}

// tableStore writes into a page table where the kernel has it mapped, in each
// of the ways Xen takes apart when the write faults.
func (g *hostile) tableStore() {
	n := uint64(g.byte())
	g.load(x86.RBX, g.at.tables+n%8<<12+uint64(g.byte())%64*64+n>>3%8*8)
	g.load(x86.RAX, g.at.cr3+uint64(int64(int8(g.byte())))<<12|uint64(g.byte())|uint64(g.byte())<<56)
	g.emit(tableStores[int(g.byte())%len(tableStores)]...)
}

var tableStores = [][]byte{
	{0x48, 0x89, 0x03},                   // mov rax, (rbx)
	{0x89, 0x03},                         // mov eax, (rbx)
	{0x66, 0x89, 0x43, 0x02},             // mov ax, 2(rbx)
	{0x88, 0x03},                         // mov al, (rbx)
	{0x48, 0x87, 0x03},                   // xchg rax, (rbx)
	{0xf0, 0x48, 0x0f, 0xb1, 0x03},       // lock cmpxchg rax, (rbx)
	{0xf0, 0x0f, 0xba, 0x2b, 0x05},       // lock bts 5, (rbx)
	{0xf0, 0x48, 0x0f, 0xba, 0x33, 0x01}, // lock btr 1, (rbx)
	{0x48, 0x09, 0x03},                   // or rax, (rbx)
	{0x48, 0xc7, 0x03, 0, 0, 0, 0},       // movq 0, (rbx)
	{0x48, 0x89, 0xdf, 0x48, 0xab},       // stos through rdi
	{0x0f, 0xc7, 0x0b},                   // cmpxchg8b (rbx)
	{0x48, 0x8b, 0x03, 0x48, 0x89, 0x03}, // the old value again
	{0x48, 0xff, 0x03},                   // inc (rbx)
	{0x8f, 0x03},                         // pop (rbx)
	{0x48, 0x89, 0x43, 0xfc},             // across two entries
}

// privileged asks Xen for I/O privilege level 3 (physdev_op set_iopl).
func (g *hostile) privileged() {
	g.emit(0x6a, 0x03) // push 3
	g.load(x86.RDI, 6)
	g.emit(0x48, 0x89, 0xe6) // mov rsp, rsi
	g.load(x86.RAX, 33)
	g.emit(0x0f, 0x05)
}

// registers are MSR numbers, ports I/O ports that something is behind.
var (
	registers = []uint64{0x1b, 0x10, 0x174, 0x175, 0x176, 0x277, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083,
		0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0x800, 0x80b, 0x830, 0x40000000, 0x1d9, 0x1a0}
	ports = []uint64{0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xa0, 0xcf8, 0xcfc, 0xcf9,
		0x3f8, 0x3f9, 0x3fa, 0x3fd, 0x604, 0xb004, 0x80, 0xffff}
)

// arguments are the registers of a hypercall, in order.
var arguments = []byte{x86.RDI, x86.RSI, x86.RDX, x86.R10, x86.R8, x86.R9}

// hypercall calls Xen with a structure of arbitrary words on the stack.
func (g *hostile) hypercall() {
	for i := range int8(g.byte() & 7) {
		g.store(i, g.value())
	}
	g.load(x86.RAX, uint64(g.byte()&63))
	g.load(x86.RDI, uint64(g.byte()&31))
	for _, r := range arguments[1+int(g.byte()&1):] {
		g.load(r, g.value())
	}
	if g.byte()&1 != 0 { // most take a pointer in the first or second
		g.emit(0x48, 0x89, 0xe6)
	} else {
		g.emit(0x48, 0x89, 0xe7)
	}
	g.emit(0x0f, 0x05)
}

// multicall calls a batch, which may hold another one.
func (g *hostile) multicall() {
	const entry = 8 // words: op, result, six arguments
	n := int8(g.byte() & 3)
	for i := range n {
		g.store(-96+i*entry, uint64(g.byte()&63))
		for a := int8(2); a < entry; a++ {
			g.store(-96+i*entry+a, g.value())
		}
	}
	g.emit(0x48, 0x8d, 0xbc, 0x24) // lea -96*8(%rsp), %rdi
	g.code = binary.LittleEndian.AppendUint32(g.code, ^uint32(96*8)+1)
	count := uint64(n)
	if g.byte()&1 != 0 {
		count = g.value()
	}
	g.load(x86.RSI, count)
	g.load(x86.RAX, 13)
	g.emit(0x0f, 0x05)
}

// snippets are instructions that touch the system's state.
var snippets = [][]byte{
	{0x0f, 0x22, 0xd8},             // mov rax, cr3
	{0x0f, 0x22, 0xc0},             // mov rax, cr0
	{0x0f, 0x22, 0xe0},             // mov rax, cr4
	{0x44, 0x0f, 0x22, 0xc0},       // mov rax, cr8
	{0x0f, 0x20, 0xd8},             // mov cr3, rax
	{0x0f, 0x20, 0xd0},             // mov cr2, rax
	{0x0f, 0x23, 0xf8},             // mov rax, dr7
	{0x0f, 0x23, 0xc0},             // mov rax, dr0
	{0x0f, 0x23, 0xf0},             // mov rax, dr6
	{0x0f, 0x01, 0x14, 0x24},       // lgdt (rsp)
	{0x0f, 0x01, 0x1c, 0x24},       // lidt (rsp)
	{0x0f, 0x01, 0x13},             // lgdt (rbx)
	{0x0f, 0x01, 0x1b},             // lidt (rbx)
	{0x0f, 0x00, 0xd8},             // ltr ax
	{0x0f, 0x00, 0xd0},             // lldt ax
	{0x8e, 0xd8},                   // mov ds, eax
	{0x8e, 0xd0},                   // mov ss, eax
	{0x8e, 0xe8},                   // mov gs, eax
	{0x8e, 0xd0, 0xcc},             // mov ss; int3
	{0x0f, 0x01, 0xf8},             // swapgs
	{0x0f, 0x01, 0x38},             // invlpg (rax)
	{0xfa}, {0xfb}, {0xf4}, {0xfc}, // cli sti hlt
	{0xfd},         // std
	{0xfb, 0xf4},   // sti; hlt
	{0x9c}, {0x9d}, // pushf popf
	{0x9c, 0x80, 0x4c, 0x24, 0x01, 0x01}, // set TF in the pushed flags
	{0x9d, 0x90},                         // popf; nop
	{0xcc}, {0xf1},                       // int3 icebp
	{0xcd, 0x80}, {0xcd, 0x03}, {0xcd, 0x0e}, {0xcd, 0x02}, {0xcd, 0x20},
	{0x48, 0xcf}, {0xcf}, // iretq iretd
	{0x48, 0xcb}, {0xcb}, // far returns
	{0x0f, 0x05}, {0x0f, 0x07}, {0x48, 0x0f, 0x07}, // syscall sysret
	{0x0f, 0x34}, {0x0f, 0x35}, // sysenter sysexit
	{0x48, 0xff, 0x2c, 0x24}, // ljmp *(rsp)
	{0xff, 0x1c, 0x24},       // lcall *(rsp)
	{0x0f, 0x0b}, {0x0f, 0xff},
	{0x0f, 0x06}, // clts
	{0x0f, 0x09}, // wbinvd
	{0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2}, // cpuid by Xen's prefix
	{0x0f, 0x21, 0xf0}, {0x0f, 0x21, 0xc0},     // mov dr6, rax; mov dr0, rax
	{0x0f, 0x01, 0xf9},         // rdtscp
	{0x0f, 0xa2}, {0x0f, 0x31}, // cpuid rdtsc
	{0x0f, 0x01, 0xd1}, {0x0f, 0x01, 0xd0}, // xsetbv xgetbv
	{0x0f, 0xae, 0x0c, 0x24}, {0x0f, 0xae, 0x04, 0x24}, // fxrstor fxsave
	{0xf3, 0x48, 0x0f, 0xae, 0xd0},         // wrfsbase rax
	{0xf3, 0x48, 0x0f, 0xae, 0xd8},         // wrgsbase rax
	{0x48, 0xf7, 0xf1}, {0x48, 0xf7, 0xf9}, // div idiv rcx
	{0xf0, 0x48, 0x0f, 0xc7, 0x0c, 0x24},                                           // cmpxchg16b (rsp)
	{0xf0, 0x48, 0x0f, 0xb1, 0x0b},                                                 // cmpxchg rcx, (rbx)
	{0xc8, 0xff, 0xff, 0x1f},                                                       // enter with much nesting
	{0xc9},                                                                         // leave
	{0x41, 0xff, 0x24, 0xdc},                                                       // jmp through (r12+rbx*8)
	{0x0f, 0x02, 0xc3}, {0x0f, 0x03, 0xc3}, {0x0f, 0x00, 0xe3}, {0x0f, 0x00, 0xeb}, // lar lsl verr verw
	{0xc6, 0x05, 0x00, 0x00, 0x00, 0x00, 0xcc}, // write int3 over the next instruction
	{0xeb, 0xfe}, // jump to itself
	{0x48, 0x89, 0xe4}, {0x50}, {0x58}, {0xc3},
	{0x0f, 0x77}, {0xd9, 0xc0}, {0x66, 0x0f, 0x6f, 0xc1}, // emms fld movdqa: not modelled
}
