# ringlog. `make demo` shows it at work, `make test` proves it, `make help` lists the rest.

GO      ?= go
PREFIX  ?= /usr/local
FUZZ    ?= 10s
SECONDS ?= 60
SCHEDULES ?= 1000000
TOOL     = $(GO) tool -modfile=$(CURDIR)/tools/go.mod
MODULES  = . bench examples/loggers
# go.work is for `go run ./bench`: here each module is built as its own go.mod says.
export GOWORK = off
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X github.com/ringlog/ringlog/cmd/internal/cli.version=$(VERSION)

# Python: the one of `make test` and `make wheel`, those of `make test-python`, and one that
# has the packages of others. All are looked for only when a target uses them.
PYTHON       ?= python3
PYTHONS      ?= $(shell python/pythons.sh | cut -d' ' -f2-)
OPTUNA_PYTHON ?= $(call having,optuna)
BENCH_PYTHON ?= $(or $(call having,loguru),$(PYTHON))
having        = $(shell for p in $(PYTHON) /usr/bin/python3; do \
                  $$p -c 'import $(1)' 2>/dev/null && echo $$p && break; done)
UNITTEST      = -m unittest discover -s tests -t .

.PHONY: help build install wheel demo test test-python test-optuna faults schedules model torture mutants race \
  lint lint-python fuzz bench bench-python vectors cross clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

build: ## build ringlog and ringdump into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

install: build ## install them, and a unit for systemd, under PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 bin/ringlog bin/ringdump $(DESTDIR)$(PREFIX)/bin
	sed 's#/usr/local/#$(PREFIX)/#' docs/systemd/ringlog@.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/ringlog@.service

wheel: ## build dist/ringlog-VERSION-….whl for Linux, with ringlog inside (GOARCH=arm64 for aarch64)
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/wheel/ ./cmd/ringlog
	@mkdir -p dist
	$(PYTHON) python/backend/ringlog_build.py dist bin/wheel/ringlog

demo: ## a study in worker processes: some are killed, and what arrived is counted (PRICES=FILE.csv)
	@$(GO) build -o bin/ ./examples/walkforward
	@exec bin/walkforward $${PRICES:+--prices "$$PRICES"} $${DEMO_DIR:+--dir "$$DEMO_DIR"}

test: build ## all tests: of Go, and of Python where there is one (RINGLOG_TEST=full for longer ones)
	@for m in $(MODULES); do echo "$(GO) test ./... in $$m"; (cd $$m && $(GO) test ./...) || exit 1; done
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; \
	  then cd python && echo "$(PYTHON) $(UNITTEST)" && $(PYTHON) $(UNITTEST); \
	  else echo 'SKIPPED: the tests of the Python client, as $(PYTHON) is missing or older than 3.9'; fi

test-python: build ## the quick tests, and the wheel in a fresh environment, with each Python of 3.9 to 3.13 here (TESTS='-m unittest MODULE…': only these)
	@[ -n "$(PYTHONS)" ] || { echo 'no Python of 3.9 to 3.13 found; name some: make test-python PYTHONS=…'; exit 1; }
	@cd python && for p in $(PYTHONS); do \
	  echo "$$($$p --version): $$p $(or $(TESTS),$(UNITTEST))"; RINGLOG_TEST=quick $$p $(or $(TESTS),$(UNITTEST)) || exit 1; done

test-optuna: build ## the tests with Optuna (OPTUNA_PYTHON=a Python that has it)
	@[ -n "$(OPTUNA_PYTHON)" ] || { echo 'no Python with Optuna found: apt-get install python3-optuna,' \
	  'or name one: make test-optuna OPTUNA_PYTHON=…'; exit 1; }
	cd python && $(OPTUNA_PYTHON) -m unittest discover -s tests/optuna -t . && $(OPTUNA_PYTHON) -m unittest tests.test_docs

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
	$(GO) test -race -short ./ring ./record ./format ./logfile ./reader ./writer/... ./selector ./dump ./upkeep ./cmd/internal/metrics ./cmd/internal/service

lint: lint-python ## formatting, vet, staticcheck, and what lint-python does
	@unformatted=$$($(TOOL) gofumpt -l .); [ -z "$$unformatted" ] || \
	  { echo "$$unformatted"; echo 'run: GOWORK=off go tool -modfile=tools/go.mod gofumpt -w .'; exit 1; }
	@for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(TOOL) staticcheck ./...) || exit 1; done
	@for tag in failpoints sched; do $(GO) vet -tags $$tag ./... && $(TOOL) staticcheck -tags $$tag ./... || exit 1; done

lint-python: ## syntax in the oldest Python here, length of lines; types where there is mypy
	@oldest=$(firstword $(PYTHONS)); [ -n "$$oldest" ] || { echo 'SKIPPED: no Python here'; exit 0; }; \
	  files=$$(find python bench examples -name '*.py'); \
	  PYTHONPYCACHEPREFIX=bin/pycache $$oldest -W error -m compileall -q -f $$files && \
	  $$oldest -c 'import sys; sys.exit("\n".join(f"{f}:{n}: over 100 columns" for f in sys.argv[1:] \
	    for n, line in enumerate(open(f, encoding="utf-8"), 1) if len(line) > 101) or None)' $$files
	@if command -v mypy >/dev/null; then cd python && mypy --strict ringlog; \
	  else echo 'SKIPPED: the types of Python, as there is no mypy'; fi

# Twice, since the fuzzer sometimes takes the end of its own time for a failure ("context deadline
# exceeded"). A real failure is written to testdata, and so fails again.
fuzz: ## each fuzz target for FUZZ (10s)
	@$(GO) list -f '{{.ImportPath}}' ./... | while read -r pkg; do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
	    echo "$$pkg $$f"; fuzz() { $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) $$pkg; }; \
	    fuzz || fuzz || exit 1; done; done

bench: build ## all that bench/ measures, and docs/benchmarks.md anew: 8 minutes at most (go run ./bench --help)
	cd bench && $(GO) run . --docs --json $(CURDIR)/bin/bench.json --python '$(BENCH_PYTHON)' $(BENCH_FLAGS)

bench-python: build ## what a log call costs in Python, beside others (BENCH_FLAGS=…, BENCH_PYTHON=a Python that has them)
	$(BENCH_PYTHON) bench/python/bench.py $(BENCH_FLAGS)

vectors: ## write testdata/vectors/ring anew
	$(GO) test ./ring -run TestVectors -update

cross: ## build and vet for arm64, and writer and reader for macOS and Windows
	GOARCH=arm64 $(GO) build ./... && GOARCH=arm64 $(GO) vet ./...
	cd bench && GOARCH=arm64 $(GO) vet ./...
	for os in darwin windows; do GOOS=$$os $(GO) vet ./writer/... ./reader || exit 1; done

clean: ## remove what was built
	rm -rf bin dist
