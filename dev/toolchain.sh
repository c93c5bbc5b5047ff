# shellcheck shell=bash
# What dev/setup, dev/build and dev/with-tools agree on: versions, and where each tool lives.
# Sourced, never run. It only defines names: nothing is built, installed or exported here.
# shellcheck disable=SC2034 # the names are used by those scripts

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Tools built from source are kept per user, so that every clone shares them. Each has its version
# in its path; the folder may be deleted at any time, and dev/setup fills it again.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-edge

wasm_target=wasm32-unknown-unknown

# The oldest Rust that the workspace compiles with.
rust_version=$(awk -F'"' '/^rust-version/ { print $2; exit }' "$root/Cargo.toml")

# locked_version CRATE: the version that Cargo.lock names.
locked_version() {
  awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/"/, "", $3); print $3; exit }' \
    "$root/Cargo.lock" 2>/dev/null || true
}

# wasm-bindgen's tool and library must be of exactly the same version, and Cargo.lock decides which.
wasm_bindgen_version=$(locked_version wasm-bindgen)
wasm_bindgen=$cache/wasm-bindgen-$wasm_bindgen_version/bin/wasm-bindgen

# The same holds of what runs the native benches.
gungraun_version=$(locked_version gungraun)
gungraun_runner=$cache/gungraun-$gungraun_version/bin/gungraun-runner

# The benchmark's load generator, where Debian's package was unpacked rather than installed.
wrk=$cache/wrk/bin/wrk

# npm packages: Node, wrangler, and what makes a bundle of wasm and JavaScript.
npm_bin=$root/node_modules/.bin

# The browser for tests, where none is installed.
chromium=$cache/chromium/chromium

# The Rust of the operating system, used for the wasm build alone and only where rustup cannot
# fetch the wasm target. See use_system_rust in dev/setup.
system_rustc=/usr/bin/rustc
system_cargo=/usr/bin/cargo

# Whether the Rust found on PATH can compile for wasm by itself.
rust_has_wasm() {
  local libdir
  libdir=$(cd "$root" && rustc --print target-libdir --target "$wasm_target" 2>/dev/null) &&
    [ -d "$libdir" ]
}

# Where the system Rust's wasm sysroot is, or belongs. Compiled libraries fit one compiler only,
# so its version is part of the name.
system_sysroot() {
  local version
  version=$("$system_rustc" --version 2>/dev/null) || return 1
  version=${version#rustc }
  printf '%s/wasm-sysroot-%s\n' "$cache" "${version%% *}"
}

# Prints the message on standard error and ends the script.
die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}
