# shellcheck shell=bash
# The standard library of Rust for wasm: from rustup, or built with the system's Rust.
# Sourced by dev/setup.

wasm_standard_library() {
  local step='Rust wasm target' sysroot
  if rust_has_wasm; then
    say "$step" 'up to date'
    return
  fi
  if sysroot=$(system_sysroot) && system_sysroot_complete "$sysroot"; then
    say "$step" "up to date, for $system_rustc"
    return
  fi
  begin
  # A short limit where there is another way: rustup's server may not be reachable.
  local limit=600 reason='rustup is not installed'
  ! may_use_system_rust || limit=20
  if command -v rustup >/dev/null; then
    if run "$step" 'fetching it with rustup' within $limit rustup target add "$wasm_target" &&
      rust_has_wasm; then
      return
    fi
    reason=$(grep -m 1 '^error' "$work/log") || reason='rustup did not answer in time'
  fi
  may_use_system_rust || die "Rust has no $wasm_target target, and it could not be added: $reason
  Either make 'rustup target add $wasm_target' work, or use a Debian 12 machine as root."
  say "$step" "not available from rustup, so the system's Rust builds it"
  use_system_rust
}

# Whether the system has a Rust with the source of its standard library, or can install one.
may_use_system_rust() {
  system_rust_usable ||
    { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -e /etc/debian_version ]; }
}

system_rust_usable() {
  local version
  [ -x $system_cargo ] && version=$($system_rustc --version 2>/dev/null) &&
    at_least "${version#rustc }" "$rust_version" &&
    [ -d "$($system_rustc --print sysroot)/lib/rustlib/src/rust/library" ]
}

system_sysroot_complete() {
  local host
  host=$($system_rustc -vV | sed -n 's/^host: //p')
  [ -x "$1/bin/rustc" ] && [ -x "$1/lib/rustlib/$host/bin/rust-lld" ]
}

# Builds the standard library for wasm with the system's compiler. The result is a separate sysroot, with
# links to the system's files for everything that runs on this machine (build scripts, procedural macros)
# and a rustc that uses it. The system's own folders are not changed.
use_system_rust() {
  if ! system_rust_usable; then
    run 'Debian packages' 'installing rustc-web, cargo-web, rust-web-src, about a minute' \
      apt_install rustc-web cargo-web rust-web-src ||
      give_up "Debian's recent Rust could not be installed; any Rust with the wasm target will do"
    system_rust_usable || die "the Rust that Debian installed is too old"
  fi

  local new=$work/sysroot system host llvm lld
  system=$($system_rustc --print sysroot)
  host=$($system_rustc -vV | sed -n 's/^host: //p')

  # The linker: rustup's own, or Debian's of the same LLVM version as the compiler.
  lld=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
  if [ ! -x "$lld" ]; then
    llvm=$($system_rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    lld=/usr/lib/llvm-$llvm/bin/lld
    [ -x "$lld" ] || run 'Debian packages' "installing lld-$llvm" apt_install "lld-$llvm" ||
      give_up "no linker for wasm: install the package lld-$llvm"
  fi

  run 'Rust wasm target' "building it for $system_rustc, about a minute" build_std ||
    give_up 'the standard library could not be built for wasm'

  mkdir -p "$new/bin" "$new/lib/rustlib/$wasm_target/lib" "$new/lib/rustlib/$host/bin"
  find "$work/std/target/$wasm_target/release/deps" -name '*.rlib' ! -name 'libwasm_std-*' \
    -exec cp {} "$new/lib/rustlib/$wasm_target/lib/" \;
  ln -s "$system/lib/rustlib/$host/lib" "$new/lib/rustlib/$host/lib"
  ln -s "$system/lib/rustlib/src" "$new/lib/rustlib/src"
  ln -s "$lld" "$new/lib/rustlib/$host/bin/rust-lld"
  ln -s $system_cargo "$new/bin/cargo"
  # shellcheck disable=SC2016 # the wrapper expands these when it runs
  printf '#!/bin/sh\nexec %s --sysroot "${0%%/bin/rustc}" "$@"\n' $system_rustc >"$new/bin/rustc"
  chmod +x "$new/bin/rustc"
  install_tree "$new" "$(system_sysroot)"
}

# Builds an empty library, and with it the standard library. RUSTC_BOOTSTRAP enables -Z build-std. Without
# bitcode a build with link-time optimisation fails. The folders of this machine stay out of it, as out of what is linked
# with it (npm/build/source-paths.mjs); once something was fetched, those of the registries are known.
build_std() (
  $system_cargo fetch --manifest-path "$root/Cargo.toml" --locked --target $wasm_target || return 1
  mkdir -p "$work/std/src"
  cd "$work/std"
  : >src/lib.rs
  cat >Cargo.toml <<'END'
[package]
name = "wasm-std"
version = "0.0.0"
edition = "2021"

[workspace]

[profile.release]
panic = "abort"
END
  local flags="-Cembed-bitcode=yes --remap-path-prefix=$work/std=." registry
  for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    flags+=" --remap-path-prefix=$registry=/rust/deps"
  done
  RUSTC=$system_rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags CARGO_TARGET_DIR=target \
    $system_cargo build --release --target $wasm_target -Z build-std=std,panic_abort,proc_macro
)
