# One verb, one purpose. `make demo` needs make, git and python3-venv; `make test` installs its system packages itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

RUN_STAMP  := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
INSTALL    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
EDITABLE   := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

.PHONY: setup
setup: $(TEST_STAMP)

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) >&2

$(RUN_STAMP): requirements/build.txt requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "packline: installing what the line needs (requirements/run.txt)" >&2
	@$(INSTALL) -r requirements/build.txt >&2
	@$(INSTALL) -r requirements/run.txt >&2
	@$(EDITABLE) >&2
	@touch $@

$(TEST_STAMP): $(RUN_STAMP) requirements/test.txt
	@echo "packline: installing what the tests need (requirements/test.txt)" >&2
	@$(INSTALL) -r requirements/test.txt >&2
	@touch $@
