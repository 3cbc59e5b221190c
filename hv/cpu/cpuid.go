package cpu

import (
	"encoding/binary"

	"pvlab/hv/x86"
)

// CPUID (SDM vol. 2 and APM vol. 3, "CPUID"): two models, a Skylake-like
// Intel and a Zen-like AMD, that announce what pvlab executes - also where it
// came later (SHA and CLWB on the Intel).

// Policy says how one processor identifies itself.
type Policy struct {
	Vendor Vendor
	Model  Model
	APICID uint32
	CPUs   uint32 // logical processors in the package; 0 counts as 1
	X2APIC bool
	MaxPA  uint // physical address bits
}

// signature is leaf 1 EAX: family, model, stepping.
func (p *Policy) signature() uint32 {
	if p.Model == Model2012 {
		return 0x000306a9 // family 6 model 3ah
	}
	if p.Vendor == AMD {
		return 0x00800f11 // family 17h model 1
	}
	return 0x000506e3 // family 6 model 5eh
}

const (
	maxLeaf    = 0xd
	maxExtLeaf = 0x80000008

	// Leaf 1 EDX: FPU DE PSE TSC MSR PAE CX8 APIC SEP PGE CMOV PAT CLFSH MMX
	// FXSR SSE SSE2.
	leaf1EDX = 1<<0 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<8 | 1<<9 | 1<<11 | 1<<13 |
		1<<15 | 1<<16 | 1<<19 | 1<<23 | 1<<24 | 1<<25 | 1<<26
	leaf1EDXHTT = 1 << 28
	// Leaf 1 ECX: SSE3 PCLMULQDQ SSSE3 CX16 SSE4_1 SSE4_2 MOVBE POPCNT AES XSAVE
	// RDRAND.
	leaf1ECX = 1<<0 | 1<<1 | 1<<9 | 1<<13 | 1<<19 | 1<<20 | 1<<22 | 1<<23 | 1<<25 | 1<<26 | 1<<30

	leaf1ECXX2APIC = 1 << 21
	leaf1ECXOSX    = 1 << 27 // CR4.OSXSAVE, filled in by the instruction
	// Leaf 7 EBX: FSGSBASE BMI1 SMEP BMI2 ERMS RDSEED ADX SMAP CLFLUSHOPT CLWB SHA.
	leaf7EBX = 1<<0 | 1<<3 | 1<<7 | 1<<8 | 1<<9 | 1<<18 | 1<<19 | 1<<20 | 1<<23 | 1<<24 | 1<<29
	leaf7ECX = 1<<2 | 1<<22 // UMIP RDPID
	// What Model2012 lacks: MOVBE; BMI1 BMI2 RDSEED ADX SMAP CLFLUSHOPT CLWB SHA; LZCNT
	// PREFETCHW.
	leaf1ECXLater = 1 << 22
	leaf7EBXLater = 1<<3 | 1<<8 | 1<<18 | 1<<19 | 1<<20 | 1<<23 | 1<<24 | 1<<29
	ext1ECXLater  = 1<<5 | 1<<8
	// Leaf 8000_0001 EDX: SYSCALL NX 1GB RDTSCP LM; AMD repeats part of leaf 1.
	ext1EDX    = 1<<11 | 1<<20 | 1<<26 | 1<<27 | 1<<29
	ext1Repeat = 0x0183f3ff
	ext1ECX    = 1<<0 | 1<<5 | 1<<8 // LAHF in 64-bit code, LZCNT, PREFETCHW
	ext1MMXEXT = 1 << 22            // AMD's name for SSE's additions to MMX
)

// features are those of a word without what the model lacks.
func (p *Policy) features(word, later uint32) uint32 {
	if p.Model == Model2012 {
		return word &^ later
	}
	return word
}

// Leaf answers CPUID for leaf (EAX) and sub-leaf (ECX). What depends on
// control registers (OSXSAVE, the XSAVE size in use) the instruction adds.
func (p *Policy) Leaf(leaf, sub uint32) (a, b, c, d uint32) {
	switch {
	case leaf >= 0x80000000:
		return p.extended(leaf)
	case leaf > maxLeaf && p.Vendor == AMD:
		return 0, 0, 0, 0
	case leaf > maxLeaf:
		leaf = maxLeaf // Intel answers with the highest basic leaf
	}
	cpus := max(p.CPUs, 1)
	switch leaf {
	case 0:
		b, d, c = vendorID(p.Vendor)
		return maxLeaf, b, c, d
	case 1:
		c, d = p.features(leaf1ECX, leaf1ECXLater), leaf1EDX
		if p.X2APIC {
			c |= leaf1ECXX2APIC
		}
		if cpus > 1 {
			d |= leaf1EDXHTT
		}
		return p.signature(), p.APICID<<24 | min(cpus, 255)<<16 | 8<<8, c, d
	case 2:
		if p.Vendor == Intel {
			return 0x00ff0001, 0, 0, 0 // "use leaf 4"
		}
	case 6:
		return 1 << 2, 0, 0, 0 // the APIC timer runs in every power state
	case 7:
		if sub == 0 {
			return 0, p.features(leaf7EBX, leaf7EBXLater), p.features(leaf7ECX, leaf7ECX), 0
		}
	case 0xb:
		switch sub {
		case 0:
			return 0, 1, sub | 1<<8, p.APICID
		case 1:
			return topologyShift(cpus), cpus, sub | 2<<8, p.APICID
		}
		return 0, 0, sub, p.APICID
	case 0xd:
		switch sub {
		case 0:
			return xcr0All, xsaveSize, xsaveSize, 0
		case 1:
			return p.features(1<<0|1<<1|1<<2, 1<<1|1<<2), xsaveSize, 0, 0 // XSAVEOPT XSAVEC XGETBV(1)
		}
	}
	return 0, 0, 0, 0
}

func (p *Policy) extended(leaf uint32) (a, b, c, d uint32) {
	switch leaf {
	case 0x80000000:
		if p.Vendor == AMD {
			b, d, c = vendorID(AMD)
		}
		return maxExtLeaf, b, c, d
	case 0x80000001:
		d = ext1EDX
		if p.Vendor == AMD {
			return p.signature(), 0, ext1ECX, d | ext1MMXEXT | leaf1EDX&ext1Repeat
		}
		return 0, 0, p.features(ext1ECX, ext1ECXLater), d
	case 0x80000002, 0x80000003, 0x80000004:
		var brand [48]byte
		if p.Vendor == AMD {
			copy(brand[:], "pvlab model of an AMD Zen processor")
		} else if p.Model == Model2012 {
			copy(brand[:], "pvlab model of an Intel Ivy Bridge processor")
		} else {
			copy(brand[:], "pvlab model of an Intel Skylake processor")
		}
		w := brand[16*(leaf-0x80000002):]
		le := binary.LittleEndian
		return le.Uint32(w), le.Uint32(w[4:]), le.Uint32(w[8:]), le.Uint32(w[12:])
	case 0x80000007:
		return 0, 0, 0, 1 << 8 // invariant TSC
	case 0x80000008:
		return uint32(p.MaxPA) | 48<<8, 0, 0, 0
	}
	return 0, 0, 0, 0
}

// vendorID is EBX, EDX, ECX of leaf 0.
func vendorID(v Vendor) (b, d, c uint32) {
	id := "GenuineIntel"
	if v == AMD {
		id = "AuthenticAMD"
	}
	le := binary.LittleEndian
	return le.Uint32([]byte(id)), le.Uint32([]byte(id[4:])), le.Uint32([]byte(id[8:]))
}

// topologyShift is the number of APIC ID bits that tell n processors apart.
func topologyShift(n uint32) (s uint32) {
	for 1<<s < n {
		s++
	}
	return s
}

// opCPUID asks the Bus, which may answer for the machine as a whole, or the
// processor's own policy where there is none.
func opCPUID(c *CPU, _ *Inst) status {
	leaf, sub := uint32(c.R[x86.RAX]), uint32(c.R[x86.RCX])
	a, b, cx, d := c.Policy.Leaf(leaf, sub)
	if c.Bus != nil {
		a, b, cx, d = c.Bus.CPUID(leaf, sub)
	}
	cx, d = c.cpuidDynamic(leaf, cx, d)
	c.R[x86.RAX], c.R[x86.RBX], c.R[x86.RCX], c.R[x86.RDX] = uint64(a), uint64(b), uint64(cx), uint64(d)
	return stEnd
}

// CPUID answers by the processor's own policy (CPU.Policy), with the bits
// that follow control registers.
func (c *CPU) CPUID(leaf, sub uint32) (a, b, cx, d uint32) {
	a, b, cx, d = c.Policy.Leaf(leaf, sub)
	cx, d = c.cpuidDynamic(leaf, cx, d)
	return a, b, cx, d
}

// cpuidDynamic corrects the bits of ECX and EDX that follow control
// registers: OSXSAVE, APIC, and SYSCALL on Intel.
func (c *CPU) cpuidDynamic(leaf, cx, d uint32) (uint32, uint32) {
	switch leaf {
	case 1:
		cx &^= leaf1ECXOSX
		if c.CR4&x86.CR4OSXSAVE != 0 {
			cx |= leaf1ECXOSX
		}
		if c.APICBase&apicEnabled == 0 {
			d &^= 1 << 9
		}
	case 0x80000001:
		if c.Vendor == Intel && c.mode != Mode64 {
			d &^= 1 << 11 // SYSCALL exists in 64-bit code only
		}
	}
	return cx, d
}
