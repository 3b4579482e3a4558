package pgdev

import (
	"maps"
	"slices"
	"strconv"
)

// serverArgs are the server's arguments: every setting is there to see in the process list, and none in a file that outlives a change.
func serverArgs(data string, c *Cluster, o Options) []string {
	settings := map[string]string{
		"listen_addresses":        c.Host,
		"port":                    strconv.Itoa(c.Port),
		"unix_socket_directories": c.sockets,
		"unix_socket_permissions": "0700",
		"password_encryption":     "scram-sha-256",
		"cluster_name":            "docket",

		"max_connections":                 "250",
		"shared_buffers":                  "48MB",
		"huge_pages":                      "off",
		"jit":                             "off", // compiles for longer than Docket's statements run, at 20 MB a session
		"max_logical_replication_workers": "0",
		"timezone":                        "UTC",
		"log_timezone":                    "UTC",
		"lc_messages":                     "C",
		"log_line_prefix":                 "%m [%p] %d ",
		"log_min_messages":                "warning",
		"log_checkpoints":                 "off",
		"log_autovacuum_min_duration":     "-1",
		"max_wal_size":                    "1GB",
		"checkpoint_timeout":              "15min",
	}
	if o.Durable {
		maps.Copy(settings, map[string]string{
			"fsync":              "on",
			"full_page_writes":   "on",
			"synchronous_commit": "on",
			"wal_level":          "replica", // a base backup and its log restore both databases to one instant
		})
	} else {
		maps.Copy(settings, map[string]string{
			"fsync":              "off",
			"full_page_writes":   "off",
			"synchronous_commit": "off",
			"wal_level":          "minimal",
			"max_wal_senders":    "0",
		})
	}
	maps.Copy(settings, o.Settings)
	args := []string{"-D", data}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}
