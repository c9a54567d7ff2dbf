# What a person types. Everything is installed into .venv, nothing outside this directory.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run demo-cluster test test-e2e test-browser test-faults test-packages test-clients test-cluster test-again test-lowest fuzz coverage lint docs bench bench-scale chaos soak dist sbom deb release-check lock clean

VENV := .venv
BIN := $(VENV)/bin
CLIENTS := build/clients
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard packages/*/pyproject.toml))
ALL_PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
# The pipeline says which plugins a service needs; the tests take them all.
NAMED_PLUGINS := $(shell sed -n 's/^\[plugins\.\([a-z0-9_-]*\)\].*/plugins\/\1/p' plugins.toml)
RUN_PROJECTS := core packages/client packages/reader packages/service $(filter $(NAMED_PLUGINS),$(ALL_PLUGINS))
ALL_PROJECTS := core $(PACKAGES) $(ALL_PLUGINS)
PROJECTS := $(addsuffix /pyproject.toml,$(ALL_PROJECTS))

# Groups that stand apart: each has a target of its own, and a directory or a marker.
UNMARKED := -m "not browser and not faults and not packages and not clients and not cluster and not chaos"
# What the core's tests need, plugins included; with the lowest versions of what these depend on.
LOWEST_PROJECTS := core packages/dev plugins/patterns plugins/sqlite
# Runs a group of tests: first by several workers, then those marked `serial` alone. Arguments: options of pytest, and
# the directories. Pytest ends with 5 where it finds no test.
run_group = code=0; alone=5; \
	$(BIN)/python -m pytest $(2) $(1) -n $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS) || code=$$?; \
	serial=$$(grep -rl --include='test_*.py' 'mark\.serial' $(2) || true); \
	[ -z "$$serial" ] || { alone=0; $(BIN)/python -m pytest $$serial $(subst -m ",-m "serial and ,$(1)) $(PYTEST_ARGS) || alone=$$?; }; \
	[ $$code$$alone != 55 ] || echo "make $@: the group has no such test"; \
	[ $$code != 5 ] || code=0; [ $$alone != 5 ] || alone=0; exit $$((code ? code : alone))

# More than cores: a third of the tests' time is waiting. Not `WORKERS`: make hands its variables on to the
# services that tests start, and those have a setting of that name.
TEST_PROCESSES ?= 3
CHAOS_KILLS ?= 300
CHAOS_PLACES ?= 200
CHAOS_CUTS ?= 500
CHAOS_EVENTS ?= 500
SOAK_MINUTES ?= 30
DEMO_KILL ?= 0

help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.ready-to-run ## set up .venv and start the service on port 8004
	@[ -t 1 ] || echo "POST logs to http://$${HOST:-127.0.0.1}:$${PORT:-8004}/ingest, read patterns at /patterns; data in $${DATA_DIR:-./data}; stop with Ctrl-C"
	@exec $(BIN)/log-aggregator serve

demo-cluster: $(VENV)/.ready-to-test ## three nats-servers and three services here, with logs; DEMO_KILL=20 kills a node after 20 s
	@exec $(BIN)/python tools/demo_cluster.py --kill-after $(DEMO_KILL) $(DEMO_ARGS)

test: $(VENV)/.ready-to-test ## run the tests (PYTEST_ARGS="-k name" for some)
	@$(call run_group,$(UNMARKED),core packages plugins tests/repo)

test-e2e: $(VENV)/.ready-to-test ## run the tests of whole services: the command, several workers, restarts, a small soak
	@$(call run_group,$(UNMARKED) --ignore=tests/e2e/packages,tests/e2e tests/bench)

test-browser: $(VENV)/.ready-to-test ## run the tests of the page in a browser
	@$(call run_group,-m "browser",plugins/dashboard plugins/help)

test-faults: $(VENV)/.ready-to-test ## run the tests of faults: kills, outages, hostile input
	@$(call run_group,-m "faults",tests/faults)

test-packages: $(VENV)/.ready-to-test ## run the tests that build our distributions and install them into clean environments
	@$(call run_group,-m "packages",tests/e2e/packages tests/repo)

test-clients: $(VENV)/.ready-to-test $(CLIENTS)/.ready ## run the tests with real clients of other projects
	@$(call run_group,-m "clients",tests/clients)

test-cluster: $(VENV)/.ready-to-test ## run the tests with several nodes: CHAOS_EVENTS=50 events, and some alone
	@export CHAOS_EVENTS=$(if $(filter file,$(origin CHAOS_EVENTS)),50,$(CHAOS_EVENTS)); $(call run_group,-m "cluster",$(or $(shell grep -rl --include='test_*.py' 'mark\.cluster' core packages plugins tests),tests/repo))

test-again: $(VENV)/.ready-to-test ## run again, alone, the tests that failed last
	$(BIN)/python -m pytest --last-failed --timeout=1800 $(PYTEST_ARGS)

fuzz: $(VENV)/.ready-to-test ## run the tests with made-up examples with others than `make test`, twenty times as many
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest $$(grep -rl --include='test_*.py' 'from hypothesis import' core packages plugins tests) \
		-n $(TEST_PROCESSES) --timeout=1800 $(PYTEST_ARGS)
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest tests/faults/test_worst_lines.py --timeout=1800 $(PYTEST_ARGS)

test-lowest: | $(BIN)/python ## run the core's tests with the lowest versions that the metadata allows
	rm -rf build/lowest
	tools/make-venv build/lowest
	$(PIP) install --quiet packaging
	$(BIN)/python tools/lowest_versions.py $(LOWEST_PROJECTS) > build/lowest/constraints.txt
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt build/lowest/bin/python -m pip --disable-pip-version-check install --quiet setuptools
	PIP_CONSTRAINT=$(CURDIR)/build/lowest/constraints.txt build/lowest/bin/python -m pip --disable-pip-version-check install \
		--no-build-isolation $(addprefix -e ,$(LOWEST_PROJECTS)) -r tests/requirements-core.txt | tools/pip-progress
	build/lowest/bin/python -m pytest core/tests -p no:cacheprovider $(PYTEST_ARGS)

coverage: $(VENV)/.ready-to-test ## measure what the core's own tests reach; fails below the figure in pyproject.toml
	$(BIN)/coverage run -m pytest core/tests -q $(PYTEST_ARGS)
	$(BIN)/coverage report --skip-covered --sort=cover

lint: $(VENV)/.ready-to-test ## check style, format, spelling and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy $(addsuffix /src,$(ALL_PROJECTS)) typing_tests

docs: build/docs-env/.ready ## build the site of the documentation into build/docs, and for /help; a dead link fails
	build/docs-env/bin/sphinx-build -q -n -W --keep-going -j auto -b html -d build/docs-doctrees -c docs/site . build/docs
	build/docs-env/bin/python tools/help_site.py build/docs plugins/help/src/log_aggregator_help/site.zip
	@echo "build/docs/docs/site/index.html"

bench: $(VENV)/.ready-to-test ## measure speed: one table, one JSON file (BENCH_ARGS=--quick for a first look)
	@$(PIP) install --quiet -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

bench-scale: $(VENV)/.ready-to-test ## what a log costs as work grows (SCALE_ARGS="--write docs/explanation" puts it into its page)
	@$(PIP) install --quiet -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench.scale $(SCALE_ARGS)

chaos: $(VENV)/.ready-to-test ## CHAOS_KILLS kills, CHAOS_CUTS power cuts, CHAOS_EVENTS in a cluster, damage at CHAOS_PLACES places of each file
	CHAOS_KILLS=$(CHAOS_KILLS) CHAOS_PLACES=$(CHAOS_PLACES) CHAOS_CUTS=$(CHAOS_CUTS) CHAOS_EVENTS=$(CHAOS_EVENTS) $(BIN)/python -m pytest tests/faults -m chaos --timeout=0 $(PYTEST_ARGS)

soak: $(VENV)/.ready-to-test ## SOAK_MINUTES at 70 % load: do memory, files and latency stay, and every count add up
	@$(PIP) install --quiet -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench.soak --minutes $(SOAK_MINUTES) --plot build/bench-soak.svg $(SOAK_ARGS)

dist: $(VENV)/.ready-to-test docs ## build every distribution into dist/ and try them in a clean environment
	rm -rf dist build/dist-check
	for project in $(ALL_PROJECTS); do $(BIN)/python -m build --no-isolation --outdir dist "$$project" >/dev/null; done
	tools/make-venv build/dist-check
	build/dist-check/bin/python -m pip --disable-pip-version-check install --quiet dist/*.whl
	build/dist-check/bin/log-aggregator check
	ls -l dist

sbom: ## write build/sbom.cdx.json: what `make dist` installed beside our distributions
	tools/make-venv build/sbom
	build/sbom/bin/python -m pip --disable-pip-version-check install --quiet "cyclonedx-bom>=7,<8"
	build/sbom/bin/cyclonedx-py environment --of JSON --output-file build/sbom.cdx.json build/dist-check/bin/python

deb: ## write build/log-aggregator_*.deb from what `make dist` installed; for this Python and architecture
	$(BIN)/python tools/build_deb.py build/dist-check build

release-check: ## do all of a release but publishing; say what is not ready
	$(BIN)/python tools/release.py check
	$(MAKE) dist sbom
	tools/make-venv build/twine
	build/twine/bin/python -m pip --disable-pip-version-check install --quiet "twine>=6,<7"
	build/twine/bin/twine check --strict dist/*
	$(BIN)/python tools/local_index.py dist build/index
	tools/make-venv build/release-env
	build/release-env/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements-all.lock
	PIP_FIND_LINKS= build/release-env/bin/python -m pip --disable-pip-version-check install --quiet --only-binary :all: \
		-i file://$(CURDIR)/build/index/simple log-aggregator-service $(patsubst plugins/%,log-aggregator-%,$(ALL_PLUGINS))
	build/release-env/bin/log-aggregator --version
	$(BIN)/python tools/first_pattern.py $(CURDIR)/build/release-env/bin/log-aggregator

lock: ## write requirements.lock and requirements-all.lock anew from constraints.txt (minutes)
	tools/make-venv build/lock
	PIP_CONSTRAINT= build/lock/bin/python -m pip --disable-pip-version-check install --quiet "pip-tools>=7.4,<8"
	PIP_CONSTRAINT= build/lock/bin/python tools/lock.py

clean: ## remove the environment, builds and caches; never data/
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find core packages plugins -name '*.egg-info' -type d -prune -exec rm -rf {} +

$(BIN)/python:
	tools/make-venv $(VENV)

$(VENV)/.ready-to-run: constraints.txt plugins.toml $(PROJECTS) | $(BIN)/python
	@echo "Installing into $(VENV): about a minute, later starts take none."
	$(PIP) install --quiet setuptools
	$(PIP) install --no-build-isolation $(addprefix -e ,$(RUN_PROJECTS)) | tools/pip-progress
	touch $@

$(VENV)/.ready-to-test: constraints.txt tests/requirements.txt $(PROJECTS) | $(BIN)/python
	@echo "Installing into $(VENV): about a minute, later starts take none."
	$(PIP) install --quiet setuptools
	$(PIP) install --no-build-isolation $(addprefix -e ,$(ALL_PROJECTS)) -r tests/requirements.txt | tools/pip-progress
	touch $@

build/docs-env/.ready: docs/site/requirements.txt
	tools/make-venv build/docs-env
	PIP_CONSTRAINT= build/docs-env/bin/python -m pip --disable-pip-version-check install -r $< | tools/pip-progress
	touch $@

# Clients of other projects have versions of their own: they never stand beside the service.
$(CLIENTS)/.ready: tests/clients/requirements.txt tests/clients/package.json
	@echo "Installing clients of other projects into $(CLIENTS)."
	tools/make-venv $(CLIENTS)
	PIP_CONSTRAINT= $(CLIENTS)/bin/python -m pip --disable-pip-version-check install -r $< | tools/pip-progress
	cp tests/clients/package.json $(CLIENTS)/
	if command -v npm >/dev/null; then npm install --prefix $(CLIENTS) --no-package-lock --ignore-scripts --no-audit --no-fund; \
	else echo "npm is not there: tests with libraries of Node are skipped"; fi
	touch $@
