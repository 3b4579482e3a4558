package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	namespaceTimeout = 60 * time.Second
	namespacePoll    = 20 * time.Millisecond
)

// prepareNamespace registers the namespace and its search attributes unless they exist, and returns when clients can use them.
func prepareNamespace(ctx context.Context, o options, address string) error {
	ctx, cancel := context.WithTimeout(ctx, namespaceTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: o.namespace, Logger: silence{}})
	if err != nil {
		return fmt.Errorf("connect to the started server at %s: %w", address, err)
	}
	defer c.Close()
	if err := registerNamespace(ctx, c, o); err != nil {
		return fmt.Errorf("register namespace %q: %w", o.namespace, err)
	}
	// The services see a new namespace when their caches refresh, up to 2 s later.
	var listed searchAttributes
	err = until(ctx, func() (err error) {
		listed, err = listAttributes(ctx, c, o.namespace)
		return err
	})
	if err != nil {
		return fmt.Errorf("list the search attributes of namespace %q: %w", o.namespace, err)
	}
	missing, err := missingAttributes(o.search, listed)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		return nil
	}
	return addAttributes(ctx, c, o.namespace, missing)
}

func registerNamespace(ctx context.Context, c client.Client, o options) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        o.namespace,
		Description:                      "Docket: a ticket is a workflow",
		WorkflowExecutionRetentionPeriod: durationpb.New(o.retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

func listAttributes(ctx context.Context, c client.Client, namespace string) (searchAttributes, error) {
	list, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, err
	}
	return list.CustomAttributes, nil
}

// missingAttributes are those wanted that are not listed. An attribute cannot change its type.
func missingAttributes(wanted, listed searchAttributes) (map[string]enumspb.IndexedValueType, error) {
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range wanted {
		had, ok := listed[name]
		switch {
		case !ok:
			missing[name] = kind
		case had != kind:
			return nil, fmt.Errorf("-search-attribute %s=%s: the namespace has it as %s already; keep that type, or choose another name or -namespace", name, kind, had)
		}
	}
	return missing, nil
}

func addAttributes(ctx context.Context, c client.Client, namespace string, missing map[string]enumspb.IndexedValueType) error {
	err := until(ctx, func() error {
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: missing})
		var exists *serviceerror.AlreadyExists
		if errors.As(err, &exists) { // a try whose answer was lost
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add search attributes to namespace %q: %w", namespace, err)
	}
	return until(ctx, func() error {
		listed, err := listAttributes(ctx, c, namespace)
		if err != nil {
			return err
		}
		for name := range missing {
			if _, ok := listed[name]; !ok {
				return fmt.Errorf("search attribute %s of namespace %q is not listed", name, namespace)
			}
		}
		return nil
	})
}

// until repeats try until it succeeds, or returns its last error when ctx ends or the error cannot heal.
func until(ctx context.Context, try func() error) error {
	tick := time.NewTicker(namespacePoll)
	defer tick.Stop()
	for {
		err := try()
		var invalid *serviceerror.InvalidArgument
		if err == nil || errors.As(err, &invalid) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// silence drops the SDK's log: what fails comes back as an error.
type silence struct{}

var _ sdklog.Logger = silence{}

func (silence) Debug(string, ...any) {}
func (silence) Info(string, ...any)  {}
func (silence) Warn(string, ...any)  {}
func (silence) Error(string, ...any) {}
