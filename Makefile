# The one door. Every target makes its own environment in .venv first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types bench lock

help:  ## list the doors
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

setup: $(READY)  ## the environment in .venv, from hashed pins

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pls_ml needs Python 3.11 or newer: set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: $(READY)  ## invent a product, then train, score, explain and report on it (about a minute)
	$(BIN)/pls-ml demo

test: $(READY)  ## everything that must hold
	$(BIN)/python -m pytest -n 2 --dist loadfile --quiet

check: lint types test  ## lint, types, layers and tests

lint: $(READY)  ## style and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)  ## types
	$(BIN)/mypy

bench: $(READY)  ## costs as ratios to a floor, in one run
	$(BIN)/python -m tests.benches.bench_signals
	$(BIN)/python -m tests.benches.bench_bootstrap --rows 100000 --resamples 400 --loops 5
	$(BIN)/python -m tests.benches.bench_contributions --leads 50000 --sample 500
	$(BIN)/python -m tests.benches.bench_page

lock: $(READY)  ## resolve the pins anew
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
	  --no-header --no-annotate --output-file requirements.lock
