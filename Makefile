# The two commands a newcomer needs: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench results soak clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

install: .venv/installed  ## make .venv and install cbir into it, with the versions of constraints.txt

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: install  ## index real DICOM, search with a mammogram, write an HTML page
	$(BIN)/cbir demo

test: install  ## every test but the long runs, in up to four processes
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

check: install  ## style, types, architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## let ruff write
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: install  ## ratios of speed, measured side by side
	$(BIN)/python -m tests.benchmarks

results: install  ## the tables of docs/results.md, of ../shared/data: hours; what is done stays in cbir-results
	$(BIN)/python -m tests.benchmarks.results
	$(BIN)/python -m tests.benchmarks.heads --cache cbir-results/vectors
	$(BIN)/python -m tests.benchmarks.trained --runs cbir-results/runs
	$(BIN)/python -m tests.benchmarks.oversampling --cache cbir-results/vectors
	$(BIN)/python -m tests.benchmarks.reranking --cache cbir-results/vectors
	$(BIN)/python -m tests.benchmarks.classified --runs cbir-results/classifiers
	$(BIN)/python -m tests.benchmarks.explanations

soak: install  ## the long runs: faults, mutated files, state machines
	$(BIN)/pytest -m soak --timeout 14400

clean:  ## remove what the targets above made
	rm -rf .venv cbir-demo cbir-results build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
