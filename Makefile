# Everything a person does with this tree.  Each target first makes .venv ready by
# scripts/bootstrap.py (standard library only, no root; nothing to do the second time).
#
#   PYTHON=/path/to/python3.12   another Python than python3 (>= 3.11)
#   VENV=/some/directory         another place than .venv
#   TEST_WORKERS=1               how many processes share the tests of `make test` (3)
#   ARGS="..."                   further arguments for the target's program (see `make help`)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# A test waits about half of its time, for limits to strike and daemons to start.
TEST_WORKERS ?= 3

# mypy fails on a cache that it may not write: in a tree of another user it goes without.
MYPY_CACHE = $(shell if [ -w . ] && { [ ! -e .mypy_cache ] || [ -w .mypy_cache ]; }; \
	then echo .mypy_cache; else echo /dev/null; fi)

export VENV

.PHONY: help demo test cgroup-test ray-test lint format bench labels multipl-e eval-demo eval-env graded judges-report load stability soak simulate hostile languages-test toolchains compat-test cluster-test cluster-bench cluster-chaos dist check-dist doctor venv venv-test venv-ray venv-dist clean
.DEFAULT_GOAL := help

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' \
		| expand -t 12

demo: venv  ## judge bundled submissions with a daemon of its own, and show a table
	@$(BIN)/scalebox demo $(ARGS)

test: lint  ## everything that is checked: lint, types, import arrows, tests (ARGS: pytest's)
	$(BIN)/python -m pytest -q --numprocesses $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

cgroup-test: venv-test  ## the sandbox's tests under cgroup v2, in User Mode Linux (ARGS: pytest's)
	$(BIN)/python scripts/cgroup_test.py $(ARGS)

ray-test: venv-ray  ## daemons on a Ray cluster of several nodes on this machine (ARGS: pytest's)
	$(BIN)/python -m pytest -q tests/integrations/on_ray.py $(ARGS)

lint: venv-test  ## ruff, mypy --strict, import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --cache-dir $(MYPY_CACHE)
	$(BIN)/lint-imports --no-cache

format: venv-test  ## let ruff lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv  ## measure throughput and the cost of a case, beside the usual ways (ARGS: --help)
	$(BIN)/python -m bench.bench $(ARGS)

labels: venv  ## judge the labelled problems and compare verdicts (ARGS: --help)
	$(BIN)/python -m bench.labels $(ARGS)

multipl-e: venv  ## a model's answers to MultiPL-E's tasks, and hollow ones, in all languages (ARGS: --help)
	$(BIN)/python -m bench.multiple $(ARGS)

judges-report: venv  ## how right judges are, on real problems; flawed ones refused (ARGS: --help)
	$(BIN)/python -m bench.judges_report $(ARGS)

eval-demo: venv eval-env  ## the evaluation suite without any model, beside EvalPlus and published verdicts (ARGS: --help)
	$(BIN)/python -m bench.eval_demo $(ARGS)

eval-env: venv  ## the libraries that BigCodeBench's tests need, in .venv-eval (Python 3.11)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo >&2 \
		"eval-env: the libraries are pinned for Python 3.11, and $(VENV) has another:" \
		"make eval-env VENV=.venv-3.11 PYTHON=/path/to/python3.11"; exit 1; }
	@[ -x .venv-eval/bin/python ] || $(BIN)/python -m venv --without-pip .venv-eval
	$(BIN)/python -m pip --python .venv-eval/bin/python --quiet --disable-pip-version-check \
		install -r bench/bigcodebench-requirements.txt

graded: venv  ## graded samples of BigCodeBench-Hard: our verdicts beside the published (ARGS: --help)
	$(BIN)/python -m bench.graded $(ARGS)

load: venv  ## 200 clients, 20,000 submissions, faults; nothing lost, nothing left (ARGS: --help)
	$(BIN)/python -m bench.load $(ARGS)

stability: venv  ## real programs in quiet and under overload: no verdict differs (ARGS: --help)
	$(BIN)/python -m bench.stability $(ARGS)

soak: venv  ## a million trivial cases; nothing grows, nothing becomes dearer (ARGS: --help)
	$(BIN)/python -m bench.soak $(ARGS)

simulate: venv  ## thousands of nodes as a model, with the daemon's own policy (ARGS: --help)
	$(BIN)/python -m bench.simulate $(ARGS)

hostile: venv-test  ## attacks at every level that this host gives; what each leaves (ARGS: --help)
	$(BIN)/python -m tests.hostile.run $(ARGS)

toolchains:  ## compilers and interpreters of all languages (as root, on Debian; ARGS: --help)
	$(PYTHON) deploy/toolchains/install.py $(ARGS)

languages-test: venv-test  ## every language whose tool chain is here, at every level of isolation
	$(BIN)/python -m bench.languages $(ARGS)

compat-test: venv-test  ## real clients from PyPI against a daemon that speaks their protocols (ARGS: --help)
	$(BIN)/python -m bench.compat_test $(ARGS)

cluster-test: venv-test  ## several daemons on test hosts: network namespaces of this machine (ARGS: pytest's)
	$(BIN)/python -m pytest -q tests/cluster $(ARGS)

cluster-bench: venv-test  ## what stealing is worth and costs, on up to eight test hosts (ARGS: --help)
	$(BIN)/python -m bench.cluster $(ARGS)

cluster-chaos: venv-test  ## 20,000 cases while nodes die and the network parts; nothing lost (ARGS: --help)
	$(BIN)/python -m bench.chaos $(ARGS)

dist: venv-dist  ## wheel, sdist and the single-file scaleboxd, in dist/
	$(BIN)/python scripts/dist.py $(ARGS)

check-dist: dist  ## run what `make dist` built where nothing is installed
	$(BIN)/python scripts/check_dist.py $(ARGS)

doctor: venv  ## what this host enforces, and what is missing
	@$(BIN)/scaleboxd --doctor $(ARGS)

venv:  ## make .venv ready
	@$(PYTHON) scripts/bootstrap.py

venv-test:
	@$(PYTHON) scripts/bootstrap.py test

venv-ray:
	@$(PYTHON) scripts/bootstrap.py test ray

venv-dist:
	@$(PYTHON) scripts/bootstrap.py dist

clean:  ## remove what the targets made, .venv too
	rm -rf $(VENV) .venv-compat .venv-eval dist build bench/results .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
