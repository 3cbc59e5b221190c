package dom

import (
	"pvlab/hypercall/grant"
	"pvlab/pagetable"
)

// buildGrants makes the domain's grant table, and beside a domU that of
// domain 0, whose entries are all empty: domain 0 grants nothing here, but
// its backends map the domU's grants.
func (d *Domain) buildGrants(vcpus int) {
	d.Grants = &grant.System{Mem: d.Mem, Rules: d.Rules, SetM2P: d.SetM2P}
	d.grantTable = d.Grants.Add(d.ID, vcpus, d.grantFrames(grant.MaxFrames, grant.MaxStatusFrames))
	if d.ID != 0 {
		d.Grants.Add(0, 1, d.grantFrames(1, 0))
	}
}

// grantFrames sets frames of Xen's aside for a table.
func (d *Domain) grantFrames(shared, status int) (f grant.Frames) {
	f.Shared = d.space.next
	f.Status = f.Shared + uint64(shared)
	for range shared + status {
		d.xenFrame()
	}
	return f
}

// GrantTable is the domain's own.
func (d *Domain) GrantTable() *grant.Table { return d.grantTable }

// Backend acts as domain 0 on the domain's grants; nil for domain 0 itself.
func (d *Domain) Backend() *grant.Backend {
	if d.ID == 0 {
		return nil
	}
	return d.Grants.Backend(d.Grants.Table(0))
}

// heldGrants lists the references of grant mappings that no page table holds.
func (d *Domain) heldGrants(hold func(mfn uint64, t pagetable.Type, by string, n int)) {
	for _, t := range []uint16{d.ID, 0} {
		table := d.Grants.Table(t)
		table.Held(table == d.grantTable, func(mfn uint64, writable bool) {
			typ := pagetable.TypeNone
			if writable {
				typ = pagetable.TypeWritable
			}
			hold(mfn, typ, "grant mapping of domain", int(t))
		})
		if d.ID == 0 {
			break
		}
	}
}
