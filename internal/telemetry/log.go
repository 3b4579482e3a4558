package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// newLogger logs to stderr, each record with the trace and span it belongs to.
func newLogger(o Options) *slog.Logger {
	settings := &slog.HandlerOptions{Level: o.Level}
	if o.JSON {
		return slog.New(traced{slog.NewJSONHandler(o.Stderr, settings)})
	}
	return slog.New(traced{slog.NewTextHandler(o.Stderr, settings)})
}

// traced adds trace_id and span_id, by which a log line is found from a trace and the other way round.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
