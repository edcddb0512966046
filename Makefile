# Innkeeper. `make quickstart` shows the main job on this machine, `make test` proves it.
SHELL := /bin/bash
JOBS ?= 2
DEBUG := .build/debug
# Shipped programs look for libraries where the system has them, and nowhere else.
RELEASE_FLAGS := -c release --static-swift-stdlib --disable-local-rpath -j $(JOBS)
TEST := packaging/run-tests
# Tests that start the whole product; they run after those of the parts.
PRODUCT := ^(EndToEnd|CrashMatrix|LinkFaults|HostilePeers|HostileMachine|Damage|Secrets|StolenController|SoakTests|EmulatorTests)\.
# Tests that keep a processor busy for long; beside others they would make those late.
COMPUTING := ^(SimulationTests|FuzzCorpusTests)\.
BREAKING := ^(EndToEnd|CrashMatrix|LinkFaults|HostilePeers|HostileMachine|Damage|Secrets|StolenController|SimulationTests)\.
comma := ,
SOURCES := Package.swift Sources proto/Messages agent controller Tests

.PHONY: help unit quickstart stop reset test real torture simulate fuzz soak check lint format build release bench deb deb-test paymenter clean

help:
	@echo 'make quickstart   build, start a controller and four nodes here, provision first services'
	@echo 'make stop         stop what quickstart started        make reset   and forget its state'
	@echo 'make test         install what is needed, lint, build, run every test'
	@echo 'make unit         TESTS=StoreTests: build and run the tests of one part'
	@echo 'make real         long tests with the real parts of Debian systems (SUITES), as root: recipes set sites up in trees, Matomo runs in one'
	@echo 'make torture      the long part of what tries to break it: hours'
	@echo 'make simulate     SEEDS=n worlds with faults, or SEED=n with its whole trace; PLANT=name puts a fault in'
	@echo 'make soak         both daemons under churn for MINUTES, and the slopes of what they hold'
	@echo 'make deb          packages for Debian 12 and 13, into .build/deb      make deb-test   try them there'
	@echo 'make paymenter    the extension of the billing panel Paymenter, as a zip into .build/paymenter'
	@echo 'make bench        figures of speed and memory, one JSON line each'
	@echo 'make fuzz         vary the inputs of every parser, FUZZ_SECONDS each (20)'
	@echo 'make format       format the sources                  make lint    check the format'

quickstart:
	@packaging/quickstart up

stop:
	@packaging/quickstart stop

reset:
	@packaging/quickstart reset

test:
	@echo '== 1/7 what this machine lacks'
	@packaging/prerequisites test
	@echo '== 2/7 format of the sources'
	@$(MAKE) --no-print-directory lint
	@echo '== 3/7 wire vectors against the schemas'
	@python3 proto/check-vectors
	@echo '== 4/7 building (the first build takes some minutes)'
	@swift build --build-tests -j $(JOBS)
	@echo '== 5/7 running the tests of the parts'
	@$(TEST) --skip '$(PRODUCT)' --skip '$(COMPUTING)'
	@echo '== 6/7 running the tests of the whole product'
	@$(TEST) --filter '$(PRODUCT)'
	@echo '== 7/7 running the simulation and the inputs of the fuzzer'
	@$(TEST) --filter '$(COMPUTING)'
	@echo 'all tests passed'

# One part's tests, built alone: what is changed most often is seen soonest.
unit:
	@test -n '$(TESTS)' || { echo 'which? make unit TESTS=StoreTests'; exit 2; }
	@INNKEEPER_TESTS='$(TESTS)' swift build --build-tests -j $(JOBS)
	@INNKEEPER_TESTS='$(TESTS)' $(TEST) --filter '^($(subst $(comma),|,$(TESTS)))\..*$(FILTER)'

# The first time makes a tree of each suite, from where this machine's apt has its packages, and keeps it (INNKEEPER_TREES).
real:
	@packaging/prerequisites real
	@INNKEEPER_TESTS=RealParts swift build --build-tests -j $(JOBS)
	@INNKEEPER_TESTS=RealParts INNKEEPER_REAL=1 INNKEEPER_REAL_SUITES='$(or $(SUITES),bookworm)' $(TEST) --filter '^RealParts\.'

check: test

lint:
	@swift format lint --strict --parallel --recursive $(SOURCES)

format:
	@swift format --in-place --parallel --recursive $(SOURCES)

build:
	@packaging/prerequisites build
	@swift build -j $(JOBS)

release:
	@packaging/prerequisites build
	@swift build $(RELEASE_FLAGS)

torture:
	@echo '== 1/5 what this machine lacks'
	@packaging/prerequisites test
	@echo '== 2/5 building'
	@swift build --build-tests -j $(JOBS)
	@echo '== 3/5 every point, profile and damage'
	@INNKEEPER_TORTURE=1 $(TEST) --filter '$(BREAKING)'
	@echo '== 4/5 simulation, fuzzing'
	@$(MAKE) --no-print-directory simulate SEEDS=10000
	@$(MAKE) --no-print-directory fuzz
	@echo '== 5/5 soak'
	@$(MAKE) --no-print-directory soak MINUTES=60
	@echo 'nothing broke'

simulate:
	@packaging/prerequisites build
	@swift build $(RELEASE_FLAGS) --product innkeeper-simulate
	@.build/release/innkeeper-simulate $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --jobs $(JOBS)) \
		$(if $(PLANT),--plant $(PLANT))
# MINUTES=60 is what a release needs; the slopes of less than ten minutes say nothing.
MINUTES ?= 10
AGENTS ?= 300
soak:
	@packaging/prerequisites build
	@for program in innkeeper-controller innkeeper-agent innkeeper-soak; do \
		swift build $(RELEASE_FLAGS) --product $$program || exit 1; done
	@.build/release/innkeeper-soak .build/release --minutes $(MINUTES) --agents $(AGENTS)

bench:
	@packaging/prerequisites build
	@swift build $(RELEASE_FLAGS) --product innkeeper-controller
	@swift build $(RELEASE_FLAGS) --product innkeeper-agent
	@swift build $(RELEASE_FLAGS) --product innkeeper-bench
	@.build/release/innkeeper-bench .build/release

# docs/packages.md tells what is in them.
DEB_PROGRAMS := .build/release
deb:
	@packaging/prerequisites deb
	@for program in innkeeper-controller innkeeper-agent innctl; do \
		swift build $(RELEASE_FLAGS) --product $$program || exit 1; done
	@packaging/deb/make $(DEB_PROGRAMS) .build/deb

# docs/billing/paymenter.md tells where it goes. The same sources make the same bytes.
paymenter:
	@mkdir -p .build/paymenter
	@python3 packaging/billing/zip packaging/billing/paymenter .build/paymenter/Innkeeper.zip

# Needs root and a Debian mirror; takes some minutes a suite.
deb-test: deb
	@packaging/deb/test $(DEB_PROGRAMS) $(SUITES)

# The linker has a line to say of each symbol of the address sanitizer.
fuzz:
	@packaging/prerequisites build
	@set -o pipefail; INNKEEPER_FUZZ=1 swift build --scratch-path .build-fuzz --product innkeeper-fuzz -j $(JOBS) 2>&1 \
	    | { grep -v 'Cannot export local symbol' || true; }
	@Tests/Reliability/Fuzz/run

clean:
	@rm -rf .build
