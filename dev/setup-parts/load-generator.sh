# shellcheck shell=bash
# The benchmark's load generator, wrk.
# Sourced by dev/setup.

# Uses the load generator on PATH, or unpacks Debian's.
load_generator() {
  local step=wrk
  if command -v wrk >/dev/null || [ -x "$wrk" ]; then
    say "$step" 'up to date'
    return
  fi
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    die 'the benchmark needs the load generator wrk: brew install wrk, dnf install wrk, or the package of your system'
  fi
  begin
  run "$step" "fetching Debian's, a few seconds" debian_wrk ||
    give_up 'wrk could not be fetched; any wrk 4 on PATH will do: apt-get install wrk'
  install_tree "$work/wrk" "${wrk%/bin/*}"
}

# Unpacks Debian's package and the library it needs that few machines have, which works without root. Fetches apt's
# lists into the scratch folder if the system has none.
debian_wrk() (
  local packages=(wrk libluajit-5.1-2)
  mkdir -p "$work/wrk/bin" "$work/packages"
  cd "$work/packages"
  if ! apt-get download "${packages[@]}"; then
    mkdir -p lists/partial cache/archives/partial
    local own=(-o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=)
    apt-get "${own[@]}" update && apt-get "${own[@]}" download "${packages[@]}" || return 1
  fi
  for package in *.deb; do dpkg-deb -x "$package" "$work/wrk/files" || return 1; done
  # shellcheck disable=SC2016 # the wrapper expands these when it runs
  printf '#!/bin/sh\nfiles=%s\nLD_LIBRARY_PATH=$(echo "$files"/lib/*/) exec "$files/bin/wrk" "$@"\n' \
    '${0%/bin/wrk}/files/usr' >"$work/wrk/bin/wrk"
  chmod +x "$work/wrk/bin/wrk"
  # Looks at the output, because wrk --version prints the version and fails.
  [[ $("$work/wrk/bin/wrk" --version) == 'wrk '* ]]
)
