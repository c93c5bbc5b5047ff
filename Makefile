# The commands of this repository. `make` alone lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL: # the phases of `test` share target/ and depend on their order
.PHONY: help setup dev dev-registrar whoami call logto gateway-keys gateway-scopes keys doctor explain test check unit build e2e conformance providers gateway npm npm-test smoke fuzz soak mutants bench bench-native bench-instructions publish-check deny semver public-api msrv scale template-test version release-notes workflows deploy clean

# The fuzz targets are no part of the workspace, but share its compiled dependencies.
in_fuzz = --manifest-path fuzz/Cargo.toml --target-dir target --locked

# $(call phase,TEXT): prints the name of the next phase.
phase = @printf '\n==> %s\n' '$(1)'

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: ## Install the tools; takes less than a second when they are installed
	@unset LOGTO_CLIENT_SECRET HEADER UPSTREAM_SECRET ADMIN_SECRET MAKEFLAGS MFLAGS MAKEOVERRIDES; dev/setup # installs programs of others: no secret of other targets

dev: setup ## Run the Worker, the vault and a local identity provider on this machine (UPSTREAM=http://localhost:3001/mcp: in front of your server; WORKER=examples/agenda: that example, with the services it reaches)
	@dev/with-tools node dev/start.mjs

dev-registrar: setup ## Run the registrar as well, with a stand-in for Logto's Management API
	@dev/with-tools node dev/start-registrar.mjs

whoami: setup ## Connect a real MCP client to the running `make dev` and call whoami
	@dev/with-tools node dev/whoami.mjs $(ARGS)

call: setup ## Call a tool of the running `make dev`: make call ARGS="list_events"
	@dev/with-tools node dev/call.mjs $(ARGS)

logto: setup ## Set Logto up: make logto ENDPOINT=https://<tenant>.logto.app RESOURCE=https://mcp.example.com/mcp
	@dev/with-tools node dev/logto/main.mjs $(ARGS)

gateway-scopes: setup ## Propose access tables for an MCP server: make gateway-scopes URL=https://upstream.example.com/mcp
	@dev/with-tools node dev/gateway/scopes.mjs $(ARGS)

gateway-keys: setup ## Make the key that a gateway signs with, or replace it with ARGS=--rotate
	@dev/with-tools node dev/gateway/keys.mjs $(ARGS)

# The endpoint of `make dev`, unless URL or PORT is set.
URL ?= http://localhost:$(or $(PORT),8787)/mcp

doctor: ## Check a deployment from outside, as clients see it: make doctor URL=https://mcp.example.com/mcp
	@cargo run --quiet --locked -p mcp-edge-doctor -- $(ARGS) $(URL)

keys: setup ## List and revoke access keys as their operator: make keys ARGS="list --subject <id of a user>" URL=https://mcp.example.com/mcp
	@dev/with-tools node dev/keys.mjs $(ARGS) $(URL)

explain: ## Say what the settings make of a token: make explain < token, or with ARGS="--help"
	@cargo run --quiet --locked -p mcp-edge-doctor -- explain $(ARGS)

test: setup check unit build e2e conformance providers gateway npm-test smoke ## Run all checks and tests of the product (CI also runs workflows, deny, publish-check, semver, msrv and template-test)

check: setup ## Check spelling and words, architecture, format, lints and documents
	$(call phase,spelling)
	dev/setup check
	dev/with-tools typos
	$(call phase,architecture)
	dev/with-tools node dev/check-architecture.mjs
	$(call phase,one version)
	node dev/version.mjs
	$(call phase,links)
	node dev/check-links.mjs
	$(call phase,format)
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo fmt --manifest-path tests/gateway/upstreams/rmcp/Cargo.toml --check
	$(call phase,clippy)
	cargo clippy --workspace --all-targets --locked -- -D warnings
	# Without the features `cloudflare` and `page`: nothing else may depend on either.
	cargo clippy -p mcp-edge --no-default-features --all-targets --locked -- -D warnings
	# Nothing is linked, so libFuzzer need not be compiled.
	CUSTOM_LIBFUZZER_PATH=unused/libfuzzer.a cargo clippy $(in_fuzz) --all-targets --features libfuzzer -- -D warnings
	$(call phase,documents)
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked
	$(call phase,packages)
	cargo publish --workspace --dry-run --no-verify --allow-dirty --locked --quiet

unit: ## Run the Rust tests on this machine
	$(call phase,Rust tests)
	cargo test --workspace --locked
	cargo test -p mcp-edge --no-default-features --locked
	$(call phase,seeds of the fuzz targets)
	cargo test $(in_fuzz) --test seeds

build: setup ## Build the Worker and the vault: build/ and vault/build/, each with index.js and index_bg.wasm
	$(call phase,wasm build)
	dev/build
	$(call phase,wasm build of the vault)
	dev/build vault

e2e: build ## Run the end-to-end tests against the built Worker
	$(call phase,wasm build of the examples)
	dev/build examples/notes
	dev/build examples/agenda
	$(call phase,doctor)
	cargo build -p mcp-edge-doctor --locked
	$(call phase,wasm build of the doctor)
	dev/build-doctor
	$(call phase,wasm build of the registrar)
	dev/build registrar
	$(call phase,end-to-end tests)
	dev/with-tools node --test --test-concurrency=2 --test-reporter=spec \
	  'tests/*.test.mjs' 'dev/**/*.test.mjs' 'create-mcp-edge/**/*.test.mjs' 'npm/**/*.test.mjs'

conformance: setup ## Run the official MCP conformance suite and the platform seams, against test Workers
	$(call phase,conformance suite)
	dev/setup conformance
	dev/build tests/conformance
	dev/with-tools node --test --test-concurrency=1 --test-reporter=spec 'tests/conformance/*.test.mjs'
	$(call phase,platform seams)
	dev/build tests/seams
	dev/with-tools node --test --test-concurrency=1 --test-reporter=spec 'tests/seams/*.test.mjs'

providers: build ## Sign in at real identity providers with the official clients: docs/providers/generic.md
	$(call phase,identity providers)
	dev/setup providers
	dev/with-tools node --no-warnings --test --test-concurrency=1 --test-reporter=spec 'tests/providers/*.test.mjs'

gateway: build ## Put the Worker in front of real MCP servers, with the official clients and the conformance suite
	$(call phase,gateway)
	dev/setup gateway
	dev/with-tools node --no-warnings --test --test-concurrency=1 --test-reporter=spec 'tests/gateway/*.test.mjs'

npm: build ## Pack the npm packages mcp-edge and create-mcp-edge into build/npm, and complete templates/deploy
	$(call phase,wasm build of the registrar)
	dev/build registrar
	$(call phase,wasm build of the doctor)
	dev/build-doctor
	$(call phase,npm packages)
	dev/with-tools node npm/pack.mjs

npm-test: npm ## Use the npm packages as a new user without Rust, from a registry on this machine
	dev/setup npm
	dev/with-tools node --no-warnings --test --test-concurrency=1 --test-reporter=spec 'tests/npm/*.test.mjs'

smoke: build ## Test the benchmark: every load once and briefly
	$(call phase,benchmark)
	dev/setup bench
	dev/build bench/worker
	dev/with-tools node --test --test-concurrency=1 --test-reporter=spec 'bench/*.test.mjs' 'bench/*/*.test.mjs'

fuzz: ## Fuzz all targets, each for SECONDS=60, or one with TARGET=jwt (needs a C++ compiler)
	dev/setup fuzz
	SECONDS_EACH=$(or $(SECONDS),60) TARGET=$(TARGET) dev/with-tools node fuzz/run.mjs

soak: build ## Send 200,000 mixed requests to the built Worker, about 15 minutes (REQUESTS=…, SEED=… repeats a run)
	dev/build examples/notes
	dev/with-tools node tests/soak.mjs

mutants: setup ## List the changes to the rules of access and registration that no Rust test notices, some hours (ARGS="--shard 0/8", ARGS="-f FILE")
	@dev/setup mutants
	@dev/with-tools node dev/mutants.mjs $(ARGS)

bench: build ## Compare with other servers on this machine, about 40 minutes (ARGS="--help")
	dev/setup bench
	dev/build bench/worker
	dev/with-tools node bench/main.mjs $(ARGS)

bench-native: ## Count the instructions of the hot path natively, and compare with the last count (needs valgrind)
	dev/setup bench-native
	dev/with-tools node bench/native.mjs

bench-instructions: build ## Count workerd's instructions per request, here and in BASE=<revision> (needs valgrind, 4 to 8 minutes)
	dev/with-tools node bench/instructions.mjs $(BASE)

workflows: ## Check the workflows and forms of .github/ (needs Python 3.11 or later)
	dev/setup workflows
	$(call phase,workflows)
	dev/check-workflows

version: ## Give all parts one version, with its date in the changelog: make version TO=0.2.0
	@node dev/version.mjs --to "$${TO:?is missing: make version TO=0.2.0}"

release-notes: ## Print the changelog of the newest version; with TAG=v0.2.0, check first that this is its tag
	@[ -z "$$TAG" ] || node dev/version.mjs --tag "$$TAG"
	@node dev/version.mjs --notes

scale: ## Simulate 300 locations with the product's own key policy: bench/results/scale.md (five minutes; ARGS=--before keeps the figures of this policy to compare a later one with)
	cargo run --quiet --locked --profile simulation -p scale-simulation -- $(ARGS)

publish-check: ## Pack the crates, and compile them from their packages as `cargo publish` does; nothing is uploaded (2 minutes)
	$(call phase,packages)
	cargo publish --workspace --dry-run --allow-dirty --locked

deny: setup ## Check licences, sources and duplicates of the dependencies, and the known weaknesses of their versions
	@dev/setup deny
	@dev/with-tools node dev/deny.mjs

semver: setup ## Compare the crates' public API with that of an earlier revision: make semver BASE=v0.1.0
	@dev/setup semver
	dev/with-tools cargo semver-checks --workspace --all-features --baseline-rev $(or $(BASE),$(error BASE names a revision: make semver BASE=v0.1.0))

public-api: setup ## List the crates' public items in crates/*/public-api.txt (needs a nightly Rust: NIGHTLY names it)
	@dev/setup public-api
	@dev/with-tools dev/public-api

msrv: ## Compile everything with the oldest Rust that Cargo.toml promises (rustup toolchain install <that version>)
	rustup run "$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)" cargo check --workspace --all-features --all-targets --locked --target-dir target/msrv

template-test: npm ## Make a project of templates/rust with the packed crates and npm package, and call its tool (10 minutes)
	@dev/setup template
	dev/with-tools node --no-warnings --test --test-concurrency=1 --test-reporter=spec 'tests/template/*.test.mjs'

deploy: setup ## Deploy to Cloudflare, the vault first if wrangler.toml binds it (wrangler builds first, and asks you to log in)
	@if grep -q '^binding = "VAULT' wrangler.toml; then cd vault && ../dev/with-tools wrangler deploy; fi
	dev/with-tools wrangler deploy

clean: ## Remove build results; npm packages and the tools of `setup` stay
	rm -rf target fuzz/target build .wrangler test-results tests/*/build examples/*/build registrar/build vault/build doctor/build bench/build bench/worker/build
