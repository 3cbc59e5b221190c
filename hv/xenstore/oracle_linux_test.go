package xenstore

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pvlab/entry/judge"
)

// daemon is C xenstored as Debian installs it, with testdata/xenstored.c in
// place of Xen.
type daemon struct {
	t          testing.TB
	cmd        *exec.Cmd
	page       []byte
	kick, idle *os.File
	kicks      uint32
	tools      net.Conn
}

var preload = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "xenstored")
	if err != nil {
		return "", err
	}
	lib := filepath.Join(dir, "xen.so")
	out, err := exec.Command("cc", "-shared", "-fPIC", "-O1", "-o", lib, "testdata/xenstored.c", "-ldl").CombinedOutput()
	if err != nil {
		return "", &os.PathError{Op: "cc", Path: string(out), Err: err}
	}
	return lib, nil
})

// start runs a daemon to which domain 1 is introduced, after domain 0 has written
// the entries.
func start(t testing.TB, entries []entry) *daemon {
	t.Helper()
	judge.Require(t, "cc", "xenstored")
	lib, err := preload()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"page", "page0"} {
		must(os.WriteFile(in(f), make([]byte, 4096), 0o600))
	}
	must(os.WriteFile(in("port0"), []byte("1\n"), 0o600))
	for _, f := range []string{"kick", "idle"} {
		must(syscall.Mkfifo(in(f), 0o600))
	}
	d := &daemon{t: t}
	d.kick, err = os.OpenFile(in("kick"), os.O_RDWR, 0)
	must(err)
	d.idle, err = os.OpenFile(in("idle"), os.O_RDWR, 0)
	must(err)
	f, err := os.OpenFile(in("page"), os.O_RDWR, 0)
	must(err)
	d.page, err = syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	must(err)
	f.Close()
	d.cmd = exec.Command(judge.Xenstored(), "--no-fork", "--timeout", "watch-event=0")
	d.cmd.Env = append(os.Environ(), "LD_PRELOAD="+lib, "XENSTORED_RUNDIR="+dir)

	must(d.cmd.Start())
	t.Cleanup(func() {
		d.cmd.Process.Kill()
		d.cmd.Wait()
		d.kick.Close()
		d.idle.Close()
		if d.tools != nil {
			d.tools.Close()
		}
		syscall.Munmap(d.page)
	})
	for i := 0; ; i++ {
		if d.tools, err = net.Dial("unix", in("socket")); err == nil {
			break
		}
		if i == 1000 {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, e := range entries {
		d.write(e.path, e.data)
		if e.perms != nil {
			d.perms(e.path, e.perms...)
		}
	}
	d.tool(Introduce, "1\x000\x005\x00")
	return d
}

// tool makes a request as domain 0 and returns the answer.
func (d *daemon) tool(t Type, body string) (Type, string) {
	d.t.Helper()
	h := Header{Type: t, Len: uint32(len(body))}.bytes()
	if _, err := d.tools.Write(append(h[:], body...)); err != nil {
		d.t.Fatal(err)
	}
	if _, err := io.ReadFull(d.tools, h[:]); err != nil {
		d.t.Fatal(err)
	}
	answer := parseHeader(h[:])
	b := make([]byte, answer.Len)
	if _, err := io.ReadFull(d.tools, b); err != nil {
		d.t.Fatal(err)
	}
	return answer.Type, string(b)
}

func (d *daemon) write(path, data string) { d.tool(Write, path+"\x00"+data) }

func (d *daemon) perms(path string, perms ...Perm) {
	body := path + "\x00"
	for _, p := range perms {
		body += p.String() + "\x00"
	}
	d.tool(SetPerms, body)
}

// serve raises the domain's event and waits until the daemon has nothing left
// to do; false if that does not come.
func (d *daemon) serve() bool {
	d.t.Helper()
	d.kicks++
	if _, err := d.kick.Write([]byte{1}); err != nil {
		d.t.Fatal(err)
	}
	for seen := uint32(0); seen != d.kicks; {
		var b [4]byte
		d.idle.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(d.idle, b[:]); err != nil {
			return false
		}
		seen = binary.LittleEndian.Uint32(b[:])
	}
	return true
}

// twin is the model and the daemon side by side. What one side's page holds
// the other's must hold, byte for byte.
type twin struct {
	t    testing.TB
	s    *Server
	d    *daemon
	page []byte
	log  []string
}

func newTwin(t testing.TB) *twin {
	entries := startEntries(1, testGuest)
	return &twin{t: t, s: Start(1, testGuest, func() uint64 { return 0 }), d: start(t, entries), page: make([]byte, 4096)}
}

var testGuest = Guest{Name: "guest", UUID: "00000000-0000-4000-8000-000000000001", VCPUs: 1, MemoryKiB: 131072,
	StoreMFN: 0x1234, StorePort: 1, ConsoleMFN: 0x1235, ConsolePort: 2}

func (w *twin) word(off int) uint32 { return binary.LittleEndian.Uint32(w.page[off:]) }

func (w *twin) set(off int, v uint32) {
	binary.LittleEndian.PutUint32(w.page[off:], v)
	binary.LittleEndian.PutUint32(w.d.page[off:], v)
}

// put adds bytes to the ring of requests, as many as there is room for, and
// returns the rest.
func (w *twin) put(b []byte) []byte {
	prod := w.word(ReqProd)
	for len(b) > 0 && prod-w.word(ReqCons) < RingSize {
		w.page[RingReq+prod%RingSize], w.d.page[RingReq+prod%RingSize] = b[0], b[0]
		b = b[1:]
		prod++
	}
	w.set(ReqProd, prod)
	return b
}

// take removes up to n bytes from the ring of replies.
func (w *twin) take(n uint32) (b []byte) {
	cons := w.word(RspCons)
	for ; n > 0 && cons != w.word(RspProd); n-- {
		b = append(b, w.page[RingRsp+cons%RingSize])
		cons++
	}
	w.set(RspCons, cons)
	return b
}

// serve lets both do their work and compares the pages.
func (w *twin) serve() bool {
	w.t.Helper()
	w.s.Serve(w.page)
	if !w.d.serve() {
		w.t.Fatalf("xenstored does not come to rest after\n%s", strings.Join(w.log, "\n"))
	}
	if slices.Equal(w.page, w.d.page) {
		return true
	}
	w.t.Errorf("after\n%s", strings.Join(w.log, "\n"))
	for _, x := range []struct {
		name string
		off  int
	}{{"req_cons", ReqCons}, {"req_prod", ReqProd}, {"rsp_cons", RspCons}, {"rsp_prod", RspProd}, {"error", RingError}} {
		w.t.Logf("%s: model %d, xenstored %d", x.name, w.word(x.off), binary.LittleEndian.Uint32(w.d.page[x.off:]))
	}
	w.t.Logf("model     %q", unread(w.page))
	w.t.Logf("xenstored %q", unread(w.d.page))
	return false
}

// unread are the bytes of a page's replies that nobody has taken.
func unread(page []byte) (b []byte) {
	r := ring{page: page}
	for i := r.word(RspCons); i != r.word(RspProd) && len(b) <= RingSize; i++ {
		b = append(b, page[RingRsp+i%RingSize])
	}
	return b
}
