package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/docket-psa/docket/internal/telemetry"
)

func start(t *testing.T, log io.Writer) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Options{Version: "v1", Stderr: log, JSON: true, Level: slog.LevelInfo})
	require.NoError(t, err)
	return tel
}

// collector counts what it is sent, as an OTLP collector would take it.
func collector(t *testing.T) *atomic.Int64 {
	t.Helper()
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/v1/traces", r.URL.Path)
		sent.Add(1)
	}))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	return &sent
}

func TestTracesGoToTheCollectorAndLogsNameThem(t *testing.T) {
	sent := collector(t)
	var log bytes.Buffer
	tel := start(t, &log)
	require.NotNil(t, tel.Tracers)
	ctx, span := tel.Tracer.Start(t.Context(), "a deed")
	tel.Log.InfoContext(ctx, "it happened", "ticket", "T-1042")
	span.End()
	require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context())))
	assert.EqualValues(t, 1, sent.Load())

	var line map[string]string
	require.NoError(t, json.Unmarshal(log.Bytes(), &line))
	assert.Equal(t, span.SpanContext().TraceID().String(), line["trace_id"])
	assert.Equal(t, "T-1042", line["ticket"])
}

func TestAStatementBeginsNoTrace(t *testing.T) {
	collector(t)
	tel := start(t, io.Discard)
	defer func() { _ = tel.Shutdown(context.WithoutCancel(t.Context())) }()
	statement := trace.WithAttributes(attribute.String("db.system.name", "postgresql"))
	_, sweep := tel.Tracer.Start(t.Context(), "query", statement)
	assert.False(t, sweep.IsRecording())
	ctx, deed := tel.Tracer.Start(t.Context(), "docket ticket open")
	assert.True(t, deed.IsRecording())
	_, within := tel.Tracer.Start(ctx, "query", statement)
	assert.True(t, within.IsRecording())
}

func TestNoCollectorMeansNoTraces(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	tel := start(t, io.Discard)
	assert.Nil(t, tel.Tracers)
	_, span := tel.Tracer.Start(t.Context(), "a deed")
	assert.False(t, span.IsRecording())
}

func TestAnUnknownProtocolIsToldAtTheStart(t *testing.T) {
	collector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon")
	_, err := telemetry.Start(t.Context(), telemetry.Options{Stderr: io.Discard})
	assert.ErrorContains(t, err, "carrier-pigeon")
}

func TestMetricsAreServed(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	tel := start(t, io.Discard)
	counter, err := tel.Metrics.Meters.Meter("test").Int64Counter("tickets_opened")
	require.NoError(t, err)
	counter.Add(t.Context(), 3)
	recorder := httptest.NewRecorder()
	tel.Metrics.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	assert.Contains(t, recorder.Body.String(), `docket_build_info{version="v1"} 1`)
	assert.Contains(t, recorder.Body.String(), "tickets_opened_total 3")
}
