# One word per job. Needed on the machine: python 3.11 or newer, make, git. Everything else is brought into .uv and .venv;
# the browser tests drive the machine's Chromium, which `make services` brings where it can.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Without byte code every start of every process compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV
unexport PYTHONHOME
unexport PYTHONPATH

UV_VERSION := 0.13.9
UV := .uv/bin/uv
RUN := .venv/bin

export UV_NO_PROGRESS ?= 1
export UV_PYTHON_DOWNLOADS ?= never
# The certificates this machine trusts, as pip does, rather than a list of uv's own.
export UV_SYSTEM_CERTS ?= true

# Installing for work builds no UI; `make ui` does, when it is wanted.
export HEADRACE_SKIP_UI ?= 1

# MLflow's usage reports, and the note about them that it keeps in the user's home.
export MLFLOW_DISABLE_TELEMETRY ?= true

# The first interpreter here that is new enough, by its own path: for another path to it, a shim's say, uv would make the
# environment anew.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys._base_executable)' 2>/dev/null && break; done)

# Processes for the tests: one more than there are cores, since many tests wait for processes of their own.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Who has nothing left takes from the others: dealt out in advance, the slow tests of one folder all go to one process.
PYTEST = $(RUN)/pytest -n $(JOBS) --dist worksteal
# KEEP=0 throws away what earlier demos recorded, begins anew, and stops everything at the end.
KEEP ?= 1
# How many examples of each operation `make fuzz` tries.
EXAMPLES ?= 1000
# At how many points `make chaos` kills.
POINTS ?= 200

# What decides and what executes is tested in every branch.
WHOLE := $(RUN)/coverage report --include='src/headrace/rules/*,src/headrace/engine/*' --fail-under=100

.PHONY: help setup tools demo-tools services demo ui ui-check ui-types quick test semantics-record check fmt bench chaos judge judge-bump fuzz docs clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: tools demo-tools ## Bring everything into .venv, the examples' libraries included

services: ## Bring a browser for the tests, as root on Debian; elsewhere they say what they miss
	@.ci/services

demo: ui demo-tools ## The tour on real taxi trips: server, deployment, worker, run, browser (KEEP=0: begin anew, end by itself)
	@$(if $(filter 0,$(KEEP)),rm -rf .demo)
	@KEEP="$(KEEP)" HEADRACE_HOME="$(CURDIR)/.demo" $(RUN)/python examples/taxi/demo.py

ui: tools ## Build the UI into the source checkout, if anything of it has changed; no Node needed
	@$(RUN)/python hatch_build.py

ui-check: tools ## Formats, lint, types and unit tests of the UI, and whether its types are those of the API
	@$(RUN)/python hatch_build.py npm run --silent check
	@$(RUN)/python hatch_build.py npm run --silent test
	@$(RUN)/python hatch_build.py npm run --silent check:types

ui-types: tools ## Write the UI's types anew from the description of the API
	@$(RUN)/python hatch_build.py npm run --silent types

quick: check ## Formats, lint, types, floors, unit and conformance tests on SQLite: under three minutes
	$(PYTEST) -q -m "not postgresql" --cov=headrace.rules --cov=headrace.engine --cov-report= tests/unit tests/conformance
	$(WHOLE)

test: tools demo-tools services check ui ui-check ## Everything, on both databases
	$(PYTEST) --cov --cov-report=
	$(WHOLE)

chaos: tools ## Kill runs, servers, schedulers, vacuums and databases at 200 points (POINTS=1000 for more)
	HEADRACE_CHAOS_POINTS="$(POINTS)" $(PYTEST) -q -rP tests/chaos

judge: tools ## The official client against our server, on SQLite and PostgreSQL
	JUDGE=everywhere $(PYTEST) tests/judge

judge-bump: tools ## Move the lock of the official client to its newest release
	$(UV) pip compile --quiet --universal --python-version 3.11 --upgrade --no-header --no-annotate tests/judge/requirements.in -o tests/judge/requirements.txt
	@grep '^prefect==' tests/judge/requirements.txt

fuzz: tools ## A thousand examples of every operation of the API, on both databases: over an hour (EXAMPLES=100 for fewer)
	FUZZ="$(EXAMPLES)" $(PYTEST) -v --durations=0 tests/fuzz

check: tools ## Lock file, formats, lint, strict types, floors, and drawings that are up to date
	$(UV) lock --quiet --check --offline
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/pyright
	$(RUN)/lint-imports
	$(RUN)/python -m headrace.rules.drawing --check
	$(RUN)/python -m headrace.server.openapi --check

semantics-record: tools ## Record the official SDK's outcomes for the semantics suite: half an hour (CASES="retries/ hooks/": some)
	$(RUN)/python -m tests.semantics.record $(CASES)
	$(RUN)/python -m tests.semantics.ours $(CASES)

fmt: tools ## Format, and mend what lint can mend
	$(RUN)/ruff check --fix-only --quiet .
	$(RUN)/ruff format .

bench: tools ## Measure against the peers, each in an environment of its own (BENCH="--repeats 1 --no-peers")
	$(RUN)/python -m bench $(BENCH)

docs: tools ## Draw the state machine from its table, describe the API from its routes
	$(RUN)/python -m headrace.rules.drawing
	$(RUN)/python -m headrace.server.openapi

clean: ## Remove everything that these targets brought or made
	rm -rf .venv .uv ui/node_modules ui/types/node_modules src/headrace/server/static .demo .coverage .coverage.* .hypothesis .import_linter_cache .pytest_cache .ruff_cache .envs bench/.envs

tools: $(UV)
	@$(UV) sync --quiet --frozen --inexact --python "$(PYTHON)"

demo-tools: $(UV)
	@$(UV) sync --quiet --frozen --inexact --python "$(PYTHON)" --no-default-groups --group demo

$(UV): Makefile
	@test -n "$(PYTHON)" || { echo "Headrace needs python 3.11 or newer; none was found on the path."; exit 1; }
	@echo "Bringing uv $(UV_VERSION) into .uv"
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $(UV)
