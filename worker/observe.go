package worker

import (
	"fmt"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
)

const instrumentation = "github.com/docket-psa/docket/worker"

// Instrument makes a Temporal client, and every worker built on it, measure and trace through
// OpenTelemetry: SDK metrics (temporal_workflow_task_…, temporal_activity_…) go to meters, one
// span for each workflow, activity and message to tracers, and each log line of a traced
// ticket carries TraceID and SpanID. Either may be nil: then that half costs nothing.
func Instrument(options client.Options, tracers trace.TracerProvider, meters metric.MeterProvider) (client.Options, error) {
	if meters != nil {
		options.MetricsHandler = opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
			Meter:                meters.Meter(instrumentation),
			UseMonotonicCounters: true,
			OnError: func(err error) { // a metric that cannot be kept must not stop a ticket
				if options.Logger != nil {
					options.Logger.Warn("metric not recorded", "error", err)
				}
			},
		})
	}
	if tracers != nil {
		tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
			Tracer: tracers.Tracer(instrumentation),
			// A message may come from a sender without a trace: the Temporal UI, an older client.
			AllowInvalidParentSpans: true,
			DisableQueryTracing:     true,
		})
		if err != nil {
			return options, fmt.Errorf("set up tracing for Temporal: %w", err)
		}
		options.Interceptors = append(options.Interceptors, tracing)
	}
	return options, nil
}
