package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/docket-psa/docket/postgres"
)

// Every alert asks for a metric that is told, and sends whoever is woken to a page that is there.
func TestAlertsNameMetricsAndPagesThatExist(t *testing.T) {
	store, err := postgres.Open(t.Context(), shopDatabase(t), postgres.Options{})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	told := map[string]bool{"docket_build_info": true}
	described := make(chan *prometheus.Desc, 100)
	metrics := newDeskMetrics(&session{store: store}, time.Now)
	metrics.months = func(context.Context, time.Time) (scheduledMonths, error) {
		return scheduledMonths{Scheduled: true}, nil
	}
	metrics.Describe(described)
	close(described)
	for d := range described {
		told[regexp.MustCompile(`fqName: "([a-z_]+)"`).FindStringSubmatch(d.String())[1]] = true
	}

	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(metrics))
	families, err := registry.Gather()
	require.NoError(t, err, "what is collected is what is described")
	require.NotEmpty(t, families)

	rules, err := os.ReadFile("../../deploy/prometheus/docket.rules.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(rules, &file))
	runbook, err := os.ReadFile("../../docs/runbook.md")
	require.NoError(t, err)
	pages := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(string(runbook), -1) {
		pages["docs/runbook.md#"+strings.ToLower(strings.ReplaceAll(regexp.MustCompile(`[^A-Za-z0-9 -]`).ReplaceAllString(heading[1], ""), " ", "-"))] = true
	}
	require.NotEmpty(t, file.Groups[0].Rules)
	for _, rule := range file.Groups[0].Rules {
		names := regexp.MustCompile(`docket_[a-z_]+`).FindAllString(rule.Expr, -1)
		require.NotEmpty(t, names, rule.Alert)
		for _, name := range names {
			require.True(t, told[name], "%s asks for %s, which nothing tells", rule.Alert, name)
		}
		require.True(t, pages[rule.Annotations["runbook"]], "%s: %s", rule.Alert, rule.Annotations["runbook"])
		require.Contains(t, []string{"critical", "warning"}, rule.Labels["severity"])
		require.NotEmpty(t, rule.Annotations["summary"])
	}
}
