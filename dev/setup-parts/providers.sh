# shellcheck shell=bash
# Identity providers for the tests in tests/providers. Without one its tests are skipped, so a failure does not end the
# set-up. It is tried again after a day.
# Sourced by dev/setup.

# has_failed STEP FILE: says so, with the last error of pip or apt, and succeeds if the step failed less than a day ago.
has_failed() {
  [ -n "$(find "$2" -mtime -1 2>/dev/null)" ] || return 1
  local reason
  reason=$(sed -nE 's/^(E|ERROR): //p' "$2" | tail -n 1)
  say "$1" "not available${reason:+: $reason} (see $2), so its tests are skipped"
}

# Installs those that are written in Python into an environment of their own.
providers_in_python() {
  local step='providers in Python' folder=${providers_python%/bin/python} failed
  failed=$folder-failed
  if "$providers_python" -c 'import authgent_server, oauth2_provider' 2>/dev/null; then
    say "$step" 'up to date'
    return
  fi
  rm -rf "$folder"
  if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "$step" 'no python3 of version 3.11 or later with venv, so their tests are skipped'
    return
  fi
  ! has_failed "$step" "$failed" || return 0
  begin
  if run "$step" 'installing from providers.txt, about a minute' \
    make_python_environment "$work/providers-python" providers.txt; then
    install_tree "$work/providers-python" "$folder"
    return
  fi
  mv "$work/log" "$failed"
  has_failed "$step" "$failed"
}

# Unpacks those of Debian, each into a folder of its own. As root, too: installed packages would start services.
#
# The tests know how one version of each behaves. apt refuses another (`*` is the revision of the package).
providers_of_debian() {
  debian_provider glewlwyd 'glewlwyd=2.7.5-*'
  # The portal does not start without some of the packages that it only recommends.
  debian_provider lemonldap-ng 'liblemonldap-ng-portal-perl=2.16.1+ds-*' libcrypt-openssl-bignum-perl \
    libemail-sender-perl libgd-securityimage-perl libimage-magick-perl libio-string-perl libmime-tools-perl \
    libstring-random-perl
}

# debian_provider NAME PACKAGE[=VERSION]…
debian_provider() {
  local step=$1 folder=$providers_debian/$1 failed=$providers_debian-$1-failed
  shift
  if [ -d "$folder" ]; then
    say "$step" 'up to date'
    return
  fi
  if ! command -v apt-get >/dev/null || [ ! -e /etc/debian_version ]; then
    say "$step" 'this is no Debian, so its tests are skipped'
    return
  fi
  ! has_failed "$step" "$failed" || return 0
  begin
  if run "$step" "fetching Debian's packages, some seconds" unpack_packages "$work/$step" "$@"; then
    mkdir -p "$providers_debian"
    install_tree "$work/$step" "$folder"
    return
  fi
  mv "$work/log" "$failed"
  has_failed "$step" "$failed"
}
