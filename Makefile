# Every target does its own set-up from the lock files. What is ready carries a stamp (`.ready`), so that
# a second run starts at once and an interrupted one is taken up again.

PYTHON ?= python3
PORT   ?= 8000
ARGS   ?=

BIN := .venv/bin
PIP  = $(BIN)/python -m pip --disable-pip-version-check -qq
NPM_CI = npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
PAGE := static/vendor/.ready static/wheels/.ready

.DELETE_ON_ERROR:
.PHONY: help demo page test soak bench check format screenshots docs wheel lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.server-ready page ## Serve the demo page; PORT=8000
	@exec $(BIN)/python -m app.server --port $(PORT) --lab

page: $(PAGE) ## Pack the page's Python anew, after a change under app/ while the demo runs
	@node tools/page.mjs

test: .venv/.ready node_modules/.ready page ## Run all tests, in a real browser too; ARGS="-k name"
	@$(BIN)/python tools/browser.py
	$(BIN)/python -m pytest tests $(ARGS)

soak: .venv/.ready ## Search the engine's interleavings for long: over 100,000, and 5,000 stories
	SOAK=1 $(BIN)/python -m pytest tests/engine --ignore tests/engine/test_mutants.py $(ARGS)

bench: .venv/.ready node_modules/.ready $(PAGE) ## Measure beside axios, ky, pyfetch …; writes docs/benchmarks.*; ARGS="--rounds 7"
	$(BIN)/python tools/browser.py
	PYTHONPATH=app $(BIN)/python -m tests.bench $(ARGS)

check: .venv/.ready ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(foreach package,silent_refresh server demo,$(if $(wildcard app/$(package)/*.py),-p $(if $(filter server,$(package)),app.)$(package)))

format: .venv/.ready static/vendor/.ready docs ## Rewrite the code in the project's format, and what is made from files: hashes, docs/api.md
	$(BIN)/python tools/integrity.py
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: .venv/.ready $(PAGE) ## Take the README's pictures from the demo page
	PYTHONPATH=app $(BIN)/python -m tools.screenshots

docs: .venv/.ready ## Write docs/api.md out of the docstrings
	$(BIN)/python tools/api_docs.py

wheel: .venv/.ready ## Build the library into dist/: the source distribution, and the wheel from that
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/twine check --strict dist/*

lock: .venv/.lock-ready ## Lock the newest versions that requirements/*.in and package.json allow
	$(BIN)/python tools/lock.py
	npm install --package-lock-only --ignore-scripts

clean: ## Remove everything that was installed or built
	rm -rf .venv node_modules $(foreach folder,page vendor wheels,static/$(folder) static/$(folder).partial)
	rm -rf dist test-results .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find app tests tools -name __pycache__ -prune -exec rm -rf {} +

# --- set-up ---------------------------------------------------------------------------------------------

# A virtual environment without a working pip is half made, or its Python is gone: made anew.
define venv
	@$(PYTHON) tools/require_python.py
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
endef

.venv/.server-ready: requirements/server.txt
	$(venv)
	$(PIP) install --require-hashes -r $<
	@touch $@

# The development requirements hold the server's, at the same versions.
.venv/.ready: requirements/dev.txt
	$(venv)
	$(PIP) install --require-hashes -r $<
	@touch .venv/.server-ready $@

.venv/.lock-ready: requirements/lock.txt
	$(venv)
	$(PIP) install --require-hashes -r $<
	@touch $@

node_modules/.page-ready: package.json package-lock.json .npmrc
	@node tools/require_node.cjs
	$(NPM_CI) --omit=dev
	@touch $@

# What tests and benchmarks use is several times as large, Lighthouse most of it; the page does without.
node_modules/.ready: package.json package-lock.json .npmrc
	@node tools/require_node.cjs
	$(NPM_CI)
	@touch node_modules/.page-ready $@

static/vendor/.ready: package-lock.json tools/vendor.mjs tools/packing.mjs tools/stdlib.mjs | node_modules/.page-ready
	node tools/vendor.mjs
	@touch $@

# Unpacked by the page, never installed here.
static/wheels/.ready: requirements/browser.txt
	$(venv)
	rm -rf static/wheels.partial
	$(PIP) download --require-hashes --no-deps --only-binary :all: -d static/wheels.partial -r $<
	rm -rf static/wheels && mv static/wheels.partial static/wheels
	@touch $@
