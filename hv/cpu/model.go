package cpu

import "pvlab/hv/x86"

// Models of processors: which features there are. What a model lacks is
// neither announced by CPUID nor executed.

// Model is a generation of processors.
type Model uint8

// Models.
const (
	// ModelModern has all that pvlab executes.
	ModelModern Model = iota
	// Model2012 has what Intel's third-generation Core (Ivy Bridge) had, which
	// kernels of that time know.
	Model2012
)

// feature is a set of instructions that came after Model2012.
type feature uint16

const (
	featMOVBE feature = 1 << iota
	featBMI1
	featBMI2
	featLZCNT
	featADX
	featRDSEED
	featCLFLUSHOPT
	featCLWB
	featSHA
	featSMAP
	featUMIP
	featRDPID
	featXSAVEC // and XGETBV with ECX = 1
	featAll    = 1<<iota - 1
)

// since2012 says which rows belong to a later feature.
var since2012 = map[string]feature{
	"MOVBE": featMOVBE, "LZCNT": featLZCNT, "ADCX": featADX, "ADOX": featADX, "RDSEED": featRDSEED, "RDPID": featRDPID,
	"ANDN": featBMI1, "BEXTR": featBMI1, "BLSI": featBMI1, "BLSMSK": featBMI1, "BLSR": featBMI1, "TZCNT": featBMI1,
	"BZHI": featBMI2, "MULX": featBMI2, "PDEP": featBMI2, "PEXT": featBMI2, "RORX": featBMI2, "SARX": featBMI2, "SHLX": featBMI2,
	"SHRX": featBMI2, "CLFLUSHOPT": featCLFLUSHOPT, "CLWB": featCLWB, "CLAC": featSMAP, "STAC": featSMAP, "XSAVEC": featXSAVEC,
	"SHA1NEXTE": featSHA, "SHA1MSG1": featSHA, "SHA1MSG2": featSHA, "SHA1RNDS4": featSHA,
	"SHA256RNDS2": featSHA, "SHA256MSG1": featSHA, "SHA256MSG2": featSHA,
}

// SetModel chooses the generation and resets the processor.
func (c *CPU) SetModel(m Model) {
	c.Policy.Model = m
	c.absent = m.absent()
	c.Reset()
}

func (m Model) absent() feature {
	if m == Model2012 {
		return featAll
	}
	return 0
}

// cr4 are the bits of CR4 that exist.
func (c *CPU) cr4() uint64 {
	v := uint64(cr4Defined)
	if c.absent&featSMAP != 0 {
		v &^= x86.CR4SMAP
	}
	if c.absent&featUMIP != 0 {
		v &^= x86.CR4UMIP
	}
	return v
}
