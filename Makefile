# Everything a developer types. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
ARGS ?=
JSON ?=

.PHONY: help setup run test check format format-check lint types imports wheel wheel-check web web-check pictures lock simulate bench sweep mutants chaos test-full clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the locked packages; nothing to do when it is complete
	@:

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; name it with PYTHON=")'
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

run: setup ## start the demonstration; options in ARGS, or EVENTJOBS_DATA_DIR and EVENTJOBS_PORT
	@exec $(BIN)/eventjobs demo $(ARGS)

# Three on two cores: a third of what takes long waits, for a lease to run out or for a minute to begin.
# What is compiled is kept also where the shell asks for the contrary: some tests start the program many times.
test: setup ## run the tests; options in ARGS
	@.ci/browser
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: setup ## break the real thing for MINUTES (8); SUITES=T1,T2 SEED=7 FIGURES=file pick, repeat and keep
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),8) $(if $(SUITES),--suites $(SUITES)) \
		$(if $(SEED),--seed $(SEED)) $(if $(FIGURES),--out $(FIGURES)) $(ARGS)

test-full: test chaos ## the tests, then every suite of faults in its long form

check: setup ## everything that CI asks for
	@$(MAKE) --no-print-directory format-check
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory imports
	@$(MAKE) --no-print-directory wheel-check
	@$(MAKE) --no-print-directory web-check
	@$(MAKE) --no-print-directory test

format: setup ## format the code
	@$(BIN)/ruff format .

format-check: setup
	@$(BIN)/ruff format --check .

lint: setup ## run the linter
	@$(BIN)/ruff check .

types: setup ## check the types
	@$(BIN)/mypy

imports: setup ## check who imports whom
	@$(BIN)/lint-imports --no-logo

wheel: setup ## build the wheel into dist/
	@rm -rf dist
	@$(BIN)/hatchling build -t wheel -d dist

wheel-check: wheel ## install the wheel into an empty environment and run it there
	@.ci/wheel-check dist/*.whl

web: ## build the dashboard into the package; needs Node
	@cd web && npm ci --loglevel=error >/dev/null && npm run --silent build

pictures: setup ## take the pictures of docs/pictures; needs a Chromium, ONLY= names some
	@.ci/browser
	@$(BIN)/python -m tests.browser.pictures docs/pictures $(if $(ONLY),--only $(ONLY))

web-check: ## build the dashboard again and compare, where Node is
	@.ci/web-check

lock: setup ## resolve the dependencies again, with hashes and for every platform
	@$(PIP) install uv
	@$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade -o requirements.lock
	@sed -i '1i # Made by `make lock` from pyproject.toml; install it with --require-hashes.' requirements.lock

simulate: setup ## play SEEDS simulated days with all faults, and a quarter as many months; options in ARGS
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),20) $(ARGS)

bench: setup ## measure our speed and the machine's; JSON=file keeps the figures
	@$(BIN)/python -m benchmarks $(if $(JSON),--json $(JSON)) $(ARGS)

sweep: setup ## compare the rules of time with a look at every minute of every zone; options in ARGS
	@$(BIN)/python -m tests.sweep $(ARGS)

mutants: setup ## break each promise on purpose and see that its tests notice; names in ARGS
	@$(BIN)/python -m tests.mutants $(ARGS)

clean: ## remove what was built
	@rm -rf $(VENV) dist build
