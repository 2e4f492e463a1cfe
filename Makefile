# Two commands: `make lab` sets everything up and starts the workshop; `make test` runs every test.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python from 3.11 to 3.13 (TensorFlow has wheels for these); else the first newer one,
# on which everything but the tests of the sample image works.
PYTHON ?= $(shell \
  for range in '(3,11) <= v < (3,14)' '(3,14) <= v'; do \
    for name in python3 python3.13 python3.12 python3.11 python3.14; do \
      if "$$name" -c "import sys; v = sys.version_info[:2]; sys.exit(not ($$range))" 2>/dev/null; \
      then echo "$$name"; exit; fi; done; done)
VENV_PYTHON := .venv/bin/python
# What an ordinary user's sudo would take away from the tests, which run as root.
OF_TESTS := TEST_CLUSTER,KEEP_CLUSTER,NOTEBOOKS
FOR_TESTS := $(if $(filter test test-notebooks test-browser,$(MAKECMDGOALS)),--tests)

OWN_CLUSTER := $(if $(wildcard .lab/own-cluster.json),--own-cluster)
# A kubeconfig given to make itself is the user's wish; an exported one may be production.
ifeq ($(origin KUBECONFIG),command line)
  export OWN_KUBECONFIG := $(KUBECONFIG)
  # KUBECONFIG= leads back to the local cluster, whatever an earlier make remembered.
  OWN_CLUSTER := $(if $(strip $(KUBECONFIG)),--own-cluster)
else ifeq ($(origin KUBECONFIG),environment)
  # .lab/activate exports the lab's own.
  ifneq ($(realpath $(KUBECONFIG)),$(realpath .lab/kubeconfig))
    KUBECONFIG_NOTE := 1
  endif
endif
# The tests have clusters of their own.
ifneq ($(FOR_TESTS),)
  OWN_CLUSTER :=
endif
export REGISTRY YES
# `sudo make lab`: what root compiles would be in the way of the user.
ifdef SUDO_UID
  export PYTHONDONTWRITEBYTECODE := 1
endif

.PHONY: help lab notebook test test-notebooks test-browser lint notebooks times record bench pins down clean python host ready

help: ## show this list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: ready ## set everything up and start the workshop (KUBECONFIG=FILE: on your own cluster)
	@$(if $(KUBECONFIG_NOTE),echo "Note: the exported KUBECONFIG is ignored; to use that cluster: make lab KUBECONFIG=FILE")
	@env -u KUBECONFIG $(VENV_PYTHON) -m cluster.workshop lab

# All tests run beside each other (tests/side_by_side.py), those of PYTEST_ARGS one by one.
test: $(if $(PYTEST_ARGS),.venv/.ready,ready) ## set up what the tests need and run every test, on clusters of their own
	@env -u KUBECONFIG $(VENV_PYTHON) -m cluster.host.privilege $(OF_TESTS) pytest $(or $(PYTEST_ARGS),--numprocesses=auto)

test-notebooks: .venv/.ready ## run every notebook as an instructor does, on the tests' cluster
	@env -u KUBECONFIG NOTEBOOKS=all $(VENV_PYTHON) -m cluster.host.privilege $(OF_TESTS) pytest tests/cluster/test_notebooks.py $(PYTEST_ARGS)

test-browser: .venv/.ready ## let a browser use JupyterHub, on the tests' cluster (installs Debian's Chromium)
	@$(VENV_PYTHON) -m cluster.workshop.prepare browser
	@env -u KUBECONFIG $(VENV_PYTHON) -m cluster.host.privilege $(OF_TESTS) pytest -m browser tests/browser $(PYTEST_ARGS)

notebook: .venv/.ready ## open JupyterLab on the modules (after make lab)
	@$(VENV_PYTHON) -m cluster.workshop notebook

times: .venv/.ready ## the pages' times as test_docs.py alone measured them, beside those that they state
	@$(VENV_PYTHON) -m modules.times

record: .venv/.ready ## play all mistakes on a cluster of their own, and record them again
	@env -u KUBECONFIG $(VENV_PYTHON) -m tests.validator.record

lint: .venv/.ready ## ruff, import-linter, mypy and actionlint alone
	@$(VENV_PYTHON) -m pytest -q tests/test_house_style.py

notebooks: .venv/.ready ## make every lab.ipynb again from its README.md
	@$(VENV_PYTHON) -m modules.notebooks

bench: .venv/.ready ## measure what the READMEs state (about an hour)
	@env -u KUBECONFIG $(VENV_PYTHON) -m bench.operator
	@env -u KUBECONFIG $(VENV_PYTHON) -m bench.training
	@env -u KUBECONFIG $(VENV_PYTHON) -m bench.validator

down: python ## stop the local cluster; its state is deleted, caches stay
	@"$(PYTHON)" -m cluster.workshop down

clean: down ## undo everything: cluster, .lab, .venv, and the caches in the user's cache folder
	@"$(PYTHON)" -m cluster.workshop clean
	@rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis

pins: ## resolve pyproject.toml into the pinned requirements.txt again
	@$(PYTHON) -m venv .lab/uv && .lab/uv/bin/pip install --quiet uv
	@.lab/uv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --quiet --no-header --generate-hashes -o requirements.txt

python:
	@if [ -z "$(PYTHON)" ]; then sh cluster/host/python.sh; fi

host: python
	@"$(PYTHON)" -m cluster.workshop.prepare host $(FOR_TESTS) $(OWN_CLUSTER)

# Programs, images and Python packages side by side.
ready: host
	@"$(PYTHON)" -m cluster.workshop.prepare all $(OWN_CLUSTER)

.venv/.ready: requirements.txt | host
	@"$(PYTHON)" -m cluster.workshop.venv
