package xenstore

import (
	"slices"
	"strconv"
)

// transaction is a client's own view of some nodes. It is committed if no
// node that it read has changed since (T/xenstored_transaction.c).
type transaction struct {
	id         uint32
	generation uint64
	order      []*accessed
	index      map[string]*accessed
	entries    int // nodes of the domain made less those removed
	counted    bool
	created    bool
	fail       bool // an operation in it has failed half-way
}

// accessed is a node that a transaction has touched.
type accessed struct {
	path       string
	node       *node  // its content in the transaction, nil if it is not there
	generation uint64 // when it was first read
	perms      []Perm // and its permissions then, nil if it was not there
	check      bool   // it was read before it was written
	modified   bool
	fire       bool // its watches are to fire
	exact      bool
}

func (t *transaction) find(path string) *accessed { return t.index[path] }

// keyPrefix is how much longer the key of a record is in a transaction.
func (t *transaction) keyPrefix() int { return len(strconv.FormatUint(t.generation, 10)) + 1 }

// enter adds a node to those touched.
func (s *Server) enter(c *client, a *accessed) Errno {
	if len(c.tx.order) >= quotaTxNodes && !c.tools {
		c.tx.fail = true
		return ENOSPC
	}
	c.tx.order = append(c.tx.order, a)
	c.tx.index[a.path] = a
	return ok
}

func (s *Server) noteRead(c *client, path string, n *node) Errno {
	if c.tx == nil || c.tx.find(path) != nil {
		return ok
	}
	a := &accessed{path: path, node: n, generation: noGeneration, check: true}
	if n != nil {
		a.generation, a.perms = n.generation, n.perms
	}
	if err := s.enter(c, a); err != ok {
		return err
	}
	s.charge(n, len(path)+c.tx.keyPrefix(), 1, !c.tools)
	return ok
}

func (s *Server) noteWrite(c *client, path string) (*accessed, Errno) {
	a := c.tx.find(path)
	if a == nil {
		a = &accessed{path: path, generation: noGeneration}
		if err := s.enter(c, a); err != ok {
			return nil, err
		}
	}
	a.modified = true
	return a, ok
}

// begin starts a transaction; numbers in use are passed over, and 0.
func (s *Server) begin() *transaction {
	s.generation++
	t := &transaction{generation: s.generation, index: map[string]*accessed{}}
	for {
		t.id = s.nextTx
		s.nextTx++
		if t.id != 0 && s.transaction(t.id) == nil {
			break
		}
	}
	s.txs = append(s.txs, t)
	return t
}

func (s *Server) transaction(id uint32) *transaction {
	for _, t := range s.txs {
		if t.id == id {
			return t
		}
	}
	return nil
}

// end forgets a transaction with what it holds.
func (s *Server) end(t *transaction) {
	s.txs = slices.DeleteFunc(s.txs, func(o *transaction) bool { return o == t })
	for _, a := range t.order {
		s.charge(a.node, len(a.path)+t.keyPrefix(), -1, true)
	}
}

// commit makes what a transaction of the domain's changed visible.
func (s *Server) commit(t *transaction) Errno {
	c := &client{req: s.guest.req}
	switch {
	case t.fail:
		return ENOMEM
	case t.created && t.counted && s.entries+t.entries >= quotaEntries:
		return ENOSPC
	}
	for _, a := range t.order {
		if !a.check {
			continue
		}
		now := uint64(noGeneration)
		if n := s.nodes[a.path]; n != nil {
			now = n.generation
		}
		if now != a.generation {
			return EAGAIN
		}
	}
	for _, a := range t.order {
		if !a.modified {
			continue
		}
		old, key := s.nodes[a.path], len(a.path)
		if old != nil {
			s.charge(old, key, -1, old.perms[0].Domain == s.domain)
		}
		if a.node == nil {
			delete(s.nodes, a.path)
		} else {
			n := *a.node
			s.generation++
			n.generation = s.generation
			s.nodes[a.path] = &n
			s.charge(&n, key, 1, n.perms[0].Domain == s.domain)
		}
		s.charge(a.node, key+t.keyPrefix(), -1, true)
		if a.fire {
			s.fire(c, a.path, nil, a.exact, a.perms)
		}
		a.node = nil
	}
	s.entries += t.entries
	return ok
}
