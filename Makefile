# Each target makes .venv and installs what it needs, unless that is done already.
# PYTHON picks the interpreter for a new .venv: make test PYTHON=python3.13
.PHONY: demo test test-jax test-notebooks lint bench docs docs-serve
.NOTPARALLEL:

BIN := .venv/bin
# What a layer is made of and what joins it to a model: these run on any backend.
LAYER_TESTS := $(addprefix tests/,core chunked positions layers recurrent \
	recording/test_record.py test_masking.py)
# JAX compiles each shape anew: "make test" runs there what keeps to the contract, what
# equals a formula, and the masking grid; "make test-jax" the rest.
JAX_NAMES := contract or formula or masking
# Hypothesis draws shapes without end; on TensorFlow they are quick.
JAX_LEAVES_OUT := --deselect \
	tests/layers/test_multi_head.py::test_it_equals_that_of_keras_at_random_shapes
# Test files that run side by side: make test JOBS=8 on a large machine.
JOBS ?= 2
# More for make bench: make bench BENCH='--joey PYTHON --model models/phrasebook-en-es'.
BENCH ?=
# Where make docs-serve listens.
PORT ?= 8000
PYTEST := -m pytest --numprocesses $(JOBS) --dist loadfile

demo: .venv/installed
	$(BIN)/nmt demo

# Then which lines of either package no test ran; at least 95 % have to be run.
test: .venv/installed-test
	KERAS_BACKEND=tensorflow $(BIN)/python $(PYTEST) --cov --cov-report=
	$(BIN)/coverage report --include='keras_attention/*'
	$(BIN)/coverage report --include='nmt/*'
	KERAS_BACKEND=jax JAX_DISABLE_MOST_OPTIMIZATIONS=1 \
		$(BIN)/python $(PYTEST) $(LAYER_TESTS) $(JAX_LEAVES_OUT) -k "$(JAX_NAMES)"

# As users run it: compiled with all that JAX does to make code fast.
test-jax: .venv/installed-test
	KERAS_BACKEND=jax \
		$(BIN)/python $(PYTEST) $(LAYER_TESTS) $(JAX_LEAVES_OUT) -k "not ($(JAX_NAMES))"

# Each notebook from top to bottom, as it stands; two run side by side.
test-notebooks: .venv/installed-test
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest --numprocesses $(JOBS) --dist load \
		-m notebook tests/test_notebooks.py

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/installed
	$(BIN)/python benchmarks/table.py $(BENCH)

# The site, in docs/_build/html: every public name, the commands, pages and notebooks.
docs: .venv/installed-docs
	$(BIN)/python docs/lay_out.py docs/_build/source
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html \
		-c docs docs/_build/source docs/_build/html

docs-serve: docs
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory docs/_build/html $(PORT)

# The stamps are younger than the files that say what to install.
.venv/installed: setup.cfg pyproject.toml
	$(make_venv)
	$(BIN)/python -m pip install --editable .
	touch $@

# The extra brings the rest with it, so that "make demo" finds its stamp fresh too.
.venv/installed-test: setup.cfg pyproject.toml
	$(make_venv)
	$(BIN)/python -m pip install --editable '.[test]'
	touch .venv/installed $@

.venv/installed-docs: setup.cfg pyproject.toml
	$(make_venv)
	$(BIN)/python -m pip install --editable '.[docs]'
	touch .venv/installed $@

# A .venv that works is kept, and gets pip if it has none; one that was interrupted is
# made again. A name on the PATH proves nothing (it may be a shim), so each candidate has
# to run.
define make_venv
@set -e; \
if $(BIN)/python -m pip --version >/dev/null 2>&1; then exit; fi; \
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
if $(BIN)/python -c "$$fits" >/dev/null 2>&1 && \
	$(BIN)/python -m ensurepip >/dev/null 2>&1; then exit; fi; \
for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	if $$python -c "$$fits" >/dev/null 2>&1; then \
		echo "making .venv with $$python"; \
		exec $$python -m venv --clear .venv; \
	fi; \
done; \
echo "Python 3.11, 3.12 or 3.13 is needed; $(or $(PYTHON),python3) is none of them." \
	"Install one, or name it: make PYTHON=/path/to/python3.13" >&2; \
exit 1
endef
