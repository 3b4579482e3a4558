package triage_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/triage"
)

func agent(id string) triage.Candidate {
	return triage.Candidate{ID: id, Kind: triage.AI, Board: "service", Capacity: 50, Policy: triage.Policy{
		Categories: []triage.Category{triage.PasswordReset, triage.Access}, MaxPriority: 3, MinConfidence: 70,
	}}
}

func person(id string, load, capacity int, skills ...string) triage.Candidate {
	return triage.Candidate{ID: id, Kind: triage.Human, Board: "service", Skills: skills, Load: load, Capacity: capacity}
}

func TestWhoTakesATicket(t *testing.T) {
	reset := triage.Request{Category: triage.PasswordReset, Skill: "identity", Board: "service", Priority: 4, Confidence: 92, Client: "acme"}
	with := func(change func(*triage.Request)) triage.Request {
		r := reset
		change(&r)
		return r
	}
	desk := []triage.Candidate{agent("helper"), person("ann", 4, 8, "identity"), person("bob", 3, 4, "identity"), person("eve", 0, 8, "network")}
	change := func(id string, deed func(*triage.Candidate)) []triage.Candidate {
		changed := slices.Clone(desk)
		deed(&changed[slices.IndexFunc(changed, func(c triage.Candidate) bool { return c.ID == id })])
		return changed
	}
	const ann = "ann takes it: the least loaded of 2 people free on the board service, 4 of 8 tickets open, with the skill identity."
	for _, c := range []struct {
		name    string
		request triage.Request
		desk    []triage.Candidate
		who     string
		why     string
	}{
		{"the agent whose policy allows it", reset, desk, "helper", "helper, an AI agent, takes it: its policy allows password-reset at priority 4, and the category is 92% certain."},
		{"too urgent for the agent", with(func(r *triage.Request) { r.Priority = 2 }), desk, "ann", ann},
		{"another category", with(func(r *triage.Request) { r.Category = triage.Email }), desk, "ann", ann},
		{"less sure than the policy asks", with(func(r *triage.Request) { r.Confidence = 69 }), desk, "ann", ann},
		{"low confidence goes to a person", with(func(r *triage.Request) { r.Confidence = 20 }), change("helper", func(c *triage.Candidate) { c.Policy.MinConfidence = 0 }), "ann", ann + " No AI agent may, because the category password-reset is only 20% certain."},
		{"a person was asked for", with(func(r *triage.Request) { r.ForceHuman = true }), desk, "ann", ann + " A person was asked for."},
		{"another client's agent", reset, change("helper", func(c *triage.Candidate) { c.Policy.Clients = []string{"globex"} }), "ann", ann},
		{"an agent without a policy", reset, change("helper", func(c *triage.Candidate) { c.Policy = triage.Policy{} }), "ann", ann},
		{"the agent is full", reset, change("helper", func(c *triage.Candidate) { c.Load = 50 }), "ann", ann},
		{"the agent failed before", with(func(r *triage.Request) { r.Exclude = []string{"helper", "ann"} }), desk, "bob", "bob takes it: the only person free on the board service, 3 of 4 tickets open, with the skill identity."},
		{"nobody has the skill", with(func(r *triage.Request) { r.Skill, r.ForceHuman = "voip", true }), desk, "", "A dispatcher decides: there is nobody with the skill voip on the board service."},
		{"nobody is free", with(func(r *triage.Request) { r.ForceHuman, r.Exclude = true, []string{"ann"} }), change("bob", func(c *triage.Candidate) { c.Absent = true }), "", "A dispatcher decides: nobody with the skill identity on the board service is free (1 absent, 1 excluded)."},
		{"nobody at all", reset, nil, "", "A dispatcher decides: there is nobody with the skill identity on the board service."},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := triage.Route(c.request, c.desk)
			require.NoError(t, err)
			require.Equal(t, c.who, got.Assignee)
			require.Equal(t, c.why, got.Why)
			if c.who == "" {
				require.Equal(t, triage.DispatchBoard, got.Board)
			}
		})
	}
}

func TestRoutingRefusesNonsenseWithEveryReason(t *testing.T) {
	_, err := triage.Route(triage.Request{Priority: 9, Confidence: 101}, []triage.Candidate{
		{ID: "a", Kind: "robot"}, {ID: "a", Kind: triage.Human, Load: -1}, {Kind: triage.Human},
	})
	for _, reason := range []string{"priority 9", "confidence 101", `kind "robot"`, "load -1", `candidate "a": give each an id of its own`, `candidate ""`} {
		require.ErrorContains(t, err, reason)
	}
}

func TestRoutingProperties(t *testing.T) {
	boards, skills := []string{"service", "projects"}, []string{"identity", "network", "voip"}
	categories := []triage.Category{triage.PasswordReset, triage.Network, triage.Other}
	ids := []string{"a", "b", "c", "d", "e", "f"}
	drawCandidate := rapid.Custom(func(t *rapid.T) triage.Candidate {
		return triage.Candidate{
			ID:     rapid.SampledFrom(ids).Draw(t, "id"),
			Kind:   rapid.SampledFrom([]triage.Kind{triage.Human, triage.AI}).Draw(t, "kind"),
			Board:  rapid.SampledFrom(boards).Draw(t, "board"),
			Skills: rapid.SliceOf(rapid.SampledFrom(skills)).Draw(t, "skills"),
			Load:   rapid.IntRange(0, 4).Draw(t, "load"), Capacity: rapid.IntRange(0, 4).Draw(t, "capacity"),
			Absent: rapid.Bool().Draw(t, "absent"),
			Policy: triage.Policy{
				Categories:    rapid.SliceOf(rapid.SampledFrom(categories)).Draw(t, "categories"),
				MaxPriority:   rapid.IntRange(0, 5).Draw(t, "most urgent"),
				MinConfidence: rapid.IntRange(0, 100).Draw(t, "min confidence"),
			},
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		r := triage.Request{
			Category: rapid.SampledFrom(categories).Draw(t, "category"),
			Skill:    rapid.SampledFrom(append(skills, "")).Draw(t, "skill"), Board: rapid.SampledFrom(append(boards, "")).Draw(t, "board"),
			Priority: rapid.IntRange(1, 5).Draw(t, "priority"), Confidence: rapid.IntRange(0, 100).Draw(t, "confidence"),
			ForceHuman: rapid.Bool().Draw(t, "force human"), Exclude: rapid.SliceOfN(rapid.SampledFrom(ids), 0, 3).Draw(t, "exclude"),
		}
		candidates := rapid.SliceOfNDistinct(drawCandidate, 0, 6, func(c triage.Candidate) string { return c.ID }).Draw(t, "candidates")
		got, err := triage.Route(r, candidates)
		require.NoError(t, err)
		again, err := triage.Route(r, rapid.Permutation(candidates).Draw(t, "another order"))
		require.NoError(t, err)
		require.Equal(t, got, again)
		require.NotEmpty(t, got.Why)

		usable := func(c triage.Candidate) bool {
			return !c.Absent && c.Load < c.Capacity && !slices.Contains(r.Exclude, c.ID)
		}
		if got.Assignee == "" {
			require.Equal(t, triage.DispatchBoard, got.Board)
			for _, c := range candidates {
				fits := c.Kind == triage.Human && (r.Skill == "" || slices.Contains(c.Skills, r.Skill)) && (r.Board == "" || r.Board == c.Board)
				require.False(t, fits && usable(c), "%s could have taken it", c.ID)
			}
			return
		}
		c := candidates[slices.IndexFunc(candidates, func(c triage.Candidate) bool { return c.ID == got.Assignee })]
		require.True(t, usable(c))
		require.Equal(t, []any{c.Kind, c.Board}, []any{got.Kind, got.Board})
		if c.Kind == triage.AI {
			require.False(t, r.ForceHuman)
			require.Contains(t, c.Policy.Categories, r.Category)
			require.True(t, c.Policy.MaxPriority > 0 && r.Priority >= c.Policy.MaxPriority)
			require.GreaterOrEqual(t, r.Confidence, max(c.Policy.MinConfidence, triage.LowConfidence))
		}
	})
}
