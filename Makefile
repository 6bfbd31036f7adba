# Everything one types in this project. `make` alone lists it.
# On a fresh Debian or Ubuntu with rustup, git and make, `make run` is the only command needed.

SHELL := /bin/bash
# rustup's directory is on the path of new shells only, not of the one that installed it.
export PATH := $(HOME)/.cargo/bin:$(PATH)
CARGO_RUN := cargo run --release --locked --
# Root needs no sudo, and minimal systems have none.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get

.DEFAULT_GOAL := help
.PHONY: help run demo test bench openapi setup setup-tests

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: setup ## start the API with demo data and a private PostgreSQL, on http://127.0.0.1:8080
	$(CARGO_RUN) serve --demo

demo: setup ## load the demo data into the database of DATABASE_URL, or into the running private one
	$(CARGO_RUN) demo

test: setup-tests ## what every change must pass: format, lints, documentation, tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
	@# The clients of docs/clients are run too: without this, a machine that lacks their languages passes them over.
	REQUIRE_CLIENTS=1 cargo test --locked

bench: setup ## measure throughput: the registry, imports and the feed, statistics of 0.5 and 5 million rows (50 too with BENCH_50M=1)
	benches/run.sh
	benches/sync.sh
	benches/statistics.sh

openapi: setup ## write openapi/openapi.json from the code
	@# By way of a second file: a failure must not leave an empty document behind.
	cargo run --locked -- openapi > openapi/openapi.json.new
	mv openapi/openapi.json.new openapi/openapi.json

# Needed: a C compiler with its headers (aws-lc-sys, mimalloc; no cmake), and a PostgreSQL server, which Samverkan
# starts by itself. Debian would make and start a cluster of its own when the server package arrives: nobody here
# needs that one, so a machine that had no server is told not to. Nothing is changed when nothing is missing.
setup: ## install what is missing: a C compiler and PostgreSQL (Debian, Ubuntu)
	@set -euo pipefail; \
	missing=(); \
	echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1 || missing+=(gcc libc6-dev); \
	found() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || [ -x "$${PG_BIN_DIR:-}/initdb" ] \
	  || [ -x "$$(pg_config --bindir 2>/dev/null)/initdb" ]; }; \
	found || missing+=(postgresql); \
	if ! command -v cargo >/dev/null; then echo 'Rust is missing: see https://rustup.rs' >&2; exit 1; fi; \
	if [ $${#missing[@]} -eq 0 ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
	  echo "please install: $${missing[*]} (PostgreSQL 15 or newer; PG_BIN_DIR names its programs)" >&2; exit 1; \
	fi; \
	if [ -n '$(SUDO)' ] && ! command -v sudo >/dev/null; then \
	  echo "please run as root: apt-get install $${missing[*]}" >&2; exit 1; \
	fi; \
	echo "installing: $${missing[*]}"; \
	$(APT) update -q; \
	if ! found; then \
	  $(APT) install -qy --no-install-recommends postgresql-common; \
	  $(SUDO) sed -i -E 's/^#? *create_main_cluster *=.*/create_main_cluster = false/' \
	    /etc/postgresql-common/createcluster.conf; \
	fi; \
	$(APT) install -qy --no-install-recommends "$${missing[@]}"

# The clients of docs/clients in Python and TypeScript. Debian's node-typescript takes any Node that is there already.
setup-tests: setup ## install what only the tests need: Python, Node and TypeScript (Debian, Ubuntu)
	@set -euo pipefail; \
	missing=(); \
	command -v python3 >/dev/null || missing+=(python3); \
	command -v node >/dev/null || missing+=(nodejs); \
	command -v tsc >/dev/null || missing+=(node-typescript); \
	if [ $${#missing[@]} -eq 0 ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "please install: $${missing[*]}" >&2; exit 1; fi; \
	if [ -n '$(SUDO)' ] && ! command -v sudo >/dev/null; then \
	  echo "please run as root: apt-get install $${missing[*]}" >&2; exit 1; \
	fi; \
	echo "installing: $${missing[*]}"; \
	$(APT) update -q; \
	$(APT) install -qy --no-install-recommends "$${missing[@]}"
