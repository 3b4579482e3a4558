package ticket

import "errors"

// Move gives the ticket to another client, with its work that nobody has billed. It is a row-level
// deed, like an item: no workflow waits for it.
type Move struct {
	Header
	Client string `json:"client"` // client id
	Reason string `json:"reason"`
}

// Validate checks the shape; the store checks that the client exists.
func (m Move) Validate() error {
	return errors.Join(m.Header.Validate(), text("client", m.Client, 1, MaxKey), text("reason", m.Reason, 1, MaxNote))
}
