package main

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	// historyShards is fixed for life when a database is first used: the server keeps the number it finds there.
	historyShards = 4
)

// server is the four services of Temporal in this process.
type server struct {
	temporal temporal.Server
	address  string // gRPC, host:port to connect to
	http     string // http://host:port
	log      serverLog
}

// startServer returns when all services have started. The namespace is not there yet.
func startServer(o options, ports portPlan, logger serverLog) (*server, error) {
	conf := serverConfig(o, ports)
	authorizer, err := authorization.GetAuthorizerFromConfig(&conf.Global.Authorization)
	if err != nil {
		return nil, fmt.Errorf("configure Temporal: %w", err)
	}
	srv, err := temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(o, ports)),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorizer),
		temporal.WithDynamicConfigClient(dynamicSettings()),
	)
	if err != nil {
		return nil, fmt.Errorf("configure Temporal: %w", err)
	}
	if err := srv.Start(); err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	return &server{
		temporal: srv,
		address:  hostPort(reachable(o.ip), ports.grpc),
		http:     "http://" + hostPort(reachable(o.ip), ports.http),
		log:      logger,
	}, nil
}

func (s *server) stop() {
	s.log.quiet()
	// The services report nothing that could still be acted on.
	_ = s.temporal.Stop()
}

func serverConfig(o options, ports portPlan) *config.Config {
	conf := &config.Config{}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = reachable(o.ip)
	conf.Persistence = config.Persistence{
		NumHistoryShards: historyShards,
		DefaultStore:     "default",
		VisibilityStore:  "visibility",
		DataStores: map[string]config.DataStore{
			"default":    {SQL: sqlStore(o.postgres, o.postgres.database)},
			"visibility": {SQL: sqlStore(o.postgres, o.postgres.visibilityDatabase())},
		},
	}
	conf.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
			Enabled:                true,
			InitialFailoverVersion: 1,
			RPCAddress:             hostPort(reachable(o.ip), ports.grpc),
			HTTPAddress:            hostPort(reachable(o.ip), ports.http),
			ClusterID:              uuid.NewString(), // of a new database; an older one keeps its own
		}},
	}
	conf.DCRedirectionPolicy.Policy = "noop"
	conf.Archival.History.State = "disabled"
	conf.Archival.Visibility.State = "disabled"
	conf.NamespaceDefaults.Archival.History.State = "disabled"
	conf.NamespaceDefaults.Archival.Visibility.State = "disabled"
	conf.PublicClient.HostPort = hostPort(reachable(o.ip), ports.grpc)
	conf.Services = map[string]config.Service{
		string(primitives.FrontendService): {RPC: config.RPC{BindOnIP: o.ip, GRPCPort: ports.grpc, HTTPPort: ports.http}},
		string(primitives.HistoryService):  {RPC: config.RPC{BindOnIP: loopback, GRPCPort: ports.history}},
		string(primitives.MatchingService): {RPC: config.RPC{BindOnIP: loopback, GRPCPort: ports.matching}},
		string(primitives.WorkerService):   {RPC: config.RPC{BindOnIP: loopback, GRPCPort: ports.worker}},
	}
	return conf
}

// staticHosts name each service's one host, in place of the gossip by which a real cluster finds its members.
func staticHosts(o options, ports portPlan) map[primitives.ServiceName]static.Hosts {
	return map[primitives.ServiceName]static.Hosts{
		primitives.FrontendService: static.SingleLocalHost(hostPort(reachable(o.ip), ports.grpc)),
		primitives.HistoryService:  static.SingleLocalHost(hostPort(loopback, ports.history)),
		primitives.MatchingService: static.SingleLocalHost(hostPort(loopback, ports.matching)),
		primitives.WorkerService:   static.SingleLocalHost(hostPort(loopback, ports.worker)),
	}
}
