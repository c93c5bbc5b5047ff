# shellcheck shell=bash
# A Chromium for the tests of pages.
# Sourced by dev/setup.

# Installs a browser. Without one its tests are skipped, so a failure does not end the set-up. It is tried
# again after a day.
browser() {
  local step='Chromium' name failed=$cache/chromium-failed
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable "$chromium"; do
    if [ -n "$name" ] && command -v "$name" >/dev/null; then
      say "$step" 'up to date'
      return
    fi
  done
  if ! command -v apt-get >/dev/null || [ ! -e /etc/debian_version ]; then
    say "$step" 'not found, so tests in a browser are skipped: install it, or name one in CHROMIUM'
    return
  fi
  if [ -n "$(find "$failed" -mtime -1 2>/dev/null)" ]; then
    say "$step" "not available (see $failed), so tests in a browser are skipped"
    return
  fi
  begin
  local install=(unpack_chromium)
  [ "$(id -u)" != 0 ] || install=(apt_install chromium fonts-dejavu-core)
  if run "$step" "fetching Debian's, about a minute" "${install[@]}"; then
    [ "$(id -u)" = 0 ] || install_tree "$work/chromium" "${chromium%/*}"
    return
  fi
  mv "$work/log" "$failed"
  say "$step" "not available (see $failed), so tests in a browser are skipped"
}

# Unpacks Debian's packages of the browser and of the libraries that are not installed.
unpack_chromium() (
  unpack_packages "$work/chromium" chromium fonts-dejavu-core && cd "$work/chromium" || return
  printf '<fontconfig><dir>%s/usr/share/fonts</dir></fontconfig>\n' "${chromium%/*}" >fonts.conf
  cat >chromium <<'END'
#!/bin/sh
# Starts Debian's Chromium with the libraries that are not installed on this machine. Written by dev/setup.
here=$(dirname "$0")
for folder in "$here"/usr/lib/*-linux-gnu*; do LD_LIBRARY_PATH=$folder:$LD_LIBRARY_PATH; done
export LD_LIBRARY_PATH
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/usr/lib/chromium/chromium" "$@"
END
  chmod +x chromium && ./chromium --version
)
