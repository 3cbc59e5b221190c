package xenstore

import (
	"slices"
	"strings"
)

// message is one that waits for room in the ring.
type message struct {
	header   Header
	body     string
	used     int  // bytes of the header, then of the body, that are in the ring
	inBody   bool // the header is all there
	event    bool
	cause    uint64 // the request that caused the event, 0 for none
	deadline uint64 // of an event, ns
}

func (m *message) size() int { return HeaderSize + len(m.body) }

// input is a message that is coming in.
type input struct {
	header [HeaderSize]byte
	used   int // bytes of the header, then of the body
	inBody bool
	body   []byte
}

// cause counts the events of one request that are still to be sent. The
// request counts as outstanding until they are.
type cause struct {
	request  uint64
	events   int
	answered bool // its answer is in the ring
}

// Serve does all that the daemon can do with the page at this moment: it takes
// requests and gives answers and events until the one is empty or the other
// full. The result says whether the domain is to be told. A domain that breaks
// the protocol is not served any more (T/xenstored_core.c:main,
// ignore_connection).
func (s *Server) Serve(page []byte) (notify bool) {
	if s.ignored {
		return false
	}
	r := &ring{page: page}
	s.saved = nil
	for read, write := true, true; (read || write) && !s.ignored; {
		s.expire()
		if read = s.takes(r); read {
			s.input(r)
		}
		if write = !s.ignored && len(s.out) > 0 && r.hasRoom(); write {
			s.output(r)
		}
	}
	return r.moved
}

// takes reports whether there is something to read, and the domain has not
// too much under way.
func (s *Server) takes(r *ring) bool {
	return r.hasRequests() && s.outstanding < quotaOutstanding && s.memory < quotaMemory
}

// ignore is the end of the connection: nothing is read or written again.
func (s *Server) ignore(r *ring, why uint32) {
	r.set(RingError, why)
	s.ignored = true
	s.forget()
	s.out, s.queued, s.causes, s.in = nil, map[string]int{}, nil, input{}
}

// input reads as much of a message as lies in one piece, header and body, and
// handles it when it is whole.
func (s *Server) input(r *ring) {
	in := &s.in
	if !in.inBody {
		n, good := r.read(in.header[in.used:])
		if !good {
			s.ignore(r, errorRingIndex)
			return
		}
		if in.used += n; in.used != HeaderSize {
			return
		}
		size := parseHeader(in.header[:]).Len
		if size > PayloadMax {
			s.ignore(r, errorProtocol)
			return
		}
		in.inBody, in.used, in.body = true, 0, make([]byte, size)
	}
	n, good := r.read(in.body[in.used:])
	if !good {
		s.ignore(r, errorRingIndex)
		return
	}
	if in.used += n; in.used != len(in.body) {
		return
	}
	q := &request{header: parseHeader(in.header[:]), body: string(in.body)}
	s.in = input{}
	s.handle(q)
}

// output writes what is possible in one piece of the first message, of its
// header and of its body.
func (s *Server) output(r *ring) {
	m := &s.out[0]
	if !m.inBody {
		h := m.header.bytes()
		n, good := r.write(string(h[m.used:]))
		if !good {
			s.ignore(r, errorRingIndex)
			return
		}
		if m.used += n; m.used != HeaderSize {
			return
		}
		m.inBody, m.used = true, 0
	}
	n, good := r.write(m.body[m.used:])
	if !good {
		s.ignore(r, errorRingIndex)
		return
	}
	if m.used += n; m.used == len(m.body) {
		s.sent(m)
		s.out = s.out[1:]
	}
}

// sent forgets a message that has been written, or given up.
func (s *Server) sent(m *message) {
	s.memory -= m.size()
	if !m.event {
		if i := s.causeOf(m.cause); i >= 0 {
			s.causes[i].answered = true
		} else {
			s.outstanding--
		}
		return
	}
	if s.queued[m.body]--; s.queued[m.body] == 0 {
		delete(s.queued, m.body)
	}
	i := s.causeOf(m.cause)
	if i < 0 {
		return
	}
	if s.causes[i].events--; s.causes[i].events == 0 {
		if s.causes[i].answered {
			s.outstanding--
		}
		s.causes = slices.Delete(s.causes, i, i+1)
	}
}

func (s *Server) causeOf(request uint64) int {
	return slices.IndexFunc(s.causes, func(c cause) bool { return c.request == request })
}

// answer queues the answer to a request. One request gets one.
func (s *Server) answer(in *request, t Type, body string) {
	if in.answered {
		return
	}
	if len(body) > PayloadMax {
		s.answer(in, Error, string(E2BIG)+"\x00")
		return
	}
	const short = 16 // for which there is always room
	m := message{header: Header{t, in.header.Req, in.header.Tx, uint32(len(body))}, body: body, cause: s.guest.req}
	if len(body) > short && s.memory+m.size() >= quotaMemory {
		s.answer(in, Error, string(ENOMEM)+"\x00")
		return
	}
	in.answered = true
	s.memory += m.size()
	s.out = append(s.out, m)
	s.outstanding++
}

func (s *Server) ack(in *request) { s.answer(in, in.header.Type, "OK\x00") }

// event queues an event, unless the same one is waiting already. Special names
// are always sent.
func (s *Server) event(request uint64, path, token string) {
	m := message{body: path + "\x00" + token + "\x00", event: true, cause: request}
	m.header = Header{Type: WatchEvent, Len: uint32(len(m.body))}
	again := s.queued[m.body] > 0 && !strings.HasPrefix(path, "@")
	if again || len(m.body) > PayloadMax || s.memory+m.size() >= quotaMemory {
		return
	}
	m.deadline = s.now() + eventTimeout
	s.memory += m.size()
	s.out = append(s.out, m)
	s.queued[m.body]++
	if request != 0 {
		i := s.causeOf(request)
		if i < 0 {
			s.causes = append(s.causes, cause{request: request})
			i = len(s.causes) - 1
		}
		s.causes[i].events++
	}
	s.nextDeadline = min(s.nextDeadline, m.deadline)
}

// expire gives up events that the domain has left in the queue too long. It
// happens when the daemon next looks, not by a timer.
func (s *Server) expire() {
	now := s.now()
	if now < s.nextDeadline {
		return
	}
	s.nextDeadline = noDeadline
	kept := s.out[:0:0]
	for i := range s.out {
		m := &s.out[i]
		begun := m.inBody || m.used != 0
		if m.event && !begun && m.deadline <= now {
			s.sent(m)
			continue
		}
		if m.event && !begun {
			s.nextDeadline = min(s.nextDeadline, m.deadline)
		}
		kept = append(kept, *m)
	}
	s.out = kept
}
