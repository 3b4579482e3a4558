package ticket

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Prove gives the proof that the desk took the message from who it names: an HMAC-SHA256 over its name and all that it
// says. A signal that is typed into the Temporal UI has none, so nobody there can speak for somebody else.
func Prove(key []byte, name Name, m Message) (string, error) {
	content, err := unproven(m)
	if err != nil {
		return "", err
	}
	return Seal(key, string(name), content), nil
}

// Seal is the HMAC-SHA256 over what is asked, by its name and content.
func Seal(key []byte, name string, content []byte) string {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(name + "\n"))
	_, _ = mac.Write(content)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Proven says whether the message carries its proof.
func Proven(key []byte, name Name, m Message) (bool, error) {
	proof, err := Prove(key, name, m)
	return err == nil && hmac.Equal([]byte(proof), []byte(m.Head().Proof)), err
}

// unproven is the message's JSON without its proof, its fields sorted.
func unproven(m Message) ([]byte, error) {
	var fields map[string]json.RawMessage
	whole, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(whole, &fields)
	}
	if err != nil {
		return nil, fmt.Errorf("read what a message says: %w", err)
	}
	delete(fields, "proof")
	return json.Marshal(fields)
}
