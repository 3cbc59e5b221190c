package hypercall

import (
	"slices"
	"strings"

	"pvlab/hypercall/abi"
)

// hypfs_op is hypercall 42: a tree of values, read and written by path: command,
// path, its length with the NUL, buffer, its size (C/hypfs.c:do_hypfs_op).
func hypfsOps() Ops {
	return Ops{inArg, mask32, []SubOp{
		{0, "XEN_HYPFS_OP_get_version", Full, Denied, "", hypfsVersion},
		{1, "XEN_HYPFS_OP_read", Partial, Denied, "/buildinfo/config is loud", hypfsRead},
		{2, "XEN_HYPFS_OP_write_contents", Partial, Denied, "arguments are checked; a new parameter is loud", hypfsWrite},
	}}
}

func hypfsOp(c *Caller) (uint64, error) {
	switch cmd := c.cmd32(0); {
	case !c.D.Privileged:
		return ret(abi.EPERM)
	case cmd > 2: // after the path
		if _, err := c.hypfsNode(); err != 0 {
			return ret(err)
		}
		return ret(abi.EOPNOTSUPP)
	default:
		return c.operation(cmd, abi.EOPNOTSUPP)
	}
}

func hypfsVersion(c *Caller) (uint64, error) {
	if c.args[1]|c.args[2]|c.args[3]|c.args[4] != 0 {
		return ret(abi.EINVAL)
	}
	return value(1)
}

// node is one entry of the tree: a directory if it has no kind.
type node struct {
	name  string
	kind  uint8
	text  string // its content
	write uint32 // most bytes that can be written, 0 = it is read only
	list  []node
	pool  bool // of a CPU pool, named by its number
}

// Kinds of entries (Xen public hypfs.h). A string ends with a NUL.
const (
	hypfsDir    = 0
	hypfsString = 2
	hypfsUint   = 3
	hypfsBool   = 5
	hypfsGzip   = 0x100 // in this table: the content is compressed
	headSize    = 12
	nameAt      = headSize + 2
	configSize  = 977 // of the packaged Xen's configuration
)

func str(name, text string) node { return node{name: name, kind: hypfsString, text: text + "\x00"} }

func param(name, text string, most uint32) node {
	return node{name: name, kind: hypfsString, text: text + "\x00", write: most}
}

// hypfsTree has the entries of each directory in order of their names. The
// parameters are those of the judged Xen's command line.
func (c *Caller) hypfsTree() node {
	v := &c.D.Version
	number := func(name string, n uint16) node {
		return node{name: name, kind: hypfsUint, text: string([]byte{byte(n), byte(n >> 8), 0, 0})}
	}
	return node{list: []node{
		{name: "buildinfo", list: []node{
			str("changeset", v.Changeset),
			{name: "compileinfo", list: []node{str("compile_by", v.CompileBy), str("compile_date", v.CompileDate),
				str("compile_domain", v.CompileDom), str("compiler", v.Compiler)}},
			{name: configNode, kind: hypfsString, text: strings.Repeat("\x00", configSize)},
			{name: "version", list: []node{str("extra", v.Extra), number("major", v.Major), number("minor", v.Minor)}},
		}},
		{name: "cpupool", list: []node{{name: "0", pool: true, list: []node{param(granNode, "cpu", 8)}}}},
		{name: "params", list: []node{
			param("console_timestamps", "none", 7), param("conswitch", "a", 3), param("crash-debug-debugkey", "", 32),
			param("crash-debug-hwdom", "", 32), param("crash-debug-kexeccmd", "", 32), param("crash-debug-panic", "", 32),
			param("crash-debug-watchdog", "", 32), param("ept", "", 10), {name: "global-pages", kind: hypfsBool, text: "\x01", write: 1},
			param("gnttab_max_frames", "64", 12), param("gnttab_max_maptrack_frames", "1024", 12),
			param("guest_loglvl", "all/all", 16), param("loglvl", "all/all", 16), param("pcid", "xpti", 7),
		}},
	}}
}

// Entries that are treated apart.
const (
	configNode = "config"
	granNode   = "sched-gran"
)

func (n *node) size() int {
	if n.kind != hypfsDir {
		return len(n.text)
	}
	total := 0
	for i := range n.list {
		total += n.list[i].listed()
	}
	return total
}

// listed is how much room an entry takes in its directory's list.
func (n *node) listed() int {
	if n.pool {
		return nameAt + 8
	}
	return nameAt + (len(n.name)+1+3)&^3
}

// head is {type u8, encoding u8, pad u16, content_len u32, max_write_len u32}.
func (n *node) head(b []byte) {
	b[0] = n.kind
	if n.name == configNode {
		b[1] = 1 // compressed
	}
	le.PutUint32(b[4:], uint32(n.size()))
	le.PutUint32(b[8:], n.write)
}

// content is the entry's bytes; of a directory a list of {head, offset of the
// next u16, name}, each padded to four bytes.
func (n *node) content() []byte {
	if n.kind != hypfsDir {
		return []byte(n.text)
	}
	var b []byte
	for i := range n.list {
		e := &n.list[i]
		one := make([]byte, e.listed())
		e.head(one)
		if i != len(n.list)-1 {
			le.PutUint16(one[headSize:], uint16(len(one)))
		}
		copy(one[nameAt:], e.name)
		b = append(b, one...)
	}
	return b
}

// hypfsNode finds the entry of the path in the arguments.
func (c *Caller) hypfsNode() (*node, abi.Errno) {
	const maxPath = 1024
	path, n := c.args[1], c.args[2]
	if n > maxPath {
		return nil, abi.EINVAL
	}
	b := make([]byte, n)
	if !c.copyIn(path, b) {
		return nil, abi.EFAULT
	}
	if n == 0 || slices.Index(b, 0) != int(n)-1 || b[0] != '/' {
		return nil, abi.EINVAL
	}
	root := c.hypfsTree()
	at := &root
	for rest := string(b[1 : n-1]); rest != ""; {
		name, below, dir := strings.Cut(rest, "/")
		rest = below
		i := slices.IndexFunc(at.list, func(e node) bool { return e.name == name })
		if i < 0 {
			return nil, abi.ENOENT
		}
		if at = &at.list[i]; dir && at.kind != hypfsDir {
			return nil, abi.ENOENT
		}
	}
	return at, 0
}

func hypfsRead(c *Caller) (uint64, error) {
	n, err := c.hypfsNode()
	if err != 0 {
		return ret(err)
	}
	buf, room := c.args[3], c.args[4]
	var head [headSize]byte
	n.head(head[:])
	switch {
	case room < headSize:
		return ret(abi.EINVAL)
	case !c.copyOut(buf, head[:]):
		return ret(abi.EFAULT)
	case room < uint64(n.size()+headSize):
		return ret(abi.ENOBUFS)
	case n.name == configNode:
		return c.loud("/buildinfo/config")
	}
	return c.give(buf+headSize, n.content())
}

// hypfsWrite checks what would be written: parameters have up to 128 bytes
// whatever they say, other values what they say.
func hypfsWrite(c *Caller) (uint64, error) {
	const paramRoom = 128
	n, err := c.hypfsNode()
	if err != 0 {
		return ret(err)
	}
	room, isPool := uint64(uint32(c.args[4])), n.name == granNode
	switch {
	case n.write == 0:
		return ret(abi.EACCES)
	case n.kind == hypfsBool && room != uint64(n.write):
		return ret(abi.EDOM)
	case isPool && room > uint64(n.write), room > paramRoom:
		return ret(abi.ENOSPC)
	}
	b := make([]byte, room)
	if !c.copyIn(c.args[3], b) {
		return ret(abi.EFAULT)
	}
	ended := room != 0 && slices.Index(b, 0) == int(room)-1
	switch {
	case isPool && ended && slices.Contains([]string{"cpu", "core", "socket"}, string(b[:room-1])):
		return ret(abi.EBUSY) // the pool has processors
	case isPool:
		return ret(abi.EINVAL)
	case n.kind == hypfsString && !ended:
		return ret(abi.EDOM)
	}
	return c.loud(n.name)
}
