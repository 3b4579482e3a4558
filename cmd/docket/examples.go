package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples are what the help of a command shows to copy, by the command's path. A command whose example needs more than a
// line has it beside its flags. A test parses each, and wants one of every command that takes an argument.
var examples = strings.Split(strings.TrimSpace(`
docket approval approve H-12 --as ruth.adler
docket approval decline H-12 --reason 'It was under warranty' --as ruth.adler
docket approval redeem LINK --approve
docket approval show H-12
docket block add acme-block --hours 20 --price 2500 --currency USD --as felix.moreau
docket block cancel 3 --reason 'Sold twice' --as felix.moreau
docket block paid 3 --as felix.moreau
docket calendar apply berlin-office.yaml --as mara.lindqvist
docket calendar check berlin-office.yaml
docket calendar show berlin-office
docket client address acme --street '1 Main St' --city Springfield --country US --email ap@acme.example --as felix.moreau
docket client count 40 --client acme --kind seat --on 2026-03-01 --as tom.reyes
docket client show acme
docket client tax acme US-NY --as felix.moreau
docket company set --name 'Harbor IT' --country US --email billing@harbor.example --as nadia.osei
docket contract apply acme.yaml --as nadia.osei
docket contract check acme.yaml
docket contract history acme-managed
docket contract show acme-managed
docket cost apply costs.yaml --as felix.moreau
docket cost check costs.yaml
docket credit apply acme --to INV-2026-00017 --as felix.moreau
docket credit show acme
docket credit-note send CN-2026-00003 --to cfo@acme.example --as felix.moreau
docket credit-note show CN-2026-00003
docket dispute settle D-1 --credit-amount 40.00 --reason 'Half of it' --as felix.moreau
docket exception confirm H-12 --as felix.moreau
docket exception limit dispatcher 250.00 --currency USD --as nadia.osei
docket exception show H-12
docket inbox show 3 --save .
docket invoice bounce P-12 --reason 'No funds' --as felix.moreau
docket invoice credit INV-2026-00017 --amount 50.00 --reason 'Too dear' --as felix.moreau
docket invoice finalize draft-17 --as felix.moreau
docket invoice limit dispatcher 50.00 --currency USD --as felix.moreau
docket invoice pay INV-2026-00017 --amount 120.00 --on 2026-04-02 --method 'transfer 4711' --as felix.moreau
docket invoice question L-12 --reason 'We never ordered that' --as ruth.adler
docket invoice review acme --as felix.moreau
docket invoice rules --review-first --remind 3,10,21 --as felix.moreau
docket invoice send INV-2026-00017 --to cfo@acme.example --as felix.moreau
docket invoice show INV-2026-00017
docket invoice void INV-2026-00017 --reason 'Wrong address' --as felix.moreau
docket invoice watch acme
docket invoice write-down L-12 --to 100.00 --reason 'Took too long' --as felix.moreau
docket month close 2026-03 --send --as felix.moreau
docket notify endpoint add chat --url https://hooks.example.com/docket --tells breach,exception --as mara.lindqvist
docket notify endpoint remove chat --as mara.lindqvist
docket notify retry 17
docket period approve acme-managed 2026-04 --as felix.moreau
docket period decline acme-managed 2026-04 --reason 'They stay' --as felix.moreau
docket period show acme-managed 2026-04
docket person add ann --name 'Ann Lee' --client acme --roles approver,contact --email ann@acme.example --as nadia.osei
docket person away ann --until 2026-12-24 --delegate ben --as mara.lindqvist
docket person back ann --as mara.lindqvist
docket person email ann ann@acme.example --as mara.lindqvist
docket person left ann --delegate ben --as mara.lindqvist
docket person quiet ann --hours 22:00-07:00 --zone America/New_York --weekend --as ann
docket project add cedar-hill --client acme --budget 5000.00 --as mara.lindqvist
docket project budget cedar-hill --budget 8000 --reason 'Second floor added' --as mara.lindqvist
docket project close cedar-hill --reason 'It is done' --as mara.lindqvist
docket project open cedar-hill --reason 'They want one room more' --as mara.lindqvist
docket project show cedar-hill
docket replay incidents.csv.gz --limit 300 --ephemeral
docket tax apply us-ny.yaml --as felix.moreau
docket tax check us-ny.yaml
docket tax show US-NY
docket ticket cancel T-1042 --reason 'Spam' --as mara.lindqvist
docket ticket claim T-1042 --as tom.reyes
docket ticket escalate T-1042 --reason 'It is the switch' --to omar.haddad --as tom.reyes
docket ticket merge T-1043 --into T-1042 --as mara.lindqvist
docket ticket move T-1042 --to acme --reason 'It is theirs' --as mara.lindqvist
docket ticket reopen T-1042 --reason 'It is back' --as mara.lindqvist
docket ticket reply T-1042 --body 'It works again, thank you' --as alice.grant
docket ticket request-approval T-1042 --action 'Replace the disk' --amount 250.00 --currency USD --as tom.reyes
docket ticket resolve T-1042 --took 25m --resolution 'Reset the password' --as tom.reyes
docket ticket resume T-1042 --as tom.reyes
docket ticket show T-1042
docket ticket trip T-1042 T-1043 --took 50m --as tom.reyes
docket ticket unmerge T-1043 --reason 'Another printer' --as mara.lindqvist
docket ticket wait T-1042 --reason customer --as tom.reyes
docket ticket work T-1042 --took 25m --note 'Looked at the logs' --as tom.reyes
docket usage record --client acme --event device-added --on 2026-03-10 --as tom.reyes
docket why L-12
`), "\n")

// exemplify gives each command its example.
func exemplify(root *cobra.Command) {
	for _, example := range examples {
		if c, _, err := root.Find(strings.Fields(example)[1:]); err == nil && c.Example == "" {
			c.Example = "  " + example
		}
	}
}
