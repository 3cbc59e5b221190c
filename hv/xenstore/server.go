package xenstore

import (
	"cmp"
	"slices"
)

const noDeadline = ^uint64(0)

// Server is the store and the daemon, with the connection of one domain.
type Server struct {
	domain uint32
	now    func() uint64
	nodes  map[string]*node
	queued map[string]int // events that wait, by their body
	guest  client
	counters
	watches []watch
	txs     []*transaction
	out     []message
	causes  []cause
	in      input

	saved *State // of the present state, nil when something has changed
}

// counters are the plain part of the state.
type counters struct {
	generation   uint64 // of changes, over the whole store
	requests     uint64 // handled so far
	nextTx       uint32
	entries      int // nodes that the domain owns
	memory       int // bytes it is charged with
	outstanding  int // requests that are not done with
	ignored      bool
	nextDeadline uint64
}

// New is an empty store for a domain. Now is the time in ns.
func New(domain uint32, now func() uint64) *Server {
	s := &Server{domain: domain, now: now, nodes: map[string]*node{}, queued: map[string]int{}}
	s.nextDeadline = noDeadline
	s.nodes["/"] = &node{perms: []Perm{{}}, children: "tool\x00"}
	s.nodes["/tool"] = &node{perms: []Perm{{}}, children: "xenstored\x00"}
	s.nodes["/tool/xenstored"] = &node{perms: []Perm{{}}}
	s.generation = 3
	return s
}

// Tools are what domain 0 may do.
type Tools struct{ s *Server }

// Tools gives access as domain 0 has it. Events of what it changes are in the
// ring after the next Serve.
func (s *Server) Tools() Tools { return Tools{s} }

// Write sets a node's value, making it and what is missing above it.
func (t Tools) Write(path, data string) Errno {
	t.s.saved = nil
	return t.s.writeValue(&client{tools: true}, path, data)
}

// SetPerms sets a node's permissions; the first names the owner.
func (t Tools) SetPerms(path string, perms ...Perm) Errno {
	t.s.saved = nil
	c := &client{tools: true}
	n, err := t.s.get(c, path, CanWrite)
	if err != ok {
		return err
	}
	return t.s.changePerms(c, path, n, slices.Clone(perms))
}

// Remove deletes a node with all below it.
func (t Tools) Remove(path string) Errno {
	t.s.saved = nil
	c := &client{tools: true}
	if _, err := t.s.get(c, path, CanWrite); err != ok {
		return err
	}
	return t.s.remove(c, path)
}

// Read returns a node's value.
func (t Tools) Read(path string) (string, Errno) {
	n, err := t.s.get(&client{tools: true}, path, CanRead)
	if err != ok {
		return "", err
	}
	return n.data, ok
}

// State is everything that a Server has to remember. It does not change.
type State struct {
	counters
	nodes   []record
	watches []watch
	txs     []savedTransaction
	out     []message
	causes  []cause
	in      input
}

type record struct {
	path string
	node *node
}

type savedTransaction struct {
	id            uint32
	generation    uint64
	order         []accessed
	entries       int
	counted       bool
	created, fail bool
}

// Save returns the state; it is made once for each change.
func (s *Server) Save() *State {
	if s.saved != nil {
		return s.saved
	}
	st := &State{counters: s.counters, watches: slices.Clone(s.watches), out: slices.Clone(s.out),
		causes: slices.Clone(s.causes), in: s.in}
	st.in.body = slices.Clone(s.in.body)
	for path, n := range s.nodes {
		st.nodes = append(st.nodes, record{path, n})
	}
	slices.SortFunc(st.nodes, func(a, b record) int { return cmp.Compare(a.path, b.path) })
	for _, t := range s.txs {
		st.txs = append(st.txs, t.save())
	}
	s.saved = st
	return st
}

// Load goes back to a saved state.
func (s *Server) Load(st *State) {
	s.counters = st.counters
	s.watches, s.out, s.causes = slices.Clone(st.watches), slices.Clone(st.out), slices.Clone(st.causes)
	s.in = st.in
	s.in.body = slices.Clone(st.in.body)
	s.nodes = make(map[string]*node, len(st.nodes))
	for _, r := range st.nodes {
		s.nodes[r.path] = r.node
	}
	s.txs = nil
	for i := range st.txs {
		s.txs = append(s.txs, st.txs[i].restore())
	}
	clear(s.queued)
	for i := range s.out {
		if s.out[i].event {
			s.queued[s.out[i].body]++
		}
	}
	s.guest = client{}
	s.saved = st
}

func (t *transaction) save() savedTransaction {
	v := savedTransaction{id: t.id, generation: t.generation, entries: t.entries, counted: t.counted,
		created: t.created, fail: t.fail, order: make([]accessed, len(t.order))}
	for i, a := range t.order {
		v.order[i] = *a
	}
	return v
}

func (v *savedTransaction) restore() *transaction {
	t := &transaction{id: v.id, generation: v.generation, entries: v.entries, counted: v.counted,
		created: v.created, fail: v.fail, index: map[string]*accessed{}}
	for _, a := range v.order {
		t.order = append(t.order, &a)
		t.index[a.path] = &a
	}
	return t
}
