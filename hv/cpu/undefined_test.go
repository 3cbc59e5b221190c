package cpu

import "pvlab/hv/x86"

// undefinedFlags are the flags the manuals leave undefined after an
// instruction: not compared. n is the masked shift count, width the operand's
// bits.
func undefinedFlags(name string, n, width uint) uint64 {
	const (
		cf, pf, af, zf, sf, of = x86.FlagCF, x86.FlagPF, x86.FlagAF, x86.FlagZF, x86.FlagSF, x86.FlagOF
	)
	switch name {
	case "AND", "OR", "XOR", "TEST":
		return af
	case "MUL", "IMUL":
		return sf | zf | af | pf
	case "DIV", "IDIV":
		return x86.FlagsStatus
	case "ROL", "ROR", "RCL", "RCR":
		if n > 1 {
			return of
		}
	case "SHL", "SAL", "SHR", "SAR":
		if n == 0 {
			return 0
		}
		u := uint64(af)
		if n > 1 {
			u |= of
		}
		if n >= width && name != "SAR" {
			u |= cf
		}
		return u
	case "SHLD", "SHRD":
		switch {
		case n == 0:
			return 0
		case n > width:
			return x86.FlagsStatus
		case n > 1:
			return af | of
		}
		return af
	case "BT", "BTS", "BTR", "BTC":
		return of | sf | af | pf
	case "BSF", "BSR":
		return cf | of | sf | af | pf
	case "TZCNT", "LZCNT":
		return of | sf | pf | af
	case "BEXTR":
		return af | sf | pf
	case "ANDN", "BZHI", "BLSR", "BLSMSK", "BLSI":
		return af | pf
	case "DAA", "DAS":
		return of
	case "AAA", "AAS":
		return of | sf | zf | pf
	case "AAM", "AAD":
		return of | af | cf
	}
	return 0
}

// needsFeature is the /proc/cpuinfo flag that the host needs to judge an
// instruction; "" for none.
func needsFeature(name string) string {
	switch name {
	case "MOVBE":
		return "movbe"
	case "POPCNT":
		return "popcnt"
	case "CRC32":
		return "sse4_2"
	case "LZCNT":
		return "abm"
	case "TZCNT", "ANDN", "BLSR", "BLSMSK", "BLSI", "BEXTR":
		return "bmi1"
	case "BZHI", "PDEP", "PEXT", "MULX", "SHLX", "SARX", "SHRX", "RORX":
		return "bmi2"
	case "CLFLUSHOPT":
		return "clflushopt"
	case "CLWB":
		return "clwb"
	case "ADCX", "ADOX":
		return "adx"
	}
	return ""
}
