package dom

import (
	"fmt"

	"pvlab/hv/mem"
	"pvlab/pagetable"
)

// rings are the pages that a domU shares with services in domain 0. They do
// not change after ShareRings.
type rings struct{ console, store uint64 }

// ShareRings gives the frames of a domU's console and xenstore pages to their
// services, which hold them mapped: until the domain's end they can be
// nothing but ordinary pages.
func (d *Domain) ShareRings(console, store uint64) error {
	for _, mfn := range []uint64{console, store} {
		if err := d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeWritable); err != 0 {
			return fmt.Errorf("dom: ring page in frame %#x: %v", mfn, err)
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
