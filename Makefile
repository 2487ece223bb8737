# Everything a reader of the README may type. Needs only make and a Python of 3.11 or later.

PYTHON ?= python3
VENV ?= .venv
DEMO ?= samples/login-and-report.pcap
PYTEST_ARGS ?= -n auto
BENCH_ARGS ?=

BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
DEVELOPING := $(VENV)/developing

.PHONY: help demo test golden check format docs screenshots bench samples clean

help:
	@echo "make demo      install into $(VENV) and report on $(DEMO)"
	@echo "make test      run the tests"
	@echo "make golden    write the golden reports of tests/golden anew"
	@echo "make check     style, types, import rules, generated documents"
	@echo "make format    let ruff format the sources"
	@echo "make docs      write the generated documents anew"
	@echo "make screenshots  draw the pictures of the README anew"
	@echo "make bench     compare speed and memory with tshark"
	@echo "make samples   write samples/ anew"
	@echo "make clean     remove $(VENV), build/ and caches"

demo: $(INSTALLED)
	@$(BIN)/cmppscope report --format text $(DEMO)

test: $(DEVELOPING)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

golden: $(DEVELOPING)
	@$(BIN)/python -m pytest --quiet --renew-golden tests/golden

check: $(DEVELOPING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-cache
	$(BIN)/python docs/generate.py --check

format: $(DEVELOPING)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEVELOPING)
	$(BIN)/python docs/generate.py

screenshots: $(INSTALLED)
	$(BIN)/python docs/screenshots.py

bench: $(INSTALLED)
	$(BIN)/python benchmarks/report_vs_tshark.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/report_vs_tshark.py --small $(BENCH_ARGS)
	$(BIN)/python benchmarks/stages.py --rules

samples: $(INSTALLED)
	$(BIN)/python samples/make_samples.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "cmppscope needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	    echo "$(PYTHON) cannot make a virtual environment (on Debian: install python3-venv)" >&2; exit 1; }

# An editable install: the stamps stand until pyproject.toml changes.
$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "Installing cmppscope into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEVELOPING): pyproject.toml | $(BIN)/python
	@echo "Installing cmppscope and its development tools into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(INSTALLED)
