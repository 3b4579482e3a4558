package triage

import (
	"fmt"
	"slices"
	"strings"
)

// Said is what a reply to a closed ticket says.
type Said struct {
	Thanks bool   // nothing but thanks: the ticket may stay closed
	Why    string // by which words, or what is left beside them
}

// The phrases that make a reply mere courtesy, and those that make it more, whatever else it says.
var (
	thanks = []string{
		"thank you", "thanks", "thank u", "thx", "ty", "tks", "cheers", "much appreciated", "appreciate it", "appreciated", "many thanks",
		"works now", "working now", "it works", "that works", "works again", "works fine", "works great", "that worked", "that did it", "that did the trick",
		"that fixed it", "all good", "all set", "all fine", "sorted", "resolved", "solved", "fixed", "perfect", "great", "excellent", "awesome", "brilliant",
		"danke", "vielen dank", "merci", "gracias", "grazie", "obrigado", "bedankt",
	}
	courtesies = []string{
		"hi", "hello", "hey", "dear", "good morning", "good afternoon", "good evening", "have a nice day", "have a great day", "have a good day", "have a nice weekend",
		"have a great weekend", "have a good weekend", "kind regards", "best regards", "warm regards", "regards", "best", "sincerely", "yours", "sent from my iphone",
		"sent from my mobile", "again", "so much", "very much", "a lot", "a million", "for your help", "for the help", "for all your help", "for the quick help",
		"for your quick help", "for the quick fix", "for fixing it", "for fixing this", "for your support", "for the support", "for the quick response",
		"for your time", "your help", "you all", "you guys", "team", "everyone", "everything", "it", "this", "that", "is", "s", "now", "and", "the", "so", "really", "very", "quick",
		"fast", "job", "work", "well done", "nice", "you", "re", "are", "the best", "ok", "okay", "yes", "yep", "super", "we", "i", "on our side", "on my side", "here", "for", "to", "all",
	}
	more = []string{
		"but", "however", "still", "except", "although", "not", "no", "never", "happening", "happens", "back again", "same problem", "same issue", "problem",
		"issue", "error", "errors", "broken", "down", "doesn t", "does not", "don t", "isn t", "is not", "can t", "cannot", "won t", "didn t", "unable", "fail", "fails",
		"failed", "another", "also", "one more", "please", "pls", "could you", "can you", "would you", "need", "needs", "question", "how do", "how can", "why", "when",
		"what", "where", "who", "reopen", "open again", "wrong", "missing", "until", "unfortunately", "leider", "aber", "noch", "nicht", "invoice", "bill", "charge", "charged",
	}
)

// mostLeft is how many words beside courtesies a name or a signature may be.
const mostLeft = 4

// Read tells mere thanks from what wants an answer. It errs towards the latter: a thank-you that reopens a ticket costs
// a look, one whose question is lost costs the customer. Quoted lines and what follows a signature's dashes are not
// the sender's words.
func Read(reply string) Said {
	own := ownWords(cut(reply))
	if strings.ContainsRune(own, '?') {
		return Said{Why: "it asks"}
	}
	text := plain(own)
	if strings.TrimSpace(text) == "" {
		return Said{Why: "without words of his own"}
	}
	for _, phrase := range more {
		if strings.Contains(text, " "+phrase+" ") {
			return Said{Why: fmt.Sprintf("by the word %q", phrase)}
		}
	}
	var found []string
	rest := without(text, thanks, &found)
	if len(found) == 0 {
		return Said{Why: "it says something else than thanks"}
	}
	rest = without(rest, courtesies, nil)
	if left := strings.Fields(rest); len(left) > mostLeft {
		return Said{Why: fmt.Sprintf("beside thanks it says %q", strings.Join(left[:mostLeft], " ")+" …")}
	}
	return Said{Thanks: true, Why: fmt.Sprintf("by the word %q", found[0])}
}

// ownWords leaves out quoted lines, the line that announces them, and a signature.
func ownWords(reply string) string {
	var own []string
	for line := range strings.Lines(reply) {
		line = strings.TrimRight(line, "\r\n")
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "--" || strings.HasPrefix(trimmed, "-----Original Message") || strings.HasPrefix(trimmed, "________"):
			return strings.Join(own, "\n")
		case strings.HasPrefix(trimmed, "On ") && strings.HasSuffix(trimmed, "wrote:"):
			return strings.Join(own, "\n")
		case strings.HasPrefix(trimmed, ">"):
		default:
			own = append(own, line)
		}
	}
	return strings.Join(own, "\n")
}

// without takes the phrases out of the text, the longest first.
func without(text string, phrases []string, found *[]string) string {
	longest := slices.Clone(phrases)
	slices.SortStableFunc(longest, func(a, b string) int { return len(b) - len(a) })
	for _, phrase := range longest {
		for strings.Contains(text, " "+phrase+" ") {
			text = strings.Replace(text, " "+phrase+" ", " ", 1)
			if found != nil {
				*found = append(*found, phrase)
			}
		}
	}
	return text
}
