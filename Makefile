# Everything here sets itself up: a fresh machine needs Python 3.11, venv, make and git.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
ARGS ?=
# Test processes side by side, one more than cores, for some always wait; `make test WORKERS=0` runs them in one.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PORT ?= 8000
export PORT
# Byte code is written at the first import, not by the installation; a process that finds none takes three
# times as long to start, and the tests start more than a hundred.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
RUNTIME := @$(PYTHON) config/install.py runtime
DEV := @$(PYTHON) config/install.py dev

.PHONY: help setup run test test-full lint format bench locks
.DEFAULT_GOAL := help

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## Install what running and developing need
	$(DEV)

run: ## Start everything with demo data: BURSAR_DEMO=0 starts empty, PORT=… picks the port
	$(RUNTIME)
	@exec $(BIN)/python manage.py run

test: ## Run the tests: ARGS="tests/ledger -q" goes to pytest
	$(DEV)
	@exec $(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

# Some two hours on two cores; CONTRIBUTING.md says how long each campaign takes.
test-full: ## Run the long campaigns too, or one: ARGS=tests/mutants
	$(DEV)
	@exec env BURSAR_TEST_FULL=1 $(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

lint: ## Check style, types, layers and migrations
	$(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W "ignore:Got an error checking a consistent" manage.py makemigrations --check --dry-run

format: ## Rewrite the sources in the house style
	$(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## Measure the ledger and the API
	$(DEV)
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

locks: ## Choose versions anew (needs uv)
	uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --python-version 3.11 --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header -q \
		-c requirements.lock -o requirements-dev.lock
