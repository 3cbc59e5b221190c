package explain

// maxWords bounds the memory words that are followed; frames' own slots are
// always kept.
const maxWords = 1 << 18

// words holds the origins of 8-byte memory words by linear address. Each is
// kept with the value it belongs to: a word found changed was written by
// something that was not followed, so its origin is not believed any more.
type words struct {
	m    map[uint64]word
	read Reader
}

type word struct {
	origin Origin
	value  uint64
}

func newWords(read Reader) words { return words{m: make(map[uint64]word), read: read} }

// get returns the origin of the word at lin.
func (w *words) get(lin uint64) Origin {
	e, ok := w.m[lin]
	if !ok {
		return Origin{}
	}
	if v, ok := w.read.word(lin); !ok || v != e.value {
		delete(w.m, lin)
		return Origin{}
	}
	return e.origin
}

// set records that the word at lin now comes from o; its value is read from
// memory, so the store must have happened.
func (w *words) set(lin uint64, o Origin) {
	v, ok := w.read.word(lin)
	if !ok {
		delete(w.m, lin)
		return
	}
	w.put(lin, v, o)
}

func (w *words) put(lin, value uint64, o Origin) {
	if _, old := w.m[lin]; !old && len(w.m) >= maxWords && o.Kind != Slot {
		return
	}
	w.m[lin] = word{o, value}
}

// touch records that the instruction at rip changed size bytes at lin: every
// word that overlaps them keeps its origin, marked as changed if its value is
// no longer the same.
func (w *words) touch(lin, size, rip uint64) {
	for a := lin - 7; a != lin+size; a++ {
		e, ok := w.m[a]
		if !ok {
			continue
		}
		v, ok := w.read.word(a)
		switch {
		case !ok:
			delete(w.m, a)
		case v != e.value:
			w.m[a] = word{e.origin.changed(rip), v}
		}
	}
}
