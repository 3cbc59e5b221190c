package xenstore

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// requests makes up messages: sensible ones, nearly sensible ones and rubbish.
type requests struct {
	*rand.Rand
	n     uint32
	flood bool // much of everything, to meet the quotas
}

func pick[T any](r *requests, list ...T) T { return list[r.IntN(len(list))] }

func (r *requests) path() string {
	if r.flood {
		return fmt.Sprintf("data/%d/%d", r.IntN(40), r.IntN(40))
	}
	switch r.IntN(30) {
	case 0:
		return pick(r, "", "/", "//", "data/", "data//x", "@releaseDomain", "@introduceDomain", "@x", "da ta", "é", "..")
	case 1:
		return strings.Repeat("long/", 1+r.IntN(600)) + "x"
	case 2:
		return pick(r, "/tool", "/tool/xenstored/x", "/local", "/local/domain", "/local/domain/0", "/local/domain/2/x",
			"/local/domain/0/backend/console/1/0", "/local/domain/0/backend/console/1/0/state", "/vm", "/nothing/x")
	case 3:
		return pick(r, "/local/domain/00001/", "/local/domain/-1/", "/local/domain/123456/") + strings.Repeat("y", 2040+r.IntN(40))
	}
	p := pick(r, "data", "data", "data", "attr", "device", "control", "control/shutdown", "console", "name", "drivers", "memory", "nodir")
	for range r.IntN(4) {
		p += "/" + pick(r, "a", "b", "c", "dd")
	}
	if r.IntN(3) == 0 {
		p = "/local/domain/1/" + p
	}
	return p
}

func (r *requests) token() string {
	if r.flood {
		return fmt.Sprint(r.IntN(300))
	}
	return pick(r, "t", "t", "u", "", "token-7", strings.Repeat("z", r.IntN(100)))
}

func (r *requests) value() string {
	if r.flood {
		return strings.Repeat("f", pick(r, 10, 1990, 1990, 1995))
	}
	switch r.IntN(20) {
	case 0:
		return strings.Repeat("v", 1900+r.IntN(200))
	case 1:
		return "with\x00nul"
	}
	return strings.Repeat("w", r.IntN(40))
}

func (r *requests) perm() string {
	return pick(r, "n", "r", "w", "b", "n", "r", "x", "") + pick(r, "1", "1", "1", "0", "0", "2", "0x1", "01", " 1", "-1", "", "1x", "4294967297")
}

// body is the arguments of a type of request, as it should have them.
func (r *requests) body(t Type) string {
	switch t {
	case Watch, Unwatch:
		return r.path() + "\x00" + r.token() + "\x00"
	case TransactionStart, ResetWatches:
		return "\x00"
	case TransactionEnd:
		return pick(r, "T\x00", "T\x00", "F\x00", "X\x00", "T", "")
	case GetDomainPath, IsDomainIntroduced, Release, Resume:
		return pick(r, "0", "1", "x", "-1", "99999999999", " 7", "") + "\x00"
	case Write:
		return r.path() + "\x00" + r.value()
	case SetPerms:
		path := r.path()
		if strings.HasPrefix(path, "@") {
			path = "data" // xenstored looks at an errno that it has not set, and may end over it
		}
		b := path + "\x00" + pick(r, "n1", "n1", "r1", "b1", r.perm()) + "\x00"
		for range pick(r, 0, 0, 1, 2, 5) {
			b += r.perm() + "\x00"
		}
		return b
	case DirectoryPart:
		return r.path() + "\x00" + pick(r, "0", "0", "2", "5", "100", "-1", "x") + "\x00"
	}
	return r.path() + "\x00"
}

func (r *requests) message() []byte {
	if r.flood {
		return r.flooding()
	}
	t := pick(r, Read, Read, Directory, GetPerms, Watch, Watch, Unwatch, TransactionStart, TransactionEnd, TransactionEnd,
		GetDomainPath, Write, Write, Write, Write, Mkdir, Mkdir, Rm, Rm, SetPerms, SetPerms, DirectoryPart)
	if r.IntN(40) == 0 {
		t = Type(r.IntN(26))
	}
	if r.IntN(200) == 0 {
		t = pick(r, ResetWatches, Type(0xffff), Type(0x80000000))
	}
	b := r.body(t)
	if r.IntN(60) == 0 && wellFormed(t) {
		b = pick(r, b+"\x00", b+"more", strings.TrimSuffix(b, "\x00"), "")
	}
	r.n++
	h := Header{t, r.n, pick(r, 0, 0, 0, 0, 1, 1, 2, 3, uint32(r.IntN(20))), uint32(len(b))}
	if r.IntN(3000) == 0 {
		h.Len = pick(r, uint32(4097), 0xffffffff)
	}
	w := h.bytes()
	return append(w[:], b...)
}

// wellFormed: xenstored answers a request of the other types that is not one
// string with whatever errno something else has left.
func wellFormed(t Type) bool {
	switch t {
	case Read, Directory, GetPerms, Mkdir, Rm:
		return false
	}
	return true
}

// steps of a run: requests come in pieces, several at a time, and the answers
// are taken sooner or later.
func (w *twin) steps(r *requests, n int) {
	var rest []byte
	for range n {
		for range 1 + r.IntN(3) {
			if len(rest) == 0 {
				rest = r.message()
				w.log = append(w.log, fmt.Sprintf("%+v %.100q", parseHeader(rest), rest[HeaderSize:]))
			}
			if rest = w.put(rest); len(rest) > 0 {
				break
			}
		}
		if r.IntN(40) == 0 {
			w.tools(r) // at which the daemon looks at the ring, too
		} else if !r.flood && r.IntN(2000) == 0 {
			w.set(pick(r, ReqProd, ReqCons, RspCons, RspProd), r.Uint32())
		}
		if !w.serve() {
			return
		}
		if r.IntN(4) != 0 {
			w.take(pick(r, uint32(r.IntN(50)), RingSize, RingSize, RingSize))
		}
	}
}

// tools does something that domain 0 does.
func (w *twin) tools(r *requests) {
	path := "/local/domain/1/" + pick(r, "control/shutdown", "data/a", "control/sysrq", "device/x", "memory/target", "device/x/state")
	switch r.IntN(3) {
	case 0:
		v := r.value()
		w.log = append(w.log, fmt.Sprintf("domain 0 writes %s %.40q", path, v))
		w.s.Tools().Write(path, v)
		w.d.write(path, v)
	case 1:
		w.log = append(w.log, "domain 0 removes "+path)
		w.s.Tools().Remove(path)
		w.d.tool(Rm, path+"\x00")
	case 2:
		p := []Perm{{Domain: uint32(r.IntN(2))}, {Domain: 1, Access: Access(r.IntN(4))}}
		w.log = append(w.log, fmt.Sprintf("domain 0 gives %s %v", path, p))
		w.s.Tools().SetPerms(path, p...)
		w.d.perms(path, p...)
	}
}

// TestAsXenstored: whatever a domain says, answers, events, indices and error
// word are those of C xenstored, byte for byte.
func TestAsXenstored(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newTwin(t)
			w.steps(&requests{Rand: rand.New(rand.NewPCG(uint64(seed), 1))}, 300)
		})
	}
}

// flooding are requests that fill the store, many of them in transactions.
func (r *requests) flooding() []byte {
	t := pick(r, Write, Write, Write, Write, Write, Write, Mkdir, Watch, Read, TransactionStart, TransactionEnd, Rm)
	b := r.body(t)
	switch {
	case t == Rm && r.IntN(20) != 0:
		t = Read
	case t == TransactionEnd && r.IntN(4) != 0:
		t, b = Directory, "data\x00"
	case t == Watch && r.IntN(2) == 0:
		b = "data\x00" + r.token() + "\x00"
	}
	r.n++
	w := Header{t, r.n, pick(r, 0, 0, uint32(r.IntN(12)), uint32(r.IntN(int(r.n/40+2)))), uint32(len(b))}.bytes()
	return append(w[:], b...)
}

// TestQuotasAsXenstored: the same with a store that is filled up.
func TestQuotasAsXenstored(t *testing.T) {
	for seed := range 3 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newTwin(t)
			r := &requests{Rand: rand.New(rand.NewPCG(uint64(seed), 2)), flood: true}
			w.steps(r, 8000)
			t.Logf("%d nodes, %d bytes, %d watches, %d transactions", w.s.entries, w.s.memory, len(w.s.watches), len(w.s.txs))
		})
	}
}
