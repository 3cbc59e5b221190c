package xenstore

import (
	"slices"
	"strings"
)

// client is who makes a request: the connected domain or the tools of domain
// 0, in a transaction or not.
type client struct {
	tools bool
	tx    *transaction
	req   uint64 // the request under way, for the events it causes
}

func (s *Server) access(c *client, n *node) Access {
	if c.tools {
		return CanRead | CanWrite | owner
	}
	return access(s.domain, n.perms)
}

// lookup finds a record as the client sees it.
func (s *Server) lookup(c *client, path string) *node {
	if c.tx != nil {
		if a := c.tx.find(path); a != nil {
			return a.node
		}
	}
	return s.nodes[path]
}

// read fetches a node; a transaction remembers that it did.
func (s *Server) read(c *client, path string) (*node, Errno) {
	n := s.lookup(c, path)
	if err := s.noteRead(c, path, n); err != ok {
		return nil, err
	}
	if n == nil {
		return nil, ENOENT
	}
	return n, ok
}

// get fetches a node with a right to it. What must not be seen at all gives
// EACCES, as the nearest ancestor that exists has it.
func (s *Server) get(c *client, path string, want Access) (*node, Errno) {
	if !validPath(path) {
		return nil, EINVAL
	}
	n, err := s.read(c, path)
	switch {
	case err == ENOSPC:
		return nil, err
	case err == ok && s.access(c, n)&want == want:
		return n, ok
	case err == ok:
		err = EACCES
	}
	for up := path; ; {
		up = parentPath(up)
		a, e := s.read(c, up)
		switch {
		case e == ENOSPC:
			return nil, e
		case e == ok && s.access(c, a)&want != 0:
			return nil, err
		case e == ok || up == "/":
			return nil, EACCES
		}
	}
}

// charge counts a change of what is stored against the domain's memory.
func (s *Server) charge(n *node, key int, sign int, domain bool) {
	if n != nil && domain {
		s.memory += sign * (n.size() + key)
	}
}

// put stores a node in place of the old one. The new one must be the caller's
// own.
func (s *Server) put(c *client, path string, n *node, free bool) Errno {
	s.generation++
	n.generation = s.generation
	var a *accessed
	if c.tx != nil {
		var err Errno
		if a, err = s.noteWrite(c, path); err != ok {
			return err
		}
	}
	err := s.store(c, path, n, a, free)
	if err != ok && c.tx != nil {
		c.tx.fail = true
	}
	return err
}

func (s *Server) store(c *client, path string, n *node, a *accessed, free bool) Errno {
	if !free && !c.tools && n.size() >= quotaEntrySize {
		return ENOSPC
	}
	old, key, mine, was := s.nodes[path], len(path), n.perms[0].Domain == s.domain, false
	if a != nil { // records of a transaction are its client's
		old, key = a.node, len(path)+c.tx.keyPrefix()
		mine, was = !c.tools, !c.tools
	} else if old != nil {
		was = old.perms[0].Domain == s.domain
	}
	before := s.memory
	s.charge(old, key, -1, was)
	s.charge(n, key, 1, mine)
	if mine && !free && !s.ignored && s.memory >= quotaMemory {
		s.memory = before
		return EIO
	}
	if a != nil {
		a.node = n
	} else {
		s.nodes[path] = n
	}
	return ok
}

// drop removes a record.
func (s *Server) drop(c *client, path string) Errno {
	s.generation++
	if c.tx != nil {
		a, err := s.noteWrite(c, path)
		if err != ok {
			return err
		}
		s.charge(a.node, len(path)+c.tx.keyPrefix(), -1, !c.tools)
		a.node = nil
		return ok
	}
	n := s.nodes[path]
	s.charge(n, len(path), -1, n.perms[0].Domain == s.domain)
	delete(s.nodes, path)
	return ok
}

// count notes n more nodes of an owner.
func (s *Server) count(c *client, domain uint32, n int) {
	switch {
	case domain != s.domain:
	case c.tx != nil:
		c.tx.entries += n
		c.tx.counted = true
	default:
		s.entries += n
	}
}

// create makes a node and those above it that are missing. Each has the
// permissions of the one above; a domain owns what it makes.
func (s *Server) create(c *client, path, data string) (*node, Errno) {
	var missing []string // from path upwards
	var parent *node
	for up := path; parent == nil; {
		missing = append(missing, up)
		up = parentPath(up)
		var err Errno
		if parent, err = s.read(c, up); parent == nil && (err != ENOENT || up == "/") {
			return nil, err
		}
	}
	if c.tx != nil {
		c.tx.created = true
	}
	top := *parent
	top.children += baseName(missing[len(missing)-1]) + "\x00"
	made := make([]*node, len(missing))
	perms := parent.perms
	for i := len(missing) - 1; i >= 0; i-- {
		n := &node{perms: slices.Clone(perms)}
		if !c.tools {
			n.perms[0].Domain = s.domain
		}
		if i > 0 {
			n.children = baseName(missing[i-1]) + "\x00"
		}
		made[i], perms = n, n.perms
	}
	made[0].data = data
	for i, n := range made {
		err := ENOSPC
		if c.tools || s.entries < quotaEntries {
			err = s.put(c, missing[i], n, false)
		}
		if err != ok {
			s.undo(c, missing[:i], made)
			return nil, err
		}
		s.count(c, n.perms[0].Domain, 1)
	}
	if err := s.put(c, parentPath(missing[len(missing)-1]), &top, false); err != ok {
		s.undo(c, missing, made)
		return nil, err
	}
	return made[0], ok
}

// undo takes back the nodes of a creation that failed; a transaction cannot
// be mended and fails.
func (s *Server) undo(c *client, paths []string, made []*node) {
	for i, path := range paths {
		if c.tx != nil {
			c.tx.fail = true
			if a := c.tx.find(path); a != nil {
				s.charge(a.node, len(path)+c.tx.keyPrefix(), -1, !c.tools)
				a.node = nil
			}
		} else {
			s.charge(made[i], len(path), -1, made[i].perms[0].Domain == s.domain)
			delete(s.nodes, path)
		}
		s.count(c, made[i].perms[0].Domain, -1)
	}
}

// remove deletes a node and all below it, leaves first, with an event for
// each; the parent's list is written again for each.
func (s *Server) remove(c *client, path string) Errno {
	if _, err := s.read(c, parentPath(path)); err != ok {
		if err == ENOSPC {
			return err
		}
		return EINVAL
	}
	if err := s.removeBelow(c, path, path); err != ok {
		return err
	}
	return s.unlink(c, path)
}

func (s *Server) removeBelow(c *client, path, root string) Errno {
	for {
		n, err := s.read(c, path)
		if err != ok {
			return EIO
		}
		name, _, more := strings.Cut(n.children, "\x00")
		if !more {
			if err := s.drop(c, path); err != ok {
				return err
			}
			s.fire(c, path, n, path != root, nil)
			s.count(c, n.perms[0].Domain, -1)
			return ok
		}
		child := childPath(path, name)
		if err := s.removeBelow(c, child, root); err != ok {
			return err
		}
		if err := s.unlink(c, child); err != ok {
			return err
		}
	}
}

// unlink takes a name out of its parent's list.
func (s *Server) unlink(c *client, path string) Errno {
	up := parentPath(path)
	n, err := s.read(c, up)
	if err != ok {
		return EIO
	}
	with := *n
	var found bool
	if with.children, found = without(n.children, baseName(path)); !found {
		return EIO
	}
	if s.put(c, up, &with, true) != ok {
		return EIO
	}
	return ok
}
