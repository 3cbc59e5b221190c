package xenstore

import (
	"strconv"
	"strings"
)

// request is a message of the domain's, whole.
type request struct {
	header   Header
	body     string
	answered bool
}

// strings are the NUL-terminated strings of the body. What is behind the last
// NUL belongs to none.
func (in *request) strings() []string {
	all := strings.Split(in.body, "\x00")
	return all[:len(all)-1]
}

// one is the body where it is exactly one string.
func (in *request) one() (string, bool) {
	if n := strings.IndexByte(in.body, 0); n >= 0 && n == len(in.body)-1 {
		return in.body[:n], true
	}
	return "", false
}

// operation is a row of the table of requests.
type operation struct {
	run   func(*Server, *client, *request) Errno
	noTx  bool // the transaction id does not count
	tools bool // refused to a domain
}

// operations by type (T/xenstored_core.c:wire_funcs). Those without a function
// are unknown.
var operations = [...]operation{
	Control:            {tools: true},
	Directory:          {run: (*Server).directory},
	Read:               {run: (*Server).readValue},
	GetPerms:           {run: (*Server).getPerms},
	Watch:              {run: (*Server).setWatch, noTx: true},
	Unwatch:            {run: (*Server).unsetWatch, noTx: true},
	TransactionStart:   {run: (*Server).startTransaction},
	TransactionEnd:     {run: (*Server).endTransaction},
	Introduce:          {tools: true},
	Release:            {tools: true},
	GetDomainPath:      {run: (*Server).domainPath},
	Write:              {run: (*Server).write},
	Mkdir:              {run: (*Server).mkdir},
	Rm:                 {run: (*Server).rm},
	SetPerms:           {run: (*Server).setPerms},
	IsDomainIntroduced: {tools: true},
	Resume:             {tools: true},
	SetTarget:          {tools: true},
	ResetWatches:       {run: (*Server).resetWatches},
	DirectoryPart:      {run: (*Server).directoryPart},
}

// handle does one request of the domain's and queues its answer.
func (s *Server) handle(in *request) {
	s.requests++
	c := &s.guest
	c.req, c.tx = s.requests, nil
	if err := s.perform(c, in); err != ok {
		s.answer(in, Error, string(err)+"\x00")
	}
	c.tx = nil
}

func (s *Server) perform(c *client, in *request) Errno {
	if in.header.Type >= Type(len(operations)) {
		return ENOSYS
	}
	op := &operations[in.header.Type]
	switch {
	case op.tools:
		return EACCES
	case op.run == nil:
		return ENOSYS
	}
	if !op.noTx && in.header.Tx != 0 {
		if c.tx = s.transaction(in.header.Tx); c.tx == nil {
			return ENOENT
		}
	}
	return op.run(s, c, in)
}

// home is the domain's own directory, to which relative paths belong.
func (s *Server) home() string { return "/local/domain/" + strconv.FormatUint(uint64(s.domain), 10) }

func (s *Server) canonical(path string) string {
	if strings.HasPrefix(path, "/") || strings.HasPrefix(path, "@") {
		return path
	}
	return s.home() + "/" + path
}

// getOne fetches the node that is the request's only argument.
func (s *Server) getOne(c *client, in *request, want Access) (path string, n *node, err Errno) {
	arg, good := in.one()
	if !good {
		return "", nil, EINVAL
	}
	path = s.canonical(arg)
	n, err = s.get(c, path, want)
	return path, n, err
}

func (s *Server) directory(c *client, in *request) Errno {
	_, n, err := s.getOne(c, in, CanRead)
	if err == ok {
		s.answer(in, Directory, n.children)
	}
	return err
}

// directoryPart answers with the node's generation and names from an offset
// on, and an empty name at the end of the list.
func (s *Server) directoryPart(c *client, in *request) Errno {
	arg := in.strings()
	if len(arg) != 2 {
		return EINVAL
	}
	n, err := s.get(c, s.canonical(arg[0]), CanRead)
	if err != ok {
		return err
	}
	from := atoi(arg[1])
	body := strconv.FormatUint(n.generation, 10) + "\x00"
	if uint64(from) >= uint64(len(n.children)) {
		s.answer(in, DirectoryPart, body+"\x00")
		return ok
	}
	rest, room := n.children[from:], PayloadMax-len(body)-1
	for rest != "" {
		name, _, _ := strings.Cut(rest, "\x00")
		if len(name) >= room {
			break
		}
		room -= len(name) + 1
		body += name + "\x00"
		rest = rest[len(name)+1:]
	}
	if rest == "" {
		body += "\x00"
	}
	s.answer(in, DirectoryPart, body)
	return ok
}

func (s *Server) readValue(c *client, in *request) Errno {
	_, n, err := s.getOne(c, in, CanRead)
	if err == ok {
		s.answer(in, Read, n.data)
	}
	return err
}

func (s *Server) getPerms(c *client, in *request) Errno {
	_, n, err := s.getOne(c, in, CanRead)
	if err != ok {
		return err
	}
	var b strings.Builder
	for _, p := range n.perms {
		b.WriteString(p.String())
		b.WriteByte(0)
	}
	s.answer(in, GetPerms, b.String())
	return ok
}

// write is {path, data}: data goes to the end of the message.
func (s *Server) write(c *client, in *request) Errno {
	path, data, found := strings.Cut(in.body, "\x00")
	if !found {
		return EINVAL
	}
	if err := s.writeValue(c, s.canonical(path), data); err != ok {
		return err
	}
	s.ack(in)
	return ok
}

func (s *Server) writeValue(c *client, path, data string) Errno {
	old, err := s.get(c, path, CanWrite)
	var n *node
	switch err {
	case ok:
		changed := *old
		n = &changed
		n.data = data
		err = s.put(c, path, n, false)
	case ENOENT:
		n, err = s.create(c, path, data)
	}
	if err == ok {
		s.fire(c, path, n, false, nil)
	}
	return err
}

func (s *Server) mkdir(c *client, in *request) Errno {
	path, _, err := s.getOne(c, in, CanWrite)
	if err == ENOENT {
		var n *node
		if n, err = s.create(c, path, ""); err == ok {
			s.fire(c, path, n, false, nil)
		}
	}
	if err == ok {
		s.ack(in)
	}
	return err
}

// rm of what is not there is fine if its parent is.
func (s *Server) rm(c *client, in *request) Errno {
	path, _, err := s.getOne(c, in, CanWrite)
	switch {
	case err == ENOENT:
		if _, e := s.read(c, parentPath(path)); e != ok {
			if e == ENOSPC {
				return e
			}
			return ENOENT
		}
	case err != ok:
		return err
	case path == "/":
		return EINVAL
	default:
		if err := s.remove(c, path); err != ok {
			return err
		}
	}
	s.ack(in)
	return ok
}

// setPerms is {path, permission...}; the first names the owner, which a domain
// may not change.
func (s *Server) setPerms(c *client, in *request) Errno {
	arg := in.strings()
	switch {
	case len(arg) < 2:
		return EINVAL
	case len(arg)-1 > quotaPerms:
		return ENOSPC
	}
	perms := make([]Perm, len(arg)-1)
	for i, a := range arg[1:] {
		var good bool
		if perms[i], good = parsePerm(a); !good {
			return EINVAL
		}
	}
	if perms[0].Domain != 0 && perms[0].Domain != s.domain {
		return ENOENT // there is no such domain
	}
	if strings.HasPrefix(arg[0], "@") {
		if s.special(arg[0]) == nil {
			return EINVAL
		}
		return EACCES
	}
	path := s.canonical(arg[0])
	n, err := s.get(c, path, CanWrite|owner)
	switch {
	case err != ok:
		return err
	case perms[0].Domain != n.perms[0].Domain:
		return EPERM
	}
	if err := s.changePerms(c, path, n, perms); err != ok {
		return err
	}
	s.ack(in)
	return ok
}

func (s *Server) changePerms(c *client, path string, old *node, perms []Perm) Errno {
	n := *old
	n.perms = perms
	if err := s.put(c, path, &n, false); err != ok {
		return err
	}
	s.count(c, old.perms[0].Domain, -1)
	s.count(c, perms[0].Domain, 1)
	s.fire(c, path, &n, false, old.perms)
	return ok
}

func (s *Server) startTransaction(c *client, in *request) Errno {
	switch {
	case c.tx != nil:
		return EBUSY
	case len(s.txs) > quotaTransactions:
		return ENOSPC
	}
	t := s.begin()
	s.answer(in, TransactionStart, strconv.FormatUint(uint64(t.id), 10)+"\x00")
	return ok
}

// endTransaction is over with the transaction whatever it answers.
func (s *Server) endTransaction(c *client, in *request) Errno {
	arg, _ := in.one()
	switch {
	case arg != "T" && arg != "F":
		return EINVAL
	case c.tx == nil:
		return ENOENT
	}
	t := c.tx
	c.tx = nil
	err := ok
	if arg == "T" {
		err = s.commit(t)
	}
	s.end(t)
	if err == ok {
		s.ack(in)
	}
	return err
}

func (s *Server) domainPath(_ *client, in *request) Errno {
	arg, good := in.one()
	if !good {
		return EINVAL
	}
	s.answer(in, GetDomainPath, "/local/domain/"+strconv.FormatUint(uint64(atoi(arg)), 10)+"\x00")
	return ok
}

func (s *Server) resetWatches(c *client, in *request) Errno {
	s.forget()
	c.tx = nil
	s.ack(in)
	return ok
}
