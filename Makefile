# Two commands matter: `make run` starts the historian with its demo, `make test` proves it.
# All targets run from a fresh clone: each makes .venv from the pinned versions first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
CODE := historian drivers api tests bench
LISTEN ?= 127.0.0.1:8420
DATA ?= var
PYTEST_ARGS ?=
FUZZ_ARGS ?=

.PHONY: help setup dev web run test check format lint types layers docs spelling bench coverage crash fuzz build sbom clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: ## .venv with the historian command, from pinned versions, and the page's parts
	@.ci/setup runtime
	@.ci/web

web: setup ## the page's parts from the npm registry

# Compiled code lies beside the sources and in no wheel; two processes share the work of the first time.
.venv/kernels: $(wildcard historian/*kernels.py historian/*/*kernels.py api/*kernels.py) | setup
	@echo "compiling kernels, a minute or two, once for each version …   首次编译，约一两分钟"
	@$(BIN)/python -m historian.warm store & other=$$!; $(BIN)/python -m historian.warm figures; wait $$other
	@touch $@

run: setup .venv/kernels ## start with the demo on http://$(LISTEN)
	@exec $(BIN)/historian run --config config/historian.toml --data $(DATA) --listen $(LISTEN) --demo

dev: setup ## setup, and what tests and checks need
	@.ci/setup dev

test: dev .venv/kernels ## every test; PYTEST_ARGS="-k name" picks some
	@.ci/debian-packages chromium curl openssl socat
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

crash: dev ## the tests that kill, tear, damage and fill disks, ten times as many states as in CI
	CRASH_FACTOR=10 $(BIN)/python -m pytest -s tests/crash tests/property/test_store_stateful.py $(PYTEST_ARGS)

fuzz: dev ## every reader of what comes from outside under Atheris, a minute each; FUZZ_ARGS="--seconds 600 line_protocol"
	@.ci/setup fuzz
	$(BIN)/python -m tests.fuzz.run $(FUZZ_ARGS)

check: lint types layers spelling docs ## what CI asks beside the tests

format: dev ## rewrite the code in the one format
	$(BIN)/ruff check --select I --fix --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

lint: dev ## format and lint rules
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)

types: dev ## mypy --strict
	$(BIN)/mypy --strict

layers: dev ## who imports whom
	$(BIN)/lint-imports

spelling: dev ## codespell
	$(BIN)/codespell

docs: dev ## links, reference pages, our own code read by tests
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_reference.py tests/test_tidy.py

bench: dev ## the benchmarks; results as JSON in bench/results
	$(BIN)/python -m bench.ingest
	$(BIN)/python -m bench.query
	$(BIN)/python -m bench.energy

coverage: dev ## branches that unit and property tests reach; kernels run as plain Python
	rm -f .coverage .coverage.*
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -q tests/unit tests/property $(PYTEST_ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

build: dev ## sdist and wheel in dist/
	$(BIN)/python -m build --no-isolation
	@ls -l dist

sbom: ## dist/sbom.json: what the historian is made of, from the lock files
	@.ci/sbom

clean: ## remove what was made, but not var/
	rm -rf .venv build dist api/web/node_modules api/web/vendor .*_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
