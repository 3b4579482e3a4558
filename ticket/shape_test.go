package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

var now = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

func TestOpeningIsRefusedWithTheFieldAndTheFix(t *testing.T) {
	good := ticket.Opening{Client: "acme", Subject: "Printer jams", Source: "mail", ExternalID: "1", EventID: "1", OpenedAt: now}
	require.NoError(t, good.Validate(now))
	for field, break1 := range map[string]func(*ticket.Opening){
		"client":      func(o *ticket.Opening) { o.Client = " " },
		"subject":     func(o *ticket.Opening) { o.Subject = "a\x00b" },
		"description": func(o *ticket.Opening) { o.Description = strings.Repeat("x", 3<<20) },
		"external_id": func(o *ticket.Opening) { o.ExternalID = "" },
		"event_id":    func(o *ticket.Opening) { o.EventID = "\xff" },
		"opened_at":   func(o *ticket.Opening) { o.OpenedAt = now.Add(time.Hour) },
		"impact":      func(o *ticket.Opening) { o.Impact = 4 },
	} {
		t.Run(field, func(t *testing.T) {
			bad := good
			break1(&bad)
			problems := ticket.Problems(bad.Validate(now))
			require.Len(t, problems, 1)
			require.Equal(t, field, problems[0].Field)
			require.NotEmpty(t, problems[0].Fix)
			require.LessOrEqual(t, len(problems[0].Value), 90, "a value is shown, not stored")
		})
	}
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	require.Len(t, ticket.Problems(ticket.Opening{}.Validate(now)), 5)
}

func TestAWordOfWorkIsSeenAsItIs(t *testing.T) {
	for _, kind := range []string{"re\x1b[31mmote", "remote\u202e", "remote\n", "a\x00b", "  "} {
		problems := ticket.Problems(ticket.WorkEntry{OperationKey: "k", WorkType: kind, MS: 1}.Validate())
		require.Len(t, problems, 1, "%q", kind)
		require.Equal(t, "work.work_type", problems[0].Field)
	}
}

func TestADeclineNeedsMoreThanBlanks(t *testing.T) {
	h := ticket.Header{OperationKey: "k", Who: "dana.wolfe"}
	require.Len(t, ticket.Problems(ticket.SignOff{Header: h, Hold: 1, Digest: "d", Reason: " \t "}.Validate()), 1)
	require.Len(t, ticket.Problems(ticket.Confirm{Header: h, Hold: 1, Proposal: "p", Reason: "  "}.Validate()), 1)
}

func TestWorkIsRefusedWithTheField(t *testing.T) {
	for field, e := range map[string]ticket.WorkEntry{
		"work.work_role": {OperationKey: "k", WorkType: "remote", WorkRole: "engineer\u202e", MS: 1},
		"work.ms":        {OperationKey: "k", WorkType: "remote", MS: -1},
		"work.outcome":   {OperationKey: "k", WorkType: "remote", MS: 1, Outcome: "maybe"},
		"work.work_type": {OperationKey: "k", MS: 1},
	} {
		problems := ticket.Problems(e.Validate())
		require.Len(t, problems, 1, field)
		require.Equal(t, field, problems[0].Field)
	}
}

func TestKeysOfTheRecordAreReserved(t *testing.T) {
	for _, key := range []string{"late/T-1/k", "merged/T-1/k"} {
		problems := ticket.Problems(ticket.Claim{Header: ticket.Header{OperationKey: key, Who: "ann"}}.Validate())
		require.Len(t, problems, 1)
		require.Equal(t, "operation_key", problems[0].Field)
	}
}

func TestIDsReadAsPeopleWriteThem(t *testing.T) {
	for _, s := range []string{"T-1042", "t-1042", " 1042 "} {
		id, err := ticket.ParseID(s)
		require.NoError(t, err)
		require.Equal(t, ticket.ID("T-1042"), id)
		require.Equal(t, "ticket/T-1042", id.WorkflowID())
	}
	for _, s := range []string{"", "T-", "T-0", "T--1", "printer"} {
		_, err := ticket.ParseID(s)
		require.Error(t, err, s)
	}
}
