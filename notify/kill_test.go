package notify_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/postgres"
)

// What the child process of these tests is given.
const (
	childDatabase = "DOCKET_TEST_COURIER_DATABASE"
	childMail     = "DOCKET_TEST_COURIER_MAIL"
	childClock    = "DOCKET_TEST_COURIER_CLOCK" // Unix nanoseconds
)

// TestMain is also a courier process of its own, to be killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(childDatabase); url != "" {
		courierProcess(url)
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "docket-notify-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := trustOurs(dir); err != nil {
		panic(err)
	}
	return m.Run()
}

func courierProcess(url string) {
	ctx := context.Background()
	clock, err := strconv.ParseInt(os.Getenv(childClock), 10, 64)
	now := func() time.Time { return time.Unix(0, clock).UTC() }
	store, openErr := postgres.Open(ctx, url, postgres.Options{Now: now})
	if err != nil || openErr != nil {
		panic("a courier without its settings")
	}
	key, err := store.LinkKey(ctx)
	if err != nil {
		panic(err)
	}
	mail, err := notify.NewMail(os.Getenv(childMail), "docket@desk.example", notify.Words{Key: key}, now)
	if err != nil {
		panic(err)
	}
	(&notify.Courier{Outbox: store, Senders: []notify.Sender{mail}, Now: now, Log: quietLog}).Run(ctx)
}

// The process is killed before the mail server has the mail, and after it has it and before the mark.
func TestAKilledCourierLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		hold  func(p *postOffice, reached chan<- struct{}, release <-chan struct{})
		mails int
	}{
		{"before the mail is handed over", func(p *postOffice, reached chan<- struct{}, release <-chan struct{}) {
			p.refuse = func(string) error {
				reached <- struct{}{}
				<-release
				return nil
			}
		}, 1},
		{"between the server's yes and the mark", func(p *postOffice, reached chan<- struct{}, release <-chan struct{}) {
			p.after = func() error {
				reached <- struct{}{}
				<-release
				return nil
			}
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, first := openHouse(t), openPostOffice(t)
			reached, release := make(chan struct{}), make(chan struct{})
			c.hold(first, reached, release)
			h.held("Mailbox is gone")

			child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very test
			child.Env = append(os.Environ(), childDatabase+"="+h.url, childMail+"="+first.url(), childClock+"="+strconv.FormatInt(h.clock.Load(), 10))
			require.NoError(t, child.Start())
			<-reached
			require.NoError(t, child.Process.Kill())
			require.Error(t, child.Wait())
			close(release)
			require.Equal(t, []string{"asked ann waiting 1"}, h.state())

			second := openPostOffice(t)
			m := h.mail(second.url())
			require.Zero(t, h.round(m), "the dead one's lease still holds")
			h.pass(2 * time.Minute)
			require.Equal(t, 1, h.round(m))
			require.Equal(t, []string{"asked ann sent 2"}, h.state())
			all := append(first.got(), second.got()...)
			require.Len(t, all, c.mails)
			for _, m := range all {
				require.Equal(t, all[0].Header.Get("Message-ID"), m.Header.Get("Message-ID"))
			}
		})
	}
}
