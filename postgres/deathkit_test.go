package postgres_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// wire is a connection to PostgreSQL over which a process can die at any point: before the server gets its nth
// statement, or after the server has done its nth round trip and before the answer arrives. It reads the protocol to
// know them; what it does not count passes through.
type wire struct {
	URL string

	mu         sync.Mutex
	armed      bool
	die        point
	statements int  // seen since it was armed
	trips      int  // answered since it was armed
	dead       bool // nothing passes any more, as from a process that is gone
	pings      int  // of the pool's own, under way: they are nobody's step
	open       []net.Conn
	listener   net.Listener
}

// point is where a process dies: before the server gets a statement, or before it hears of a round trip. The zero
// point is nowhere.
type point struct {
	statement int
	trip      int
}

func newWire(t testing.TB, direct string) *wire {
	t.Helper()
	to, err := url.Parse(direct)
	require.NoError(t, err)
	w := &wire{}
	w.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	through := *to
	through.Host = w.listener.Addr().String()
	w.URL = through.String()
	go func() {
		for {
			client, err := w.listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to.Host)
			if err != nil {
				_ = client.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, client, server)
			w.mu.Unlock()
			go w.ask(client, server)
			go w.answer(server, client)
		}
	}()
	t.Cleanup(w.kill)
	return w
}

// arm counts from here on, and dies at the point.
func (w *wire) arm(at point) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.die, w.statements, w.trips = true, at, 0, 0
}

// passed is how many statements and round trips have passed since it was armed.
func (w *wire) passed() (statements, trips int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.statements, w.trips
}

func (w *wire) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	_ = w.listener.Close()
	for _, c := range w.open {
		_ = c.Close()
	}
}

// ask passes on what the client sends, message by message: a type, a length, a body. The first one has no type.
func (w *wire) ask(client, server net.Conn) {
	started := false
	for {
		kind, message, err := readMessage(client, started)
		started = true
		if err != nil || !w.sends(kind, message) {
			w.gone(client, server)
			return
		}
		if _, err := server.Write(message); err != nil {
			w.gone(client, server)
			return
		}
	}
}

// sends counts a statement; false: the process dies before it.
func (w *wire) sends(kind byte, message []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ping := kind == 'Q' && bytes.Contains(message, []byte("-- ping"))
	switch {
	case w.dead:
		return false
	case ping:
		w.pings++
	case w.armed && (kind == 'E' || kind == 'Q'):
		w.statements++
		if w.statements == w.die.statement {
			w.dead = true
			return false
		}
	}
	return true
}

// answer passes on what the server answers, a round trip at a time.
func (w *wire) answer(server, client net.Conn) {
	var trip []byte
	for {
		kind, message, err := readMessage(server, true)
		if err != nil {
			w.gone(client, server)
			return
		}
		trip = append(trip, message...)
		if kind != 'Z' && w.counting() { // ready for query: the round trip is done
			continue
		}
		if !w.answers(kind) {
			w.gone(client, server)
			return
		}
		if _, err := client.Write(trip); err != nil {
			w.gone(client, server)
			return
		}
		trip = nil
	}
}

func (w *wire) counting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.armed
}

// answers counts a round trip; false: the process dies before it hears of it.
func (w *wire) answers(kind byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.dead:
		return false
	case kind == 'Z' && w.pings > 0:
		w.pings--
	case kind == 'Z' && w.armed:
		w.trips++
		if w.trips == w.die.trip {
			w.dead = true
			return false
		}
	}
	return true
}

func (w *wire) gone(conns ...net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
	w.mu.Lock()
	dead := w.dead
	w.mu.Unlock()
	if dead {
		w.kill()
	}
}

func readMessage(from io.Reader, typed bool) (kind byte, message []byte, err error) {
	head := make([]byte, 4, 5)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(from, head); err != nil {
		return 0, nil, err
	}
	if typed {
		kind = head[0]
	}
	body := make([]byte, int(binary.BigEndian.Uint32(head[len(head)-4:]))-4)
	_, err = io.ReadFull(from, body)
	return kind, append(head, body...), err
}
