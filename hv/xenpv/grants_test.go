package xenpv_test

import (
	"encoding/binary"
	"testing"

	"pvlab/hv"
	"pvlab/hv/image"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// frontendRef is the reference that testdata/frontend.c grants.
const frontendRef = 8

// TestBackend: what domain 0's drivers do with a page that a domU's kernel
// grants them, by the machine's backend.
func TestBackend(t *testing.T) {
	img, err := image.Load("frontend", compile(t, "frontend"), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	m, err := hv.New(img, hv.Config{Platform: hv.Xen})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	d := m.Domain()
	back := d.Backend()
	steps := func() *hv.Result {
		t.Helper()
		r, err := m.Run(10_000)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Audit(); err != nil {
			t.Fatal(err)
		}
		return &r
	}
	if _, st := back.Map(d.ID, frontendRef, false); st != abi.GrantGeneralError {
		t.Errorf("map before the guest ran: %v, want general_error", st)
	}
	steps()
	got, st := back.Map(d.ID, frontendRef, false)
	if st != 0 {
		t.Fatalf("map: %v", st)
	}
	page := d.Mem.Frame(got.MFN)
	if s := string(page[:4]); s != "ping" {
		t.Errorf("the page has %q", s)
	}
	d.Mem.PrepareWrite(got.MFN)
	copy(page, "pong")
	if r := steps(); r.End != hv.EndRunning {
		t.Errorf("with the page in use: %v", r)
	}
	if st := back.Unmap(got.Handle); st != 0 {
		t.Errorf("unmap: %v", st)
	}
	if r := steps(); r.End != hv.EndPowerOff {
		t.Errorf("end: %v, want poweroff", r)
	}
	if _, st := back.Map(d.ID, frontendRef, true); st != abi.GrantGeneralError {
		t.Errorf("map when it is revoked: %v, want general_error", st)
	}
}

// TestReservedGrants: the toolstack grants the pages of console and store to
// domain 0 before the domain starts, and the daemons have them mapped.
func TestReservedGrants(t *testing.T) {
	img, err := image.Load("frontend", compile(t, "frontend"), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	m, err := hv.New(img, hv.Config{Platform: hv.Xen})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	d := m.Domain()
	table := d.Mem.Frame(d.GrantTable().SharedFrame(0))
	for ref, name := range []string{"console", "store", "nothing"} {
		e := table[ref*abi.GrantEntryV1Size:]
		flags, domid, frame := binary.LittleEndian.Uint16(e), binary.LittleEndian.Uint16(e[2:]), binary.LittleEndian.Uint32(e[4:])
		want := uint16(abi.GTFPermitAccess | abi.GTFReading | abi.GTFWriting)
		if name == "nothing" {
			want = 0
		}
		if flags != want || domid != 0 || (frame != 0) != (want != 0) {
			t.Errorf("entry %d (%s): flags %#x, domain %d, frame %#x", ref, name, flags, domid, frame)
		}
	}
	if err := d.Audit(); err != nil {
		t.Error(err)
	}
}

// TestGrantContinuation: a long list of copies is done in pieces, of unmaps in
// batches of 32 (HC-07).
func TestGrantContinuation(t *testing.T) {
	b := newBare(t, true, 1)
	const n, list, data = 1500, bareText + 0x1000, bareText
	page := b.frame(t, data)
	for i := uint64(0); i < 200; i++ { // each copies a word to the next: the first one walks up
		at := list + i*abi.GnttabCopySize
		b.Write64(at, page)
		b.Write64(at+8, abi.DomIDSelf|8*i<<16)
		b.Write64(at+16, page)
		b.Write64(at+24, abi.DomIDSelf|8*(i+1)<<16)
		b.Write64(at+32, 8)
	}
	b.Write64(data, 0x1234)
	run := func(cmd, at, count uint64) (uint64, int) {
		rip, calls := b.CPU.RIP, 1
		rax := b.call(abi.HypGrantTableOp, cmd, at, count)
		for b.CPU.RIP == rip && calls < 20 {
			calls++
			r := &b.CPU.R
			rax = b.call(rax, r[x86.RDI], r[x86.RSI], r[x86.RDX])
		}
		return rax, calls
	}
	if rax, calls := run(abi.GnttabCopy, list, 200); rax != 0 || calls != 1 {
		t.Errorf("200 copies: rax %#x in %d calls", rax, calls)
	}
	if w, _ := b.Read64(data + 8*200); w != 0x1234 {
		t.Errorf("the last word is %#x", w)
	}
	// Elements of zeros: reference 0 swapped with itself, handle 0 not in use.
	for _, c := range []struct {
		cmd, count uint64
		calls      int
	}{{abi.GnttabSwapGrantRef, n, 2}, {abi.GnttabUnmapGrantRef, n, 2}, {abi.GnttabUnmapGrantRef, 1000, 1}} {
		for at := uint64(list); at < bareText+barePages<<mem.PageShift; at += 8 {
			b.Write64(at, 0)
		}
		if rax, calls := run(c.cmd, list, c.count); rax != 0 || calls != c.calls {
			t.Errorf("command %d, %d elements: rax %#x in %d calls, want %d", c.cmd, c.count, rax, calls, c.calls)
		}
	}
}

// TestGrantRights: a domU has no say over other domains' tables
// (xen/include/xsm/dummy.h), and domain 0's grants nothing.
func TestGrantRights(t *testing.T) {
	b := newBare(t, false, 1)
	const at, list = bareText, bareText + 0x800
	status := func(cmd, off, dom uint64) abi.GrantStatus {
		t.Helper()
		b.Write64(at, dom|1<<32)
		if cmd == abi.GnttabGetStatusFrames {
			b.Write64(at, 1|dom<<32)
			b.Write64(at+8, list)
		} else {
			b.Write64(at+8, 77)
			b.Write64(at+16, list)
		}
		if rax := b.call(abi.HypGrantTableOp, cmd, at, 1); rax != 0 {
			t.Errorf("command %d, domain %d: rax %#x", cmd, dom, rax)
		}
		w, _ := b.Read32(at + off)
		return abi.GrantStatus(w)
	}
	for _, c := range []struct {
		name     string
		cmd, off uint64
		dom      uint64
		want     abi.GrantStatus
	}{
		{"setup_table of itself", abi.GnttabSetupTable, abi.GnttabSetupStatus, 1, abi.GrantOkay},
		{"setup_table of DOMID_SELF", abi.GnttabSetupTable, abi.GnttabSetupStatus, abi.DomIDSelf, abi.GrantOkay},
		{"setup_table of domain 0", abi.GnttabSetupTable, abi.GnttabSetupStatus, 0, abi.GrantPermissionDenied},
		{"setup_table of domain 2", abi.GnttabSetupTable, abi.GnttabSetupStatus, 2, abi.GrantBadDomain},
		{"query_size of itself", abi.GnttabQuerySize, 12, 1, abi.GrantOkay},
		{"query_size of domain 0", abi.GnttabQuerySize, 12, 0, abi.GrantPermissionDenied},
		{"get_status_frames of domain 0", abi.GnttabGetStatusFrames, abi.GnttabStatusFramesStat, 0, abi.GrantPermissionDenied},
	} {
		if got := status(c.cmd, c.off, c.dom); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for dom, want := range map[uint64]abi.Errno{0: abi.EPERM, 1: 0, 2: abi.ESRCH, abi.DomIDSelf: 0} {
		b.Write64(at, dom)
		if rax := b.call(abi.HypGrantTableOp, abi.GnttabGetVersion, at, 1); rax != want.Result() {
			t.Errorf("get_version of domain %d: rax %#x, want %v", dom, rax, want)
		}
	}
	op := abi.GrantMap{HostAddr: bareText + 0x1000, Flags: abi.GntmapHostMap, Ref: 9}
	var m [abi.GnttabMapSize]byte
	op.Encode(m[:])
	b.CopyTo(at, m[:])
	b.call(abi.HypGrantTableOp, abi.GnttabMapGrantRef, at, 1)
	b.CopyFrom(at, m[:])
	if got := abi.DecodeGrantMap(m[:]).Status; got != abi.GrantGeneralError {
		t.Errorf("map of domain 0's entry 9: %v, want general_error", got)
	}
}
