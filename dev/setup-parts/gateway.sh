# shellcheck shell=bash
# For the tests in tests/gateway: FastMCP, an MCP server for Python, with the official client; and a server of rmcp, the
# official SDK for Rust.
# Sourced by dev/setup.

# Installs it into an environment of its own. Without it its tests are skipped, so a failure does not end the set-up. It
# is tried again after a day.
fastmcp() {
  local step=FastMCP folder=${gateway_python%/bin/python} failed
  failed=$folder-failed
  if "$gateway_python" -c 'import fastmcp, mcp' 2>/dev/null; then
    say "$step" 'up to date'
    return
  fi
  rm -rf "$folder"
  if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "$step" 'no python3 of version 3.11 or later with venv, so its tests are skipped'
    return
  fi
  ! has_failed "$step" "$failed" || return 0
  begin
  if run "$step" 'installing from gateway.txt, about a minute' \
    make_python_environment "$work/gateway-python" gateway.txt; then
    install_tree "$work/gateway-python" "$folder"
    return
  fi
  mv "$work/log" "$failed"
  has_failed "$step" "$failed"
}

# Builds the server in tests/gateway/upstreams/rmcp. Without it its tests are skipped, like those of FastMCP.
rmcp() {
  local step=rmcp folder=${gateway_rmcp%/bin/*} failed
  failed=$folder-failed
  if [ -x "$gateway_rmcp" ]; then
    say "$step" 'up to date'
    return
  fi
  ! has_failed "$step" "$failed" || return 0
  begin
  if run "$step" 'building it, about two minutes' build_rmcp; then
    mkdir -p "$work/gateway-rmcp/bin"
    mv "$work/target-rmcp/release/${gateway_rmcp##*/}" "$work/gateway-rmcp/bin"
    install_tree "$work/gateway-rmcp" "$folder"
    return
  fi
  mv "$work/log" "$failed"
  has_failed "$step" "$failed"
}

build_rmcp() {
  CARGO_TARGET_DIR=$work/target-rmcp cargo build --release --locked --manifest-path tests/gateway/upstreams/rmcp/Cargo.toml
}
