# Two commands: make run, make test. The set-up of either is done once. make e2e wants Node.js as well.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV := $(VENV)/.ready-dev
E2E := tests/e2e
EMULATORS := $(E2E)/node_modules/.package-lock.json

.PHONY: run test setup lint types check unit e2e bench clean

run: $(READY)
	@$(BIN)/bijdehand init --demo
	@$(BIN)/bijdehand serve

test: $(DEV)
	@$(MAKE) --no-print-directory lint types unit

setup: $(DEV)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(DEV)
	$(BIN)/mypy

unit: $(DEV)
	$(BIN)/pytest -q

e2e: $(DEV) $(EMULATORS)
	$(BIN)/pytest -q $(E2E)

bench: $(READY)
	$(BIN)/python tests/bench/load_slack.py --search --seconds 20 --minutes 15
	$(BIN)/python tests/bench/load_teams.py --search

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Bijdehand needs Python 3.11, 3.12 or 3.13; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(READY): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@ $(READY)

$(EMULATORS): $(E2E)/package-lock.json
	@for tool in node npm; do command -v $$tool >/dev/null || { echo "make e2e needs $$tool: install Node.js 20 or later, which has it"; exit 1; }; done
	npm ci --prefix $(E2E) --silent
	@touch $@

clean:
	rm -rf $(VENV) $(E2E)/node_modules $(E2E)/screens/node_modules build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
