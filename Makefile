# SPDX-License-Identifier: MIT
#
# The words of this project. Each is a line or two over meson, pytest and tools/; what is missing
# on a Debian machine is installed first by tools/setup.sh. Every flavour has its own folder in
# build/, so switching between them costs nothing.

PYTHON = /usr/bin/python3
NINJA = ninja -C
TEST = meson test --print-errorlogs --suite
PYTEST = $(PYTHON) -m pytest -q -p no:cacheprovider
SOURCES = $(shell find $(wildcard bench fuzz include scenarios src tests) -name '*.[ch]')
# The thread sanitizer of older compilers dies on kernels that scatter mappings widely.
STILL = $(shell setarch -R true 2>/dev/null && echo --wrapper \'setarch -R\')

OPTIONS_asan = -Db_sanitize=address,undefined
OPTIONS_tsan = -Db_sanitize=thread
OPTIONS_fuzz = -Dfuzz=true -Db_lundef=false
CC_clang = CC=clang
CC_fuzz = CC=clang

demo: build                                     ## measures the LSTM service in 8 short scenarios
	build/release/cicada-driver --replicas 1,2 --workers 1,2 --users 50,100 \
		--duration 6 --cooldown 1 --fresh

test: setup-test                                ## every suite; fails when one of them fails
	@tools/run_suites check check-asan check-tsan integration browser fuzz-short

build: setup-build build/release/build.ninja    ## the three programs, in build/release/
	$(NINJA) build/release

check: setup-test build/release/build.ninja     ## unit tests and the tools' tests; under a minute
	$(TEST) unit -C build/release
	$(PYTEST) tests/tools

check-asan: setup-test build/asan/build.ninja   ## unit tests, address and undefined sanitizers
	$(TEST) unit -C build/asan

check-tsan: setup-test build/tsan/build.ninja   ## unit tests with threads, thread sanitizer
	$(TEST) threads -C build/tsan $(STILL)

integration: setup-test build                   ## the real programs, over real sockets
	CICADA_BUILD=build/release $(PYTEST) -n 2 --dist loadfile \
		$(wildcard tests/interop) tests/integration

browser: setup-test build                       ## the pages, in a real Chromium
	tools/npm_ci tests/browser
	CICADA_BUILD=build/release node --test --test-reporter=spec $(wildcard tests/browser/*.test.mjs)

interop-latest: setup-latest build              ## tests/interop with the newest Locust of Debian
	locust=$$(tools/locust_latest build/locust-latest) && \
		CICADA_LOCUST=$$locust CICADA_BUILD=build/release $(PYTEST) tests/interop

fuzz: SECONDS = 60
fuzz-short: SECONDS = 5
fuzz fuzz-short: setup-test build/fuzz/build.ninja
fuzz:                                           ## every reader of foreign bytes, 60 s each
fuzz-short:                                     ## the same, 5 s each
fuzz fuzz-short:
	$(NINJA) build/fuzz fuzz-targets
	tools/fuzz build/fuzz $(SECONDS)

lint: setup-lint build/release/build.ninja build/clang/build.ninja ## format, layers, calls, warnings
	@echo clang-format --dry-run -Werror; clang-format --dry-run -Werror $(SOURCES)
	tools/check_layers
	tools/lint
	tools/npm_ci ui
	ui/node_modules/.bin/tsc --project ui
	$(NINJA) build/release
	$(NINJA) build/clang
	tools/tidy build/clang

format: setup-lint                              ## clang-format on every C file
	@clang-format -i $(SOURCES)

bench: setup-bench build                        ## beside wrk, hey, ab, h2load, Locust; 20 minutes
	bench/peers.py --rounds 7 --seconds 6 --write docs/benchmarks.md

bench-inference: setup-bench build              ## the service beside FastAPI and PyTorch; 5 minutes
	bench/inference.py --rounds 5 --seconds 5 --write docs/benchmarks.md

bench-accuracy: build                           ## percentiles beside the record of a server; 2 minutes
	bench/accuracy.py --seconds 20 --write docs/benchmarks.md

bench-micro: setup-build build/release/build.ninja ## micro-benchmarks, JSON lines
	@$(NINJA) build/release >/dev/null
	@for bench in $$(find build/release/bench -maxdepth 1 -name 'bench_*' -type f | sort); do $$bench || exit 1; done

images:                                         ## container images, with docker, podman or buildah
	tools/images

e2e-kubernetes:                                 ## the matrix on the cluster of the current KUBECONFIG
	tools/e2e_kubernetes $(FOLDER)

install: build                                  ## into /usr/local, or where meson was told to
	meson install -C build/release

clean:                                          ## removes build/, keeps results/
	rm -rf build

help:                                           ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## */\1\t/p' Makefile | expand -t 16

setup-build setup-test setup-latest setup-lint setup-bench: setup-%:
	@tools/setup.sh $*

# Also repairs a folder whose first configuration was cut off.
build/%/build.ninja:
	$(CC_$*) meson setup build/$* $(OPTIONS_$*)

.PHONY: build demo test check check-asan check-tsan integration browser interop-latest fuzz fuzz-short lint format bench \
	bench-inference bench-accuracy bench-micro \
	images e2e-kubernetes install clean help setup-build setup-test setup-lint setup-bench
.DEFAULT_GOAL = build
