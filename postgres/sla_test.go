package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

// promising is a contract of northwind's that says more about its clocks than coverAll.
const promising = `
schema: docket.contract/v1
contract: northwind-promises
client: northwind
name: Promises
priority: 10
effective_from: 2020-01-01
currency: EUR
time_zone: Europe/Berlin
lines:
  - {clause: "1", name: Everything, charge: covered}
sla:
  calendar: office
  warn_percent: 50
  pauses_on: [customer, approval]
  escalation: {after: 30m, reroute: true}
  targets:
    1: {response: 15m, resolution: 4h, calendar: 24x7}
    2: {response: 1h, resolution: 6h}
    3: {response: 1h, resolution: 8h}
`

func (k *kit) promises(doc string) {
	k.t.Helper()
	_, err := k.ApplyContract(k.ctx, []byte(doc), "dora", true)
	require.NoError(k.t, err)
}

func (k *kit) owner() {
	k.t.Helper()
	require.NoError(k.t, k.PutPerson(k.ctx, staff("olga", "Olga", "owner")))
}

func (k *kit) prioritise(id ticket.ID, to int) ticket.Answer {
	k.t.Helper()
	a, err := k.Prioritise(k.ctx, id, ticket.Prioritise{Header: k.by("dora"), Priority: to, Reason: "the whole floor is down"})
	require.NoError(k.t, err)
	return a
}

func utc(t testing.TB, s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at.UTC()
}

func TestTargetsOfAPriorityCountInItsOwnCalendar(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	k.at(utc(t, "2026-03-06T15:30:00Z")) // Friday 16:30 in Berlin; the office closes at 17:00
	o := k.opening("northwind")
	o.Impact, o.Urgency = 1, 1
	urgent := k.brief(k.openAs(o)).Deadlines
	require.Equal(t, utc(t, "2026-03-06T15:45:00Z"), urgent.Response)
	require.Equal(t, utc(t, "2026-03-06T19:30:00Z"), urgent.Resolution, "priority 1 counts around the clock")
	require.Equal(t, utc(t, "2026-03-06T17:30:00Z"), urgent.WarnResolution, "half of it")

	o = k.opening("northwind")
	o.Impact, o.Urgency = 2, 2
	calm := k.brief(k.openAs(o)).Deadlines
	require.Equal(t, utc(t, "2026-03-09T07:30:00Z"), calm.Response, "half an hour on Friday, half an hour on Monday")
	require.Equal(t, utc(t, "2026-03-09T14:30:00Z"), calm.Resolution)
	require.Equal(t, ticket.Owed{Response: calm.Response, Resolution: calm.Resolution}, calm.Owed)
}

func TestAWarningComesOncePerTargetAndThenTheBreach(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	k.owner()
	id := k.priority3() // Friday 11:00 in Berlin: response at 12:00, resolution on Monday at 10:00
	early, err := k.Warn(k.ctx, id, 1, "response")
	require.NoError(t, err)
	require.False(t, early.Effect, "half an hour is not gone yet")

	k.at(friday.Add(30 * time.Minute))
	warned, err := k.Warn(k.ctx, id, 1, "response")
	require.NoError(t, err)
	require.True(t, warned.Effect)
	require.Zero(t, warned.Deadlines.WarnResponse)
	require.Contains(t, warned.Says, "told ada", "who has it")
	again, err := k.Warn(k.ctx, id, 1, "response")
	require.NoError(t, err)
	require.False(t, again.Effect)

	// The workers were away over the resolution's warning and its deadline: there is nothing left to warn of.
	_, err = k.Claim(k.ctx, id, ticket.Claim{Header: k.by("ada")})
	require.NoError(t, err)
	k.at(utc(t, "2026-03-09T09:00:00Z"))
	missed, err := k.Warn(k.ctx, id, 1, "resolution")
	require.NoError(t, err)
	require.True(t, missed.Effect)
	require.Contains(t, missed.Says, "missed its resolution target, which was 2026-03-09T09:00:00Z")
	require.Zero(t, missed.Deadlines.WarnResolution)
	require.Equal(t, missed.Deadlines.Owed.Resolution, utc(t, "2026-03-09T09:00:00Z"), "missed, and still owed")
	require.Equal(t, 1, value[int](k, "select count(*) from ticket_events where kind = 'warning'"))
	require.Equal(t, []string{"ada"}, value[[]string](k, "select array(select jsonb_array_elements_text(answer::jsonb -> 'to')) from ticket_events where kind = 'breach'"))
}

func TestAMissedTargetGoesUpTheChainUntilItIsMet(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	k.owner()
	id := k.priority3()
	_, err := k.Claim(k.ctx, id, ticket.Claim{Header: k.by("ada")})
	require.NoError(t, err)
	due := k.brief(id).Deadlines.Resolution // Monday 10:00 in Berlin
	k.at(due)
	a, err := k.Breach(k.ctx, id, 1, "resolution")
	require.NoError(t, err)
	require.True(t, a.Effect)
	require.Equal(t, due.Add(30*time.Minute), a.Deadlines.Escalate)
	require.Equal(t, 1, a.Deadlines.Step)

	early, err := k.StepUp(k.ctx, id, 1, 1)
	require.NoError(t, err)
	require.False(t, early.Effect)

	k.at(a.Deadlines.Escalate)
	first, err := k.StepUp(k.ctx, id, 1, 1)
	require.NoError(t, err)
	require.True(t, first.Effect)
	require.Equal(t, ticket.Routing, first.Stage, "the contract takes it from its assignee")
	require.Empty(t, first.Assignee)
	require.Contains(t, first.Says, "told dora; it was taken from ada")
	require.Equal(t, k.time().Add(time.Hour), first.Deadlines.Escalate, "each step waits twice as long")
	twice, err := k.StepUp(k.ctx, id, 1, 1)
	require.NoError(t, err)
	require.False(t, twice.Effect)
	to, err := k.Route(k.ctx, id, 1, []string{"ada"})
	require.NoError(t, err)
	require.Equal(t, "bob", to.Assignee)

	k.at(first.Deadlines.Escalate)
	second, err := k.StepUp(k.ctx, id, 1, 2)
	require.NoError(t, err)
	require.Contains(t, second.Says, "told olga")
	require.Equal(t, "bob", second.Assignee, "only the first step takes it away")

	// While the customer is waited for nobody is told; when he has answered, the chain goes on.
	_, err = k.Wait(k.ctx, id, ticket.Wait{Header: k.by("bob"), Reason: "customer"})
	require.NoError(t, err)
	require.Zero(t, k.brief(id).Deadlines.Escalate)
	k.at(k.time().AddDate(0, 0, 1))
	resumed, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("bob")})
	require.NoError(t, err)
	require.Equal(t, 3, resumed.Deadlines.Step)

	k.at(k.time().Add(time.Hour))
	_, err = k.Close(k.ctx, id, 1, ticket.Resolve{Header: k.by("bob"), Resolution: "cleared", Work: []ticket.WorkEntry{k.work()}})
	require.NoError(t, err)
	done, err := k.StepUp(k.ctx, id, 1, 3)
	require.NoError(t, err)
	require.False(t, done.Effect)
	require.Equal(t, 2, value[int](k, "select count(*) from ticket_events where kind = 'escalated'"))
}

func TestEdge58PriorityChangesWhilePausedKeepThePauseSoFar(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3() // Friday 11:00 in Berlin
	k.at(friday.Add(time.Hour))
	_, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	k.at(friday.Add(3 * time.Hour))
	raised := k.prioritise(id, 2)
	require.True(t, raised.Effect)
	require.Zero(t, raised.Deadlines.Resolution, "it still waits")
	require.Contains(t, raised.Says, "still stands still")
	require.Equal(t, 2, k.brief(id).Triaged.Priority)

	// Resumed at 15:00: three hours stood still. Six hours from 11:00 are 17:00, and three more are Monday at 11:00.
	k.at(friday.Add(4 * time.Hour))
	resumed, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.Equal(t, utc(t, "2026-03-09T10:00:00Z"), resumed.Deadlines.Resolution)

	// Around the clock the same pause is three hours: four from 11:00 are 15:00, and then 18:00.
	urgent := k.prioritise(id, 1)
	require.Equal(t, utc(t, "2026-03-06T17:00:00Z"), urgent.Deadlines.Resolution)
	back := k.prioritise(id, 3)
	require.Equal(t, utc(t, "2026-03-09T12:00:00Z"), back.Deadlines.Resolution, "eight hours and three")
	require.False(t, k.prioritise(id, 3).Effect)
}

func TestEdge58APauseIsKeptThroughAPriorityThatPromisesNothing(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3()
	none := k.prioritise(id, 5)
	require.Zero(t, none.Deadlines.Owed)
	k.at(friday.Add(time.Hour))
	_, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	k.at(friday.Add(2 * time.Hour))
	_, err = k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.Equal(t, utc(t, "2026-03-09T10:00:00Z"), k.prioritise(id, 3).Deadlines.Resolution, "eight hours and the one it waited")
}

func TestLoweringThePriorityDoesNotUndoAMiss(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3()
	k.prioritise(id, 1)
	k.at(friday.Add(5 * time.Hour))
	_, err := k.Breach(k.ctx, id, 1, "response")
	require.NoError(t, err)
	_, err = k.Breach(k.ctx, id, 1, "resolution")
	require.NoError(t, err)
	lowered := k.prioritise(id, 3)
	require.Contains(t, lowered.Says, "missed before, and stays so")
	require.Zero(t, lowered.Deadlines.Resolution)
	require.Zero(t, lowered.Deadlines.Response)
	receipt, err := k.Close(k.ctx, id, 1, ticket.Resolve{Header: k.by("ada"), Resolution: "cleared", Work: []ticket.WorkEntry{k.work()}})
	require.NoError(t, err)
	require.NotZero(t, receipt.Closure)
	require.True(t, value[bool](k, "select (facts::jsonb #>> '{ticket,sla,resolution_missed}')::boolean from closures"))
}

func TestAResponseInTimeStaysInTimeWhateverThePriorityBecomes(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3()
	k.at(friday.Add(40 * time.Minute)) // an hour was allowed
	_, err := k.Claim(k.ctx, id, ticket.Claim{Header: k.by("ada")})
	require.NoError(t, err)
	k.prioritise(id, 1) // fifteen minutes would have been
	_, err = k.Close(k.ctx, id, 1, ticket.Resolve{Header: k.by("ada"), Resolution: "cleared", Work: []ticket.WorkEntry{k.work()}})
	require.NoError(t, err)
	require.False(t, value[bool](k, "select coalesce((facts::jsonb #>> '{ticket,sla,response_missed}')::boolean, false) from closures"))
}

func TestAPriorityIsRefusedWithWhatIsWrong(t *testing.T) {
	k := newKit(t)
	id := k.priority3()
	_, err := k.Prioritise(k.ctx, id, ticket.Prioritise{Header: k.by("dora"), Priority: 6, Reason: "x"})
	require.Equal(t, "priority", problem(t, err).Field)
	_, err = k.Prioritise(k.ctx, id, ticket.Prioritise{Header: k.by("dora"), Priority: 2})
	require.Equal(t, "reason", problem(t, err).Field)
	_, err = k.Prioritise(k.ctx, id, ticket.Prioritise{Header: k.by("nina"), Priority: 1, Reason: "it is urgent to me"})
	require.Equal(t, "who", problem(t, err).Field, "a client asks; the desk decides")

	m := ticket.Prioritise{Header: k.by("dora"), Priority: 2, Reason: "twice"}
	once, err := k.Prioritise(k.ctx, id, m)
	require.NoError(t, err)
	again, err := k.Prioritise(k.ctx, id, m)
	require.NoError(t, err)
	require.Equal(t, once, again)
	_, err = k.Close(k.ctx, id, 1, ticket.Resolve{Header: k.by("ada"), Resolution: "cleared", Work: []ticket.WorkEntry{k.work()}})
	require.NoError(t, err)
	late := k.prioritise(id, 1)
	require.False(t, late.Effect)
	require.Contains(t, late.Says, "is closed; reopen it")
}

func TestOnlyTheWaitsThatTheContractNamesPauseTheClock(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3()
	due := k.brief(id).Deadlines.Resolution
	k.at(friday.Add(time.Hour))
	vendor, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "vendor"})
	require.NoError(t, err)
	require.Equal(t, ticket.Waiting, vendor.Stage)
	require.Equal(t, due, vendor.Deadlines.Resolution, "a vendor is our problem, by this contract")
	require.Contains(t, vendor.Says, "does not pause")
	k.at(friday.Add(2 * time.Hour))
	resumed, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.Equal(t, due, resumed.Deadlines.Resolution)
}

func TestTheClockStandsStillWhileTheClientIsAskedToApprove(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3()
	due := k.brief(id).Deadlines.Resolution // Monday 10:00 in Berlin
	require.True(t, k.brief(id).Deadlines.OnAsk)
	k.at(friday.Add(time.Hour))
	quote, err := k.RequestApproval(k.ctx, id, ticket.RequestApproval{Header: k.by("ada"), Action: "Replace the fuser", Amount: "240.00", Currency: "EUR"})
	require.NoError(t, err)
	require.Zero(t, k.brief(id).Deadlines.Resolution)

	// A wait that begins and ends meanwhile does not let it run.
	k.at(friday.Add(2 * time.Hour))
	_, err = k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	k.at(friday.Add(3 * time.Hour))
	resumed, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.Zero(t, resumed.Deadlines.Resolution)
	require.Contains(t, resumed.Says, "until the client has answered")

	k.at(friday.Add(4 * time.Hour))
	settled, err := k.SignOff(k.ctx, id, ticket.SignOff{Header: k.by("vera"), Hold: quote.Hold, Digest: quote.Digest, Approved: true})
	require.NoError(t, err)
	require.True(t, settled.Changed(), settled.Says)
	require.Equal(t, due.Add(3*time.Hour), k.brief(id).Deadlines.Resolution, "from 12:00 to 15:00 nobody could go on")
}
