# The whole project from one command each. 'make run' on a bare Debian or Ubuntu is enough to see the map.

SETUP := server/bootstrap/setup.sh
PYTHON := .venv/bin/python
ONEMAP := .venv/bin/onemap
DASHBOARD := server/dashboard
SQL := server/onemap layers tiles
npm := PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix $(DASHBOARD) --silent

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check check-python check-sql check-dashboard check-layers fmt bless bench bench-partition bench-network bench-environment clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what run and test need; at once when nothing is missing
	@$(SETUP) test

run: ## serve the map on 127.0.0.1:8000
	@$(SETUP) run
	@exec $(ONEMAP) run

demo: ## invent the demo city (虚拟数据) anew
	@$(SETUP) run
	@exec $(ONEMAP) demo

test: setup ## run every test
	$(npm) test
	$(PYTHON) -m pytest

check: check-python check-sql check-dashboard check-layers ## style, types, layers of import, SQL, layer folders

check-python: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

check-sql: setup
	.venv/bin/sqlfluff lint --disable-progress-bar $(SQL)

check-dashboard: setup
	$(npm) run check
	$(npm) run lint

check-layers: setup
	$(ONEMAP) layers check

fmt: setup ## put code into shape
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format
	.venv/bin/sqlfluff fix --disable-progress-bar $(SQL)
	$(npm) run fmt

bless: setup ## take today's output as golden, and write the dashboard's types anew
	$(PYTHON) -m pytest --bless
	$(ONEMAP) openapi >$(DASHBOARD)/openapi.json
	$(npm) run types

bench: bench-environment ## items and tiles beside tipg and stock pygeoapi; the dashboard's questions at 1x and 100x
	.venv-bench/bin/python tests/bench/ogc.py --python .venv/bin/python
	.venv-bench/bin/python tests/bench/tiles.py --python .venv/bin/python
	$(PYTHON) tests/bench/api.py
	$(PYTHON) tests/bench/dashboard.py

bench-partition: bench-environment ## grids for communities and counties, beside peers
	.venv-bench/bin/python tests/bench/partition.py

bench-network: bench-environment ## isochrones, nearest, matrices, beside peers
	.venv-bench/bin/python tests/bench/network.py
	$(PYTHON) tests/bench/positions.py

bench-environment:
	@server/bootstrap/bench.sh

clean: ## delete what make made; data stays
	rm -rf .venv .venv-python .venv-carrier .venv-bench .setup.lock .setup.log server/onemap/static/dashboard $(DASHBOARD)/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis server/onemap.egg-info
	find server tests -name __pycache__ -type d -prune -exec rm -rf {} +
