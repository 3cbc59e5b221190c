package xenstore

import (
	"slices"
	"strings"
)

// watch is a wish to hear of changes at or below a path.
type watch struct {
	path     string // absolute, or a special name with @
	token    string
	relative bool // it was given relative to the domain's own path
}

// shown is how an event of the watch names a path.
func (s *Server) shown(w *watch, path string) string {
	if !w.relative {
		return path
	}
	return strings.TrimPrefix(path[len(s.home()):], "/")
}

// fire sends the events of a change; in a transaction they wait for its end.
// Without exact, a watch hears of everything below its path. A watcher hears of
// a node that it, or its parent, lets it read, or did before (old).
func (s *Server) fire(c *client, path string, n *node, exact bool, old []Perm) {
	if c.tx != nil {
		a := c.tx.find(path)
		switch {
		case a == nil:
			c.tx.fail = true
		case !a.fire:
			a.fire, a.exact = true, exact
		case !exact:
			a.exact = false
		}
		return
	}
	if len(s.watches) == 0 || !s.heard(path, n, old) {
		return
	}
	for i := range s.watches {
		w := &s.watches[i]
		if exact && path == w.path || !exact && isChild(path, w.path) {
			s.event(c.req, s.shown(w, path), w.token)
		}
	}
}

func (s *Server) heard(path string, n *node, old []Perm) bool {
	if strings.HasPrefix(path, "@") {
		p := s.special(path)
		return p != nil && access(s.domain, p)&CanRead != 0
	}
	if old != nil && access(s.domain, old)&CanRead != 0 {
		return true
	}
	if n == nil {
		if n = s.nodes[path]; n == nil {
			return false
		}
	}
	if access(s.domain, n.perms)&CanRead != 0 {
		return true
	}
	up := s.nodes[parentPath(path)]
	return up != nil && access(s.domain, up.perms)&CanRead != 0
}

// special is the permissions of a name that is no node: nobody but domain 0
// hears of domains that come and go.
func (s *Server) special(name string) []Perm {
	if name == "@releaseDomain" || name == "@introduceDomain" {
		return []Perm{{Domain: 0}}
	}
	return nil
}

func (s *Server) findWatch(path, token string) int {
	return slices.IndexFunc(s.watches, func(w watch) bool { return w.path == path && w.token == token })
}

// setWatch registers a watch; its first event comes at once, after the answer.
func (s *Server) setWatch(c *client, in *request) Errno {
	arg := in.strings()
	if len(arg) != 2 {
		return EINVAL
	}
	w := watch{path: arg[0], token: arg[1]}
	if strings.HasPrefix(w.path, "@") {
		if len(w.path) > relPathMax {
			return EINVAL
		}
	} else {
		w.relative = !strings.HasPrefix(w.path, "/")
		if w.path = s.canonical(w.path); !validPath(w.path) {
			return EINVAL
		}
	}
	if s.findWatch(w.path, w.token) >= 0 {
		return EEXIST
	}
	if len(s.watches) > quotaWatches {
		return E2BIG
	}
	if s.memory+len(w.path)+len(w.token) >= quotaMemory {
		return ENOMEM
	}
	s.memory += len(w.path) + len(w.token)
	s.watches = append(s.watches, w)
	s.ack(in)
	s.event(0, s.shown(&w, w.path), w.token)
	return ok
}

func (s *Server) unsetWatch(c *client, in *request) Errno {
	arg := in.strings()
	if len(arg) != 2 {
		return EINVAL
	}
	i := s.findWatch(s.canonical(arg[0]), arg[1])
	if i < 0 {
		return ENOENT
	}
	s.memory -= len(s.watches[i].path) + len(s.watches[i].token)
	s.watches = slices.Delete(s.watches, i, i+1)
	s.ack(in)
	return ok
}

// forget drops all watches and transactions.
func (s *Server) forget() {
	for _, w := range s.watches {
		s.memory -= len(w.path) + len(w.token)
	}
	s.watches = nil
	for len(s.txs) > 0 {
		s.end(s.txs[0])
	}
}
