package xenpv_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// order makes a call of the tools with the union's content; it returns the
// result and the structure afterwards.
func (b *bare) order(t *testing.T, call int, cmd uint32, union ...byte) (uint64, []byte) {
	t.Helper()
	const at = bareText
	s := make([]byte, 152)
	binary.LittleEndian.PutUint32(s, cmd)
	binary.LittleEndian.PutUint32(s[4:], versions[call])
	copy(s[8:], union)
	b.CopyTo(at, s)
	rax := b.call(uint64(call), at)
	b.CopyFrom(at, s)
	if b.unsure != "" {
		t.Fatalf("not modelled: %s", b.unsure)
	}
	return rax, s
}

// words puts 32-bit words behind each other.
func words(list ...uint32) (b []byte) {
	for _, w := range list {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// TestSetTime: the wall clock at system time 0 is published with a new, even
// version, the domain's offset added (X/time.c:do_settime).
func TestSetTime(t *testing.T) {
	const settime64, settimeoffset = 62, 24
	b := newBare(t, true, 1)
	clock := func() (version, sec, nsec uint32) {
		at := b.Dom.SharedInfoMFN()<<mem.PageShift + abi.SharedInfoWCVersion
		var w [12]byte
		b.mem.Read(at, w[:])
		return binary.LittleEndian.Uint32(w[0:]), binary.LittleEndian.Uint32(w[4:]), binary.LittleEndian.Uint32(w[8:])
	}
	before, _, _ := clock()
	// It was 100.5 s when 2.25 s had passed.
	if rax, _ := b.order(t, abi.HypPlatformOp, settime64, words(100, 0, 500_000_000, 0, 2_250_000_000, 0)...); rax != 0 {
		t.Fatalf("settime64 = %d", int64(rax))
	}
	version, sec, nsec := clock()
	if sec != 98 || nsec != 250_000_000 || version == before || version&1 != 0 {
		t.Errorf("wall clock %d s %d ns, version %d after %d", sec, nsec, version, before)
	}
	b.order(t, abi.HypDomctl, settimeoffset, append(words(0, 0), words(1<<32-8, 1<<32-1)...)...)
	if _, sec, _ := clock(); sec != 90 {
		t.Errorf("with an offset of -8 s: %d s", sec)
	}
}

// TestConsoleRing: what Xen printed can be read, from an index on, and cleared
// (drivers/char/console.c:read_console_ring).
func TestConsoleRing(t *testing.T) {
	const readconsole, buffer = 1, bareText + 0x1000
	b := newBare(t, true, 1)
	read := func(clear, incremental byte, index, count uint32) (text string, next uint32) {
		t.Helper()
		u := append([]byte{clear, incremental, 0, 0}, words(index, uint32(buffer&0xffffffff), uint32(buffer>>32), count)...)
		rax, s := b.order(t, abi.HypSysctl, readconsole, u...)
		if rax != 0 {
			t.Fatalf("readconsole = %d", int64(rax))
		}
		n := binary.LittleEndian.Uint32(s[24:])
		out := make([]byte, n)
		b.CopyFrom(buffer, out)
		return string(out), binary.LittleEndian.Uint32(s[12:])
	}
	read(1, 0, 0, 1<<16-1)
	b.Dom.Print("one")
	if text, _ := read(0, 0, 0, 100); text != "(XEN) one\n" {
		t.Errorf("after a line: %q", text)
	}
	_, next := read(0, 0, 0, 100)
	b.Dom.Print("two")
	if text, _ := read(0, 1, next, 100); text != "(XEN) two\n" {
		t.Errorf("from there on: %q", text)
	}
	if text, _ := read(1, 0, 0, 8); text != "(XEN) on" {
		t.Errorf("8 bytes: %q", text)
	}
	if text, _ := read(0, 0, 0, 100); text != "e\n(XEN) two\n" {
		t.Errorf("the rest after clearing: %q", text)
	}
	for range 1000 {
		b.Dom.Print(strings.Repeat("x", 93))
	}
	if text, _ := read(0, 0, 0, 4096); len(text) != 4096 || len(b.Dom.Host.ConRing) != 16<<10 {
		t.Errorf("a full ring: %d bytes read of %d", len(text), len(b.Dom.Host.ConRing))
	}
}

// TestVCPUContext: what VCPUOP_initialise was given can be had by
// getvcpucontext, but not of oneself and not before
// (X/domain.c:arch_get_info_guest).
func TestVCPUContext(t *testing.T) {
	const getvcpucontext, given, got = 13, bareText + 0x2000, bareText + 0x4000
	b := newBare(t, true, 2)
	ask := func(vcpu uint32) int64 {
		rax, _ := b.order(t, abi.HypDomctl, getvcpucontext, append(words(0, 0), words(vcpu, 0, uint32(got&0xffffffff), uint32(got>>32))...)...)
		return int64(rax)
	}
	for vcpu, want := range map[uint32]abi.Errno{0: abi.EINVAL, 1: abi.ENODATA, 2: abi.EINVAL} {
		if r := ask(vcpu); abi.Errno(-r) != want {
			t.Errorf("of vCPU %d: %d, want %v", vcpu, r, want)
		}
	}
	c := make([]byte, abi.VGCSize)
	put := func(off int, v uint64) { binary.LittleEndian.PutUint64(c[off:], v) }
	put(abi.VGCFlags, abi.VGCFInKernel|abi.VGCFOnline|abi.VGCFI387Valid)
	put(abi.VGCUserRegs+abi.RegsRIP, bareText+0x123)
	put(abi.VGCUserRegs+abi.RegsRSP, bareText+0x4560)
	put(abi.VGCUserRegs+abi.RegsR12, 0x1212)
	put(abi.VGCUserRegs+abi.RegsRFLAGS, x86.FlagIF|2)
	put(abi.VGCUserRegs+abi.RegsCS, abi.FlatKernelCS)
	put(abi.VGCUserRegs+abi.RegsSS, 0xe02b)
	put(abi.VGCTrapTable+14*abi.TrapInfoSize+8, bareText+0x789)
	put(abi.VGCKernelSP, bareText+0x8880)
	put(abi.VGCCtrlReg+8*3, b.GuestTable<<mem.PageShift)
	put(abi.VGCEventEIP, bareText+0x555)
	b.CopyTo(given, c)
	if rax := b.call(abi.HypVCPUOp, abi.VCPUOpInitialise, 1, given); rax != 0 {
		t.Fatalf("initialise = %d", int64(rax))
	}
	if r := ask(1); r != 0 {
		t.Fatalf("getvcpucontext = %d", r)
	}
	back := make([]byte, abi.VGCSize)
	b.CopyFrom(got, back)
	for _, off := range []int{abi.VGCFlags, abi.VGCUserRegs + abi.RegsRIP, abi.VGCUserRegs + abi.RegsRSP, abi.VGCUserRegs + abi.RegsR12,
		abi.VGCUserRegs + abi.RegsRFLAGS, abi.VGCTrapTable + 14*abi.TrapInfoSize + 8, abi.VGCKernelSP, abi.VGCCtrlReg + 8*3, abi.VGCEventEIP} {
		if !bytes.Equal(back[off:off+8], c[off:off+8]) {
			t.Errorf("offset %d: %x, given %x", off, back[off:off+8], c[off:off+8])
		}
	}
}

// TestS5 powers the machine off.
func TestS5(t *testing.T) {
	const enterSleep = 51
	b := newBare(t, true, 1)
	b.order(t, abi.HypPlatformOp, enterSleep, words(1<<13, 5)...)
	if !b.Dom.ShutDown || b.Dom.ShutReason != abi.ShutdownPoweroff || b.Dom.Crashed {
		t.Errorf("shut down %v, reason %d", b.Dom.ShutDown, b.Dom.ShutReason)
	}
}
