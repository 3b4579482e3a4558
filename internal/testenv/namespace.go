package testenv

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

const namespaceTimeout = 30 * time.Second

// registerNamespace returns when a new namespace with these search attributes can be used.
func registerNamespace(t testing.TB, address string, attributes map[string]string) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", databases.Add(1))
	ctx, cancel := context.WithTimeout(t.Context(), namespaceTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: name})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        name,
		WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	require.NoError(t, err)
	types := map[string]enumspb.IndexedValueType{}
	for attribute, kind := range attributes {
		types[attribute], err = enumspb.IndexedValueTypeFromString(kind)
		require.NoError(t, err)
	}
	// The server refuses until its caches have seen the namespace.
	require.EventuallyWithT(t, func(now *assert.CollectT) {
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: name, SearchAttributes: types})
		require.NoError(now, err)
	}, namespaceTimeout, 20*time.Millisecond)
	return name
}
