package notify_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/ticket"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// delivery is a request as an endpoint got it.
type delivery struct {
	header http.Header
	body   []byte
}

// hook is an endpoint in a private network that answers as a test wants.
func (h *house) hook(id string, answer func(w http.ResponseWriter, d delivery), tells ...string) {
	h.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			answer(w, delivery{r.Header, body})
		}
	}))
	h.t.Cleanup(server.Close)
	require.NoError(h.t, h.PutEndpoint(h.t.Context(), ticket.Endpoint{ID: id, URL: server.URL, Secret: hookSecret, Tells: tells, Private: true, By: "dora"}))
}

func TestAnEndpointGetsASignedNotice(t *testing.T) {
	h := openHouse(t)
	h.at(time.Now()) // the library holds the signature's time against the clock
	var got []delivery
	h.hook("chat", func(_ http.ResponseWriter, d delivery) { got = append(got, d) })
	h.hook("pager", func(_ http.ResponseWriter, d delivery) { t.Error("it hears of breaches only") }, ticket.TellsBreach)
	id, q := h.held("Mailbox is gone")
	require.Equal(t, 1, h.round(notify.NewWebhook(h.now)))
	require.Equal(t, []string{"asked ann waiting 0", "asked chat sent 1"}, h.state())
	require.Len(t, got, 1)
	verifier, err := standardwebhooks.NewWebhook(hookSecret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(got[0].body, got[0].header))
	require.Error(t, verifier.Verify(append([]byte(" "), got[0].body...), got[0].header))
	var said struct {
		Type string
		Data map[string]any
	}
	require.NoError(t, json.Unmarshal(got[0].body, &said))
	require.Equal(t, "docket.asked", said.Type)
	require.Equal(t, string(id), said.Data["ticket"])
	require.Equal(t, ticket.HoldID(q.Hold), said.Data["hold"])
	require.Equal(t, "600", said.Data["amount"])
	require.NotContains(t, string(got[0].body), "v1.", "who has the link could answer in ann's name")
	require.NotContains(t, string(got[0].body), q.Digest)
}

func TestAnEndpointThatFailsIsTriedAgainUnderTheSameIdentity(t *testing.T) {
	h := openHouse(t)
	var ids []string
	code := http.StatusInternalServerError
	h.hook("chat", func(w http.ResponseWriter, d delivery) {
		ids = append(ids, d.header.Get("webhook-id"))
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "out of\r\norder")
	})
	h.held("Mailbox is gone")
	s := notify.NewWebhook(h.now)
	h.round(s)
	require.Equal(t, "asked chat waiting 1", h.state()[1])
	h.pass(time.Minute)
	code = http.StatusFound
	h.round(s)
	require.Equal(t, "asked chat waiting 2", h.state()[1], "a redirect is not followed")
	h.pass(time.Hour)
	code = http.StatusNoContent
	h.round(s)
	require.Equal(t, "asked chat sent 3", h.state()[1])
	require.Len(t, ids, 3)
	require.Equal(t, ids[0], ids[1])
	require.Equal(t, ids[0], ids[2])
}

func TestAnEndpointThatIsGoneIsGivenUp(t *testing.T) {
	h := openHouse(t)
	h.hook("chat", func(w http.ResponseWriter, _ delivery) { w.WriteHeader(http.StatusGone) })
	h.held("Mailbox is gone")
	s := notify.NewWebhook(h.now)
	h.round(s)
	require.Equal(t, "asked chat dead 1", h.state()[1])

	h.held("Mailbox is gone again")
	require.NoError(t, h.RemoveEndpoint(t.Context(), "chat", "dora"))
	h.round(s)
	require.Equal(t, "asked chat moot 0", h.state()[3], "removed while it waited")
	h.held("And again")
	require.Len(t, h.state(), 5, "it is told nothing any more")
}

func TestASlowEndpointHoldsUpNeitherMailNorTheOthers(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	release := make(chan struct{})
	var quick atomic.Int32
	h.hook("slow", func(http.ResponseWriter, delivery) { <-release })
	h.hook("quick", func(http.ResponseWriter, delivery) { quick.Add(1) })
	h.held("Mailbox is gone")
	c := h.courier(h.Store, notify.NewWebhook(h.now), h.mail(p.url()))
	var running sync.WaitGroup
	running.Go(func() { c.Run(t.Context()) })
	require.Eventually(t, func() bool { return quick.Load() == 1 && len(p.got()) == 1 }, 10*time.Second, 10*time.Millisecond)
	require.Contains(t, h.state(), "asked slow waiting 1")
	close(release)
	require.Eventually(t, func() bool {
		sent, err := h.Notices(t.Context(), noticesSent)
		return err == nil && len(sent) == 3
	}, 10*time.Second, 10*time.Millisecond)
}

func TestAnEndpointReachesNoPrivateNetworkUnlessItIsSaidSo(t *testing.T) {
	h := openHouse(t)
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	t.Cleanup(inside.Close)
	require.NoError(t, h.PutEndpoint(t.Context(), ticket.Endpoint{ID: "sly", URL: inside.URL, Secret: hookSecret, By: "dora"}))
	h.held("Mailbox is gone")
	h.round(notify.NewWebhook(h.now))
	require.Equal(t, "asked sly waiting 1", h.state()[1])
	waiting, err := h.Notices(t.Context(), noticesWaiting)
	require.NoError(t, err)
	require.Contains(t, waiting[0].LastError, "127.0.0.1 lies in a private network")
}

func TestOnlyStaffSetsEndpointsAndOnlySafeOnes(t *testing.T) {
	h := openHouse(t)
	for _, c := range []struct {
		name string
		e    ticket.Endpoint
		says string
	}{
		{"plain http", ticket.Endpoint{ID: "x", URL: "http://hooks.example.com", By: "dora"}, "is not https"},
		{"another scheme", ticket.Endpoint{ID: "x", URL: "file:///etc/passwd", By: "dora"}, "is not an address"},
		{"a password", ticket.Endpoint{ID: "x", URL: "https://a:b@hooks.example.com", By: "dora"}, "carries a password"},
		{"an unknown notice", ticket.Endpoint{ID: "x", URL: "https://hooks.example.com", Tells: []string{"gossip"}, By: "dora"}, "is not a notice"},
		{"a client's approver", ticket.Endpoint{ID: "x", URL: "https://hooks.example.com", By: "ann"}, "may not set where notices go"},
		{"a technician", ticket.Endpoint{ID: "x", URL: "https://hooks.example.com", By: "tom"}, "may not set where notices go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorContains(t, h.PutEndpoint(t.Context(), c.e), c.says)
		})
	}
	require.Error(t, notify.CheckSecret("whsec_short"))
	require.NoError(t, notify.CheckSecret(notify.NewSecret()))
}
