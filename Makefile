# The only door: every command sets up what it needs in .venv and asks for nothing else
# than make and python3.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

UV := .venv/bin/uv
DEV := .venv/dev
SAM := .venv/sam
MINISTACK := .venv/ministack
export SAM_CLI_TELEMETRY := 0
# The virtual environments hold the interpreter that `sam build` needs on the PATH.
export PATH := $(CURDIR)/$(DEV)/bin:$(CURDIR)/$(SAM)/bin:$(PATH)

.PHONY: help run build bench preview classify evaluate answers test test-deep check lint voice types imports template show erase replay redrive contracts situations lock format clean
help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(DEV)/.ready $(SAM)/.ready $(MINISTACK)/.ready  ## the whole path on this machine (ARGS="--once --port 4566")
	@PYTHONPATH=layers/common $(DEV)/bin/python -m local.run $(ARGS) || [ $$? -eq 130 ]  # Ctrl-C

build: $(SAM)/.ready  ## for AWS, into .aws-sam: sam build, and what lets functions start faster (ARGS are sam build's)
	@$(SAM)/bin/sam build $(ARGS)
	@$(SAM)/bin/python -m local.compiled .aws-sam/build

bench: $(DEV)/.ready $(SAM)/.ready $(MINISTACK)/.ready  ## measure it: docs/benchmarks.md (ARGS="door cold", ARGS=--quick)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m bench $(ARGS)

classify: $(DEV)/.ready  ## what the classifier makes of JSON lines {"id", "text"} (FILE=messages.jsonl, or a pipe)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m local.classify $(if $(FILE),'$(FILE)')

preview: $(DEV)/.ready  ## what would be said to a message, where and why (TEXT="My parcel is late", or lines by a pipe)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m local.preview $(ARGS) $${TEXT:+"$$TEXT"}

evaluate: $(DEV)/.ready  ## how well it understands strangers: docs/understanding.md (SETS=folder of the evaluation sets)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m training.evaluate $(if $(SETS),--sets '$(SETS)') --out docs/understanding.md

answers: $(DEV)/.ready  ## how surely frequent questions are recognised: docs/answers.md (SETS as above)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m training.answers $(if $(SETS),--sets '$(SETS)') --out docs/answers.md

test: $(DEV)/.ready $(SAM)/.ready $(MINISTACK)/.ready .venv/helpdesk/.ready .venv/npm/.ready  ## every test (ARGS="-k door" for some)
	@$(DEV)/bin/python -m pytest -n 2 -m "not deep and not e2e" $(ARGS) || [ $$? -eq 5 ]  # none chosen
	@$(DEV)/bin/python -m pytest -m "e2e and not deep" $(ARGS) || [ $$? -eq 5 ]

test-deep: $(DEV)/.ready $(SAM)/.ready $(MINISTACK)/.ready  ## the tests that take long (ARGS as above)
	@$(DEV)/bin/python -m pytest -m deep -n 2 $(ARGS)

check: lint voice types imports template  ## style, the brand's words, types, layers' import rules, template

lint: $(DEV)/.ready
	@$(DEV)/bin/ruff check . && $(DEV)/bin/ruff format --check .

voice: $(DEV)/.ready  ## what is wrong with the words of brand/
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m local.lint_voice

types: $(DEV)/.ready
	@$(DEV)/bin/mypy

imports: $(DEV)/.ready
	@PYTHONPATH=.:layers/common $(DEV)/bin/lint-imports --no-cache

template: $(SAM)/.ready
	@$(SAM)/bin/sam validate --lint --region us-east-1

show: $(DEV)/.ready  ## everything known of a conversation (ARGS="--stack NAME ID", or "--local ID")
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m operate show $(ARGS)

erase: $(DEV)/.ready  ## forget all that was said in a conversation (ARGS="--stack NAME ID", or "--local ID"; --yes)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m operate erase $(ARGS)

replay: $(DEV)/.ready  ## send deliveries through again (ARGS="--stack NAME --since 6h --channel x --account ID")
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m operate replay $(ARGS)

redrive: $(DEV)/.ready  ## give dead letters back (ARGS="--stack NAME inbox", reply, complaint, fetch or escalation)
	@PYTHONPATH=.:layers/common $(DEV)/bin/python -m operate redrive $(ARGS)

contracts: $(DEV)/.ready  ## write schemas and AsyncAPI to docs/contracts/ (ARGS=--release: released.json too)
	@PYTHONPATH=layers/common $(DEV)/bin/python -m local.contracts $(ARGS)

situations: $(DEV)/.ready  ## write docs/situations.md from tests/situations/
	@PYTHONPATH=layers/common $(DEV)/bin/python -m local.situations

format: $(DEV)/.ready  ## let ruff mend what it can
	@$(DEV)/bin/ruff check --fix . ; $(DEV)/bin/ruff format .

lock: $(UV)  ## resolve pyproject.toml anew into hashed requirement files
	@$(UV) pip compile -q --universal --generate-hashes --upgrade pyproject.toml -o layers/common/requirements.txt
	@$(UV) pip compile -q --universal --generate-hashes --upgrade --group classify -c layers/common/requirements.txt -o functions/classify/requirements.txt
	@$(UV) pip compile -q --universal --generate-hashes --upgrade pyproject.toml --group dev --group classify -c layers/common/requirements.txt -c functions/classify/requirements.txt -o requirements/dev.txt
	@$(UV) pip compile -q --universal --generate-hashes --upgrade --group sam -o requirements/sam.txt
	@$(UV) pip compile -q --universal --generate-hashes --upgrade --group ministack -o requirements/ministack.txt
	@$(UV) pip compile -q --universal --generate-hashes --upgrade --group helpdesk -o requirements/helpdesk.txt
	@mkdir -p .venv/npm && cp requirements/npm/package.json .venv/npm/ && rm -f .venv/npm/package-lock.json
	@npm install --prefix .venv/npm --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --loglevel=error
	@cp .venv/npm/package-lock.json requirements/npm/hashes.json

clean:  ## remove everything that these commands made
	@rm -rf .venv .aws-sam .local .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(UV):
	@echo "Setting up .venv (once)" >&2
	@python3 -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<1"

# For two tests: X's own count of characters, and AsyncAPI's own schema.
.venv/npm/.ready: requirements/npm/hashes.json | $(UV)
	@echo "Setting up .venv/npm" >&2
	@mkdir -p .venv/npm && cp requirements/npm/package.json .venv/npm/
	@cp requirements/npm/hashes.json .venv/npm/package-lock.json
	@npm ci --prefix .venv/npm --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# One environment each: they disagree on botocore. --seed: SAM's builder calls pip.
.venv/%/.ready: requirements/%.txt | $(UV)
	@echo "Setting up .venv/$*" >&2
	@$(UV) venv --quiet --seed --clear --python 3.13 .venv/$*
	@$(UV) pip install --quiet --require-hashes --python .venv/$*/bin/python -r requirements/$*.txt
	@touch $@
