package triage_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/triage"
)

func TestTicketsOfEveryCategoryAreRecognised(t *testing.T) {
	for _, c := range []struct {
		subject, body   string
		category        triage.Category
		is              triage.Type
		impact, urgency int
	}{
		{"Password reset", "I forgot my password, please reset it.", triage.PasswordReset, triage.TypeIncident, 3, 2},
		{"Please reset password for Ann", "She is back from leave.", triage.PasswordReset, triage.TypeRequest, 3, 2},
		{"Access to the folder Finance", "Please grant access to the shared folder.", triage.Access, triage.TypeRequest, 2, 2},
		{"Outlook error", "The mailbox is full and I cannot send emails.", triage.Email, triage.TypeIncident, 3, 2},
		{"Blue screen", "My laptop shows a blue screen, I can't work. Urgent!", triage.Hardware, triage.TypeIncident, 3, 1},
		{"Internet is down", "Nobody can reach anything, the whole office is offline.", triage.Network, triage.TypeIncident, 1, 1},
		{"VPN keeps happening again", "The VPN drops, third time this week.", triage.Network, triage.TypeProblem, 3, 2},
		{"QuickBooks crashes", "The application crashes on start.", triage.Software, triage.TypeIncident, 3, 2},
		{"Backup failed", "The nightly backup job failed.", triage.Backup, triage.TypeIncident, 3, 2},
		{"Suspicious email", "I clicked a link in a phishing mail.", triage.Security, triage.TypeIncident, 3, 2},
		{"New starter", "A new employee begins on Monday, please create an account and e-mail.", triage.Onboarding, triage.TypeRequest, 3, 2},
		{"Leaver", "Tom's last day is Friday, please disable the account.", triage.Offboarding, triage.TypeRequest, 3, 2},
		{"Please order a monitor", "No rush.", triage.Purchase, triage.TypeRequest, 3, 3},
		{"Office move", "We plan the migration to the new office.", triage.Project, triage.TypeRequest, 3, 2},
		{"Printer offline", "Paper jam again and the toner is empty.", triage.Printer, triage.TypeIncident, 3, 2},
		{"Voicemail", "How do I set up call forwarding on my desk phone?", triage.Phone, triage.TypeQuestion, 3, 2},
		{"Invoice", "Why were we charged twice on our bill?", triage.BillingQuestion, triage.TypeQuestion, 3, 2},
	} {
		t.Run(c.subject, func(t *testing.T) {
			got := triage.Classify(c.subject, c.body)
			require.Equal(t, c.category, got.Category, "%+v", got)
			require.Equal(t, c.is, got.Type, "%+v", got)
			require.Equal(t, []int{c.impact, c.urgency}, []int{got.Impact, got.Urgency}, "impact and urgency: %+v", got)
			require.GreaterOrEqual(t, got.Confidence, triage.LowConfidence, "%+v", got)
			require.NotEmpty(t, got.Matched)
		})
	}
}

func TestNothingKnownIsOtherAndNotSure(t *testing.T) {
	got := triage.Classify("Hello", "Lovely weather we have.")
	require.Equal(t, triage.Other, got.Category)
	require.Zero(t, got.Confidence)
	require.Empty(t, got.Matched)
}

func TestContradictionIsNotSure(t *testing.T) {
	got := triage.Classify("", "The printer and the voicemail.")
	require.Less(t, got.Confidence, triage.LowConfidence)
	faint := triage.Classify("", "That app.")
	require.Equal(t, triage.Software, faint.Category)
	require.Less(t, faint.Confidence, triage.LowConfidence)
}

func TestWordsCountWhole(t *testing.T) {
	require.Equal(t, triage.Other, triage.Classify("", "We are happy with the sapling and the snapshots of erpetology.").Category)
	require.Equal(t, 3, triage.Classify("", "This is not urgent.").Urgency)
}

func TestOnlyTheTopOfALongTextIsRead(t *testing.T) {
	got := triage.Classify("", strings.Repeat("lorem ", 500_000)+"printer")
	require.Equal(t, triage.Other, got.Category)
}

func TestAnyTextIsClassified(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subject, body := rapid.String().Draw(t, "subject"), string(rapid.SliceOf(rapid.Byte()).Draw(t, "body"))
		got := triage.Classify(subject, body)
		require.Equal(t, got, triage.Classify(subject, body))
		require.NotEmpty(t, got.Type)
		require.True(t, got.Confidence >= 0 && got.Confidence <= 100)
		_, err := triage.Priority(got.Impact, got.Urgency)
		require.NoError(t, err)
	})
}
