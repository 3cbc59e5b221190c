package xenstore

import (
	"strconv"
	"strings"
)

// Access is what a permission allows.
type Access uint8

// Bits of Access. Owner is what the owner has in addition.
const (
	CanRead  Access = 1
	CanWrite Access = 2
	owner    Access = 8
)

// Perm is one entry of a node's permissions. The first names the owner, who
// may do everything, and what those without an entry may.
type Perm struct {
	Domain uint32
	Access Access
}

func (p Perm) String() string {
	return string("nrwb"[p.Access&(CanRead|CanWrite)]) + strconv.Itoa(int(int32(p.Domain)))
}

// parsePerm reads a letter and a domain number, as strtol does with base 0.
func parsePerm(s string) (p Perm, good bool) {
	if s == "" {
		return p, false
	}
	switch s[0] {
	case 'r':
		p.Access = CanRead
	case 'w':
		p.Access = CanWrite
	case 'b':
		p.Access = CanRead | CanWrite
	case 'n':
	default:
		return p, false
	}
	v, rest := strtol(s[1:], 0)
	p.Domain = uint32(v)
	return p, len(s) > 1 && rest == ""
}

// strtol is C's: it returns the number at the start of s, bounded to 64 bits,
// and what follows it; without a number all of s follows.
func strtol(s string, base int) (v int64, rest string) {
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	sign := ""
	if t != "" && (t[0] == '-' || t[0] == '+') {
		sign, t = t[:1], t[1:]
	}
	hex := len(t) > 2 && t[0] == '0' && t[1]|0x20 == 'x' && digit(t[2]) < 16
	switch {
	case base == 0 && hex:
		base, t = 16, t[2:]
	case base == 0 && strings.HasPrefix(t, "0"):
		base = 8
	case base == 0:
		base = 10
	}
	n := 0
	for n < len(t) && digit(t[n]) < base {
		n++
	}
	if n == 0 {
		return 0, s
	}
	v, _ = strconv.ParseInt(sign+t[:n], base, 64) // out of range: the nearest
	return v, t[n:]
}

func digit(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'z':
		return int(b|0x20-'a') + 10
	}
	return 99
}

// atoi is C's, as used for domain numbers.
func atoi(s string) uint32 {
	v, _ := strtol(s, 10)
	return uint32(v)
}

// node is one name with its value. It is never changed once stored: another
// takes its place.
type node struct {
	generation uint64
	perms      []Perm
	data       string
	children   string // names, each with a NUL behind it, in order of creation
}

// noGeneration is that of a node that is not there.
const noGeneration = ^uint64(0)

// size is what the node counts for in quotas: the record of xenstored's data
// base, a header of 24 bytes, 8 for each permission, data and names.
func (n *node) size() int { return 24 + 8*len(n.perms) + len(n.data) + len(n.children) }

// access is what domain id may do with the node.
func access(id uint32, perms []Perm) Access {
	if perms[0].Domain == id {
		return CanRead | CanWrite | owner
	}
	for _, p := range perms[1:] {
		if p.Domain == id {
			return p.Access
		}
	}
	return perms[0].Access
}

func parentPath(path string) string {
	if i := strings.LastIndexByte(path[1:], '/'); i >= 0 {
		return path[:i+1]
	}
	return "/"
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func childPath(parent, name string) string {
	if parent == "/" {
		return "/" + name
	}
	return parent + "/" + name
}

// without is the list of children less one.
func without(children, name string) (string, bool) {
	at := 0
	for at < len(children) {
		n := strings.IndexByte(children[at:], 0)
		if children[at:at+n] == name {
			return children[:at] + children[at+n+1:], true
		}
		at += n + 1
	}
	return children, false
}

// validPath: absolute, of letters, digits and -/_@, no empty part, no slash at
// the end, and not too long (T/xenstored_core.c:is_valid_nodename).
func validPath(path string) bool {
	if !strings.HasPrefix(path, "/") || path != "/" && strings.HasSuffix(path, "/") || strings.Contains(path, "//") {
		return false
	}
	if len(path) > localPrefix(path)+relPathMax {
		return false
	}
	for i := range len(path) {
		if b := path[i]; digit(b) > 35 && !strings.Contains("-/_@", string(rune(b))) {
			return false
		}
	}
	return true
}

// localPrefix is the length of a leading "/local/domain/ID/", 0 without one;
// ID has up to five characters, a sign included.
func localPrefix(path string) int {
	const local = "/local/domain/"
	rest, found := strings.CutPrefix(path, local)
	if !found {
		return 0
	}
	n := 0
	if strings.HasPrefix(rest, "-") {
		n++
	}
	first := n
	for n < len(rest) && n < 5 && '0' <= rest[n] && rest[n] <= '9' {
		n++
	}
	if n == first || n >= len(rest) || rest[n] != '/' {
		return 0
	}
	return len(local) + n + 1
}

// isChild reports whether path is parent or below it.
func isChild(path, parent string) bool {
	if parent == "/" {
		return true
	}
	rest, below := strings.CutPrefix(path, parent)
	return below && (rest == "" || rest[0] == '/')
}
