# make demo: see it.  make test: check it.  Each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVING := $(VENV)/.serving
ALL := $(VENV)/.all
# Prefer wheels, and never ask: the lock files carry the hashes.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --retries 10 --timeout 60 install

.PHONY: setup demo test style lint messages bench samples pictures lock sbom clean

$(SERVING): requirements.lock pyproject.toml
	@test -x $(BIN)/python || { echo "Making the virtual environment $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Curbside needs Python 3.11 or newer: run make PYTHON=python3.12"; rm -rf $(VENV); exit 1; }
	@echo "Installing what serving needs (requirements.lock) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps -e .
	@$(BIN)/python -m compileall -q cds_service models hooks
	@PYTHONDONTWRITEBYTECODE= $(BIN)/curbside models > /dev/null && PYTHONDONTWRITEBYTECODE= $(BIN)/curbside knowledge sources > /dev/null
	@touch $@

$(ALL): $(SERVING) requirements-all.lock
	@echo "Installing what tests and training need (requirements-all.lock) ..."
	@$(PIP) --require-hashes -r requirements-all.lock
	@touch $@

setup: $(ALL)

demo: $(SERVING)
	@$(BIN)/curbside demo

# Types are checked in what time the tests leave over. What Python and pytest compile is kept for the next run.
test: $(ALL) style
	@mkdir -p build; nice $(BIN)/mypy > build/types.log 2>&1 & types=$$!; \
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types; types=$$?; cat build/types.log; test $$tests$$types = 00

style: $(ALL)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lint: style
	@$(BIN)/mypy

# Calls whose words a clinician reads, and which of their arguments holds them.
KEYWORDS := -k msg -k override_reason:2 -k laboratory:3 -k measurement:3 -k offer:3

messages: $(ALL)
	@mkdir -p build
	@$(BIN)/pybabel -q extract -F babel.cfg $(KEYWORDS) --add-location=file --sort-output --omit-header -o build/curbside.pot .
	@$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete -w 118 -D curbside -l zh_CN -i build/curbside.pot -d cds_service/locale

bench: $(ALL)
	@$(BIN)/python -m benchmarks

# The pictures of the documentation, from the sandbox EHR in the system's Chromium.
pictures: $(ALL)
	@$(BIN)/python -m cds_service.sandbox.pictures docs/images

samples: $(SERVING)
	@$(BIN)/python -m cds_service.sandbox.samples fhir_samples

lock:
	@uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" -o requirements.lock
	@uv pip compile pyproject.toml --all-extras --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" -o requirements-all.lock

sbom: $(ALL)
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --mc-type application --sv 1.6 --output-reproducible --of JSON -o sbom.cdx.json
	@echo "Wrote sbom.cdx.json (CycloneDX 1.6)."

clean:
	@rm -rf $(VENV) dist build
