package ticket

import "errors"

// Move gives the ticket to another client, with its work that nobody has billed. It is a row-level
// deed, like an item: no workflow waits for it, and its run is told by Moved.
type Move struct {
	Header
	Client string `json:"client"` // client id
	Reason string `json:"reason"`
}

// Validate checks the shape; the store checks that the client exists.
func (m Move) Validate() error {
	return errors.Join(m.Header.Validate(), text("client", m.Client, 1, MaxKey), text("reason", m.Reason, 1, MaxNote))
}

// MsgMoved tells the ticket's run that somebody has moved it.
const MsgMoved Name = "moved"

// Moved tells the run to read again whose ticket it is, and by when it is due. Sent twice, it reads twice.
type Moved struct{ Header }
