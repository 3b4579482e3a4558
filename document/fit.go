package document

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face is a font as it is measured. sfnt.Font may be used by many at once, each with a buffer of his own.
type face struct{ *sfnt.Font }

var faces = sync.OnceValues(func() (map[fontstyle.Type]face, error) {
	regular, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font of a PDF: %w", err)
	}
	bold, err := sfnt.Parse(gobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the bold font of a PDF: %w", err)
	}
	return map[fontstyle.Type]face{fontstyle.Normal: {regular}, fontstyle.Bold: {bold}}, nil
})

const em = 1000 // units of width, of a letter's size

// fit cuts words that are wider than their cell: the printer breaks lines at spaces alone, and would write on into the next.
func fit(s string, size int, p props.Text) string {
	all, err := faces()
	if err != nil {
		return s
	}
	f, known := all[p.Style]
	if !known {
		f = all[fontstyle.Normal]
	}
	const pageWidth, pointsPerMM = 210 - 2*margin, 72 / 25.4
	widest := fixed.I(int(pageWidth * pointsPerMM * float64(size) / grid / p.Size * em))
	var b sfnt.Buffer
	words := strings.Split(s, " ")
	for i, word := range words {
		var cut strings.Builder
		var width fixed.Int26_6
		for _, r := range word {
			advance := f.advance(&b, r)
			if width+advance > widest && width > 0 {
				cut.WriteByte(' ')
				width = 0
			}
			width += advance
			cut.WriteRune(r)
		}
		words[i] = cut.String()
	}
	return strings.Join(words, " ")
}

func (f face) advance(b *sfnt.Buffer, r rune) fixed.Int26_6 {
	glyph, err := f.GlyphIndex(b, r)
	if err != nil {
		return fixed.I(em)
	}
	advance, err := f.GlyphAdvance(b, glyph, fixed.I(em), font.HintingNone)
	if err != nil {
		return fixed.I(em)
	}
	return advance
}

// Unprintable gives the letters of a text for which the PDF has none, each once: it shows boxes in their place. Its fonts
// have Latin, Greek and Cyrillic.
func Unprintable(s string) string {
	all, err := faces()
	if err != nil {
		return ""
	}
	var b sfnt.Buffer
	var lacks []rune
	for _, r := range s {
		if glyph, err := all[fontstyle.Normal].GlyphIndex(&b, r); (err != nil || glyph == 0) && !slices.Contains(lacks, r) {
			lacks = append(lacks, r)
		}
	}
	return string(lacks)
}

// Unprintable gives the letters of the document that its PDF lacks.
func (d *Document) Unprintable() string {
	said := slices.Concat(address(d.Seller), address(d.Buyer), []string{d.Order, d.Note})
	for _, l := range d.Lines {
		said = append(said, l.Text, l.Client)
	}
	return Unprintable(strings.Join(said, ""))
}
