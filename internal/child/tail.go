package child

import (
	"bytes"
	"io"
	"sync"
)

// tailSize is enough for the last words of a program that fails to start, in bytes.
const tailSize = 4 << 10

// Tail keeps the end of a child's output, for the error that tells why it ended, and passes everything on.
type Tail struct {
	Next io.Writer // nil drops the output

	mu   sync.Mutex
	kept []byte
}

func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	t.mu.Unlock()
	if t.Next == nil {
		return len(p), nil
	}
	return t.Next.Write(p)
}

// String is the kept end, from the beginning of a line if lines were cut.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.kept
	if len(kept) == tailSize {
		if _, rest, ok := bytes.Cut(kept, []byte("\n")); ok {
			kept = rest
		}
	}
	return string(bytes.TrimSpace(kept))
}
