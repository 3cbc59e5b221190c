package grant

import "pvlab/hypercall/abi"

// Held calls yield for each reference to a frame that the mappings of table t
// hold beside the entries of its domain's page tables: those of devices, and
// all of a domain that has no page tables here.
func (t *Table) Held(tables bool, yield func(mfn uint64, writable bool)) {
	for h := uint32(0); h < t.track.len(); h++ {
		m := t.track.at(h)
		if m.flags == 0 {
			continue
		}
		mfn := t.sys.Table(m.domid).active.at(m.ref).mfn
		for _, flag := range [...]uint16{abi.GntmapDeviceMap, abi.GntmapHostMap} {
			if m.flags&flag != 0 && (flag == abi.GntmapDeviceMap || !tables) {
				yield(mfn, m.flags&abi.GntmapReadonly == 0)
			}
		}
	}
}
