# What CI runs and what people run are the same targets. Nothing but python3.11, git and make is
# needed beforehand: the locked requirements bring every tool, Node among them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
INSTALLER ?= uv
BIN := .venv/bin
ANALYSIS := .venv-analysis/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# $(call install,ENVIRONMENT,LOCK): hashes are required whichever installer does it.
ifeq ($(INSTALLER),uv)
install = $(1)/bin/uv pip install --quiet --python $(1)/bin/python --require-hashes -r $(2)
else
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
endif

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
	npm ci --ignore-scripts --silent
	touch $@

## setup: the environment of the demo, Python packages only
.PHONY: setup
setup: .venv/.demo

## setup-dev: everything that checks, tests and compiles
.PHONY: setup-dev
setup-dev: .venv/.dev node_modules/.settle

## lock: solve the requirements anew and write the locks, hashes and no host names
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url
.PHONY: lock
lock: .venv/.bootstrap
	$(LOCK) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) requirements/demo.in requirements/build.in -c requirements/dev.txt -o requirements/demo.txt
	$(LOCK) requirements/analysis.in -o requirements/analysis.txt
