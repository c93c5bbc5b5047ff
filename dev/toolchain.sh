# shellcheck shell=bash
# Versions and paths of the tools. Sourced by dev/setup, dev/build and dev/with-tools.
# Only defines variables and functions: builds, installs and exports nothing.
# shellcheck disable=SC2034 # the names are used by those scripts

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Tools that are built from source are kept per user, so that all clones share them. The path of each
# contains its version. The folder may be deleted at any time; dev/setup fills it again.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-edge

wasm_target=wasm32-unknown-unknown

# The oldest Rust that the workspace compiles with.
rust_version=$(awk -F'"' '/^rust-version/ { print $2; exit }' "$root/Cargo.toml")

# locked_version CRATE: the version that Cargo.lock names.
locked_version() {
  awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/"/, "", $3); print $3; exit }' \
    "$root/Cargo.lock" 2>/dev/null || true
}

# The tool must have exactly the version of the library wasm-bindgen, which Cargo.lock names.
wasm_bindgen_version=$(locked_version wasm-bindgen)
wasm_bindgen=$cache/wasm-bindgen-$wasm_bindgen_version/bin/wasm-bindgen

# The runner of the native benches must have exactly the version of the library gungraun.
gungraun_version=$(locked_version gungraun)
gungraun_runner=$cache/gungraun-$gungraun_version/bin/gungraun-runner

# The spelling checker. Later versions need a later Rust than $rust_version.
typos_version=1.44.0
typos=$cache/typos-$typos_version/bin/typos

# The fuzzer's driver. It runs on the Rust of this workspace: see fuzz/README.md.
cargo_fuzz_version=0.13.2
cargo_fuzz=$cache/cargo-fuzz-$cargo_fuzz_version/bin/cargo-fuzz

# The program that changes the code in one place at a time and runs the tests.
mutants_version=27.1.0
mutants=$cache/cargo-mutants-$mutants_version/bin/cargo-mutants

# What `make deny`, `make semver`, `make public-api` and the test of templates/rust run.
deny_version=0.20.2
deny=$cache/cargo-deny-$deny_version/bin/cargo-deny
semver_version=0.51.0
semver=$cache/cargo-semver-checks-$semver_version/bin/cargo-semver-checks
# It reads what a nightly rustdoc of May to July 2026 writes.
public_api_version=0.52.0
public_api=$cache/cargo-public-api-$public_api_version/bin/cargo-public-api
generate_version=0.25.1
generate=$cache/cargo-generate-$generate_version/bin/cargo-generate

# The benchmark's load generator, unpacked from Debian's package.
wrk=$cache/wrk/bin/wrk

# Programs of npm packages: Node, wrangler, esbuild, wasm-opt.
npm_bin=$root/node_modules/.bin

# The browser for tests, unpacked from Debian's package.
chromium=$cache/chromium/chromium

# The official MCP client for Python, in an environment of its own. The checksum is that of its packages.
mcp_python=$cache/python-client-$(cksum <"$root/dev/setup-parts/python-client.txt" | cut -d ' ' -f 1)/bin/python

# The linters of workflows, in an environment of their own.
workflows_python=$cache/workflows-python-$(cksum <"$root/dev/setup-parts/workflows.txt" | cut -d ' ' -f 1)/bin/python

# FastMCP and the official client, in an environment of their own.
gateway_python=$cache/gateway-python-$(cksum <"$root/dev/setup-parts/gateway.txt" | cut -d ' ' -f 1)/bin/python

# An MCP server of the official Rust SDK. The checksum is that of its source.
gateway_rmcp=$cache/gateway-rmcp-$(
  cat "$root/tests/gateway/upstreams/rmcp/"{Cargo.toml,Cargo.lock,src/main.rs} | cksum | cut -d ' ' -f 1
)/bin/gateway-upstream-rmcp

# Identity providers for tests: those written in Python in an environment of their own, the others unpacked from the
# packages of this version of Debian.
providers_python=$cache/providers-python-$(cksum <"$root/dev/setup-parts/providers.txt" | cut -d ' ' -f 1)/bin/python
providers_debian=$cache/providers-debian-$({
  cat "$root/dev/setup-parts/providers.sh"
  [ ! -r /etc/debian_version ] || cat /etc/debian_version
} | cksum | cut -d ' ' -f 1)

# The Rust of the operating system. Only the wasm build uses it, where rustup cannot fetch the wasm
# target: see use_system_rust in dev/setup-parts/wasm-target.sh.
system_rustc=/usr/bin/rustc
system_cargo=/usr/bin/cargo

# Whether the Rust on PATH has the wasm target.
rust_has_wasm() {
  local libdir
  libdir=$(cd "$root" && rustc --print target-libdir --target "$wasm_target" 2>/dev/null) &&
    [ -d "$libdir" ]
}

# Prints the path of the system Rust's wasm sysroot. Its name contains the compiler's version: compiled
# libraries work with one version only. The 2 counts the forms of the sysroot: one of another form is not used.
system_sysroot() {
  local version
  version=$("$system_rustc" --version 2>/dev/null) || return 1
  version=${version#rustc }
  printf '%s/wasm-sysroot-2-%s\n' "$cache" "${version%% *}"
}

# Makes the tools of wasm builds the first ones on PATH, and all builds share one target folder. Ends the script if one is
# not installed.
use_wasm_tools() {
  local tool sysroot
  for tool in "$wasm_bindgen" "$npm_bin/wasm-opt" "$npm_bin/esbuild"; do
    [ -x "$tool" ] || die "${tool##*/} is not installed yet: run 'make setup' first"
  done
  # Only these builds use the system's Rust, where there is no other way. Format, clippy, tests and
  # documents run on the machine itself and need no wasm target.
  if ! rust_has_wasm; then
    if ! sysroot=$(system_sysroot) || [ ! -x "$sysroot/bin/rustc" ]; then
      die "Rust has no $wasm_target target: run 'make setup' first"
    fi
    export PATH="$sysroot/bin:$PATH"
  fi
  export PATH="$npm_bin:$PATH"
  export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
}

# die MESSAGE: prints the message on standard error and ends the script.
die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}
