package dom

import (
	"fmt"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// rings are the pages that a domU shares with services in domain 0. They do
// not change after ShareRings.
type rings struct{ console, store uint64 }

// ShareRings grants a domU's console and xenstore pages to domain 0, as the
// toolstack does before the domain starts, and has their services map them:
// until the domain's end they can be nothing but ordinary pages.
func (d *Domain) ShareRings(console, store uint64) error {
	back := d.Backend()
	for ref, mfn := range []uint64{abi.GnttabReservedConsole: console, abi.GnttabReservedXenstore: store} {
		d.grantTable.Grant(uint32(ref), 0, mfn)
		if _, st := back.Map(d.ID, uint32(ref), false); st != 0 {
			return fmt.Errorf("dom: ring page in frame %#x: %v", mfn, st)
		}
	}
	d.rings = rings{console, store}
	return nil
}

// Notify tells a service that the domain has sent an event to it.
func (d *Domain) Notify(tool uint8) {
	switch tool {
	case ToolConsole:
		d.ConsoleRing(d.rings.console)
	case ToolStore:
		d.storeRing(d.rings.store)
	}
}

// storeRing lets the xenstore daemon work on the ring page in frame mfn.
func (d *Domain) storeRing(mfn uint64) {
	if d.Store == nil || mfn == 0 {
		return
	}
	d.Mem.PrepareWrite(mfn)
	page := d.Mem.Frame(mfn)
	if d.Store(page[:mem.PageSize]) && d.serves(StorePort, ToolStore) {
		d.Raise(StorePort)
	}
}

// serves reports whether the other end of a port is still the service's.
func (d *Domain) serves(port int, tool uint8) bool {
	return port < len(d.Ports) && d.Ports[port].Tools == tool
}
