# vector_backfill: everything one does with the repository. `make` alone lists it. The work is in scripts/.

SHELL := /bin/bash
# The folder of this file, also with spaces in its path and when called with -C or -f.
ROOT := $(shell cd "$$(dirname "$$(echo '$(MAKEFILE_LIST)' | sed 's/^ *//')")" && pwd)
ENVIRONMENT := cd "$(ROOT)" && . scripts/environment.sh
MAKEFLAGS += --no-print-directory

.PHONY: help setup build install test fuzz demo dashboard demo-stop lint audit pictures licenses format bench clean
.NOTPARALLEL:

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' "$(ROOT)/Makefile"

setup: ## Install what is missing to build and test (Debian packages, cargo-pgrx, the local model)
	@"$(ROOT)/scripts/setup.sh"

build: setup ## Compile everything
	@$(ENVIRONMENT) && cargo build --release $$VB_CARGO_SELECTION

install: setup ## Build the extension and install it into PostgreSQL 15
	@"$(ROOT)/scripts/install.sh"

test: install ## Run all tests (ARGS='name' for some); ends with their count
	@"$(ROOT)/scripts/test.sh" $(ARGS)

fuzz: setup ## Try what is read from outside with inputs of all kinds (ARGS='seconds target…')
	@"$(ROOT)/scripts/fuzz.sh" $(ARGS)

demo: install ## Embed and search this machine's Debian package records (ROWS=2500, KEEP=0 to stop at the end)
	@"$(ROOT)/scripts/demo.sh" start

dashboard: install ## The live page over the demo's server (LISTEN=127.0.0.1:8088)
	@"$(ROOT)/scripts/dashboard.sh"

demo-stop: ## Stop the demo's server and remove its data
	@"$(ROOT)/scripts/demo.sh" stop

lint: ## Check the formatting and run clippy with warnings as errors
	@"$(ROOT)/scripts/lint.sh"

audit: setup ## Check licences, sources and known faults of crates, and the SQL that runs as a superuser
	@"$(ROOT)/scripts/supply-chain.sh"

pictures: install ## Take the pictures of the live page in docs/ anew
	@"$(ROOT)/scripts/pictures.sh"

licenses: ## Write docs/licenses.md anew
	@$(ENVIRONMENT) && python3 scripts/supply-chain/licenses.py

format: ## Format the code
	@$(ENVIRONMENT) && cargo fmt --all && cargo fmt --manifest-path fuzz/Cargo.toml

bench: install ## Measure throughput (ARGS='--help' for choices)
	@$(ENVIRONMENT) && cargo build --release $$VB_CARGO_SELECTION && "$$CARGO_TARGET_DIR/release/vb-bench" $(ARGS)

clean: demo-stop ## Stop the demo and remove what was built (the next build takes about 20 minutes again)
	@$(ENVIRONMENT) && cargo clean
