# What CI runs and what people run are the same targets. Nothing but python3.11, git and make is
# needed beforehand: the locked requirements bring every tool, Node among them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
ANALYSIS := .venv-analysis/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# $(call install,ENVIRONMENT,LOCK): uv is quick; where it cannot reach what pip can (a mirror or a
# certificate that only pip is told of), pip does the same. Hashes are required by both.
install = $(BIN)/uv pip install --quiet --system-certs --python $(1)/bin/python --require-hashes -r $(2) \
	|| $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)

## help: what each target does
.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

.venv/.bootstrap: requirements/bootstrap.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "settle needs Python 3.11 or newer: make PYTHON=python3.11")'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

.venv/.demo: .venv/.bootstrap requirements/demo.txt pyproject.toml
	$(call install,.venv,requirements/demo.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

.venv/.dev: .venv/.demo requirements/dev.txt
	$(call install,.venv,requirements/dev.txt)
	touch $@

node_modules/.settle: .venv/.dev package.json package-lock.json .npmrc
	NODE_OPTIONS=--use-system-ca npm ci --ignore-scripts --loglevel=error
	touch $@

## setup: the environment of the demo, Python packages only
.PHONY: setup
setup: .venv/.demo

## setup-dev: everything that checks, tests and compiles
.PHONY: setup-dev
setup-dev: .venv/.dev node_modules/.settle

## lock: solve the requirements anew and write the locks, hashes and no host names
.PHONY: lock
lock: .venv/.bootstrap
	scripts/lock

## demo: the life of a trade on a chain of its own, from nothing
.PHONY: demo
demo: setup
	$(BIN)/settle demo

# ------------------------------------------------------------------- gates

FORGE := node_modules/@foundry-rs/forge-linux-amd64/bin/forge
JOBS ?= 2

## compile: contracts to src/settle/artifacts
.PHONY: compile
compile: setup-dev
	$(BIN)/python scripts/compile.py

## check: style, types, the rules of the house, artifacts as the sources give them
.PHONY: check
check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/house
	$(FORGE) fmt --check
	$(BIN)/python scripts/compile.py --check

## contracts-test: the contracts' own tests, fuzz and invariants included
.PHONY: contracts-test
contracts-test: setup-dev
	FOUNDRY_PROFILE=ci $(FORGE) test

## canary: each gate must fail on the file that breaks its rule
.PHONY: canary
canary: setup-dev
	tests/canary/run

## test: everything that CI asks of a change
.PHONY: test
test: check contracts-test canary
	$(BIN)/pytest -n $(JOBS) --dist loadfile tests

## fuzz: contracts and properties for longer, with a new seed each time
.PHONY: fuzz
fuzz: setup-dev
	FOUNDRY_PROFILE=deep $(FORGE) test
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest -n $(JOBS) tests/property

## lockstep: contract and twin side by side, WALKS walks of 80 steps from walk SEED on (default: any)
WALKS ?= 500
SEED ?= $(shell echo $$((RANDOM * 32768 + RANDOM)))
.PHONY: lockstep
lockstep: setup-dev
	SETTLE_LOCKSTEP_WALKS=$(WALKS) SETTLE_LOCKSTEP_SEED=$(SEED) \
		$(BIN)/pytest -q -n $(JOBS) tests/parity/test_lockstep.py

## crash: kill the operator and lie to it at every step, RUNS runs by seed, written to benchmarks/results
RUNS ?= 12000
.PHONY: crash
crash: setup-dev
	$(BIN)/python -m benchmarks.reliability crash --size $(RUNS)

## gas: what each transaction costs, exactly, written to benchmarks/results
.PHONY: gas
gas: setup-dev
	$(BIN)/python -m benchmarks.gas

## bench: speed on this machine, written to benchmarks/results
.PHONY: bench
bench: setup-dev
	$(BIN)/python -m benchmarks

## bench-escrow: escrows by the thousand on contract and twin, written to benchmarks/results
.PHONY: bench-escrow
bench-escrow: setup-dev
	$(BIN)/python -m benchmarks.escrow

.venv-analysis/.done: .venv/.bootstrap requirements/analysis.txt
	[ -x $(ANALYSIS)/python ] || $(PYTHON) -m venv .venv-analysis
	$(call install,.venv-analysis,requirements/analysis.txt)
	touch $@

## slither: static analysis of the contracts
.PHONY: slither
slither: setup-dev .venv-analysis/.done
	PATH="$(CURDIR)/$(ANALYSIS):$$PATH" scripts/slither

## mutate: change the contracts, one small change at a time, and see whether a test notices; hours,
## goes on where it was stopped. SAMPLE changes a contract (0: all) under SEED, MINUTES at most
SAMPLE ?= 0
MINUTES ?= 100000
.PHONY: mutate
mutate: setup-dev
	scripts/mutate --sample $(SAMPLE) --seed 1 --minutes $(MINUTES)

## mutate-some: the same for a few changes of each contract; a survivor without a sentence fails
.PHONY: mutate-some
mutate-some: setup-dev
	scripts/mutate --sample 3 --seed 1 --results build/mutation/reliability.json

## lock-check: the locks are those of the requirements and name no host
.PHONY: lock-check
lock-check: setup-dev
	scripts/lock --check

## clean: everything that can be made again
.PHONY: clean
clean:
	rm -rf .venv .venv-analysis node_modules build var .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
