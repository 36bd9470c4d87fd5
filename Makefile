# Everything a visitor or a developer needs. `make` alone lists it.

VENV    := .venv
BIN     := $(VENV)/bin
# Side by side, since many tests wait for a broker or a browser rather than for the processor; a file stays together,
# since its tests share servers.
TEST_WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
# The stamps hold the set-up to its inputs: it runs again when they change, and costs nothing until then.
INPUTS  := pyproject.toml constraints.txt scripts/setup

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench soak pictures clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## broker, simulated fleet, bridge and dashboard, live in your browser (DEMO_ARGS=--port=9000)
	@$(BIN)/mqttbridge demo $(DEMO_ARGS)

test: $(VENV)/.dev $(VENV)/.page ## lint, type check, and every test: unit, real broker, real browser (TEST_ARGS=-k spool)
	@scripts/setup system
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest --numprocesses=$(TEST_WORKERS) --dist=loadfile $(TEST_ARGS)

lint: $(VENV)/.dev $(VENV)/.page ## ruff, mypy, and tsc over the page's modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(VENV)/page/node_modules/.bin/tsc -p jsconfig.json

format: $(VENV)/.dev ## let ruff rewrite the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## measure on this machine; docs/performance.md explains the figures
	@scripts/setup system
	$(BIN)/python -m benchmarks

SOAK_MINUTES ?= 5
soak: $(VENV)/.dev ## hours in minutes: memory, files and events of a bridge that is killed, a page never closed (SOAK_MINUTES=5)
	@scripts/setup system
	$(BIN)/python -m benchmarks.soak --minutes $(SOAK_MINUTES)

pictures: $(VENV)/.dev ## take the pictures of docs/dashboard.md again
	@scripts/setup system
	@mkdir -p docs/pictures
	$(BIN)/python -m tests.browser.pictures

clean: ## remove the set-up and everything generated; `make` targets rebuild it
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.demo: $(INPUTS)
	@scripts/setup demo

$(VENV)/.dev: $(INPUTS)
	@scripts/setup dev

$(VENV)/.page: scripts/setup | $(VENV)/.dev
	@scripts/setup page
