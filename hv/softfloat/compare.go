package softfloat

// Order is the outcome of a comparison.
type Order uint8

// Orders.
const (
	Less Order = iota
	Equal
	Greater
	Unordered
)

// compare compares; with quietly a quiet NaN is not invalid.
func (e *Env) compare(a, b num, quietly bool) Order {
	if a.nan() || b.nan() {
		if !quietly || a.class >= signalling || b.class >= signalling {
			e.raise(Invalid)
		}
		return Unordered
	}
	e.denormals(&a, &b)
	if a.class == zero && b.class == zero {
		return Equal
	}
	if a.class == zero || b.class == zero || a.neg != b.neg {
		if a.class == zero && b.neg || b.class == zero && !a.neg || a.class != zero && b.class != zero && b.neg {
			return Greater
		}
		return Less
	}
	return magnitude(&a, &b, a.neg)
}

// magnitude compares numbers of one sign that are not zero.
func magnitude(a, b *num, neg bool) Order {
	less, greater := Less, Greater
	if neg {
		less, greater = Greater, Less
	}
	switch {
	case a.class != b.class:
		if a.class == infinite {
			return greater
		}
		return less
	case a.class == infinite:
		return Equal
	case a.exp != b.exp:
		if a.exp > b.exp {
			return greater
		}
		return less
	case a.sig != b.sig:
		if a.sig > b.sig {
			return greater
		}
		return less
	}
	return Equal
}

// Compare32 compares; with quietly a quiet NaN is not invalid.
func (e *Env) Compare32(a, b uint32, quietly bool) Order {
	return e.compare(e.unpack32(a), e.unpack32(b), quietly)
}

// Compare64 compares; with quietly a quiet NaN is not invalid.
func (e *Env) Compare64(a, b uint64, quietly bool) Order {
	return e.compare(e.unpack64(a), e.unpack64(b), quietly)
}

// Compare80 compares; with quietly a quiet NaN is not invalid.
func (e *Env) Compare80(a, b F80, quietly bool) Order {
	return e.compare(unpack80(a), unpack80(b), quietly)
}
