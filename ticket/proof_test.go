package ticket_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestAProofHoldsForExactlyWhatWasSaid(t *testing.T) {
	key := []byte("a key that nobody else has, ever")
	m := ticket.SignOff{
		Header: ticket.Header{OperationKey: "op-1", Who: "ann", Via: ticket.ViaCLI, At: time.Date(2026, 3, 18, 12, 0, 0, 123456789, time.FixedZone("", 3600))},
		Hold:   7, Digest: "d7", Approved: true, Reason: "a < b & \u2028 done",
	}
	proven := func(key []byte, name ticket.Name, m ticket.SignOff) bool {
		sent, err := json.Marshal(m)
		require.NoError(t, err)
		var arrived ticket.SignOff
		require.NoError(t, json.Unmarshal(sent, &arrived))
		ok, err := ticket.Proven(key, name, arrived)
		require.NoError(t, err)
		return ok
	}
	require.False(t, proven(key, ticket.MsgSignOff, m), "it has none")
	var err error
	m.Proof, err = ticket.Prove(key, ticket.MsgSignOff, m)
	require.NoError(t, err)
	require.True(t, proven(key, ticket.MsgSignOff, m))
	require.False(t, proven(key, ticket.MsgRule, m), "as another message")
	require.False(t, proven([]byte("another key of the same length.."), ticket.MsgSignOff, m))
	for what, change := range map[string]func(*ticket.SignOff){
		"who":      func(m *ticket.SignOff) { m.Who = "ben" },
		"via":      func(m *ticket.SignOff) { m.Via = ticket.ViaAPI },
		"key":      func(m *ticket.SignOff) { m.OperationKey = "op-2" },
		"at":       func(m *ticket.SignOff) { m.At = m.At.Add(time.Nanosecond) },
		"hold":     func(m *ticket.SignOff) { m.Hold = 8 },
		"digest":   func(m *ticket.SignOff) { m.Digest = "d8" },
		"approved": func(m *ticket.SignOff) { m.Approved = false },
		"reason":   func(m *ticket.SignOff) { m.Reason = "" },
		"proof":    func(m *ticket.SignOff) { m.Proof = m.Proof[:len(m.Proof)-1] + "_" },
	} {
		changed := m
		change(&changed)
		require.False(t, proven(key, ticket.MsgSignOff, changed), what)
	}
}
