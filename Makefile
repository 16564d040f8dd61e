# edge-bench: `make bench` runs the whole benchmark on this machine, `make test` the tests. Both install packages first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
# defaults: a first answer, in about a minute and a half on two cores: 3 epochs (30 for the stand-in digits), 500 images,
# 12 trials in 3 processes. `edge-bench all` itself makes 30 trials in 5 processes, as the paper does.
# Size of the paper: `make bench EPOCHS=100 LIMIT=10000 TRIALS=30 PROCESSES=5`
EPOCHS ?=
LIMIT ?= 500
TRIALS ?= 12
PROCESSES ?= 3
BENCH_FLAGS ?=
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
# uv installs packages in parallel: the user's, otherwise the locked one
UV ?= $(shell command -v uv)

.PHONY: help setup setup-host bench test test-fast test-nightly pi-up pi-down pi-test lint lock schema docs docs-serve screenshots calibration device-files prediction-errors engines faults fuzz audit releases clean

include containers.mk
include release.mk

help: ## list all targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /' | sort

# The stamps' names contain a checksum of the lock file, so only a changed lock file is installed again.
# setup-host installs what `make bench` needs, setup also OpenVINO, ncnn and the tools of developers.
STAMP := $(VENV)/installed-$(shell cat requirements/dev.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
HOST_STAMP := $(VENV)/installed-host-$(shell cat requirements/host.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)

setup: $(STAMP) ## create a virtual environment with locked, hash-checked dependencies

setup-host: $(if $(wildcard $(STAMP)),$(STAMP),$(HOST_STAMP)) ## the same with only what `make bench` needs

# install LOCK: into $(VENV), which is created first. If uv fails, as with an index that only pip is configured for, pip.
# uv compiles nothing, which saves half a minute: programs compile what they import. Workers in the sandbox cannot write,
# so what only they import is compiled here.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "edge-bench needs Python 3.11 or newer; $(PYTHON) is older. Choose one with make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)" >&2
	@[[ -x $(BIN)/pip ]] || $(PYTHON) -m venv $(VENV)
	@[[ -n "$(UV)" || -x $(BIN)/uv ]] || $(PIP) --require-hashes -r requirements/uv.txt
	@uv="$(UV)"; uv="$${uv:-$(BIN)/uv}"; \
	  "$$uv" pip install --quiet --python $(BIN)/python --require-hashes -r $(1) && \
	  "$$uv" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . || \
	  { echo "uv failed: installing with pip" >&2; $(PIP) --require-hashes -r $(1) && \
	    $(PIP) --no-deps --no-build-isolation --editable .; }
	@$(BIN)/python -c 'import compileall, sysconfig as s; [compileall.compile_dir(s.get_path("platlib") + "/" + each, \
	  quiet=2) for each in ("ai_edge_litert", "msgspec", "numpy", "onnxruntime/capi", "tflite_runtime")]'
	@rm -f $(VENV)/installed-*
	@touch $@
endef

$(STAMP): requirements/dev.txt pyproject.toml
	$(call install,requirements/dev.txt)

$(HOST_STAMP): requirements/host.txt pyproject.toml
	$(call install,requirements/host.txt)

bench: setup-host ## train, run, compare, report (Fashion-MNIST if available, otherwise digits)
	@$(BIN)/edge-bench all --dataset auto $(if $(EPOCHS),--epochs $(EPOCHS)) --limit $(LIMIT) \
	  --trials $(TRIALS) --processes $(PROCESSES) $(BENCH_FLAGS)

# Tests start hundreds of processes. Containers often set this, and then each process compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE
# A test that takes longer than this many seconds fails, and shows where each of its threads waits.
HANGS_AFTER = -o faulthandler_exit_on_timeout=true -o faulthandler_timeout
# more processes than cores: some tests wait for containers while others compute
TEST_PROCESSES ?= 4
test: setup lint ## lint, and all tests except nightly ones; container tests if a Docker engine is available
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) -m "not nightly" $(HANGS_AFTER)=1800

test-fast: setup ## tests that take less than about 0.8 s each
	@$(BIN)/python -m pytest -n 2 -m "not slow and not containers and not nightly" $(HANGS_AFTER)=120

# what only nightly tests need: MLflow
NIGHTLY_STAMP := $(VENV)/nightly-$(shell cat requirements/nightly.txt 2>/dev/null | cksum | cut -d' ' -f1)
$(NIGHTLY_STAMP): $(STAMP) requirements/nightly.txt
	@uv="$(UV)"; uv="$${uv:-$(BIN)/uv}"; \
	  "$$uv" pip install --quiet --python $(BIN)/python --require-hashes -r requirements/nightly.txt || \
	  $(PIP) --require-hashes -r requirements/nightly.txt
	@rm -f $(VENV)/nightly-*
	@touch $@

test-nightly: $(NIGHTLY_STAMP) ## conversions of published models, kills and signals at random moments (see CONTRIBUTING.md)
	@$(BIN)/python -m pytest -m nightly

CASES ?= 10000
SEED ?= 1
fuzz: setup ## read CASES damaged files of every kind: two to three minutes; SEED=2 for other files
	@$(BIN)/python -m tests.fuzz --cases $(CASES) --seed $(SEED)

# the program that `--to ncnn` installs into the user's cache; in the package, because it is read there
PNNX_LOCK := app/conversion/ncnn/pnnx.txt
# pip-audit has its own environment, because neither needs the packages of the other
AUDIT := build/audit-$(shell cksum < requirements/audit.txt 2>/dev/null | cut -d' ' -f1)
$(AUDIT)/bin/pip-audit: requirements/audit.txt
	@$(PYTHON) -m venv $(AUDIT)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(AUDIT)/bin/python -m pip install --quiet --require-hashes -r requirements/audit.txt

audit: $(AUDIT)/bin/pip-audit ## known vulnerabilities of locked packages; skipped if the database is unreachable
	@PATH="$(AUDIT)/bin:$$PATH" $(PYTHON) tools/audit.py requirements/*.txt $(PNNX_LOCK)

KILLS ?= 200
faults: setup ## kill -9 at KILLS random moments of run and train, each followed by a resume; signals: about 40 minutes
	@EDGE_BENCH_KILLS=$(KILLS) $(BIN)/python -m pytest -s tests/faults -m "nightly or not nightly"

engines: setup ## only tests with three separate Docker engines and a swarm, as root: about eight minutes
	@$(BIN)/python -m pytest tests/fleet

# PI_FLAGS: --memory 1024, --core cortex-a53, … (python -m tools.emulated_pi --help)
pi-up: setup ## start an emulated Raspberry Pi 4 with Docker and ssh; ten minutes the first time: PI_FLAGS="--memory 1024"
	@$(BIN)/python -m tools.emulated_pi up $(PI_FLAGS)

pi-down: setup ## shut the emulated Raspberry Pi down
	@$(BIN)/python -m tools.emulated_pi down $(PI_FLAGS)

pi-test: setup ## walk the Raspberry Pi chapter on an emulated one, with power cuts and other faults: nightly
	@$(BIN)/python -m tools.emulated_pi check
	@echo 'all steps: tail -f build/pi/steps.log' >&2
	@$(BIN)/python -m pytest tests/pi -m nightly --verbose --durations=0

# RUNS: Run files or folders, BUNDLE: the measured bundle
screenshots: setup ## recreate docs/images/*.png: make screenshots RUNS="results" BUNDLE=artifacts/bundle
	@$(BIN)/python -m studies.screenshots $(or $(RUNS),results) --bundle $(or $(BUNDLE),artifacts/bundle)

CALIBRATION := $(or $(BUNDLE),artifacts/bundle)
calibration: setup ## coverage of intervals and verdicts, hours on an idle machine: BUNDLE=… MODELS="a.tflite b.tflite"
	@$(BIN)/python -m studies.calibration.coverage
	@$(BIN)/python -m studies.calibration.nights
	@$(BIN)/python -m studies.cost.wall_time $(CALIBRATION)
	@$(BIN)/python -m studies.cost.litert_benchmark $(or $(MODELS),$(CALIBRATION)/variants/float32.tflite)
	@$(BIN)/python -m studies.calibration.self_comparison $(CALIBRATION) --images 5000 --keep results/kept
	@$(BIN)/python -m studies.calibration.between_runs results/kept --draws 400
	@$(BIN)/python -m studies.calibration.slow_tails results/kept
	@$(BIN)/python -m studies.calibration.slack results/kept --draws 2000
	@$(BIN)/python -m studies.calibration.percentiles results/kept --draws 400
	@$(BIN)/python -m studies.calibration.self_comparison $(CALIBRATION) --images 5000 --load
	@$(BIN)/python -m studies.calibration.components
	@$(BIN)/python -m studies.calibration.processes

# TABLE: published latencies, with the operators of their models beside it
device-files: setup ## fit bench/prediction/devices/*.toml to published latencies: TABLE=…/calibration.csv
	@$(BIN)/python -m studies.prediction.device_files $(or $(TABLE),$(error give the table of published latencies: TABLE=…/calibration.csv))

prediction-errors: setup ## errors of predictions of rows that the fit did not see, by stratum: TABLE=…/calibration.csv
	@$(BIN)/python -m studies.prediction.errors $(or $(TABLE),$(error give the table of published latencies: TABLE=…/calibration.csv))

releases: setup ## probe the operators of released runtimes: bench/models/known_releases.json
	@$(BIN)/python tools/probe_releases.py bench/models/known_releases.json

lint: setup ## style, types, imports between packages, sizes of folders and modules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --cache-dir .mypy_cache/import-linter
	@$(BIN)/python tools/check_layout.py

schema: setup ## write the pages that come from the code: JSON Schemas to docs/schema, options to docs/cli.md
	@$(BIN)/python -m tools.write_schemas docs/schema
	@$(BIN)/python -m tools.write_cli_reference docs/cli.md

docs: setup ## the docs as a site, in build/site; no network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-serve: setup ## the same at http://127.0.0.1:8001, built again after each change
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --dev-addr 127.0.0.1:8001

lock: setup ## write lock files from pyproject.toml; UPGRADE=--upgrade for newer versions
	@for lock in edge edge-full host dev; do \
	  case $$lock in \
	    edge-full) extras="--extra edge-full --constraint requirements/edge.txt" ;; \
	    dev) extras="--extra host --extra dev" ;; \
	    *) extras="--extra $$lock" ;; \
	  esac; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate $(UPGRADE) --constraint requirements/constraints.in $$extras --extra build pyproject.toml \
	    -o requirements/$$lock.txt; done
	@echo "pnnx>=20261020" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --no-deps $(UPGRADE) - -o $(PNNX_LOCK)
	@echo "mlflow-skinny>=3" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --constraint requirements/dev.txt $(UPGRADE) - -o requirements/nightly.txt
	@echo "uv>=0.5" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --constraint requirements/dev.txt $(UPGRADE) - -o requirements/uv.txt
	@echo "pip-audit>=2.9" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate $(UPGRADE) - -o requirements/audit.txt

clean: ## remove generated files
	rm -rf $(VENV) build ./*.egg-info .mypy_cache .ruff_cache .pytest_cache
