# shellcheck shell=bash
# The official MCP client for Python, for the tests of what clients read.
# Sourced by dev/setup.

# Installs it into an environment of its own. Without it its tests are skipped, so a failure does not end the set-up. It
# is tried again after a day.
python_client() {
  local step='Python MCP client' folder=${mcp_python%/bin/python} failed
  failed=$folder-failed
  # The environment has the modules of one version of Python: after an upgrade of the system's it has none.
  if "$mcp_python" -c 'import mcp' 2>/dev/null; then
    say "$step" 'up to date'
    return
  fi
  # Without it, dev/with-tools names no Python, and the tests are skipped.
  rm -rf "$folder"
  if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "$step" 'no python3 of version 3.11 or later with venv, so its tests are skipped'
    return
  fi
  if [ -n "$(find "$failed" -mtime -1 2>/dev/null)" ]; then
    say "$step" "not available (see $failed), so its tests are skipped"
    return
  fi
  begin
  if run "$step" 'installing from python-client.txt, about a minute' \
    make_python_environment "$work/python" python-client.txt; then
    install_tree "$work/python" "$folder"
    return
  fi
  mv "$work/log" "$failed"
  say "$step" "not available (see $failed), so its tests are skipped"
}

# make_python_environment FOLDER FILE: makes one with the packages that a file beside this one lists. Only its interpreter
# is used, so it may be moved.
make_python_environment() {
  python3 -m venv "$1" &&
    "$1/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --require-hashes \
      --requirement "$root/dev/setup-parts/$2"
}
