# Every target does its own set-up from the lock files. What is ready carries a stamp (`.ready`), so that
# a second run starts at once and an interrupted one is taken up again.

PYTHON ?= python3
PORT   ?= 8000
ARGS   ?=
WPT    ?=

BIN := .venv/bin
PIP  = $(BIN)/python -m pip --disable-pip-version-check -qq
# No source distribution: building one would run its code, with build tools that no lock file pins.
WHEELS = --require-hashes --only-binary :all:
# A module is compiled when something imports it first: most of what is installed never is.
export PIP_NO_COMPILE = 1
NPM_CI = npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
PAGE := static/vendor/.ready static/wheels/.ready

.DELETE_ON_ERROR:
.PHONY: help demo page test soak conformance bench fleet check format screenshots docs wheel starter fast lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.server-ready page ## Serve the demo page; PORT=8000
	@exec $(BIN)/python -m app.server --port $(PORT) --lab

page: $(PAGE) ## Pack the page's Python anew, after a change under app/ while the demo runs
	@node tools/page.mjs

ENGINES = firefox webkit
# Run three at a time, since tests wait as well, what takes longest first; the first shows its progress, each of the
# others what it said when it is over.
TESTS = $(addprefix test-,e2e pages python $(ENGINES) deaths interop)
# Whole pages, the demo's and those that the docs tell how to make: each test starts its own.
PAGES = $(wildcard $(patsubst %,tests/e2e/test_%.py,demo* boot* guide recipes starter jupyterlite marimo py_editor packed_page))
# Status 5: there is none of those that ARGS selects.
OR_NONE = $(ARGS) || [ $$? -eq 5 ]
READY = $(addprefix .venv/,.ready .niquests-ready .httpx-ready .notebooks-ready) node_modules/.ready
AT_A_TIME = $(MAKE) --no-print-directory --output-sync --jobs
test: ## Run all tests, in real browsers too; ARGS="-k name"; BROWSER=firefox or webkit: all there
	+@$(AT_A_TIME)=2 .venv/.ready node_modules/.ready
	+@$(AT_A_TIME)=2 page browsers $(READY)
	+@$(AT_A_TIME)=3 --keep-going $(if $(BROWSER),test-all-$(BROWSER),$(TESTS))

.PHONY: browsers
browsers:
	@$(BIN)/python tools/browser.py $(or $(BROWSER),chromium $(ENGINES))

.PHONY: $(TESTS) test-chromium test-webkit test-all-firefox test-all-webkit
test-e2e:
	+@$(BIN)/python -u -m pytest tests/e2e $(addprefix --ignore ,tests/e2e/deaths $(PAGES)) $(OR_NONE)
test-pages:
	@$(BIN)/python -m pytest $(PAGES) $(OR_NONE)
test-python:
	@$(BIN)/python -m pytest tests --ignore tests/e2e --ignore tests/interop $(OR_NONE)
test-interop:
	@$(BIN)/python -m pytest tests/interop $(OR_NONE)
test-deaths:
	@$(BIN)/python -m pytest tests/e2e/deaths $(OR_NONE)
# Now and then a page's Python doesn't start in WebKit: then it's started once more.
test-webkit test-all-webkit: private AGAIN = --only-rerun="did not start"
test-chromium test-firefox test-webkit: test-%: $(READY)
	@$(BIN)/python tools/browser.py $*
	@$(BIN)/python -m pytest tests/e2e -m every_engine --browser $* $(AGAIN) $(OR_NONE)
test-all-firefox test-all-webkit: test-all-%:
	+@$(BIN)/python -m pytest tests/e2e --browser $* $(AGAIN) $(OR_NONE)

LONG = $(addprefix tests/e2e/,deaths test_any_stored_state.py test_endurance.py)
soak: .venv/.ready page ## Search for long: over 100,000 interleavings, 5,000 stories, 180 deaths of the browser
	@$(BIN)/python tools/browser.py
	SOAK=1 $(BIN)/python -m pytest tests/engine $(LONG) --ignore tests/engine/test_mutants.py $(ARGS)

conformance: .venv/.conformance-ready page ## Run the Web Platform Tests of fetch under install(), from the folder WPT=…
	@$(BIN)/python tools/browser.py
	PYTHONPATH=app $(BIN)/python -m tests.conformance $(WPT) $(ARGS)

bench: .venv/.ready node_modules/.ready $(PAGE) ## Measure beside axios, ky, pyfetch …; writes docs/benchmarks.*; ARGS="--rounds 7"
	$(BIN)/python tools/browser.py
	PYTHONPATH=app $(BIN)/python -m tests.bench $(ARGS)

fleet: .venv/.ready ## See how 10,000 browsers' renewals bunch, in virtual time; ARGS="--browsers 1000"
	PYTHONPATH=app $(BIN)/python -m tests.bench.fleet $(ARGS)

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

docs: .venv/.ready ## Write docs/api.md out of the docstrings, the table of docs/engines.md out of the last tests
	$(BIN)/python tools/api_docs.py
	$(BIN)/python -m tools.engines

wheel: .venv/.wheel-ready node_modules/.page-ready ## Build into dist/: the source distribution, the wheel from that, and one compiled for Pyodide
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	node tools/compiled_wheel.mjs dist/*-py3-none-any.whl

starter: wheel static/vendor/.ready ## Make a page and a server to begin with; TO=../my-page
	@$(BIN)/python tools/starter.py $(TO)

fast: static/vendor/.ready ## Pack a page of yours so that it starts fast; PAGE=../my-page/page TO=../my-page/fast
	@node tools/pack.mjs $(PAGE) $(TO)

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
	$(PIP) install $(WHEELS) -r $<
	@touch $@

.venv/.wheel-ready: requirements/wheel.txt
	$(venv)
	$(PIP) install $(WHEELS) -r $<
	@touch $@

# The development requirements hold the server's and the wheel's, at the same versions.
.venv/.ready: requirements/dev.txt
	$(venv)
	$(PIP) install $(WHEELS) -r $<
	@touch .venv/.server-ready .venv/.wheel-ready $@

# In a folder of its own, by tests alone: niquests brings a fork of urllib3 that takes that one's place.
.venv/.niquests-ready: requirements/niquests.txt .venv/.ready
	rm -rf .venv/niquests
	$(PIP) install $(WHEELS) --target .venv/niquests -r $<
	@touch $@

# For the page's Python, which is newer than this one may be.
.venv/.httpx-ready: requirements/httpx.txt .venv/.ready
	rm -rf .venv/httpx
	$(PIP) install $(WHEELS) --no-deps --python-version 3.14 --ignore-requires-python --target .venv/httpx -r $<
	@touch $@

# In a folder of their own too: JupyterLite and marimo, and the wheels for the Python that runs in their pages.
FOR_PYODIDE = --no-deps --python-version 3.14 --implementation cp --abi cp314 --platform pyemscripten_2026_0_wasm32
.venv/.notebooks-ready: requirements/notebooks.txt requirements/kernels.txt .venv/.ready
	rm -rf .venv/notebooks
	$(PIP) install $(WHEELS) --target .venv/notebooks -r $<
	$(PIP) download $(WHEELS) $(FOR_PYODIDE) -d .venv/notebooks/wheels -r requirements/kernels.txt
	@touch $@

# One of its dependencies has no wheel, and isn't needed: requirements/conformance.in.
.venv/.conformance-ready: requirements/conformance.txt .venv/.ready
	$(PIP) install $(WHEELS) --no-deps -r $<
	@touch $@

.venv/.lock-ready: requirements/lock.txt
	$(venv)
	$(PIP) install $(WHEELS) -r $<
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

VENDORING := $(addprefix tools/,vendor.mjs packing.mjs stdlib.mjs notices.mjs) $(wildcard tools/licenses/*.txt)
static/vendor/.ready: package-lock.json $(VENDORING) | node_modules/.page-ready
	node tools/vendor.mjs
	@touch $@

# Unpacked by the page, never installed here.
static/wheels/.ready: requirements/browser.txt
	$(venv)
	rm -rf static/wheels.partial
	$(PIP) download $(WHEELS) --no-deps --platform any --python-version 3.14 --implementation py --abi none -d static/wheels.partial -r $<
	rm -rf static/wheels && mv static/wheels.partial static/wheels
	@touch $@
