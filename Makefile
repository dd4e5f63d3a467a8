# The two commands of a newcomer are `make demo` and `make test`; the others are their parts.
PYTHON ?= python3
SOURCE ?=
ONLY ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TOOLS := $(VENV)/.tools
INFRA := .cache/infra-venv
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PIN := $(BIN)/python -m uv pip compile --quiet --no-header --annotation-style line \
	--no-emit-index-url --no-emit-find-links

export PYTHONUTF8 := 1

.PHONY: demo test lint setup pages lock servers test-infra clean

# From nothing to data products in four environments, and the dashboards on them.
demo: $(INSTALLED)
	@$(BIN)/mesh demo $(if $(SOURCE),--source "$(SOURCE)")

# The whole suite; its independent parts run side by side, or `make test ONLY="contracts ingest"`.
test: $(TOOLS)
	@$(BIN)/python tools/run_tests.py $(ONLY)

# All that tools/checks.py lists, or `make lint ONLY="ruff sqlmesh-lint"`.
lint: $(TOOLS)
	@$(BIN)/python tools/checks.py $(ONLY)

# What `mesh` needs to run, and nothing else: demo and deployments.
$(INSTALLED): requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@

# And what who works on it needs: tests and tools.
setup: $(TOOLS)
$(TOOLS): requirements-dev.txt $(INSTALLED)
	@$(PIP) -r requirements-dev.txt
	@touch $@

# For PNGs of dashboards' whole pages: Playwright, and Chromium where there is none.
pages: $(INSTALLED)
	@$(PIP) --constraint requirements-dev.txt playwright
	@tests/servers/install-chromium

# Pin all dependencies anew from pyproject.toml.
lock: $(TOOLS)
	$(PIN) --python-version 3.11 pyproject.toml -o requirements.txt
	$(PIN) --python-version 3.11 pyproject.toml --group test --group tools -c requirements.txt -o requirements-dev.txt

# What the tests need besides Python packages; each is installed once.
servers: $(TOOLS)
	tests/servers/bigquery-emulator install
	tests/servers/postgres install
	tests/servers/install-chromium

test-infra:
	@test -x $(INFRA)/bin/pip || $(PYTHON) -m venv --clear $(INFRA)
	@$(INFRA)/bin/pip install --quiet --disable-pip-version-check -r infra/requirements.txt
	@cd infra && ../$(INFRA)/bin/python -m pytest

clean:
	rm -rf $(VENV) .cache dist data
