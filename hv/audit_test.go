package hv_test

import (
	"errors"
	"strings"
	"testing"

	"pvlab/hv"
	"pvlab/hv/mem"
	"pvlab/pagetable"
)

// TestAudit: the invariants hold at every entry into Xen of a guest that
// builds and drops page tables, and a count that is off by one ends the run
// with a defect that names it.
func TestAudit(t *testing.T) {
	m, out := boot(t, hv.Config{Platform: hv.Xen, Cmdline: "selftest", Audit: 1, VCPUs: 2})
	if r := run(t, m, 100_000_000); r.End != hv.EndPowerOff {
		t.Fatalf("%v\n%s", &r, out)
	}
	if err := m.Audit(); err != nil {
		t.Error(err)
	}

	m, _ = boot(t, hv.Config{Platform: hv.Xen, Cmdline: "selftest", Audit: 2})
	root := m.Domain().VCPU[0].GuestTable
	p := m.Memory().Info(root)
	p.TypeCount++
	m.Memory().SetInfo(root, p)
	_, err := m.Run(100_000_000)
	var d *hv.Defect
	if !errors.As(err, &d) {
		t.Fatalf("error %v, want a Defect", err)
	}
	for _, want := range []string{"type count; owner d0, type L4", "type count 3, found 2", "pin 0 as L4", "kernel root of vCPU 0 as L4"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

// TestAuditOfDomain: what is a matter of the domain and its processors.
func TestAuditOfDomain(t *testing.T) {
	for name, c := range map[string]struct {
		breaks func(m *hv.Machine)
		want   string
	}{
		"number of pages": {func(m *hv.Machine) { m.Domain().TotPages++ }, "its count says"},
		"another CR3":     {func(m *hv.Machine) { m.CPU(0).CR3 += 4096 }, "its root in this mode"},
		"a stale translation": {func(m *hv.Machine) {
			// A page becomes a page table without a flush.
			d, k := m.Domain(), m.CPU(0)
			var at, frame uint64
			k.WritableByUser(func(lin, mfn uint64) { at, frame = lin, mfn })
			pte, ok := d.VCPU[0].KernelL1At(at)
			if !ok {
				t.Fatalf("no entry for %#x", at)
			}
			m.Memory().Write64(pte, 0)
			m.Memory().Write(frame<<mem.PageShift, make([]byte, mem.PageSize))
			m.Memory().SetInfo(frame, mem.PageInfo{Owner: d.Owner(), Type: pagetable.TypeL1, Count: 2, TypeCount: 1,
				Flags: pagetable.Allocated | pagetable.Pinned | pagetable.Validated})
		}, "TLB lets the guest write frame"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, hv.Config{Platform: hv.Xen, Cmdline: "spin"})
			run(t, m, 50_000)
			if err := m.Audit(); err != nil {
				t.Fatal(err)
			}
			c.breaks(m)
			if err := m.Audit(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}
