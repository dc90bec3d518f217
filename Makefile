# Needs Python 3.11+ with venv, and make. `make demo` shows it, `make test` tests it, `make check` is what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TSC := var/web/node_modules/.bin/tsc
PORT ?= 8000
PYTEST_ARGS ?=
WORKERS ?= 2  # processes that test at the same time
WAITING ?= 3  # the same, of tests that wait for servers, kills and browsers half of their time
ALONE = $(shell grep -rl 'pytest.mark.alone' tests --include='test_*.py')

# Else each of the many processes that tests start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test tested check soak lint types imports dependencies migrations forget coverage pictures bench lock sbom clean

help:
	@echo "make demo    a shop, a wall on somebody's blog, a simulated Stripe (PORT=8000, RESET=1 begins anew)"
	@echo "make test    all tests: SQLite, PostgreSQL, Chromium where there is one"
	@echo "make check   what CI runs: lint, types, imports, dependencies, migrations, tests with coverage"
	@echo "make soak    storms, kills, faults and hours of requests in their long form"
	@echo "make bench   benchmarks into docs/performance.md, as ratios to a bare server in the same run, and others at our job"

$(VENV)/run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Stripe's own OpenAPI document, against which the simulated Stripe is checked; the tests say so where it is absent.
var/stripe/spec3.json: tests/stripe-document.txt
	@mkdir -p var/stripe
	-@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --ignore-requires-python --python-version 3.14 --only-binary=:all: -r $< -d var/stripe \
	  && $(BIN)/python -m zipfile -e var/stripe/*.whl var/stripe \
	  && cp var/stripe/seahaven_stripe_world/spec/spec3.json $@ \
	  || echo "Stripe's OpenAPI document cannot be had: tests against it are skipped"

# What others wrote to judge pages by: axe-core, Lighthouse, readers of cards, an HTML validator, the TypeScript compiler.
# The tests that need it say so where npm is absent or cannot reach its registry.
var/web/.installed: tests/web/package.json tests/web/package-lock.json tests/web/.npmrc
	@mkdir -p var/web && rm -f $@ && cp $^ var/web/
	@if ! command -v npm >/dev/null; then echo "npm is not installed: tests that need its packages are skipped"; \
	  elif (cd var/web && npm ci --silent --fetch-retries 1 --fetch-timeout 60000); then touch $@; \
	  else echo "npm's packages cannot be had: tests that need them are skipped"; fi

demo: $(VENV)/run
	$(BIN)/grapevine demo --port $(PORT) $(if $(RESET),--reset)

test: $(VENV)/dev var/stripe/spec3.json var/web/.installed
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not alone" $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m alone $(or $(PYTEST_ARGS),$(ALONE)) || [ $$? -eq 5 ]

# The long forms of what `make test` runs in a short form. Alone: they kill servers and load the machine.
soak: $(VENV)/dev var/stripe/spec3.json var/web/.installed
	SOAK=1 $(BIN)/python -m pytest -m soak --timeout 3600 $(PYTEST_ARGS)

# What reads the code goes side by side; what runs it does not.
check:
	$(MAKE) --no-print-directory -j 2 lint types imports dependencies migrations
	$(MAKE) --no-print-directory forget tested coverage

# As `test`, in two halves, of which one is measured: tests/measured.py says which, and why not all.
tested: $(VENV)/dev var/stripe/spec3.json var/web/.installed
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "measured and not alone" --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/python -m pytest -n $(WAITING) --dist worksteal -m "not measured and not alone" $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m alone $(or $(PYTEST_ARGS),$(ALONE)) || [ $$? -eq 5 ]

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit -q -c pyproject.toml -r app

types: $(VENV)/dev var/web/.installed
	$(BIN)/mypy
	@if [ -x $(TSC) ]; then $(TSC) -p widgets; \
	  else echo "TypeScript's compiler is not here: the types of widgets/elements were not checked"; fi

imports: $(VENV)/dev
	$(BIN)/lint-imports --no-cache

dependencies: $(VENV)/dev
	$(BIN)/deptry .

# The migrations make exactly the tables of the code.
migrations: $(VENV)/dev
	$(BIN)/python -m tests.migrations

forget:
	@rm -f .coverage

coverage: $(VENV)/dev
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include='app/attribution/*,app/kernel/money.py'

# The screenshots of the documentation, taken anew.
pictures: $(VENV)/dev
	PICTURES=1 $(BIN)/python -m pytest tests/browser/test_main_job.py tests/browser/pictures.py tests/browser/report_pictures.py -k sqlite

bench: $(VENV)/dev
	$(BIN)/python -m tests.bench

lock: $(VENV)/dev
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile -q tests/bench/peers.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o tests/bench/peers.txt
	cd tests/web && rm -f package-lock.json && npm install --silent --package-lock-only && node lock.mjs

# What runs, as a bill of materials (CycloneDX), with the hashes of the lock.
sbom: $(VENV)/dev
	@mkdir -p var
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o var/sbom.cdx.json requirements.lock

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
