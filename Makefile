# What a person types. Everything is installed into .venv, nothing outside this directory.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint bench bench-scale chaos soak dist clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard packages/*/pyproject.toml))
ALL_PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
# The pipeline says which plugins a service needs; the tests take them all.
NAMED_PLUGINS := $(shell sed -n 's/^\[plugins\.\([a-z0-9_-]*\)\].*/plugins\/\1/p' plugins.toml)
RUN_PROJECTS := core packages/client packages/reader packages/service $(filter $(NAMED_PLUGINS),$(ALL_PLUGINS))
ALL_PROJECTS := core $(PACKAGES) $(ALL_PLUGINS)
PROJECTS := $(addsuffix /pyproject.toml,$(ALL_PROJECTS))

# More than cores: a third of the tests' time is waiting.
WORKERS ?= 3
CHAOS_KILLS ?= 300
SOAK_MINUTES ?= 30

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.ready-to-run ## set up .venv and start the service on port 8004
	@[ -t 1 ] || echo "POST logs to http://$${HOST:-127.0.0.1}:$${PORT:-8004}/ingest, read patterns at /patterns; data in $${DATA_DIR:-./data}; stop with Ctrl-C"
	@exec $(BIN)/log-aggregator serve

test: $(VENV)/.ready-to-test ## run all tests (PYTEST_ARGS="-k name" for some)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.ready-to-test ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(addsuffix /src,$(ALL_PROJECTS))

bench: $(VENV)/.ready-to-test ## measure speed: one table, one JSON file (BENCH_ARGS=--quick for a first look)
	@$(PIP) install --quiet -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

bench-scale: $(VENV)/.ready-to-test ## what a log costs as work grows (SCALE_ARGS="--write docs/explanation" puts it into its page)
	@$(PIP) install --quiet -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench.scale $(SCALE_ARGS)

chaos: $(VENV)/.ready-to-test ## kill the service at random moments, CHAOS_KILLS times
	CHAOS_KILLS=$(CHAOS_KILLS) $(BIN)/python -m pytest tests/faults -m chaos --timeout=0 $(PYTEST_ARGS)

soak: $(VENV)/.ready-to-test ## SOAK_MINUTES at 70 % load: do memory, files and latency stay, and every count add up
	@$(PIP) install --quiet -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench.soak --minutes $(SOAK_MINUTES) --plot build/bench-soak.svg $(SOAK_ARGS)

dist: $(VENV)/.ready-to-test ## build every distribution into dist/ and try them in a clean environment
	rm -rf dist build/dist-check
	for project in $(ALL_PROJECTS); do $(BIN)/python -m build --no-isolation --outdir dist "$$project" >/dev/null; done
	tools/make-venv build/dist-check
	build/dist-check/bin/python -m pip --disable-pip-version-check install --quiet dist/*.whl
	build/dist-check/bin/log-aggregator check
	ls -l dist

clean: ## remove the environment, builds and caches; never data/
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find core packages plugins -name '*.egg-info' -type d -prune -exec rm -rf {} +

$(BIN)/python:
	tools/make-venv $(VENV)

$(VENV)/.ready-to-run: constraints.txt plugins.toml $(PROJECTS) | $(BIN)/python
	@echo "Installing into $(VENV) …"
	$(PIP) install --quiet setuptools
	$(PIP) install --quiet --no-build-isolation $(addprefix -e ,$(RUN_PROJECTS))
	touch $@

$(VENV)/.ready-to-test: constraints.txt tests/requirements.txt $(PROJECTS) | $(BIN)/python
	@echo "Installing into $(VENV) …"
	$(PIP) install --quiet setuptools
	$(PIP) install --quiet --no-build-isolation $(addprefix -e ,$(ALL_PROJECTS)) -r tests/requirements.txt
	touch $@
