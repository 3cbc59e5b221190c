package hv_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/dom"
	"pvlab/hv/image"
	"pvlab/hv/x86"
	"pvlab/hv/xenstore"
	"pvlab/hypercall/abi"
)

// TestStore: a domU finds in start_info the ring and the channel of its
// xenstore; a request in the ring is answered when it sends its event, with an
// event; and a machine that goes back to a snapshot has the store of that
// moment.
func TestStore(t *testing.T) {
	elf, err := guest.Image("bench")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Load("bench", elf, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	m, err := hv.New(img, hv.Config{Platform: hv.Xen, Cmdline: "spin", Memory: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	info := m.CPU(0).R[x86.RSI]
	run(t, m, 1000)
	d := m.Domain()
	var b [12]byte
	if !d.VCPU[0].CopyFrom(info+abi.StartInfoStoreMFN, b[:]) {
		t.Fatal("no start_info")
	}
	page, port := binary.LittleEndian.Uint64(b[:])<<12, uint64(binary.LittleEndian.Uint32(b[8:]))
	if port != dom.StorePort {
		t.Errorf("store_evtchn %d", port)
	}
	word := func(off uint64, v uint32) { m.Memory().Write(page+off, binary.LittleEndian.AppendUint32(nil, v)) }
	ask := func(kind xenstore.Type, body string) string {
		var head [xenstore.HeaderSize]byte
		binary.LittleEndian.PutUint32(head[0:], uint32(kind))
		binary.LittleEndian.PutUint32(head[12:], uint32(len(body)))
		m.Memory().Write(page+xenstore.RingReq, append(head[:], body...))
		word(xenstore.ReqCons, 0)
		word(xenstore.ReqProd, uint32(len(head)+len(body)))
		word(xenstore.RspCons, 0)
		word(xenstore.RspProd, 0)
		d.Notify(dom.ToolStore)
		if !d.IsPending(port) {
			t.Error("no event")
		}
		d.ClearPending(port)
		var reply [xenstore.RingSize]byte
		m.Memory().Read(page+xenstore.RingRsp, reply[:])
		n := binary.LittleEndian.Uint32(reply[12:])
		return string(bytes.TrimRight(reply[xenstore.HeaderSize:xenstore.HeaderSize+n], "\x00"))
	}
	want := func(kind xenstore.Type, body, answer string) {
		t.Helper()
		if got := ask(kind, body); got != answer {
			t.Errorf("%q is answered by %q, want %q", body, got, answer)
		}
	}
	want(xenstore.Read, "domid\x00", "1")
	want(xenstore.Read, "memory/target\x00", "16384")
	want(xenstore.Write, "data/x\x00before", "OK")
	s := m.Snapshot()
	want(xenstore.Write, "data/x\x00after", "OK")
	want(xenstore.Write, "data/y\x00new", "OK")
	m.Restore(s)
	want(xenstore.Read, "data/x\x00", "before")
	want(xenstore.Read, "data/y\x00", "ENOENT")
	if err := m.Audit(); err != nil {
		t.Error(err)
	}
}
