package devserver

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Ready is what the server says when it can be used.
type Ready struct {
	Address   string // gRPC, host:port
	HTTP      string // the HTTP API, http://host:port
	UI        string // http://host:port, empty without a UI
	Namespace string
	Schema    time.Duration // from the process's start until both databases had their schema
	Start     time.Duration // ... until all services had started
	Total     time.Duration // ... until namespace, search attributes and UI answered
}

func parseReady(line []byte) (Ready, error) {
	var said struct {
		Address   string `json:"address"`
		HTTP      string `json:"http"`
		UI        string `json:"ui"`
		Namespace string `json:"namespace"`
		SchemaMS  int64  `json:"schema_ms"`
		StartMS   int64  `json:"start_ms"`
		ReadyMS   int64  `json:"ready_ms"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return Ready{}, fmt.Errorf("its ready line %q is no JSON: is the binary another program, or another version? %w", line, err)
	}
	return Ready{
		Address: said.Address, HTTP: said.HTTP, UI: said.UI, Namespace: said.Namespace,
		Schema: time.Duration(said.SchemaMS) * time.Millisecond,
		Start:  time.Duration(said.StartMS) * time.Millisecond,
		Total:  time.Duration(said.ReadyMS) * time.Millisecond,
	}, nil
}

// Ports are those that the server listens on, to start another in its place; ui is NoUI without one.
func (r Ready) Ports() (grpc, http, ui int, err error) {
	if grpc, err = portOf("//" + r.Address); err != nil {
		return 0, 0, 0, err
	}
	if http, err = portOf(r.HTTP); err != nil {
		return 0, 0, 0, err
	}
	if r.UI == "" {
		return grpc, http, NoUI, nil
	}
	ui, err = portOf(r.UI)
	return grpc, http, ui, err
}

func portOf(address string) (int, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, fmt.Errorf("read the server's address %q: %w", address, err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0, fmt.Errorf("read the port of the server's address %q: %w", address, err)
	}
	return port, nil
}
