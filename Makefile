# ringlog. `make demo` shows it at work, `make test` proves it, `make help` lists the rest.

GO      ?= go
PREFIX  ?= /usr/local
FUZZ    ?= 10s
SECONDS ?= 60
SCHEDULES ?= 1000000
TOOL     = $(GO) tool -modfile=$(CURDIR)/tools/go.mod
MODULES  = . bench examples/loggers
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X github.com/ringlog/ringlog/cmd/internal/cli.version=$(VERSION)

.PHONY: help build install demo test faults schedules model torture mutants race lint fuzz bench vectors cross clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## build ringlog and ringdump into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

install: build ## install them under PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 bin/ringlog bin/ringdump $(DESTDIR)$(PREFIX)/bin

demo: ## a study in worker processes: some are killed, and what arrived is counted (PRICES=FILE.csv)
	@$(GO) build -o bin/ ./examples/walkforward
	@exec bin/walkforward $${PRICES:+--prices "$$PRICES"} $${DEMO_DIR:+--dir "$$DEMO_DIR"}

test: ## all tests
	@for m in $(MODULES); do echo "$(GO) test ./... in $$m"; (cd $$m && $(GO) test ./...) || exit 1; done

faults: ## the tests that make a process die or fail at its failpoints, and the loss of power
	$(GO) test -tags failpoints -timeout 15m ./internal/failpoint ./logfile
	$(GO) test -tags failpoints -timeout 15m -run 'PowerLoss|Trouble|Fails|Failpoint|Sync' ./reader ./torture ./e2e

schedules: ## interleavings and deaths under a scheduler: SCHEDULES (1000000) of each scenario
	$(GO) test -tags sched -timeout 60m ./reader -run TestSchedules -v -schedules $(SCHEDULES)

model: ## the protocol under SPIN: all states of small configurations, and mutants (needs spin and cc)
	@docs/model/check.sh

torture: ## kill and stop workers and readers at every step, on full disks, and judge what comes out (SECONDS=60)
	@$(GO) build -tags failpoints -o bin/failpoints/ ./torture ./cmd/ringlog
	@exec bin/failpoints/torture --seconds $(SECONDS)

mutants: ## break the code on purpose, in some 70 ways; a test must notice each
	@$(GO) build -o bin/ ./mutants
	@exec bin/mutants

race: ## the tests under the race detector, which sees the protocol on heap memory
	$(GO) test -race -short ./ring ./record ./format ./logfile ./reader ./writer/... ./selector ./dump

lint: ## formatting, vet, staticcheck
	@unformatted=$$($(TOOL) gofumpt -l .); [ -z "$$unformatted" ] || \
	  { echo "$$unformatted"; echo 'run: go tool -modfile=tools/go.mod gofumpt -w .'; exit 1; }
	@for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(TOOL) staticcheck ./...) || exit 1; done
	@for tag in failpoints sched; do $(GO) vet -tags $$tag ./... && $(TOOL) staticcheck -tags $$tag ./... || exit 1; done

fuzz: ## each fuzz target for FUZZ (10s)
	@$(GO) list -f '{{.ImportPath}}' ./... | while read -r pkg; do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) $$pkg || exit 1; done; done

bench: ## what an append and a drain cost, beside their floors
	cd bench && $(GO) run .

vectors: ## write testdata/vectors/ring anew
	$(GO) test ./ring -run TestVectors -update

cross: ## build and vet for arm64, and writer and reader for macOS and Windows
	GOARCH=arm64 $(GO) build ./... && GOARCH=arm64 $(GO) vet ./...
	cd bench && GOARCH=arm64 $(GO) vet ./...
	for os in darwin windows; do GOOS=$$os $(GO) vet ./writer/... ./reader || exit 1; done

clean: ## remove what was built
	rm -rf bin
