# Docket's commands for people. `make` alone lists them; each one does its own set-up.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

# Version stamps come from git where git answers; a copy of the tree without it, or owned by somebody else, builds too.
STAMP := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo true || echo false)

BUILD    := scripts/progress.sh
TOOLS    := bin/tools
LINT     := $(CURDIR)/$(TOOLS)/golangci-lint
DEVSTACK := bin/docket-devstack

# `make demo ARGS=--ephemeral`, `make bench ARGS='-o json'`
ARGS ?=
# `make replay FILE=my_log.csv.gz LIMIT=0`; 0 reads the whole log
FILE  ?= ../shared/data/lifecycle_uci_dev.csv.gz
LIMIT ?= 300
# The packages where goroutines share state; the rest is pure or runs on Temporal's deterministic scheduler.
RACE  ?= ./postgres/... ./desk/... ./worker/...
# These let one process do one thing at a time, over and over, and die: nothing for the race detector to see. `make test` runs them.
RACE_SKIP ?= ^(TestEdge05TheProcessDiesAtEachStepOfEachDeed|TestAMonthThatDiesAnywhereClosesTheSame)$$
TEST_TIMEOUT ?= 20m

.PHONY: help
help: ## List the commands
	@printf 'Docket: from a ticket to an invoice line.\n\n'
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r command what; do printf '%-18s %s\n' "$$command" "$$what"; done
	@printf '\nARGS= goes to the docket command of demo, up and bench; FILE= and LIMIT= to replay.\n'

.PHONY: demo
demo: setup build ## Start everything with a seeded MSP and watch tickets become invoice lines
	@exec bin/docket up $(ARGS)

.PHONY: up
up: demo ## The same as demo

.PHONY: build
build: go ## Build bin/docket and bin/docket-devstack (the first time takes minutes)
	@mkdir -p bin
	@printf 'Building. The first build compiles the Temporal server too: some minutes; later ones take seconds.\n' >&2
	@$(BUILD) bin/docket go build -v -buildvcs=$(STAMP) -o bin/docket ./cmd/docket
	@$(BUILD) $(DEVSTACK) go build -C devstack -v -buildvcs=false -ldflags '-s -w' -o ../$(DEVSTACK) .

.PHONY: test
test: setup build ## Run the tests of both modules
	@$(BUILD) 'go vet' go vet -v ./...
	go test -timeout $(TEST_TIMEOUT) ./...
	go -C devstack test -timeout $(TEST_TIMEOUT) ./...
	@printf 'make test: every package of both modules passed.\n'

.PHONY: race
race: setup build ## Run the tests of the concurrent packages under the race detector (needs a C compiler)
	@command -v $${CC:-gcc} >/dev/null || { printf 'The race detector needs a C compiler: apt-get install gcc libc6-dev\n' >&2; exit 1; }
	CGO_ENABLED=1 go test -race -timeout $(TEST_TIMEOUT) -skip '$(RACE_SKIP)' $(RACE)

.PHONY: replay
replay: setup build ## Replay the first LIMIT incidents of a real company's log, keeping nothing
	@test -r '$(FILE)' || { printf 'No log at %s: give one with FILE=path\n' '$(FILE)' >&2; exit 1; }
	bin/docket replay '$(FILE)' --limit $(LIMIT) --ephemeral $(ARGS)

.PHONY: histories
histories: go ## Replay the saved workflow histories against today's workflow code
	go test -count=1 -v -run '^TestReplay' ./workflows/...

.PHONY: e2e
e2e: setup build ## Run the end-to-end tests alone: a real Temporal server, a worker killed in mid-close
	go test -count=1 -v -timeout $(TEST_TIMEOUT) -run '^TestE2E' ./e2e/...

.PHONY: bench
bench: setup build ## Measure closing transactions and tickets, against pgbench and an empty workflow
	bin/docket bench $(ARGS)

.PHONY: lint
lint: tools ## Check formatting, import directions, banned calls, workflow determinism
	@printf 'golangci-lint: the root module\n' >&2
	@$(LINT) run ./...
	@printf 'golangci-lint: devstack\n' >&2
	@cd devstack && $(LINT) run --config ../.golangci.yml ./...
	@printf 'workflowcheck: workflow code is deterministic\n' >&2
	@$(TOOLS)/workflowcheck ./workflows/...

.PHONY: fmt
fmt: tools ## Format the code as the linter wants it
	@$(LINT) fmt ./...
	@cd devstack && $(LINT) fmt --config ../.golangci.yml ./...

.PHONY: tools
tools: go ## Build the pinned development tools into bin/tools
	@mkdir -p $(TOOLS)
	@$(BUILD) $(TOOLS) go build -C tools -v -buildvcs=false -o ../$(TOOLS)/ tool

.PHONY: setup
setup: go ## Install what is missing: PostgreSQL's server programs
	@if [ -z "$${DATABASE_URL:-}" ]; then scripts/setup-postgres.sh; fi

.PHONY: go
go:
	@command -v go >/dev/null || { printf 'Docket needs Go %s or newer: https://go.dev/dl\n' "$$(sed -n 's/^go //p' go.mod)" >&2; exit 1; }

.PHONY: clean
clean: ## Remove what was built (data of `docket up` stays)
	rm -rf bin
