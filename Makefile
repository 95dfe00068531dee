# Needs python3 (3.11 or newer) and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

.PHONY: demo test lint bench validation docs clean

demo: $(VENV)/.base  ## the main job on a synthetic bank of 20,000 loans
	$(BIN)/arrears demo

test: $(VENV)/.dev  ## all tests; TESTS=tests/plan for a part
	$(BIN)/python -m pytest -n auto $(TESTS)

lint: $(VENV)/.dev  ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## measures everything anew and writes benchmarks/README.md
	$(BIN)/python benchmarks/run.py

validation: $(VENV)/.dev  ## holds the models against the truth and writes docs/validation.md
	$(BIN)/python -m validation.run

docs: $(VENV)/.base  ## docs/rulebook.md from the rulebooks, docs/notices.md from the notices
	$(BIN)/python -c "from arrears import rules; print(rules.page([rules.load(n) for n in ('cn', *rules.STANDARDS)]), end='')" > docs/rulebook.md
	$(BIN)/python -m validation.notices --write

clean:
	rm -rf $(VENV) out

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Arrears needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Setting up in $(VENV); this takes a minute or two."
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --editable '.[dev,fit,bench]'
	@touch $@
