# Vitrine needs Python 3.11 or newer and make; everything else is brought here.
#
#   make demo            set up, run the main job on the embedded boutique, serve the page
#   make demo SERVE=0    the same, and stop before serving
#   make test            set up and run all the tests, in WORKERS=2 processes
#   make test ARGS=...   the tests that pytest is told, in one process (ARGS="-k planner", ARGS=tests/api)
#   make vllm            set up a real vLLM for a CPU beside it, and run the tests that talk to it
#   make real DATA=All_Beauty CAPTIONER=<hub id> EMBEDDER=<hub id> LLM=<hub id>
#                        real data and real models: says what it takes; with CONFIRM=1 it goes (docs/real.md)
#   make lint            ruff, mypy --strict, import contracts
#   make bench           measurements, printed as ratios against a baseline of the same run

PYTHON ?= $(shell command -v python3.11 || command -v python3)
STORE ?= store
SEED ?= 7
HOST ?= 127.0.0.1
PORT ?= 8000
SERVE ?= 1
ARGS ?=
WORKERS ?= 2
DATA ?=
CAPTIONER ?= pixels
EMBEDDER ?= minilm
LLM ?= planner
CONFIRM ?=

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Threads that wait for each other sleep: where others use the cores too, training takes half the time, alone no longer.
export OMP_WAIT_POLICY ?= passive

# uv where it is at hand, pip otherwise; both see the same constraints. A find-links folder that pip
# was told of is passed on to uv, which does not read pip's variables.
UV := $(shell command -v uv)
ifneq ($(UV),)
  ifneq ($(PIP_FIND_LINKS),)
    export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
  endif
  INSTALL = VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --constraint constraints.txt
else
  INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt
endif

.PHONY: demo test real vllm lint bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	$(BIN)/vitrine demo --store $(STORE) --seed $(SEED) $(if $(filter 1,$(SERVE)),--no-next)
ifeq ($(SERVE),1)
	$(BIN)/vitrine serve --store $(STORE) --host $(HOST) --port $(PORT)
endif

# Hundreds of commands are started: their modules are compiled once. One thread each, so that two do not fight.
test vllm: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev
ifeq ($(strip $(ARGS)),)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
else
	$(BIN)/python -m pytest $(ARGS)
endif

real: $(VENV)/.demo
	@test -n "$(DATA)" || { echo "DATA is missing: make real DATA=All_Beauty, or a folder (docs/real.md)"; exit 2; }
	$(BIN)/vitrine real "$(DATA)" --captioner "$(CAPTIONER)" --embedder "$(EMBEDDER)" --llm "$(LLM)" \
	  --store $(STORE) $(if $(filter 1,$(CONFIRM)),--yes) $(if $(filter 0,$(SERVE)),--no-serve) $(ARGS)

vllm: $(VENV)/.dev
	@PYTHON="$(PYTHON)" .ci/vllm_env
	$(BIN)/python -m pytest -m vllm $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .venv-vllm store .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$("$(PYTHON)" --version)"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Setting up $(VENV) (one to three minutes, once)"
	$(INSTALL) -e '.[cpu]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Setting up $(VENV) with the development tools (one to three minutes, once)"
	$(INSTALL) -e '.[cpu,dev]'
	@touch $@ $(VENV)/.demo
