# csp-web: `make run` starts it, `make test` tests it, `make help` lists the rest.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PORT ?= 8000
export VENV PYTHON UPGRADE

# Each stamp is redone only when what it stands for changed, so a second run starts at once.
ENVIRONMENT := $(VENV)/.made
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

$(ENVIRONMENT):
	@echo "Making the Python environment in $(VENV)/"
	@scripts/make_venv $(VENV)
	@touch $@

$(INSTALLED): $(ENVIRONMENT) requirements.txt pyproject.toml
	@echo "Installing what csp-web needs (requirements.txt)"
	@scripts/install_requirements $(VENV) requirements.txt
	@scripts/install_checkout $(VENV)
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt
	@echo "Installing what its developers need (requirements-dev.txt)"
	@scripts/install_requirements $(VENV) requirements-dev.txt
	@touch $@

.PHONY: help
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

.PHONY: install
install: $(INSTALLED) ## environment and dependencies in .venv/, nothing started

.PHONY: dev
dev: $(INSTALLED_DEV) ## the same with the developers' tools

.PHONY: run
run: $(INSTALLED) ## start with the demo world on http://127.0.0.1:8000 (PORT= changes it)
	@$(VENV)/bin/csp-web init >/dev/null
	@$(VENV)/bin/csp-web demo
	@exec $(VENV)/bin/csp-web run --port $(PORT)

.PHONY: test
test: $(INSTALLED_DEV) ## every test: SQLite, PostgreSQL, real browser
	@scripts/install_test_deps
	@scripts/run_tests

.PHONY: test-sqlite
test-sqlite: $(INSTALLED_DEV) ## the tests without a browser, on SQLite
	@scripts/run_tests sqlite

.PHONY: test-postgres
test-postgres: $(INSTALLED_DEV) ## the tests that touch the database, on PostgreSQL
	@scripts/install_test_deps
	@scripts/run_tests postgres

.PHONY: test-browser
test-browser: $(INSTALLED_DEV) ## the tests in a real Chromium
	@scripts/install_test_deps
	@scripts/run_tests browser

.PHONY: lint
lint: $(INSTALLED_DEV) ## all static checks
	@scripts/lint

.PHONY: format
format: $(INSTALLED_DEV) ## lay out the Python code and sort its imports
	@$(VENV)/bin/ruff check --quiet --fix --select I .
	@$(VENV)/bin/ruff format --quiet .

.PHONY: i18n
i18n: $(INSTALLED_DEV) ## take new texts into the catalogues, say what is not translated
	@scripts/i18n

.PHONY: lock
lock: $(INSTALLED_DEV) ## compile pyproject.toml into the hashed requirement files (UPGRADE=1: newest)
	@scripts/lock

.PHONY: bench
bench: $(INSTALLED_DEV) ## measure pages and queries, print the ratios of this run (minutes; not part of the tests)
	@$(VENV)/bin/python -m tests.bench $(BENCH)

.PHONY: race
race: $(INSTALLED_DEV) ## 64 buyers for the last key, 200 times, and 1,500 for 1,000, on both databases (many minutes)
	@scripts/install_test_deps
	@$(VENV)/bin/python -m tests.race $(RACE)

.PHONY: bench-downloads
bench-downloads: $(INSTALLED_DEV) ## measure pages while 64 slow clients download, and a file of 5 GiB taken in and sent (minutes)
	@$(VENV)/bin/python -m tests.bench.downloads $(BENCH)

.PHONY: bench-exports
bench-exports: $(INSTALLED_DEV) ## export 1,000,000 lines as CSV and XLSX: rows per second, memory, disk (half an hour)
	@$(VENV)/bin/python -m tests.bench.exports $(BENCH)

.PHONY: weight
weight: $(INSTALLED_DEV) ## bytes, requests, layout shift, blocking and largest paint of every page (minutes)
	@scripts/install_test_deps
	@$(VENV)/bin/python -m tests.bench.weight

.PHONY: axe
axe: $(INSTALLED_DEV) ## accessibility of every page in every theme, language and width, and at 400 % zoom (minutes)
	@scripts/install_test_deps
	@$(VENV)/bin/python -m pytest -n 2 --database=sqlite --timeout=600 -m browser --every-look \
		tests/browser/test_axe.py tests/browser/test_zoom.py

.PHONY: screenshots
screenshots: $(INSTALLED_DEV) ## pictures of every page, theme, width and language, in build/pictures/
	@scripts/install_test_deps
	@$(VENV)/bin/python scripts/screenshots.py $(SCREENSHOTS)

.PHONY: guide-pictures
guide-pictures: $(INSTALLED_DEV) ## take the pictures of the user guide anew, in docs/pictures/
	@scripts/install_test_deps
	@$(VENV)/bin/python scripts/guide_pictures.py

.PHONY: clean
clean: ## remove the environment and caches (never your data in instance/)
	@rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* htmlcov test-results
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
