package replay

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// longestLine is how much of a file is kept while one line of it is read.
const longestLine = 1 << 20

// Incident is one incident of the log: its rows, in the order of the file.
type Incident struct {
	Number string
	Rows   []Row
}

// Log reads a log incident by incident, holding one at a time. The rows of an incident stand
// together in the file.
type Log struct {
	Rows   int // lines read that could be read
	Faults Faults

	lines   *bufio.Scanner
	layout  layout
	line    int
	now     time.Time
	ahead   *Row                // the first row of the next incident
	current string              // the incident whose rows are being read
	seen    map[string]struct{} // the incidents so far
}

// Faults is what could not be read. The count is of lines; the first few problems are kept.
type Faults struct {
	Lines int               `json:"lines"`
	First []*ticket.Problem `json:"first,omitempty"`
}

const keptFaults = 20

func (f *Faults) add(err error) {
	f.Lines++
	for _, p := range ticket.Problems(err) {
		if len(f.First) < keptFaults {
			f.First = append(f.First, p)
		}
	}
}

// Err joins the problems that were kept; nil where every line could be read.
func (f Faults) Err() error {
	errs := make([]error, 0, len(f.First))
	for _, p := range f.First {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// Read begins to read a log, compressed by gzip or plain. now bounds its times. It returns a
// Problem where the header is not that of such a log.
func Read(file io.Reader, now time.Time) (*Log, error) {
	plain, err := decompress(file)
	if err != nil {
		return nil, err
	}
	l := &Log{lines: bufio.NewScanner(plain), now: now, seen: map[string]struct{}{}}
	l.lines.Buffer(make([]byte, 64<<10), longestLine)
	text, ok, err := l.next()
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, ticket.Invalid("file", "", "is empty", "give the incident log, as CSV or as CSV compressed by gzip")
	}
	names, err := split(text)
	if err != nil {
		return nil, ticket.Invalid("line 1, header", text, "is not CSV", "give a log whose first line names its columns")
	}
	l.layout, err = readHeader(names)
	return l, err
}

// decompress looks at the first bytes, not at the file's name.
func decompress(file io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(file, 64<<10)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	if len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, broken(1, err)
	}
	return z, nil
}

// Next gives the next incident; io.EOF after the last. A line that cannot be read is counted in
// Faults and left out. Other errors end the reading: the file is cut off, or is no such log.
func (l *Log) Next() (Incident, error) {
	var in Incident
	if l.ahead != nil {
		in, l.ahead = Incident{Number: l.ahead.Number, Rows: []Row{*l.ahead}}, nil
	}
	for {
		r, ok, err := l.row()
		switch {
		case err != nil:
			return in, err
		case !ok && len(in.Rows) == 0:
			return in, io.EOF
		case !ok:
			return in, nil
		case len(in.Rows) == 0:
			in = Incident{Number: r.Number, Rows: []Row{r}}
		case r.Number == in.Number:
			in.Rows = append(in.Rows, r)
		default:
			l.ahead = &r
			return in, nil
		}
	}
}

// row gives the next row that can be read.
func (l *Log) row() (Row, bool, error) {
	for {
		text, ok, err := l.next()
		if err != nil || !ok {
			return Row{}, false, err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		r, err := l.read(text)
		if err != nil {
			l.Faults.add(err)
			continue
		}
		l.Rows++
		return r, true, nil
	}
}

func (l *Log) read(text string) (Row, error) {
	fields, err := split(text)
	if err != nil {
		return Row{}, ticket.Invalid(fmt.Sprintf("line %d", l.line), text, "is not CSV", "quote fields that contain quotes, and double those")
	}
	r, err := l.layout.row(l.line, fields, l.now)
	if err != nil {
		return r, err
	}
	if _, before := l.seen[r.Number]; before && r.Number != l.current {
		return r, ticket.Invalid(fmt.Sprintf("line %d, number", l.line), r.Number, "stands apart from the other rows of its incident",
			"sort the file by number, keeping the order of each incident's rows")
	}
	l.current = r.Number
	l.seen[r.Number] = struct{}{}
	return r, nil
}

func (l *Log) next() (string, bool, error) {
	if l.lines.Scan() {
		l.line++
		return l.lines.Text(), true, nil
	}
	if err := l.lines.Err(); err != nil {
		return "", false, broken(l.line+1, err)
	}
	return "", false, nil
}

// broken says why the file cannot be read to its end.
func broken(line int, err error) error {
	where := fmt.Sprintf("line %d", line)
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return ticket.Invalid(where, "", "is longer than 1 MiB", "give the incident log, as CSV or as CSV compressed by gzip")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ticket.Invalid(where, "", "is where the file is cut off", "copy the file again; its end is missing")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return ticket.Invalid(where, "", "cannot be decompressed", "copy the file again; it is damaged")
	}
	return fmt.Errorf("read the log at line %d: %w", line, err)
}

// split parts one line of CSV. No field of such a log spans lines.
func split(text string) ([]string, error) {
	if !strings.Contains(text, `"`) {
		return strings.Split(strings.TrimSuffix(text, "\r"), ","), nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	return r.Read()
}

// Survey reads the whole log, or its first incidents up to limit (0: all), and sends nothing:
// how much there is to tell, and what cannot be read. Its error is of a file that is no such
// log or is cut off.
func Survey(file io.Reader, limit int, now time.Time) (incidents int, faults Faults, err error) {
	l, err := Read(file, now)
	if err != nil {
		return 0, faults, err
	}
	for limit == 0 || incidents < limit {
		if _, err := l.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return incidents, l.Faults, err
		}
		incidents++
	}
	return incidents, l.Faults, nil
}
