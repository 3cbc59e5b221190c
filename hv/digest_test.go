package hv

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"strings"

	"pvlab/hv/cpu"
)

// A Digest tells two states of a machine apart. Each part has its own hash,
// so that a difference says where it is.
type Digest map[string]uint64

var digestSeed = maphash.MakeSeed()

// DigestOf sums up everything of m that its guest's future depends on.
func DigestOf(m *Machine) Digest {
	d := Digest{
		"clock":    hashOf(m.clock),
		"schedule": hashOf(m.sched),
		"platform": hashOf(m.plat.save()),
		"input":    hashOf(m.input),
		"unsure":   hashOf(m.unsure),
	}
	for v, c := range m.cpus {
		d[fmt.Sprintf("cpu%d", v)] = hashOf(c.Flags()) ^ hashState(&c.State)
		d[fmt.Sprintf("cpu%d window", v)] = hashOf([2]uint64{c.MMIOLo, c.MMIOHi})
		d[fmt.Sprintf("cpu%d policy", v)] = hashOf(c.Policy)
	}
	var h maphash.Hash
	h.SetSeed(digestSeed)
	for mfn := range m.mem.Frames() {
		h.Write(m.mem.Frame(mfn))
	}
	d["memory"] = h.Sum64()
	h.Reset()
	for mfn := range m.mem.Frames() {
		maphash.WriteComparable(&h, m.mem.Info(mfn))
	}
	d["frames"] = h.Sum64()
	return d
}

// Diff names the parts in which two digests differ; "" when they are equal.
func (d Digest) Diff(o Digest) string {
	var parts []string
	for k := range d {
		if d[k] != o[k] {
			parts = append(parts, k)
		}
	}
	return strings.Join(parts, ", ")
}

// hashOf hashes a value with all it refers to. What cannot be part of a state
// (functions, channels) panics, so that nobody puts it there unnoticed.
func hashOf(v any) uint64 {
	var h maphash.Hash
	h.SetSeed(digestSeed)
	hashValue(&h, reflect.ValueOf(v))
	return h.Sum64()
}

func hashValue(h *maphash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		maphash.WriteComparable(h, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		maphash.WriteComparable(h, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		maphash.WriteComparable(h, v.Uint())
	case reflect.String:
		maphash.WriteComparable(h, v.String())
	case reflect.Slice:
		maphash.WriteComparable(h, v.Len())
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			hashValue(h, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			hashValue(h, v.Field(i))
		}
	case reflect.Pointer, reflect.Interface:
		maphash.WriteComparable(h, v.IsNil())
		if !v.IsNil() {
			hashValue(h, v.Elem())
		}
	default:
		panic(fmt.Sprintf("a state holds a %v", v.Type()))
	}
}

// hashState hashes the registers. The flags are left out: they are kept
// lazily, so that equal ones may be stored differently.
func hashState(s *cpu.State) uint64 {
	var h maphash.Hash
	h.SetSeed(digestSeed)
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "lazy" && name != "rflags" {
			hashValue(&h, v.Field(i))
		}
	}
	return h.Sum64()
}
