# Everything that a newcomer and CI need. Windows has no make: README, "Without make", has the plain commands.
#
# On Linux without an NVIDIA card torch is PyTorch's small CPU build: docker/torch_index.sh. TORCH_INDEX=ADDRESS decides.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= outputs/demo
TORCH_INDEX ?=
PEAKS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/realtime_pose/checkpoints/actor-vitpose-s.safetensors

.PHONY: demo ui install test test-all peaks check lint fuzz soak docs release-check clean

demo: install
	$(BIN)/realtime-pose run --source actor --no-download --udp 127.0.0.1:5005 --record $(OUT) --force --report $(OUT)/report.json

ui: install
	$(BIN)/realtime-pose ui

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt requirements-nodeps.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else f'Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}; name one with: make install PYTHON=python3.11')"
	@echo "Creating the environment in $(VENV): about 2 GB, a minute or more, once ..."
	$(PYTHON) -m venv $(VENV)
	index=$$(TORCH_INDEX="$(TORCH_INDEX)" PYTHON="$(PYTHON)" sh docker/torch_index.sh); \
	  [ -z "$$index" ] || $(BIN)/pip install --quiet --disable-pip-version-check --index-url "$$index" \
	    "$$(grep -o '^torch==[0-9.]*' requirements.txt)" || [ -z "$(TORCH_INDEX)" ]
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-nodeps.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt requirements-docs.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The quick tests, on every core; `make test-all` runs the slow ones too: models, Chromium, the site.
test: $(VENV)/.installed-dev
	$(BIN)/pytest -m "not slow and not browser" --numprocesses auto --dist loadfile

test-all: $(VENV)/.installed-dev
	$(BIN)/pytest

# A ViTPose fitted to the actor (once, takes minutes), and the tests that need its real peaks.
peaks: $(VENV)/.installed-dev $(PEAKS)
	$(BIN)/pytest tests/unit/inference/test_heatmaps_real_peaks.py tests/unit/evaluation/test_quantization.py

$(PEAKS): | $(VENV)/.installed
	$(BIN)/python -m realtime_pose.training.fit_vitpose --out $@

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test-all

# Wrong inputs for hours, in processes with limits; and runs with faults for an hour. docs/robustness.md has the figures.
fuzz: $(VENV)/.installed-dev
	PYTHONPATH=tests:tests/receivers $(BIN)/python tests/fuzz/long_run.py

soak: $(VENV)/.installed-dev
	PYTHONPATH=tests:tests/receivers $(BIN)/python tests/fuzz/soak.py

# The documentation as a site in build/site; a broken link or anchor is an error.
docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build --strict

$(VENV)/.installed-docs: $(VENV)/.installed requirements-docs.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	touch $@

# Wheel and sdist in dist/; the wheel installed in a bare environment, base then extras, and the demo run from it.
release-check:
	PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" .ci/release-check

clean:
	rm -rf $(VENV) outputs build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
