# make run, make test: on a fresh clone, with Python >= 3.11, a C++ compiler and a package index, and nothing else.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
JOBS   ?= 8
SYSTEMS ?= prn

.PHONY: help run tables test test-slow report lint format build clean

help:
	@echo "make run     install, build, and run the chain on the embedded default with PRN: results/eval/prn.json, tables,"
	@echo "             ledger, pictures; SYSTEMS=prn,vrn for more of the models"
	@echo "make tables  the same with every system: the comparison"
	@echo "make test    install, build, and run the tests that are neither slow nor gpu"
	@echo "make report  the chain, then two HTML files that open offline: results/report/index.html, our own page with tables,"
	@echo "             figures, faces in 3D, ledger and costs; results/report.html, Snakemake's with every artefact"
	@echo "make lint    ruff, snakefmt, snakemake --lint"
	@echo "make build   rebuild the Cython extensions"

run: $(VENV)/.built
	$(VENV)/bin/snakemake -j$(JOBS) --config systems=[$(SYSTEMS)]

tables: $(VENV)/.built
	$(VENV)/bin/snakemake -j$(JOBS) tables

test: $(VENV)/.built
	$(PY) -m pytest -m "not slow and not gpu"

test-slow: $(VENV)/.built
	$(PY) -m pytest -m "slow and not gpu"

report: $(VENV)/.built
	$(VENV)/bin/snakemake -j$(JOBS) --config systems=[$(SYSTEMS)]
	$(VENV)/bin/snakemake -j$(JOBS) report_page --config systems=[$(SYSTEMS)]
	$(VENV)/bin/snakemake --report results/report.html all report_page --config systems=[$(SYSTEMS)]

lint: $(VENV)/.built
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check Snakefile workflow
	$(VENV)/bin/snakemake --lint

format: $(VENV)/.built
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/snakefmt Snakefile workflow

build: $(VENV)/.installed
	$(PY) setup.py -q build_ext --inplace
	touch $(VENV)/.built

SOURCES := $(wildcard ext/*.pyx ext/*.pxd ext/include/*.h) setup.py pipeline/_kernels/__init__.py

$(VENV)/.installed: envs/requirements.txt envs/test.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"expected Python 3.11 or newer, found {v.major}.{v.minor}; type: make PYTHON=python3.11 ...")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check -r envs/requirements.txt -r envs/test.txt
	touch $@

$(VENV)/.built: $(VENV)/.installed $(SOURCES)
	$(PY) setup.py -q build_ext --inplace
	touch $@

clean:
	rm -rf build pipeline/_kernels/*.so $(VENV)/.built
