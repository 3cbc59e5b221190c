package cpu

import "pvlab/hv/x86"

// RDRAND and RDSEED draw from a generator in State, so that a run repeats and
// a snapshot has it (SplitMix64: Steele, Lea, Flood, "Fast Splittable
// Pseudorandom Number Generators"). There is always a number: CF is set.

func randomRows() []row {
	r := func(digit selector, name string) row {
		return row{m: map0F, op: 0xc7, digit: digit, mod: modReg, pfx: pNone | p66, name: name, form: formModRM, fn: onlyReg(opRandom)}
	}
	return []row{r(d6, "RDRAND"), r(d7, "RDSEED")}
}

// SeedRandom sets what RDRAND and RDSEED draw from.
func (c *CPU) SeedRandom(seed uint64) { c.Random = seed }

func (c *CPU) random() uint64 {
	c.Random += 0x9e3779b97f4a7c15
	z := c.Random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func opRandom(c *CPU, in *Inst) status {
	c.setRegSize(in.RM, in.Size, truncate(c.random(), int(in.Size)))
	c.SetFlags(c.Flags()&^x86.FlagsStatus | x86.FlagCF)
	return stOK
}
