package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

const uiTimeout = 15 * time.Second

// webUI is Temporal's Web UI.
type webUI struct {
	server *uiserver.Server
	url    string
}

// startUI returns when the UI answers.
func startUI(ctx context.Context, o options, port int, temporalAddress string) (*webUI, error) {
	ui := &webUI{
		url: "http://" + hostPort(reachable(o.ip), port),
		server: uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			Host:                o.ip,
			Port:                port,
			TemporalGRPCAddress: temporalAddress,
			EnableUI:            true,
			DefaultNamespace:    o.namespace,
			DisableNewsFetch:    true,                                // nothing leaves the machine
			CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on loopback
			HideLogs:            true,
		})),
	}
	go func() { _ = ui.server.Start() }()
	if err := ui.answers(ctx); err != nil {
		ui.stop()
		return nil, fmt.Errorf("the Web UI at %s does not answer: %w", ui.url, err)
	}
	return ui, nil
}

func (u *webUI) stop() { u.server.Stop() }

func (u *webUI) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, uiTimeout)
	defer cancel()
	return until(ctx, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url+"/healthz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", req.URL, res.Status)
		}
		return nil
	})
}
