package judge

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"
)

// qmpClient speaks QEMU's machine protocol over a connected socket.
type qmpClient struct {
	conn net.Conn
	enc  *json.Encoder
	// events has what QEMU told unasked; replies the answers. Both are closed
	// when the connection ends.
	events  chan qmpMessage
	replies chan qmpMessage
}

// qmpMessage is any line that QEMU sends.
type qmpMessage struct {
	Event  string          `json:"event"`
	Data   json.RawMessage `json:"data"`
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
}

// qmpPatience bounds every answer.
const qmpPatience = 5 * time.Second

// newQMP makes the client of our end of a socket pair and leaves the
// negotiation mode, after which QEMU takes commands.
func newQMP(f *os.File) (*qmpClient, error) {
	conn, err := net.FileConn(f) // a copy: f stays ours to close
	if err != nil {
		return nil, fmt.Errorf("judge: QMP: %w", err)
	}
	q := &qmpClient{
		conn: conn, enc: json.NewEncoder(conn),
		events: make(chan qmpMessage, 64), replies: make(chan qmpMessage, 1),
	}
	go q.read()
	if _, err := q.command("qmp_capabilities", nil); err != nil {
		conn.Close()
		return nil, err
	}
	return q, nil
}

func (q *qmpClient) read() {
	defer close(q.events)
	defer close(q.replies)
	dec := json.NewDecoder(q.conn)
	for {
		var m qmpMessage
		if dec.Decode(&m) != nil {
			return
		}
		switch {
		case m.Event != "":
			select {
			case q.events <- m:
			default: // nobody looks; the ones that matter come once
			}
		case m.Return != nil || m.Error != nil:
			q.replies <- m
		}
	}
}

func (q *qmpClient) command(name string, args any) (json.RawMessage, error) {
	cmd := map[string]any{"execute": name}
	if args != nil {
		cmd["arguments"] = args
	}
	if err := q.enc.Encode(cmd); err != nil {
		return nil, fmt.Errorf("judge: QMP %s: %w", name, err)
	}
	select {
	case m, ok := <-q.replies:
		if !ok {
			return nil, fmt.Errorf("judge: QMP %s: QEMU closed the connection", name)
		}
		if m.Error != nil {
			return nil, fmt.Errorf("judge: QMP %s: %s", name, m.Error.Desc)
		}
		return m.Return, nil
	case <-time.After(qmpPatience):
		return nil, fmt.Errorf("judge: QMP %s: no answer", name)
	}
}

// monitor runs a command of the human monitor and returns its text.
func (q *qmpClient) monitor(line string) (string, error) {
	raw, err := q.command("human-monitor-command", map[string]string{"command-line": line})
	if err != nil {
		return "", err
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", fmt.Errorf("judge: QMP %s: %w", line, err)
	}
	return text, nil
}

func (q *qmpClient) close() { q.conn.Close() }
