package main

import (
	"runtime/debug"

	"go.temporal.io/server/common/dynamicconfig"
)

// dynamicSettings are those of the server's settings that differ from its defaults, which are made for large clusters.
func dynamicSettings() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// 20 polls a second and shard by default, which adds about 50 ms to every task.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   1000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      1000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 1000,

		// One partition for each task queue, not four: after a restart, what is in a partition that none of a few pollers has come to waits up to a
		// minute for one, with the machine idle.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// One client is all the clients there are: 10 lists a second starve a UI beside a desk.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// A new search attribute is usable at once, not after the cache's next refresh.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,

		// Entries and bytes in memory; what falls out is read from PostgreSQL again.
		// A finished run stays for an hour unless newer ones push it out: 4096 of them were more than half of the heap.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():     512,
		dynamicconfig.EnableHostLevelEventsCache.Key():       true,
		dynamicconfig.EventsHostLevelCacheMaxSizeBytes.Key(): 16 << 20,

		// Scanners look for the litter of partial failures in other databases; a PostgreSQL transaction leaves none.
		dynamicconfig.TaskQueueScannerEnabled.Key(): false,
		dynamicconfig.HistoryScannerEnabled.Key():   false,
	}
}

// limitMemory trades some CPU under load for a small process: it lives on one machine with PostgreSQL and Docket, mostly idle. Half of an idle
// server's 150 MB (PSS) is the program itself, mapped from its file. The limit is soft, and far above what a busy server holds: one that is
// reached leaves the collector most of the CPU (at 256 MB, 5,000 tickets into a long replay, each cost twice what the first ones did).
func limitMemory() {
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(768 << 20)
}
