# shellcheck shell=bash
# For the tests in tests/npm: a registry on this machine, which our packages are published to.
# Sourced by dev/setup.

# Installs it as tests/npm/package-lock.json says. Without it its tests are skipped, so a failure does not end the set-up. It
# is tried again after a day.
npm_registry() {
  local step='registry for npm' folder=tests/npm failed=$cache/npm-registry-failed
  local stamp=$folder/node_modules/.mcp-edge-stamp
  if cmp -s "$folder/package-lock.json" "$stamp"; then
    say "$step" 'up to date'
    return
  fi
  ! has_failed "$step" "$failed" || return 0
  begin
  # It runs no script of a package: none of these needs one.
  if run "$step" 'installing from package-lock.json, about 10 seconds' npm ci --prefix "$folder" --ignore-scripts; then
    cp "$folder/package-lock.json" "$stamp"
    return
  fi
  rm -rf "$folder/node_modules"
  mv "$work/log" "$failed"
  has_failed "$step" "$failed"
}
