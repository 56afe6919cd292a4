# Everything a developer runs, on a machine with Python 3.11, make and git. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9

NEWEST := 3.3.2
OLDEST := 2.11.2
BETWEEN := 3.0.6 3.1.8 3.2.2
INSTALLED := lowest $(OLDEST) $(BETWEEN) $(NEWEST)
# What uses packages that are not Airflow's, tried where these are the oldest that we take.
TESTS_lowest := tests/unit/api tests/unit/planning tests/unit/transfers tests/unit/notifications tests/unit/sandbox \
  tests/unit/campaign/test_sms_history.py tests/wire/test_client.py tests/wire/test_client_connections.py tests/wire/test_tls.py --api transactional
# When each was released, within days: what Airflow's own constraints for it can know of.
UNTIL_2.11.0 := 2025-06-01
UNTIL_2.11.2 := 2026-04-15
UNTIL_3.0.6 := 2025-09-05
UNTIL_3.1.8 := 2026-03-25
UNTIL_3.2.2 := 2026-06-10
UNTIL_3.3.2 := 2026-09-18
# The newest environment is where we lint, and Airflow needs none of these: mypy, what it is made with, and ruff.
LINTERS := $(foreach tool,ast-serialize librt mypy ruff,--exclude-newer-package $(tool)=2026-11-23)

UV := .make/tools/bin/uv
UV_READY := .make/uv-$(UV_VERSION)
VENV := .venv
VENV_OLDEST := .venv-$(OLDEST)
constraints_of = constraints/$(patsubst airflow-lowest,lowest,airflow-$(1)).txt
CONSTRAINTS_NEWEST := $(call constraints_of,$(NEWEST))
CONSTRAINTS_OLDEST := $(call constraints_of,$(OLDEST))
# Most of a test is waiting, so there are more processes than cores. scale/ and chaos/ stay outside the default run.
SPREAD := --numprocesses 3 --dist worksteal

export UV_PYTHON_DOWNLOADS := never

.PHONY: help demo test test-oldest releases $(INSTALLED:%=release-%) wheel bench chaos model mutate lint format constraints clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .make/demo ## Send 25 SMS to a local sandbox from a DAG and print the delivery report
	$(VENV)/bin/python scripts/demo.py

test: lint ## Lint, type-check and run the tests on Airflow 3.3.2
	$(VENV)/bin/pytest $(SPREAD) tests/model tests/unit tests/wire tests/dags
	$(VENV)/bin/pytest tests/scheduler

# The built wheel is what is tested here: the checkout is kept off the import path. Base paths do not depend on Airflow,
# so the wire tests run under one of them.
test-oldest: .make/oldest ## Run the wire and DAG tests on Airflow 2.11.2, against the built wheel
	$(UV) pip install --quiet --python $(VENV_OLDEST) --no-deps --no-build-isolation \
	  --reinstall-package airflow-provider-instasent .
	$(VENV_OLDEST)/bin/pytest -o pythonpath=tests $(SPREAD) --api transactional tests/wire tests/dags

releases: $(INSTALLED:%=release-%) ## Install the wheel by each Airflow's constraints; send and wait there (6 minutes)

# What the environment held before must be there as it was: the first command prints what is not.
$(INSTALLED:%=release-%): release-%: .make/release-% wheel
	$(UV) pip install --quiet --python .venv-release-$* --constraints $(call constraints_of,$*) \
	  --reinstall-package airflow-provider-instasent "$$(ls $(CURDIR)/.make/wheel/*.whl)[sandbox,sql,parquet]"
	! $(UV) pip freeze --quiet --python .venv-release-$* | grep --invert-match --fixed-strings --line-regexp --file - $<
	.venv-release-$*/bin/pytest -o pythonpath=tests tests/releases tests/unit/test_compat.py $(TESTS_$*)

wheel: .make/dev
	rm -rf .make/wheel
	$(VENV)/bin/python -m hatchling build --target wheel --directory .make/wheel >/dev/null

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

# compile(Airflow version, more requirement files and options)
compile = echo 'apache-airflow==$(1)' | $(UV) pip compile --quiet - constraints/names.in constraints/tests.in $(2) --upgrade \
  --python-version 3.11 --no-annotate --exclude-newer $(UNTIL_$(1)) --output-file constraints/airflow-$(1).txt \
  --custom-compile-command 'make constraints    (Airflow $(1), packages up to $(UNTIL_$(1)))'

constraints: $(UV_READY) ## Resolve the constraints files anew
	$(foreach release,$(BETWEEN),$(call compile,$(release),) &&) true
	$(call compile,$(OLDEST),pyproject.toml --extra dev)
	$(call compile,$(NEWEST),pyproject.toml --extra dev $(LINTERS))
	$(UV) pip compile --quiet pyproject.toml --extra sandbox --extra sql --extra parquet constraints/tests.in --upgrade \
	  --resolution lowest-direct --python-version 3.11 --no-annotate --exclude-newer $(UNTIL_2.11.0) \
	  --output-file constraints/lowest.txt \
	  --custom-compile-command 'make constraints    (the lowest versions that pyproject.toml allows)'

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
	$(UV) pip install --quiet --python $(VENV) --constraints $(CONSTRAINTS_NEWEST) --editable '.[dev]'
	touch $@

.make/instasent-sdk: | .make/venv
	$(UV) pip install --quiet --python $(VENV) --no-deps --target $@ instasent==0.1.4

.make/mutmut: | .make/venv
	$(UV) pip install --quiet --python $(VENV) --constraints $(CONSTRAINTS_NEWEST) --target $@ mutmut==3.8.1

.make/oldest: pyproject.toml $(CONSTRAINTS_OLDEST) | $(UV_READY)
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV_OLDEST)
	$(UV) pip install --quiet --python $(VENV_OLDEST) --constraints $(CONSTRAINTS_OLDEST) \
	  --requirements pyproject.toml --extra dev
	touch $@

# The target is the list of what Airflow brought.
$(INSTALLED:%=.make/release-%): .make/release-%: constraints/tests.in $(wildcard constraints/*.txt) | $(UV_READY)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-release-$*
	$(UV) pip install --quiet --python .venv-release-$* --constraints $(call constraints_of,$*) \
	  apache-airflow --requirements constraints/tests.in
	$(UV) pip freeze --quiet --python .venv-release-$* > $@
