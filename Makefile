# Two commands matter: `make run` and `make test`. Everything else is for those who build.
.DEFAULT_GOAL := help
SHELL := /bin/bash

SCALE ?= 1
PORT ?= 8000
PYTHON ?= python3
VENV := .venv/bin
# the whole suite on all processors; what is named in ARGS runs in one process, which starts sooner
SUITE := --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder --durations 15

# Whoever forbids compiled files lets each of some hundred processes compile the same thousand modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check bench lock stop clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | column -t -s '	'

run: ## the whole platform with the synthetic province: make run SCALE=0.05 PORT=8000
	@$(PYTHON) tools/bootstrap.py
	@"$(VENV)/anze" run --scale $(SCALE) --port $(PORT)

test: ## install what the tests need and run all of them: make test ARGS='tests/kernel -x'
	@$(PYTHON) tools/bootstrap.py --dev
	@$(VENV)/python -m pytest $(or $(ARGS),$(SUITE))

check: ## house rules, lint, types, layers, dependencies, templates
	@$(PYTHON) tools/bootstrap.py --dev
	@$(VENV)/python tools/check.py

bench: ## print every figure beside its target: make bench ARGS="pages --write"
	@$(PYTHON) tools/bootstrap.py --dev
	@$(VENV)/python -m bench $(ARGS)

lock: ## make the locks anew from pyproject.toml and package.json
	@$(PYTHON) tools/bootstrap.py --dev
	@$(VENV)/python tools/lock.py

stop: ## end the platform that runs in this folder, then its embedded databases
	@$(PYTHON) -m tools.stop

clean: stop ## remove all that was set up here, the database with its data included
	rm -rf .venv var frontend/node_modules anze/web/static/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
