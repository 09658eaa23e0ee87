# One verb, one purpose. `make demo` needs make, git and python3-venv and nothing else;
# `make test` also installs the system packages that `packline doctor --packages` names, where they are missing.

PYTHON ?= python3
ARGS   ?=
N      ?= 1000
RUNS   ?= 100000
SEEDS  ?= 200
SHIFTS ?= 2000

# Budgets of the test command in seconds, on two cores.
CHECK   := 23
UNIT    := 185
WIRE    := 170
BROWSER := 115
HALLS   := 227
TOTAL   := 720

UV_VERSION      := 0.13.9

VENV       := .venv
BIN        := $(VENV)/bin
RUN_STAMP  := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
PIP        := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKED     := $(PIP) install --no-compile --require-hashes --no-deps
LOCK_VENV  := .venv-lock
COMPILE    := $(LOCK_VENV)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
              --fork-strategy fewest --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
              --override requirements/overrides.txt $(if $(UPGRADE),--upgrade)

# Byte code is kept: the crash tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.PHONY: setup demo test check fix bench crash docs lock wheel clean

setup: $(TEST_STAMP)

demo: $(RUN_STAMP)
	@trap : INT; $(BIN)/packline demo $(ARGS) || test $$? -eq 130 -a -z "$(filter --exit,$(ARGS))" # Ctrl-C is its usual end

test: $(TEST_STAMP)
	@.ci/system-packages.sh $$($(BIN)/python -m controller doctor --packages)
	@$(BIN)/python -m tests.peers.npm
	@.ci/test.sh $(TOTAL) check=$(CHECK) unit=$(UNIT) wire=$(WIRE) browser=$(BROWSER) halls=$(HALLS)

check: $(TEST_STAMP)
	@red=0; \
	$(BIN)/ruff check --quiet --output-format concise . || red=1; \
	$(BIN)/ruff format --check --quiet --output-format concise . || red=1; \
	$(BIN)/lint-imports --no-logo || red=1; \
	$(BIN)/mypy --num-workers 2 || red=1; \
	exit $$red

fix: $(TEST_STAMP)
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

bench: $(TEST_STAMP)
	@$(BIN)/python -m pytest -q -s -m bench --timeout=0 $(ARGS)

crash: $(TEST_STAMP)
	@$(BIN)/python -m pytest -q -s -m crash --timeout=0 --kills=$(N) --model-runs=$(RUNS) \
		--campaign-seeds=$(SEEDS) --shifts=$(SHIFTS) $(ARGS)

docs: $(RUN_STAMP)
	@$(BIN)/python -m controller docs docs/reference

# UPGRADE=1 takes newer releases; without it only what the .in files changed moves.
lock: $(LOCK_VENV)/bin/uv
	@$(COMPILE) requirements/run.in -o requirements/run.txt
	@$(COMPILE) -c requirements/run.txt requirements/build.in -o requirements/build.txt
	@$(COMPILE) -c requirements/run.txt -c requirements/build.txt requirements/test.in -o requirements/test.txt
	@$(COMPILE) -c requirements/run.txt requirements/postgres.in -o requirements/postgres.txt
	@$(COMPILE) -c requirements/run.txt -c requirements/test.txt requirements/dask.in -o requirements/dask.txt

wheel: $(RUN_STAMP)
	@$(BIN)/python -m hatchling build -t wheel -d dist

clean:
	@rm -rf $(VENV) $(LOCK_VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "packline: needs Python 3.11 or newer; type make PYTHON=python3.11 (or newer)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >&2 || { rm -rf $(VENV); exit 1; }

$(RUN_STAMP): requirements/build.txt requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "packline: installing what the line needs; this takes about a minute, once" >&2
	@$(LOCKED) -r requirements/build.txt -r requirements/run.txt >&2
	@$(PIP) install --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(TEST_STAMP): $(RUN_STAMP) requirements/test.txt
	@echo "packline: installing what the tests need" >&2
	@$(LOCKED) -r requirements/test.txt >&2
	@touch $@

$(LOCK_VENV)/bin/uv:
	@$(PYTHON) -m venv $(LOCK_VENV) >&2
	@$(LOCK_VENV)/bin/python -m pip --quiet --disable-pip-version-check install uv==$(UV_VERSION) >&2
