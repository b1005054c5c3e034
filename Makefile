# Needs Python 3.11 or newer, make and gcc. Everything is installed into .venv, once: a second run
# of any target installs nothing and works offline.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
PAPER ?= var/paper

VENV := .venv
BIN := $(VENV)/bin
SERVICE := $(VENV)/.installed-service
NETWORKS := $(VENV)/.installed-networks
DEV := $(VENV)/.installed-dev
CLIENTS := .venv-clients/.installed
BUCKET := .venv-bucket/.installed
GENERATORS := .venv-generators/.installed
RELEASE := .venv-release/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Neighbours run in one process, since they share what is slow to make. Modules are compiled once,
# whatever the environment says, and not in each of the hundred processes that tests start.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve retrain rebuild evaluate reproduce test coverage check bench replicas motion artifacts kills abuse fuzz clients bucket mutants coverage-tables evaluation-tables hurst-tables openapi comparisons calendars observe sbom picture docs release screenshots lock clean

help: ## show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(SERVICE) ## answer on http://127.0.0.1:8000 (make serve PORT=8001 elsewhere)
	exec env ROUGHCAST_HOST=$(HOST) ROUGHCAST_PORT=$(PORT) $(BIN)/python -m service

retrain: $(NETWORKS) ## fit, evaluate and publish models (make retrain ARGS="--asset BTC-USD")
	$(BIN)/python -m training retrain $(ARGS)

rebuild: $(NETWORKS) ## retrain the shipped models from the shipped data, and compare with them
	rm -rf var/rebuilt
	$(BIN)/python -m training retrain --store var/rebuilt $(ARGS)

evaluate: $(NETWORKS) ## compare models walk-forward, with tables and figures (make evaluate ARGS="--asset SPX")
	$(BIN)/python -m training evaluate $(ARGS)

reproduce: $(NETWORKS) ## the paper's tables and figures (make reproduce PAPER=folder-of-its-files)
	$(BIN)/python -m training reproduce --data $(PAPER) $(ARGS)

test: $(DEV) ## run the tests (make test ARGS="tests/volatility -k har")
	$(PYTEST) $(ARGS)

coverage: $(DEV) ## run the tests and measure which lines and branches they reach
	$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

check: $(DEV) ## lint, format, types and import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV) ## measure against peers, side by side, into docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

replicas: $(DEV) ## start three services at once on empty databases, 50 times, into docs/operations.md
	$(BIN)/python -m benchmarks.replicas $(ARGS)

motion: $(DEV) ## exchange models of two services 500 times under load, into docs/operations.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.motion $(ARGS)

artifacts: $(DEV) ## serve 10,000 artifacts, and ask each for its first forecast, into docs/operations.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.artifacts $(ARGS)

fuzz: $(DEV) ## 10,000 requests that the API's description allows or forbids, with keys and without
	FUZZ_EXAMPLES=$(or $(EXAMPLES),200) $(PYTEST) tests/service/test_fuzz.py

clients: $(DEV) $(CLIENTS) $(GENERATORS) ## ask a service through tritonclient, kserve and generated clients, in environments of their own (npm)
	$(BIN)/python -m benchmarks.clients .venv-clients/bin/python
	$(BIN)/python -m pytest tests/service/test_clients.py

bucket: $(BUCKET) ## publish to and serve from a local S3 (moto), in an environment of its own
	.venv-bucket/bin/python -m pytest tests/models_store/test_bucket.py $(ARGS)

abuse: $(DEV) ## measure what requests cost that ask for too much (make abuse ARGS="--requests 1000000")
	$(BIN)/python -m benchmarks.abuse $(ARGS)

kills: $(DEV) ## kill services and writers 500 times and look for what they acknowledged, into docs/operations.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.kills $(ARGS)

mutants: $(DEV) ## change the code by chance, and print what no test notices (ARGS="--seed 7 --per-room 30")
	$(BIN)/python -m benchmarks.mutants $(ARGS)

coverage-tables: $(DEV) ## measure how often frozen and recalibrated intervals hold, for docs/evaluation.md
	$(BIN)/python -m benchmarks.coverage_tables $(ARGS)

evaluation-tables: $(DEV) ## simulate sizes and powers of the tests, into docs/evaluation.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.evaluation_tables $(ARGS)

hurst-tables: $(DEV) ## simulate how often each verdict on roughness is given, into docs/hurst.md
	$(BIN)/python -m benchmarks.hurst_verdicts $(ARGS)
	$(BIN)/python -m benchmarks.hurst_table --shipped

openapi: $(DEV) ## write the API's examples, and its description that tests compare with, after a change that is meant
	$(BIN)/python -m tests.service.http.examples
	$(BIN)/python -m service --openapi > tests/service/http/openapi.json

comparisons: $(DEV) ## compare the shipped models, after a change of them or of how they are compared
	$(BIN)/python -c 'from models_store import Store; from models_store.shipped import shipped_artifacts as of; from models_store.stored_comparisons import record; s = Store(of()); print({it: record(s, it) for it in s.assets()})'

calendars: $(DEV) ## record the calendars that every start asks for, after an update of exchange_calendars
	$(BIN)/python -c 'from pathlib import Path; from volatility.calendars import record; record(Path("volatility/calendars.npz"))'

observe: $(DEV) ## try alerts and dashboard with a real Prometheus for a minute (Debian's package prometheus)
	OBSERVE_SECONDS=60 $(BIN)/python -m pytest tests/contract/test_observability.py $(ARGS)

screenshots: $(DEV) ## pictures of every page, into docs/screenshots/ (Debian's chromium and chromium-driver)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.screenshots $(ARGS)

sbom: ## what the service image holds, as CycloneDX JSON in var/sbom.json
	$(PYTHON) -m venv .venv-sbom && mkdir -p var
	.venv-sbom/bin/python -m pip --disable-pip-version-check --quiet install cyclonedx-bom==7.5.0
	.venv-sbom/bin/cyclonedx-py requirements requirements/service.txt --output-file var/sbom.json \
		--pyproject pyproject.toml --output-reproducible
	rm -rf .venv-sbom

picture: $(DEV) ## draw the picture of the README again
	$(BIN)/python -m benchmarks.picture

docs: $(VENV)/.installed-docs ## build the documentation's site into var/site, offline and without a warning
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo 'Open var/site/index.html, or with search: $(BIN)/python -m http.server --directory var/site 8080'

release: $(DEV) $(RELEASE) ## build the archives, check them, use the wheel in an empty environment; publishes nothing
	rm -rf build dist *.egg-info
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .venv-release/bin/python -m build --no-isolation
	.venv-release/bin/twine check --strict dist/*
	$(BIN)/python -m benchmarks.release $(ARGS)

lock: ## resolve the newest allowed versions and pin them in requirements/
	PYTHON=$(PYTHON) requirements/lock.sh

clean: ## remove .venv and caches; keeps var/
	rm -rf $(VENV) .venv-lock .venv-bucket .venv-clients .venv-generators .venv-release build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .schemathesis
	find volatility models_store training service roughcast tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(CLIENTS): requirements/clients.txt
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@

$(BUCKET): requirements/bucket.txt pyproject.toml
	$(PYTHON) -m venv .venv-bucket
	.venv-bucket/bin/python -m pip --disable-pip-version-check --quiet install --requirement $< --editable '.[s3]'
	@touch $@

$(GENERATORS): requirements/generators.txt benchmarks/generated_clients/package.json
	$(PYTHON) -m venv .venv-generators
	.venv-generators/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	mkdir -p .venv-generators/node && cp benchmarks/generated_clients/package.json .venv-generators/node
	npm install --prefix .venv-generators/node --no-package-lock --no-audit --no-fund --silent
	@touch $@

$(RELEASE): requirements/release.txt
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@

# Modules that tests import are compiled as they are imported; of the others there are far more. The
# service is to start at once.
$(VENV)/.installed-%: requirements/%.txt pyproject.toml | $(BIN)/python
	$(PIP) install $(if $(filter dev,$*),--no-compile) --requirement $<
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
