package xenstore

import (
	"encoding/binary"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// guest is the domain's end of a ring page.
type guest struct {
	t    *testing.T
	s    *Server
	now  uint64
	page []byte
	id   uint32
}

func newGuest(t *testing.T) *guest {
	g := &guest{t: t, page: make([]byte, 4096)}
	g.s = Start(1, Guest{Name: "guest", UUID: "00000000-0000-4000-8000-000000000001", VCPUs: 2, MemoryKiB: 131072,
		StoreMFN: 0x1234, StorePort: 1, ConsoleMFN: 0x1235, ConsolePort: 2}, func() uint64 { return g.now })
	return g
}

func (g *guest) word(off int) uint32   { return binary.LittleEndian.Uint32(g.page[off:]) }
func (g *guest) set(off int, v uint32) { binary.LittleEndian.PutUint32(g.page[off:], v) }

// put writes bytes into the ring of requests.
func (g *guest) put(b []byte) {
	prod := g.word(ReqProd)
	for _, c := range b {
		g.page[RingReq+prod%RingSize] = c
		prod++
	}
	g.set(ReqProd, prod)
}

// take empties the ring of replies.
func (g *guest) take() (b []byte) {
	for cons := g.word(RspCons); cons != g.word(RspProd); cons++ {
		b = append(b, g.page[RingRsp+cons%RingSize])
	}
	g.set(RspCons, g.word(RspProd))
	return b
}

// send makes a request, in pieces if it is longer than the ring, and returns
// what comes back: one line for each message, of the kind "READ value" or
// "event path token".
func (g *guest) send(t Type, tx uint32, body string) []string {
	g.t.Helper()
	g.id++
	h := Header{t, g.id, tx, uint32(len(body))}.bytes()
	var back []byte
	for rest := append(h[:], body...); ; {
		n := min(len(rest), RingSize)
		g.put(rest[:n])
		rest = rest[n:]
		g.s.Serve(g.page)
		for got := g.take(); len(got) > 0; got = g.take() {
			back = append(back, got...)
			g.s.Serve(g.page)
		}
		if len(rest) == 0 {
			break
		}
	}
	return g.lines(back)
}

func (g *guest) lines(b []byte) (lines []string) {
	g.t.Helper()
	for len(b) >= HeaderSize {
		h := parseHeader(b)
		body := string(b[HeaderSize : HeaderSize+h.Len])
		b = b[HeaderSize+h.Len:]
		text := strings.ReplaceAll(strings.TrimSuffix(body, "\x00"), "\x00", " ")
		if h.Type == DirectoryPart {
			text = "GENERATION" + strings.TrimLeft(text, "0123456789")
		}
		switch {
		case h.Type == WatchEvent:
			text = "event " + text
		case h.Req != g.id:
			g.t.Errorf("answer to request %d, asked was %d", h.Req, g.id)
		case h.Type == Error:
			text = "error " + text
		}
		lines = append(lines, text)
	}
	if len(b) != 0 {
		g.t.Errorf("half a message: %q", b)
	}
	return lines
}

// want sends a request and compares the lines that come back.
func (g *guest) want(t Type, tx uint32, body string, lines ...string) {
	g.t.Helper()
	if got := g.send(t, tx, body); !reflect.DeepEqual(got, lines) {
		g.t.Errorf("type %d %q: got %q, want %q", t, body, got, lines)
	}
}

// TestRequests: what a domain gets for each type of request. The answers are
// those of xenstored 4.17.7, with which TestAsXenstored compares many more.
func TestRequests(t *testing.T) {
	const home = "/local/domain/1"
	for _, c := range []struct {
		t    Type
		body string
		want string
	}{
		{Read, "name\x00", "guest"},
		{Read, home + "/name\x00", "guest"},
		{Read, "domid\x00", "1"},
		{Read, "vm\x00", "/vm/00000000-0000-4000-8000-000000000001"},
		{Read, "memory/target\x00", "131072"},
		{Read, "cpu/1/availability\x00", "online"},
		{Read, "store/port\x00", "1"},
		{Read, "store/ring-ref\x00", "4660"},
		{Read, "console/type\x00", "xenconsoled"},
		{Read, "console/port\x00", "2"},
		{Read, "console/ring-ref\x00", "4661"},
		{Read, "/local/domain/0/backend/console/1/0/state\x00", "1"},
		{Read, "control/shutdown\x00", ""},
		{Read, "nothing\x00", "error ENOENT"},
		{Read, "data/nothing\x00", "error ENOENT"},
		{Read, "/nothing\x00", "error EACCES"},
		{Read, "/tool\x00", "error EACCES"},
		{Read, "/local/domain/0\x00", "error EACCES"},
		{Read, "/local/domain/2/name\x00", "error EACCES"},
		{Read, "a b\x00", "error EINVAL"},
		{Read, "data/\x00", "error EINVAL"},
		{Read, "data//x\x00", "error EINVAL"},
		{Read, "\x00", "error EINVAL"},
		{Read, strings.Repeat("x", 2048) + "\x00", "error ENOENT"},
		{Read, strings.Repeat("x", 2049) + "\x00", "error EINVAL"},
		{Directory, "control\x00", "shutdown feature-poweroff feature-reboot feature-suspend sysrq" +
			" platform-feature-multiprocessor-suspend platform-feature-xs_reset_watches"},
		{Directory, "\x00", "error EINVAL"},
		{Directory, home + "\x00", "vm name cpu memory device control data drivers feature attr error domid store console"},
		{Directory, "/local/domain\x00", "error EACCES"},
		{DirectoryPart, "cpu\x002\x00", "GENERATION 1 "},
		{DirectoryPart, "cpu\x009\x00", "GENERATION "},
		{DirectoryPart, "cpu\x00", "error EINVAL"},
		{GetPerms, "name\x00", "n0 r1"},
		{GetPerms, "data\x00", "n1"},
		{GetPerms, "console/backend-id\x00", "n1 r0"},
		{Write, "data/x\x00value", "OK"},
		{Write, "data/a/b/c/d\x00", "OK"},
		{Write, "name\x00other", "error EACCES"},
		{Write, "new\x00", "error EACCES"},
		{Write, "no NUL", "error EINVAL"},
		{Write, "data/y\x00" + strings.Repeat("v", 2015), "OK"}, // 24 + 8 + 2015 = 2047
		{Write, "data/y\x00" + strings.Repeat("v", 2016), "error ENOSPC"},
		{Mkdir, "data/dir\x00", "OK"},
		{Mkdir, "data\x00", "OK"},
		{Mkdir, "dir\x00", "error EACCES"},
		{Rm, "data\x00", "OK"},
		{Rm, "data/no/such\x00", "error ENOENT"},
		{Rm, "control/sysrq/none\x00", "OK"}, // its parent is there
		{Rm, "name\x00", "error EACCES"},
		{Rm, "/\x00", "error EACCES"},
		{SetPerms, "data\x00n1\x00r0\x00", "OK"},
		{SetPerms, "data\x00n0\x00", "error EPERM"},
		{SetPerms, "data\x00n2\x00", "error ENOENT"},
		{SetPerms, "name\x00n0\x00", "error EACCES"},
		{SetPerms, "data\x00x1\x00", "error EINVAL"},
		{SetPerms, "data\x00", "error EINVAL"},
		{SetPerms, "data\x00n1\x00r0\x00r2\x00r3\x00r4\x00r5\x00", "error ENOSPC"},
		{GetDomainPath, "1\x00", "/local/domain/1"},
		{GetDomainPath, "77\x00", "/local/domain/77"},
		{GetDomainPath, "no number\x00", "/local/domain/0"},
		{GetDomainPath, "1", "error EINVAL"},
		{TransactionStart, "\x00", "1"},
		{TransactionEnd, "T\x00", "error ENOENT"},
		{TransactionEnd, "X\x00", "error EINVAL"},
		{ResetWatches, "\x00", "OK"},
		{Unwatch, "data\x00t\x00", "error ENOENT"},
		{Control, "print\x00x\x00", "error EACCES"},
		{Introduce, "2\x005\x006\x00", "error EACCES"},
		{Release, "1\x00", "error EACCES"},
		{IsDomainIntroduced, "1\x00", "error EACCES"},
		{Resume, "1\x00", "error EACCES"},
		{SetTarget, "1\x000\x00", "error EACCES"},
		{20, "1\x00", "error ENOSYS"}, // XS_RESTRICT is no more
		{WatchEvent, "", "error ENOSYS"},
		{Error, "", "error ENOSYS"},
		{23, "", "error ENOSYS"},
		{0xffff, "", "error ENOSYS"},
	} {
		name := fmt.Sprintf("%d %.40q", c.t, c.body)
		t.Run(name, func(t *testing.T) {
			g := newGuest(t)
			g.want(c.t, 0, c.body, c.want)
		})
	}
}

// list is the tree below a path as xenstore-ls -fp prints it.
func list(s *Server, path string) (lines []string) {
	n := s.nodes[path]
	var perms []string
	for _, p := range n.perms {
		perms = append(perms, p.String())
	}
	lines = append(lines, fmt.Sprintf("%s = %q   (%s)", path, n.data, strings.Join(perms, ",")))
	for _, name := range strings.Split(n.children, "\x00") {
		if name != "" {
			lines = append(lines, list(s, path+"/"+name)...)
		}
	}
	return lines
}

// TestStart: a domain finds what Debian's xl 4.17 writes for one without
// devices, in the same order and with the same permissions. testdata/xl.txt is
// from xenstore-ls -fp beside C xenstored, with memory=64 and vcpus=2, before
// the domain ran.
func TestStart(t *testing.T) {
	b, err := os.ReadFile("testdata/xl.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(b)), "\n")
	s := Start(1, Guest{Name: "guest", UUID: "00000000-0000-4000-8000-000000000001", VCPUs: 2, MemoryKiB: 65536,
		StoreMFN: 240486, StorePort: 1, ConsoleMFN: 240487, ConsolePort: 2, Kernel: "/bench.elf", Cmdline: "idle",
		Started: 1795406697}, func() uint64 { return 0 })
	got := list(s, "/local/domain/0/backend/console/1/0")
	got = append(got, list(s, "/local/domain/1")...)
	got = append(got, list(s, "/vm/00000000-0000-4000-8000-000000000001")...)
	// The hundredths of the start time are not kept.
	for i := range want {
		want[i] = strings.Replace(want[i], "1795406697.55", "1795406697.00", 1)
	}
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d: %s, xl has %s", i+1, g, w)
		}
	}
}

// TestWatches: a watch fires at once, then for each change at or below its
// path that the domain may see; paths come back as they were given.
func TestWatches(t *testing.T) {
	g := newGuest(t)
	g.want(Watch, 0, "control/shutdown\x00token\x00", "OK", "event control/shutdown token")
	g.want(Watch, 0, "/local/domain/1/data\x00abs\x00", "OK", "event /local/domain/1/data abs")
	g.want(Watch, 0, "data\x00rel\x00", "OK", "event data rel")
	g.want(Watch, 0, "data\x00rel\x00", "error EEXIST")
	g.want(Watch, 0, "data\x00only one string", "error EINVAL")
	g.want(Watch, 0, "@releaseDomain\x00special\x00", "OK", "event @releaseDomain special")
	g.want(Write, 0, "data/x/y\x001", "event /local/domain/1/data/x/y abs", "event data/x/y rel", "OK")
	g.want(Mkdir, 0, "data/x/y\x00", "OK") // it is there: no change
	g.want(SetPerms, 0, "data/x\x00n1\x00r0\x00", "event /local/domain/1/data/x abs", "event data/x rel", "OK")
	g.want(Rm, 0, "data/x\x00", "event /local/domain/1/data/x abs", "event data/x rel", "OK")
	g.want(Unwatch, 0, "/local/domain/1/data\x00rel\x00", "OK")
	g.want(Write, 0, "data/z\x001", "event /local/domain/1/data/z abs", "OK")

	g.s.Tools().Write("/local/domain/1/control/shutdown", "poweroff")
	if !g.s.Serve(g.page) {
		t.Error("the domain is not told of what domain 0 wrote")
	}
	if got := g.lines(g.take()); !reflect.DeepEqual(got, []string{"event control/shutdown token"}) {
		t.Errorf("after a write of domain 0's: %q", got)
	}
	g.want(Read, 0, "control/shutdown\x00", "poweroff")
	g.s.Tools().Write("/local/domain/1/device/other", "1")
	g.s.Tools().Remove("/local/domain/1/device")
	if g.s.Serve(g.page) {
		t.Error("told of what is not watched")
	}
	g.want(ResetWatches, 0, "\x00", "OK")
	g.want(Write, 0, "data/z\x002", "OK")
}

// TestTransactions: they see their own writes and nobody else's, fail with
// EAGAIN when something they read has changed, and fire their watches at the
// end.
func TestTransactions(t *testing.T) {
	g := newGuest(t)
	g.want(Write, 0, "data/x\x00old", "OK")
	g.want(Watch, 0, "data\x00t\x00", "OK", "event data t")
	g.want(TransactionStart, 0, "\x00", "1")
	g.want(TransactionStart, 1, "\x00", "error EBUSY")
	g.want(TransactionStart, 0, "\x00", "2")
	g.want(Write, 1, "data/x\x00new", "OK")
	g.want(Read, 1, "data/x\x00", "new")
	g.want(Read, 2, "data/x\x00", "old")
	g.want(Read, 0, "data/x\x00", "old")
	g.want(TransactionEnd, 1, "T\x00", "event data/x t", "OK")
	g.want(Read, 0, "data/x\x00", "new")
	g.want(TransactionEnd, 2, "T\x00", "error EAGAIN")
	g.want(TransactionEnd, 2, "F\x00", "error ENOENT")
	g.want(Read, 9, "data/x\x00", "error ENOENT") // no such transaction
	g.want(TransactionStart, 0, "\x00", "3")
	g.want(Rm, 3, "data/x\x00", "OK")
	g.want(Read, 3, "data/x\x00", "error ENOENT")
	g.want(TransactionEnd, 3, "F\x00", "OK")
	g.want(Read, 0, "data/x\x00", "new")
}

// TestQuotas: numbers of nodes, watches, transactions, and nodes of one
// transaction.
func TestQuotas(t *testing.T) {
	g := newGuest(t)
	count := func(limit int, t Type, body func(i int) string) (n int, last string) {
		for ; n < limit; n++ {
			answer := g.send(t, 0, body(n))
			if last = answer[0]; strings.HasPrefix(last, "error") {
				return n, last
			}
		}
		return n, last
	}
	if n, err := count(200, Watch, func(i int) string { return fmt.Sprintf("data\x00%d\x00", i) }); n != 129 || err != "error E2BIG" {
		t.Errorf("%d watches, then %s", n, err)
	}
	g.want(ResetWatches, 0, "\x00", "OK")
	if n, err := count(20, TransactionStart, func(int) string { return "\x00" }); n != 11 || err != "error ENOSPC" {
		t.Errorf("%d transactions, then %s", n, err)
	}
	g.want(ResetWatches, 0, "\x00", "OK")
	own := g.s.entries
	n, err := count(2000, Write, func(i int) string { return fmt.Sprintf("data/%d/%d\x00", i/100, i) })
	if err != "error ENOSPC" || g.s.entries != quotaEntries {
		t.Errorf("%d nodes beside the first %d, then %s", n, own, err)
	}
}

// TestBadRing: a domain whose indices or lengths are impossible is told so in
// the error word, once, and not served any more.
func TestBadRing(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(g *guest)
		word   uint32
	}{
		{"requests beyond the ring", func(g *guest) { g.set(ReqProd, g.word(ReqCons)+RingSize+1) }, 2},
		{"requests behind", func(g *guest) { g.set(ReqProd, g.word(ReqCons)-1) }, 2},
		{"replies beyond the ring", func(g *guest) {
			g.set(RspProd, g.word(RspCons)+RingSize+1)
			h := Header{Type: Read}.bytes()
			g.put(h[:])
		}, 2},
		{"a message too long", func(g *guest) { h := Header{Type: Read, Len: PayloadMax + 1}.bytes(); g.put(h[:]) }, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t)
			g.want(TransactionStart, 0, "\x00", "1")
			c.damage(g)
			g.s.Serve(g.page)
			if got := g.word(RingError); got != c.word {
				t.Errorf("error word %d, want %d", got, c.word)
			}
			for _, off := range []int{ReqCons, ReqProd, RspCons, RspProd, RingError} {
				g.set(off, 0)
			}
			h := Header{Type: Read}.bytes()
			g.put(h[:])
			if g.s.Serve(g.page) || g.word(ReqCons) != 0 {
				t.Error("it is served again")
			}
		})
	}
}

// TestOutstanding: a domain that takes no answers is not listened to for ever:
// twenty requests, then it is the domain's turn.
func TestOutstanding(t *testing.T) {
	g := newGuest(t)
	long := Header{Type: Directory, Len: 8}.bytes()
	list := append(long[:], "control\x00"...)
	for range 200 {
		if g.word(ReqProd)-g.word(ReqCons)+uint32(len(list)) <= RingSize {
			g.put(list)
			g.s.Serve(g.page)
		}
	}
	if g.s.outstanding != quotaOutstanding {
		t.Errorf("%d requests are under way", g.s.outstanding)
	}
	if left := g.word(ReqProd) - g.word(ReqCons); left == 0 || left%uint32(len(list)) != 0 {
		t.Errorf("%d bytes of requests are left", left)
	}
	g.take()
	if !g.s.Serve(g.page) {
		t.Error("nothing goes on after the domain has taken its answers")
	}
}

// TestEventsGivenUp: an event that the domain leaves in the queue for 20
// seconds is dropped.
func TestEventsGivenUp(t *testing.T) {
	g := newGuest(t)
	g.want(Watch, 0, "data\x00t\x00", "OK", "event data t")
	g.set(RspProd, g.word(RspProd)+RingSize) // full
	g.s.Tools().Write("/local/domain/1/data/x", "1")
	g.s.Serve(g.page)
	g.now = eventTimeout
	g.s.Serve(g.page)
	g.set(RspCons, g.word(RspProd))
	if g.s.Serve(g.page) {
		t.Errorf("sent after all: %q", g.lines(g.take()))
	}
}

// TestSaveLoad: a server goes on from a saved state as it did the first time,
// with half a message in and several out.
func TestSaveLoad(t *testing.T) {
	g := newGuest(t)
	g.want(Watch, 0, "data\x00t\x00", "OK", "event data t")
	g.want(TransactionStart, 0, "\x00", "1")
	g.want(Write, 1, "data/in\x00transaction", "OK")
	h := Header{Write, 99, 0, 40}.bytes()
	g.put(append(h[:], "attr/half\x00"...))
	g.s.Serve(g.page)
	saved, page := g.s.Save(), append([]byte(nil), g.page...)
	if g.s.Save() != saved {
		t.Error("a second copy of an unchanged state")
	}
	rest := func() string {
		g.id = 99
		g.put([]byte(strings.Repeat("v", 30)))
		g.s.Serve(g.page)
		lines := g.lines(g.take())
		lines = append(lines, g.send(TransactionEnd, 1, "T\x00")...)
		return strings.Join(append(lines, g.send(Directory, 0, "data\x00")...), "|")
	}
	first := rest()
	for range 2 {
		g.s.Load(saved)
		copy(g.page, page)
		if again := rest(); again != first {
			t.Errorf("first %q, again %q", first, again)
		}
	}
	if want := "OK|event data/in t|OK|in"; first != want {
		t.Errorf("got %q, want %q", first, want)
	}
}
