package seed

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

//go:embed msp.yaml tickets.yaml costs.yaml contracts/*.yaml taxes/*.yaml
var files embed.FS

// msp is the file msp.yaml.
type msp struct {
	Calendars map[string]sla.Calendar `yaml:"calendars"`
	Company   billing.Party           `yaml:"company"`
	People    []person                `yaml:"people"`
	Clients   []client                `yaml:"clients"`
	Blocks    []block                 `yaml:"blocks"`
}

type person struct {
	ID         string          `yaml:"id"`
	Name       string          `yaml:"name"`
	Kind       ticket.Kind     `yaml:"kind"` // human where it is left out
	Roles      []string        `yaml:"roles"`
	WorkRole   string          `yaml:"work_role"`
	Email      string          `yaml:"email"`
	Board      string          `yaml:"board"`
	Skills     []string        `yaml:"skills"`
	Capacity   int             `yaml:"capacity"`
	HourlyCost decimal.Decimal `yaml:"hourly_cost"`
	TokenCost  decimal.Decimal `yaml:"token_cost"`
	Delegate   string          `yaml:"delegate"`
	Policy     *policy         `yaml:"policy"`
}

type policy struct {
	Categories    []string `yaml:"categories"`
	MaxPriority   int      `yaml:"max_priority"`
	MinConfidence int      `yaml:"min_confidence"`
}

type client struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	TimeZone string            `yaml:"time_zone"`
	Currency string            `yaml:"currency"`
	Party    billing.Party     `yaml:"party"` // where its invoices go
	Payer    string            `yaml:"payer"`
	Tax      string            `yaml:"tax"` // profile, where its contracts name none
	Sites    map[string]string `yaml:"sites"`
	Devices  map[string]int    `yaml:"devices"`
	People   []person          `yaml:"people"`
}

type block struct {
	Key       string          `yaml:"key"`
	Contract  string          `yaml:"contract"`
	Hours     decimal.Decimal `yaml:"hours"`
	Priority  int             `yaml:"priority"`
	GrantedAt time.Time       `yaml:"granted_at"`
	ExpiresAt time.Time       `yaml:"expires_at"`
	Price     decimal.Decimal `yaml:"price"`
	Currency  string          `yaml:"currency"`
}

// read decodes an embedded file; a field that it does not know is a mistake of the file.
func read(name string, to any) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(to); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// document is one revision of a contract, as its file is written: NAME.REVISION.yaml.
type document struct {
	contract string
	revision int
	text     []byte
}

// documents gives the contracts' revisions, each contract's in order.
var documents = sync.OnceValues(func() ([]document, error) {
	names, err := fs.Glob(files, "contracts/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	all := make([]document, 0, len(names))
	for _, name := range names {
		parts := strings.Split(strings.TrimPrefix(name, "contracts/"), ".")
		revision, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, fmt.Errorf("contract file %s: name it CONTRACT.REVISION.yaml: %w", name, err)
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all = append(all, document{contract: parts[0], revision: revision, text: text})
	}
	slices.SortFunc(all, func(a, b document) int {
		if a.contract != b.contract {
			return strings.Compare(a.contract, b.contract)
		}
		return a.revision - b.revision
	})
	return all, nil
})

// Contracts gives the demo's contract documents, every revision.
func Contracts() ([]*billing.Contract, error) {
	all, err := documents()
	if err != nil {
		return nil, err
	}
	contracts := make([]*billing.Contract, 0, len(all))
	for _, d := range all {
		c, err := billing.ParseContract(d.text)
		if err != nil {
			return nil, fmt.Errorf("contract %s revision %d: %w", d.contract, d.revision, err)
		}
		contracts = append(contracts, c)
	}
	return contracts, nil
}
