package billing

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// sharedVectors is where the repository's neighbour keeps them.
var sharedVectors = filepath.Join("..", "..", "shared", "vectors", "rating.json")

var vectorsFile = flag.String("vectors", sharedVectors, "file of published input/expected pairs for TestPublishedVectors")

// vector is one input/expected pair from another billing system's published tests.
type vector struct {
	ID         string          `json:"id"`
	Model      string          `json:"model"`
	Params     json.RawMessage `json:"params"`
	Input      json.RawMessage `json:"input"`
	Expected   map[string]any  `json:"expected"`
	Convention string          `json:"convention"`
}

// adapter has the engine answer the vector: under a contract that says what the vector's
// parameters do, wherever one can, through Decide and DecidePeriod. It names its answers as
// the vector names what it expects. What no contract here can say is a notApplicable.
type adapter func(v *vector) (map[string]any, error)

// notApplicable is the reason for which a vector does not apply: it states another
// convention, or what no contract here can say. It never counts as passed.
type notApplicable string

func (n notApplicable) Error() string { return string(n) }

var adapters = map[string]adapter{
	"allocate":             vectorAllocate,
	"bucket":               vectorBucket,
	"bucket_chain":         vectorBucketChain,
	"capacity_tiers":       cannotSay("no contract here picks a plan by the smallest that holds several measures at once"),
	"deferred_minutes":     vectorDeferredMinutes,
	"discounts_in_order":   vectorDiscounts,
	"fifo_blocks":          vectorBlocks,
	"fifo_wallets":         vectorWallets,
	"fmv_allocation":       vectorFairValue,
	"graduated":            vectorTiers(modelGraduated),
	"graduated_delta":      vectorTiers(modelGraduated),
	"graduated_percentage": vectorTiers(modelGraduated),
	"grant_burndown":       vectorGrants,
	"invoice_totals":       vectorInvoice,
	"kb_blocks":            vectorTierPackages,
	"min_commitment":       vectorCommitment,
	"min_max":              vectorMinMax,
	"minor_units":          vectorMinorUnits,
	"package":              vectorPackage,
	"package_delta":        vectorPackage,
	"percentage_per_txn":   vectorPercentageEach,
	"percentage_simple":    vectorPercentageSum,
	"proration_days":       vectorProrationDays,
	"proration_ratio":      vectorProrationRatio,
	"proration_tax_credit": vectorProrationTax,
	"rollover":             vectorRollover,
	"round":                vectorRound,
	"split":                vectorSplit,
	"tax_lines":            vectorTaxLines,
	"tax_total":            vectorTaxTotal,
	"time":                 vectorTime,
	"unit_config":          vectorConversion,
	"usage_discount":       vectorFreeUnits,
	"usage_min_qty":        vectorLeastUnits,
	"volume":               vectorTiers(modelVolume),
	"volume_cumulative":    vectorTiers(modelVolume),
	"weighted_minutes":     vectorWeighted,
}

func cannotSay(reason string) adapter {
	return func(*vector) (map[string]any, error) { return nil, notApplicable(reason) }
}

// vectorResults are what became of the vectors, by model.
var vectorResults = map[string]*vectorResult{}

type vectorResult struct {
	passed, failed, not int
	reasons             []string
}

// TestPublishedVectors runs every pair of -vectors, in the format of shared/vectors/rating.json.
// TestPublishedVectorsInSum, which the same -run pattern matches, tells the outcome by model.
func TestPublishedVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		r := vectorResults[v.Model]
		if r == nil {
			r = new(vectorResult)
			vectorResults[v.Model] = r
		}
		t.Run(v.Model+"/"+v.ID, func(t *testing.T) {
			r.failed++
			run := adapters[v.Model]
			if run == nil {
				run = cannotSay("no contract here can say it")
			}
			got, err := run(&v)
			var reason notApplicable
			if errors.As(err, &reason) {
				r.failed, r.not = r.failed-1, r.not+1
				if !slices.Contains(r.reasons, string(reason)) {
					r.reasons = append(r.reasons, string(reason))
				}
				t.Skip("not applicable: " + string(reason))
			}
			require.NoError(t, err)
			for _, name := range slices.Sorted(maps.Keys(v.Expected)) {
				answer, given := got[name]
				require.True(t, given, "nothing here answers %s", name)
				require.True(t, agree(v.Expected[name], answer), "%s: want %v, got %v", name, v.Expected[name], answer)
			}
			r.failed, r.passed = r.failed-1, r.passed+1
		})
	}
}

// TestPublishedVectorsInSum prints a line per model. More than one in four that do not apply
// would say more about the engine than about the vectors.
func TestPublishedVectorsInSum(t *testing.T) {
	if len(vectorResults) == 0 {
		t.Skip("TestPublishedVectors has not run")
	}
	var all vectorResult
	for _, model := range slices.Sorted(maps.Keys(vectorResults)) {
		r := vectorResults[model]
		all.passed, all.failed, all.not = all.passed+r.passed, all.failed+r.failed, all.not+r.not
		fmt.Println(model + ": " + r.String())
	}
	fmt.Println("total: " + all.String())
	require.LessOrEqual(t, 4*all.not, all.passed+all.failed+all.not, "more than one in four vectors do not apply")
}

func (r *vectorResult) String() string {
	said := fmt.Sprintf("%d passed, %d failed, %d not applicable", r.passed, r.failed, r.not)
	if len(r.reasons) > 0 {
		said += " (" + strings.Join(r.reasons, "; ") + ")"
	}
	return said
}

// readVectors reads the file; a path is taken from where the tests run, the package's
// directory, or else from the module's root, where people are. Only where nobody has named a
// file may the neighbour be missing, and never in CI.
func readVectors(t *testing.T) []vector {
	data, err := os.ReadFile(*vectorsFile)
	if errors.Is(err, os.ErrNotExist) && !filepath.IsAbs(*vectorsFile) {
		data, err = os.ReadFile(filepath.Join("..", *vectorsFile))
	}
	if errors.Is(err, os.ErrNotExist) && *vectorsFile == sharedVectors && os.Getenv("CI") != "true" {
		t.Skipf("no vectors at %s: name the file with -vectors", *vectorsFile)
	}
	require.NoError(t, err)
	var vectors []vector
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&vectors))
	require.NotEmpty(t, vectors)
	return vectors
}

// read decodes parameters and input. A field that the adapter does not know states something
// that would be ignored, so the vector does not apply.
func (v *vector) read(params, input any) error {
	for _, part := range []struct {
		from json.RawMessage
		to   any
	}{{v.Params, params}, {v.Input, input}} {
		dec := json.NewDecoder(bytes.NewReader(part.from))
		dec.DisallowUnknownFields()
		if err := dec.Decode(part.to); err != nil && !errors.Is(err, io.EOF) {
			if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
				return notApplicable("no contract here can say " + strings.Trim(field, `"`))
			}
			return err
		}
	}
	return nil
}

// unordered is an answer in pairs whose order says nothing.
type unordered [][2]any

// agree compares what is expected with what came. Numbers compare exactly, however they are written.
func agree(want, got any) bool {
	switch got := got.(type) {
	case unordered:
		list, ok := want.([]any)
		if !ok || len(list) != len(got) {
			return false
		}
		return !slices.ContainsFunc(list, func(w any) bool {
			return !slices.ContainsFunc(got, func(pair [2]any) bool { return agree(w, []any{pair[0], pair[1]}) })
		})
	case []any:
		list, ok := want.([]any)
		return ok && slices.EqualFunc(list, got, agree)
	case map[string]any:
		fields, ok := want.(map[string]any)
		return ok && maps.EqualFunc(fields, got, agree)
	case decimal.Decimal:
		number, err := decimal.NewFromString(fmt.Sprint(want))
		return err == nil && number.Equal(got)
	}
	return fmt.Sprint(want) == fmt.Sprint(got)
}

// anys gives a list as an answer.
func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = item
	}
	return out
}

func answer(name string, d decimal.Decimal) map[string]any { return map[string]any{name: d} }
