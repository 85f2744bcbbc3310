# The commands of Écluse's own repository. Nothing has to be installed first but Python 3.11, git and make.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# Docker's socket belongs to root: who is not root does with sudo what needs it.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=ECLUSE_CACHE,ECLUSE_STATE,ECLUSE_EDGE_HTTP_PORT,ECLUSE_EDGE_HTTPS_PORT,CI)
export ECLUSE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ecluse

.PHONY: demo demo-down test check bench format venv machine peers clean picture

demo: venv machine            ## build and deploy the example product, then say where to look
	@$(SUDO) tools/demo.sh up

demo-down: venv               ## remove all that `make demo` made
	@$(SUDO) tools/demo.sh down

test: venv machine peers check      ## every test, on real parts
	@$(SUDO) tools/test.sh

check: venv                   ## format, lint, types, layers
	@$(BIN)/ruff format --check --quiet src tests tools
	@$(BIN)/ruff check --quiet src tests tools
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo 2>&1 | tail -n 20; exit $${PIPESTATUS[0]}

bench: venv machine peers     ## speed, side by side with what one would use instead
	@$(SUDO) $(BIN)/python tools/bench

format: venv
	@$(BIN)/ruff format --quiet src tests tools
	@$(BIN)/ruff check --quiet --fix src tests tools

venv: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	@tools/venv.sh $(VENV)
	@touch $@

machine:                      ## Docker, its base images and the browser, where they are missing
	@$(SUDO) tools/machine.sh

peers:                        ## the programs that tests and benches compare with, built where they can be had
	@$(SUDO) tools/peers.sh

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

picture: venv                 ## draw docs/images/deploy.svg from a real run: `make demo` first
	@printf '\nrun:\n  web: {replicas: 2}\n' >> .demo/comptoir/config/environments/test/services/invoicing.yaml
	@$(BIN)/python tools/picture docs/images/deploy.svg $(BIN)/ecluse -C .demo/comptoir deploy test invoicing --yes
