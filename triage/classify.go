package triage

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Confidence below LowConfidence, in per cent, means that a person should look before anything is done.
const LowConfidence = 50

// readMost is how much of a body is read, in bytes: what a mail is about stands at its top, and below it come
// signatures, quoted threads and logs.
const readMost = 16 << 10

// Classification is what the rules make of a ticket's text.
type Classification struct {
	Category    Category `json:"category"`
	Subcategory string   `json:"subcategory,omitempty"`
	Type        Type     `json:"type"`
	Impact      int      `json:"impact"`     // 1 (high) to 3 (low)
	Urgency     int      `json:"urgency"`    // 1 (high) to 3 (low)
	Confidence  int      `json:"confidence"` // 0 to 100, in the category
	// Matched are the phrases that decided, in the order of the rules.
	Matched []string `json:"matched,omitempty"`
}

// Classify reads a ticket by the rules. Its confidence is low where nothing matches, or where the rules contradict
// each other. What the text says in the subject counts twice.
func Classify(subject, body string) Classification {
	head, text := plain(subject), plain(cut(body))
	best, second, found := strongest(head, text)

	c := Classification{Category: Other, Impact: 3, Urgency: 2}
	if found {
		c.Category, c.Subcategory, c.Matched = best.category, best.subcategory, best.matched
		// Three points are what nothing weighs, so that one faint word alone stays doubtful.
		c.Confidence = 100 * best.score / (best.score + second + 3)
	}
	whole := head + text
	c.Type = typeFor(c.Category, whole, &c.Matched)
	c.Impact = levelFor(impactPhrases, whole, c.Impact, &c.Matched)
	c.Urgency = levelFor(urgencyPhrases, whole, c.Urgency, &c.Matched)
	return c
}

type tally struct {
	category    Category
	subcategory string
	named       int // the weight that named the subcategory
	score       int
	matched     []string
}

// strongest scores the categories and returns the best, and the score of the second. Categories that tie come in
// the order of the rules.
func strongest(head, text string) (best tally, second int, found bool) {
	var tallies []tally
	for _, r := range rules {
		for _, phrase := range r.phrases {
			weight := 0
			if says(head, phrase) {
				weight += 2 * r.weight
			}
			if says(text, phrase) {
				weight += r.weight
			}
			if weight == 0 {
				continue
			}
			i := slices.IndexFunc(tallies, func(t tally) bool { return t.category == r.category })
			if i < 0 {
				i, tallies = len(tallies), append(tallies, tally{category: r.category})
			}
			t := &tallies[i]
			t.score += weight
			t.matched = append(t.matched, strings.TrimSuffix(phrase, "*"))
			if r.subcategory != "" && weight > t.named {
				t.subcategory, t.named = r.subcategory, weight
			}
		}
	}
	slices.SortStableFunc(tallies, func(a, b tally) int { return cmp.Compare(b.score, a.score) })
	switch len(tallies) {
	case 0:
		return tally{}, 0, false
	case 1:
		return tallies[0], 0, true
	}
	return tallies[0], tallies[1].score, true
}

func typeFor(category Category, text string, matched *[]string) Type {
	if fixedType[category] {
		return typeOf[category]
	}
	for _, t := range typePhrases {
		if phrase, ok := first(t.phrases, text); ok {
			note(matched, phrase)
			return t.is
		}
	}
	return cmp.Or(typeOf[category], TypeIncident)
}

func levelFor(levels []level, text string, otherwise int, matched *[]string) int {
	for _, l := range levels {
		if phrase, ok := first(l.phrases, text); ok {
			note(matched, phrase)
			return l.is
		}
	}
	return otherwise
}

func first(phrases []string, text string) (string, bool) {
	for _, phrase := range phrases {
		if says(text, phrase) {
			return strings.TrimSuffix(phrase, "*"), true
		}
	}
	return "", false
}

func note(matched *[]string, phrase string) {
	if !slices.Contains(*matched, phrase) {
		*matched = append(*matched, phrase)
	}
}

// says reports whether the plain text contains the phrase as whole words, or as the start of one if it ends with *.
func says(text, phrase string) bool {
	if start, ok := strings.CutSuffix(phrase, "*"); ok {
		return strings.Contains(text, " "+start)
	}
	return strings.Contains(text, " "+phrase+" ")
}

// plain is the text in lower-case words between single spaces, with one at each end.
func plain(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(words, " ") + " "
}

// cut keeps the top of the body; half a word or rune at its end does no harm.
func cut(body string) string {
	return body[:min(len(body), readMost)]
}
