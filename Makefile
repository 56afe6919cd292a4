# Everything a developer runs, on a machine with Python 3.11, make and git. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9

NEWEST := airflow-3.3.2-python3.11

UV := .make/tools/bin/uv
UV_READY := .make/uv-$(UV_VERSION)
VENV := .venv
CONSTRAINTS_NEWEST := constraints/$(NEWEST).txt
# Most of a test is waiting, so there are more processes than cores. browser/, deployment/, scale/ and chaos/ stay outside
# the default run.
SPREAD := --numprocesses 3 --dist worksteal

export UV_PYTHON_DOWNLOADS := never
# Or each process compiles Airflow anew where PYTHONDONTWRITEBYTECODE is set, as in many images.
export UV_COMPILE_BYTECODE := 1

.PHONY: help debian demo test ui-test e2e matrix wheel bench chaos model mutate lint format constraints clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# RUNLEVEL keeps Debian from starting what it installs.
debian: ## Install the browser and the broker that ui-test and e2e need, where they are missing (as root)
	{ command -v chromium && command -v redis-server; } >/dev/null || { apt-get -q update && \
	  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install chromium redis-server >/dev/null; }

demo: .make/demo ## Send 25 SMS to a local sandbox from a DAG and print the delivery report
	$(VENV)/bin/python scripts/demo.py

test: lint ## Lint, type-check and run the tests on Airflow 3.3.2
	$(VENV)/bin/pytest $(SPREAD) tests/model tests/unit tests/wire tests/dags
	$(VENV)/bin/pytest tests/scheduler

# UI_TEST holds more arguments: UI_TEST=--screenshots renews docs/images.
ui-test: .make/dev ## Test the form, its Test button and a campaign on Airflow's pages, in Debian's Chromium (3 minutes)
	$(VENV)/bin/pytest tests/browser $(UI_TEST)

# E2E holds more arguments: E2E='--short --executor celery', E2E='-k mapped'. Needs Debian's redis-server.
e2e: .make/dev ## Kill campaigns in deployments on PostgreSQL, Redis and S3, measure them, write docs/deployment.md (10 minutes)
	$(VENV)/bin/pytest --capture=no tests/deployment --document docs/deployment.md $(E2E)

# MATRIX holds more arguments: MATRIX='-k 3.1.8', MATRIX='-k python3.13 --suites wire,DAGs', MATRIX=--part.
matrix: $(UV_READY) wheel ## Test the built wheel on each Airflow and Python that we support, and print a table (50 minutes)
	PYTHONPATH=.:tests .make/tools/bin/python -m matrix $(MATRIX)

wheel: $(UV_READY)
	rm -rf .make/wheel
	$(UV) build --quiet --wheel --build-constraints $(CONSTRAINTS_NEWEST) --out-dir .make/wheel

# BENCH, CHAOS and MODEL hold more arguments: BENCH='--quick --only limit', CHAOS='--runs 20 --points 2',
# CHAOS='--journal s3 --runs 100', MODEL='--only clocks --examples 5000'.
bench: .make/dev .make/instasent-sdk ## Measure this provider beside others and write docs/benchmarks.md (55 minutes)
	PYTHONPATH=tests $(VENV)/bin/python -m benchmarks $(BENCH)

chaos: .make/dev ## Kill and break 420 campaigns in a real Airflow and write what was sent into docs/benchmarks.md (25 minutes)
	PYTHONPATH=.:tests $(VENV)/bin/python -m chaos --document docs/benchmarks.md $(CHAOS)

model: .make/dev ## Search for a sequence of tries, faults and clocks that breaks the promise (30 minutes)
	PYTHONPATH=tests $(VENV)/bin/python -m model $(MODEL)

# A mutant that hangs is given up after LONG_SECONDS. `python -m mutmut show NAME` prints one; under `mutants/`
# MUTANT_UNDER_TEST=NAME has any other test meet it.
mutate: .make/dev .make/mutmut ## Change the code that holds the promise in thousands of ways and list what no quick test notices (2 hours)
	LONG_SECONDS=20 PYTHONPATH=$(CURDIR)/.make/mutmut $(VENV)/bin/python -m mutmut run --max-children 2 $(MUTATE)
	PYTHONPATH=$(CURDIR)/.make/mutmut $(VENV)/bin/python -m mutmut results

lint: .make/dev ## Check style, format and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: .make/dev ## Format the code and mend what ruff can mend
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

# CONSTRAINTS='-k 3.1.8' for one of them.
constraints: $(UV_READY) ## Resolve the constraints files anew
	PYTHONPATH=tests .make/tools/bin/python -m matrix.constraints $(CONSTRAINTS)

clean: ## Remove environments, caches and builds
	rm -rf .make .venv .venv-* .demo build dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV_READY):
	rm -rf .make/tools
	$(PYTHON) -m venv .make/tools
	.make/tools/bin/python -m pip install --quiet uv==$(UV_VERSION)
	touch $@

.make/venv: pyproject.toml $(CONSTRAINTS_NEWEST) | $(UV_READY)
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)
	touch $@

.make/demo: .make/venv
	$(UV) pip install --quiet --python $(VENV) --constraints $(CONSTRAINTS_NEWEST) --editable '.[sandbox]'
	touch $@

.make/dev: .make/venv
	$(UV) pip install --quiet --python $(VENV) --constraints $(CONSTRAINTS_NEWEST) --group dev --editable '.[sandbox,sql,parquet]'
	touch $@

.make/instasent-sdk: | .make/venv
	$(UV) pip install --quiet --python $(VENV) --no-deps --target $@ instasent==0.1.4

.make/mutmut: | .make/venv
	$(UV) pip install --quiet --python $(VENV) --constraints $(CONSTRAINTS_NEWEST) --target $@ mutmut==3.8.1
