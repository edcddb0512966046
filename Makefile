# Innkeeper. `make quickstart` shows the main job on this machine, `make test` proves it.
SHELL := /bin/bash
JOBS ?= 2
DEBUG := .build/debug
RELEASE_FLAGS := -c release --static-swift-stdlib -j $(JOBS)
SOURCES := Package.swift Sources proto/Messages agent controller Tests

.PHONY: help quickstart stop reset test check lint format build release bench clean

help:
	@echo 'make quickstart   build, start a controller and an agent here, provision a first service'
	@echo 'make stop         stop what quickstart started        make reset   and forget its state'
	@echo 'make test         install what is needed, lint, build, run every test'
	@echo 'make bench        figures of speed and memory, one JSON line each'
	@echo 'make format       format the sources                  make lint    check the format'

quickstart:
	@packaging/quickstart up

stop:
	@packaging/quickstart stop

reset:
	@packaging/quickstart reset

test:
	@echo '== 1/5 what this machine lacks'
	@packaging/prerequisites test
	@echo '== 2/5 format of the sources'
	@$(MAKE) --no-print-directory lint
	@echo '== 3/5 wire vectors against the schemas'
	@python3 proto/check-vectors
	@echo '== 4/5 building (the first build takes some minutes)'
	@swift build --build-tests -j $(JOBS)
	@echo '== 5/5 running the tests'
	@swift test --skip-build
	@echo 'all tests passed'

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

bench:
	@packaging/prerequisites build
	@swift build $(RELEASE_FLAGS) --product innkeeper-controller
	@swift build $(RELEASE_FLAGS) --product innkeeper-agent
	@swift build $(RELEASE_FLAGS) --product innkeeper-bench
	@.build/release/innkeeper-bench .build/release

clean:
	@rm -rf .build
