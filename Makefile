# What a person wants, by name. Everything runs in the project's own .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PEERS := $(VENV)/.installed-bench
# Two workers by default: the suite is sized for a machine with two cores.
WORKERS ?= 2

.PHONY: demo test check lint types bench bench-large bench-deciding fuzz tables docs clean help

help:            ## this list
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(DEV): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

$(PEERS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@

demo: $(STAMP)   ## a whole run on the bundled sample: validate, test, evaluate, members, explain, plan, apply
	$(BIN)/python -m segrules.sample build/demo
	PATH="$(CURDIR)/$(BIN):$$PATH" sh rules/demo/tour.sh build/demo

test: $(DEV)     ## every test; those that need a server or the real data sets say why when they skip
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(DEV)
	$(BIN)/ruff check segrules tests benchmarks docs setup.py
	$(BIN)/ruff format --check segrules tests benchmarks docs/make.py setup.py

types: $(DEV)
	$(BIN)/mypy

check: lint types test  ## ruff, mypy --strict, the architecture test and all tests

bench: $(PEERS)  ## benchmarks beside their peers, answers compared first; QUICK=1: a minute
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(BENCH)

bench-large: $(STAMP)  ## 50 million customers × 100 rules in parts: seconds and memory; LARGE="--customers 5000000"
	$(BIN)/python -m benchmarks.large $(LARGE)

bench-deciding: $(STAMP)  ## 50 actions over a million customers, compared with one by one on a sample first
	$(BIN)/python -m benchmarks.deciding $(DECIDING)

fuzz: $(DEV)     ## the property tests with many more examples, and hundreds of real kills
	SEGRULES_EXAMPLES=50 $(BIN)/python -m pytest tests/property tests/faults/test_killed.py -n $(WORKERS)

tables: $(DEV)   ## rebuild the parser's tables after a change of the grammar
	$(BIN)/python -m segrules.syntax.build

docs: $(DEV)     ## rewrite the pages that are made from the program
	$(BIN)/python docs/make.py

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
