# shellcheck shell=bash
# The linters of `make workflows`.
# Sourced by dev/setup.

# Installs them into an environment of its own. `make workflows` is nothing without them, so a failure ends the set-up.
workflow_linters() {
  local step='linters of workflows' folder=${workflows_python%/bin/python}
  if "$workflows_python" -c 'import check_jsonschema' 2>/dev/null; then
    say "$step" 'up to date'
    return
  fi
  rm -rf "$folder"
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    die 'no python3 of version 3.11 or later with venv: install it (Debian: apt-get install python3-venv)'
  begin
  run "$step" 'installing from workflows.txt, some seconds' make_python_environment "$work/workflows" workflows.txt ||
    give_up 'the linters of workflows could not be installed (see above)'
  install_tree "$work/workflows" "$folder"
}
