# The two commands of a newcomer are `make demo` and `make test`; the others are their parts.
PYTHON ?= python3
SOURCE ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INFRA := .cache/infra-venv

export PYTHONUTF8 := 1

.PHONY: demo test lint lock servers test-main test-bigquery test-peer test-infra clean

# From nothing to data products in four environments, and the dashboards on them.
demo: $(INSTALLED)
	@$(BIN)/mesh demo $(if $(SOURCE),--source "$(SOURCE)")

# The whole suite; its independent parts run side by side.
test: $(INSTALLED)
	@$(BIN)/python scripts/run_tests.py

$(INSTALLED): requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlmesh format --check
	$(BIN)/sqlmesh lint
	$(BIN)/mesh contracts lint

# Pin all dependencies anew from requirements.in.
lock: $(INSTALLED)
	$(BIN)/python -m uv pip compile --quiet --python-version 3.11 --no-header \
		--no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt

# What the tests need besides Python packages; each is installed once.
servers: $(INSTALLED)
	scripts/bigquery-emulator install
	scripts/postgres install
	scripts/install-chromium

test-infra:
	@test -x $(INFRA)/bin/pip || $(PYTHON) -m venv --clear $(INFRA)
	@$(INFRA)/bin/pip install --quiet --disable-pip-version-check -r infra/requirements.txt
	@cd infra && ../$(INFRA)/bin/python -m pytest

clean:
	rm -rf $(VENV) .cache dist data/*.duckdb* data/sample
