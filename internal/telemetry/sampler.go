package telemetry

import (
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// deeds samples what somebody did, and with it all that follows. A statement that nobody asked
// for, such as a sweep that looks for news every second, begins no trace of its own.
type deeds struct{}

func (deeds) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	for _, a := range p.Attributes {
		if strings.HasPrefix(string(a.Key), "db.") {
			result.Decision = sdktrace.Drop
		}
	}
	return result
}

func (deeds) Description() string { return "deeds" }
