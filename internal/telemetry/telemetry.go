// Package telemetry owns how Docket is observed: traces to a collector, logs on stderr, metrics
// for Prometheus. It does not own what is observed: packages take a tracer, a logger, a registry.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Options of Start.
type Options struct {
	Version string
	Stderr  io.Writer
	JSON    bool       // logs as JSON objects, for collectors; else as text, for people
	Level   slog.Level // least severe that is logged
}

// Telemetry is what a process observes itself with.
type Telemetry struct {
	Log     *slog.Logger
	Tracer  trace.Tracer
	Tracers trace.TracerProvider // nil: spans go nowhere
	Metrics *Metrics

	shutdown func(context.Context) error
}

// Start sets up traces, logs and metrics. Spans go to the collector that the standard variables
// name (OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT; protocol
// http/protobuf unless OTEL_EXPORTER_OTLP_PROTOCOL is grpc), and nowhere when none is named.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{Log: newLogger(o), shutdown: func(context.Context) error { return nil }}
	var err error
	if t.Metrics, err = newMetrics(o.Version); err != nil {
		return nil, err
	}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		t.Tracer = noop.NewTracerProvider().Tracer("docket")
		return t, nil
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("send traces by OTLP: %w", err)
	}
	described, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(), resource.WithAttributes(attributes(o.Version)...))
	if err != nil {
		return nil, fmt.Errorf("describe this process for traces: %w", err)
	}
	settings := []sdktrace.TracerProviderOption{sdktrace.WithBatcher(exporter), sdktrace.WithResource(described)}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		settings = append(settings, sdktrace.WithSampler(sdktrace.ParentBased(deeds{})))
	}
	provider := sdktrace.NewTracerProvider(settings...)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		t.Log.Warn("traces are not sent", "error", err)
	}))
	t.Tracer, t.Tracers, t.shutdown = provider.Tracer("docket"), provider, provider.Shutdown
	return t, nil
}

func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	switch strings.ToLower(protocol) {
	case "grpc":
		return otlptracegrpc.New(ctx)
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL %q is not spoken here: grpc or http/protobuf", protocol)
}

// Shutdown sends what is still to be sent.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	return errors.Join(t.shutdown(ctx), t.Metrics.shutdown(ctx))
}
