package ticket

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Link is what the link of an approval mail stands for: this person, about this very quote, until it expires. Whoever
// holds it acts as that person, on nothing else.
type Link struct {
	Hold    int64  `json:"h"`
	Step    int    `json:"s"`
	Digest  string `json:"d"`
	Person  string `json:"p"`
	Expires int64  `json:"e"` // Unix seconds
}

// LinkUse is what became of a link that somebody opened.
type LinkUse struct {
	At      time.Time `json:"at"`
	Person  string    `json:"person,omitempty"` // empty: the link proves nothing
	Hold    int64     `json:"hold,omitempty"`
	Outcome string    `json:"outcome"` // shown, forged, expired, refused, or the outcome of the sign-off
	Says    string    `json:"says"`
}

// MaxLink bounds a token, in bytes.
const MaxLink = 1024

const linkVersion = "v1"

// Seal gives the link's token: its content in the open, and an HMAC-SHA256 over it.
func (l Link) Seal(key []byte) (string, error) {
	content, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("seal a link: %w", err)
	}
	body := linkVersion + "." + base64.RawURLEncoding.EncodeToString(content)
	return body + "." + sealOf(key, body), nil
}

// Unseal reads a token, or a whole link that ends with one. Returns a Problem for what nobody of Docket sealed. Whether
// it has expired is for the caller to say: an expired link still tells what became of its quote.
func Unseal(key []byte, token string) (Link, error) {
	if _, after, found := strings.Cut(token, "#"); found {
		token = after
	}
	token = strings.TrimSpace(token)
	body, seal, found := cutLast(token, ".")
	if len(token) > MaxLink || !found || !hmac.Equal([]byte(seal), []byte(sealOf(key, body))) {
		return Link{}, forged(token)
	}
	version, encoded, _ := strings.Cut(body, ".")
	content, err := base64.RawURLEncoding.DecodeString(encoded)
	var l Link
	if err != nil || version != linkVersion || json.Unmarshal(content, &l) != nil {
		return Link{}, forged(token)
	}
	return l, nil
}

// Until is when it expires.
func (l Link) Until() time.Time { return time.Unix(l.Expires, 0).UTC() }

func sealOf(key []byte, body string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte("docket approval link\n" + body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// forged names the link by its first letters: errors are logged, and the rest may be a key that somebody mistyped.
func forged(token string) error {
	if letters := []rune(token); len(letters) > 8 {
		token = string(letters[:8]) + "…"
	}
	return Invalid("link", token, "is not one of ours, or was changed on its way", "open it from the mail itself, whole; `docket approval list` shows what waits")
}
