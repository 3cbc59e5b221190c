package cpu

// From opcode bytes and prefixes to a row of the tables.

// opcode reads the escape bytes or VEX prefix after the first byte b and
// returns map and opcode; ok is false for #UD.
func (d *decoder) opcode(b uint8) (m opMap, op uint8, ok bool) {
	switch b {
	case 0x0f:
		switch b = d.next(); b {
		case 0x38:
			return map0F38, d.next(), true
		case 0x3a:
			return map0F3A, d.next(), true
		}
		return map0F, b, true
	case 0xc4, 0xc5:
		if d.mode == Mode64 || (d.peek()&0xc0 == 0xc0 && !d.short) {
			return d.vexPrefix(b)
		}
	}
	return map1, b, true
}

func (d *decoder) peek() uint8 {
	if d.pos >= len(d.code) {
		d.short = true
		return 0
	}
	return d.code[d.pos]
}

// vexPrefix reads the rest of a VEX prefix (SDM vol. 2, "The VEX Prefix").
//
//	C5  RvvvvLpp
//	C4  RXBmmmmm  WvvvvLpp   (R, X, B and vvvv inverted)
func (d *decoder) vexPrefix(b uint8) (m opMap, op uint8, ok bool) {
	bad := d.rex != 0 || d.opsize || d.rep != 0 || d.lock
	mmmmm := uint8(1)
	p := d.next()
	rex := ^p >> 7 & 1 * rexR
	if b == 0xc4 {
		mmmmm = p & 0x1f
		rex |= ^p>>6&1*rexX | ^p>>5&1*rexB
		p = d.next()
		rex |= p >> 7 * rexW
	}
	d.vex = true
	d.rex = rex
	d.vvvv = ^p >> 3 & 15
	d.vexL = p&4 != 0
	switch p & 3 {
	case 1:
		d.opsize = true
	case 2:
		d.rep = 0xf3
	case 3:
		d.rep = 0xf2
	}
	op = d.next()
	if d.mode != Mode64 {
		d.rex &= rexW
		d.vvvv &= 7
	}
	if bad || mmmmm < 1 || mmmmm > 3 {
		return 0, 0, false
	}
	return [...]opMap{1: mapVEX0F, 2: mapVEX38, 3: mapVEX3A}[mmmmm], op, true
}

// prefixClass is the mandatory prefix in effect.
func (d *decoder) prefixClass() pfxSel {
	switch {
	case d.rep == 0xf3:
		return pF3
	case d.rep == 0xf2:
		return pF2
	case d.opsize:
		return p66
	}
	return pNone
}

// selectRow finds the row of an opcode; nil if there is none.
func (d *decoder) selectRow(m opMap, op uint8) (*row, int) {
	s := &table.slots[m][op]
	if s.plain {
		n := int(table.order[s.first])
		return &table.rows[n], n
	}
	if s.n == 0 {
		return nil, 0
	}
	if r, n := d.find(s, d.prefixClass()); r == nil || r.needs&d.absent == 0 {
		return r, n
	}
	// Before there was such an instruction, F3 in front of another was ignored:
	// TZCNT is BSF, LZCNT is BSR.
	if d.rep == 0xf3 && !d.vex {
		pfx := pNone
		if d.opsize {
			pfx = p66
		}
		if r, n := d.find(s, pfx); r != nil && r.needs&d.absent == 0 {
			return r, n
		}
	}
	return nil, 0
}

// find is the row of a slot for a mandatory prefix.
func (d *decoder) find(s *slot, pfx pfxSel) (*row, int) {
	mode := modeSel(1) << d.mode
	w := w0
	if d.rex&rexW != 0 {
		w = w1
	}
	for _, n := range table.order[s.first : int(s.first)+int(s.n)] {
		r := &table.rows[n]
		if !meet(r.pfx, pfx) || !meet(r.modes, mode) || !meet(r.w, w) {
			continue
		}
		if r.digit|r.rm != 0 || r.mod != 0 {
			b := d.peek()
			mod := modMem
			if b>>6 == 3 {
				mod = modReg
			}
			if d.short || !meet(r.mod, mod) || !meet(r.digit, selector(1)<<(b>>3&7)) || !meet(r.rm, selector(1)<<(b&7)) {
				continue
			}
		}
		return r, int(n)
	}
	return nil, 0
}

// gap is the operation of an opcode without a row.
func (d *decoder) gap(m opMap, op uint8) Op {
	if d.lock {
		return pseudoUD * 8
	}
	return gapOps[table.gaps[m][op]]
}
