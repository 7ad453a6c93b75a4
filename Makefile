# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# A Python that is asked for is the one that runs: a virtual environment of another one is made anew.
VERSION_OF = $(shell $(1) -c 'import platform; print(platform.python_version())' 2>/dev/null)
ifneq ($(origin PYTHON),file)
ifneq ($(call VERSION_OF,$(PYTHON)),$(call VERSION_OF,$(BIN)/python))
ANEW := --clear
.PHONY: $(STAMP)
endif
endif

.PHONY: help demo test test-yubico test-vm test-vm-first test-vm-second test-browsers test-chromium test-firefox desk fuzz lint format bench wheel clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "authrig needs Python 3.11 or later, found $$($(PYTHON) --version); set PYTHON=..." >&2; exit 2; }
	@test -x $(BIN)/python -a -z "$(ANEW)" || $(PYTHON) -m venv $(ANEW) $(VENV)
	@echo "installing into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet -c constraints.txt hatchling editables setuptools
	@$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[dev]'
	@$(BIN)/python -m pip install --quiet -c constraints.txt pyscard 2>/dev/null || \
	  echo "without pyscard, which has to be built (apt-get install gcc libc6-dev swig libpcsclite-dev): tests of cards are skipped"
	@touch $@

demo: $(STAMP) ## run every flow end to end and write out/demo/index.html
	@$(BIN)/authrig demo

test: $(STAMP) ## everything that needs no special hardware
	@$(BIN)/python -m pytest -n auto --dist loadgroup

test-yubico: $(STAMP) ## Yubico's own device tests, unmodified, on the emulated key
	@$(BIN)/python -m authrig.yubico.run

# Two guests side by side, a processor each: a test in a guest hardly ever keeps two of them busy.
IN_GUEST := $(BIN)/authrig vm run --timeout 3600 --cpus 1
TESTS := python -m pytest -p no:cacheprovider -p no:schemathesis --durations=5
SIDE_BY_SIDE := $(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target
SUITES_OF_FIRST := tests/vm/test_yubico.py tests/vm/test_openssh.py
BROWSERS := tests/vm/test_chromium.py tests/vm/test_firefox.py
SUITES_OF_SECOND := $(filter-out $(SUITES_OF_FIRST) $(BROWSERS) tests/vm/test_usb_desk.py,$(wildcard tests/vm/test_*.py))
# Of the browsers' scenarios, which take longer than all the rest; `make test-browsers` plays all.
SCENARIO := test_a_key_without_pin_registers_and_logs_in

test-vm: $(STAMP) ## the suites on real device nodes, under Debian's kernel in QEMU
	@$(BIN)/authrig vm prepare
	@$(BIN)/python -m authrig.yubico.run --fetch
	@echo "two virtual machines at work; each prints what it found when it is done"
	@$(SIDE_BY_SIDE) test-vm-first test-vm-second

test-vm-first: $(STAMP)
	@$(IN_GUEST) --shared out/vm/first -- $(TESTS) $(SUITES_OF_FIRST) tests/vm/test_firefox.py::TestFirefox::$(SCENARIO)

test-vm-second: $(STAMP)
	@$(IN_GUEST) --shared out/vm/second -- $(TESTS) $(SUITES_OF_SECOND) tests/vm/test_chromium.py::TestChromium::$(SCENARIO)

test-browsers: $(STAMP) ## all that Chromium and Firefox do with keys on hidraw, in the same guests
	@$(BIN)/authrig vm prepare
	@echo "two virtual machines at work; each prints what it found when it is done"
	@$(SIDE_BY_SIDE) test-chromium test-firefox

test-chromium test-firefox: test-%: $(STAMP)
	@$(IN_GUEST) --shared out/browsers/$* -- $(TESTS) tests/vm/test_$*.py

desk: $(STAMP) ## a login and a payment on USB devices in that guest, seen step by step: out/desk
	@$(BIN)/authrig vm prepare
	@$(BIN)/authrig vm run --shared out/desk --timeout 1800 -- python -m tests.vm.desk out/desk \
	  python -m pytest tests/vm/test_usb_desk.py -p no:cacheprovider --rig tests/vm/desk/rig.toml --hil attached --hil-require \
	  --hil-evidence always --hil-artifacts out/desk --hil-report out/desk/report.html

fuzz: $(STAMP) ## look for crashes and hangs for a minute (SECONDS=600 for longer)
	@$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[fuzz]'
	@$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60)

lint: $(STAMP) ## ruff, mypy strict, the arrows between the packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(STAMP) ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## speed, each row as a ratio to its floor
	@$(BIN)/python -m benchmarks.run

wheel: $(STAMP) ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .

clean: ## remove what make made
	rm -rf $(VENV) out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
