# shellcheck shell=bash
# Running a step of the set-up: one set-up at a time, a line per step, the log of a failed step.
# Sourced by dev/setup.

work='' lock='' ticker=''
cleanup() {
  [ -z "$ticker" ] || kill "$ticker" 2>/dev/null || true
  [ -z "$work" ] || rm -rf "$work"
  [ -z "$lock" ] || rm -f "$lock"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf 'setup: %-26s %s\n' "$1" "$2"; }

# begin: takes the lock and makes a scratch folder, for the rest of the script. The scratch folder is on
# the file system of the results, so that a result is put in its place by one rename.
# The lock is a symbolic link to its owner's process number, because creating a link is atomic. It only
# prevents double work, so it is ignored after 15 minutes.
begin() {
  [ -z "$work" ] || return 0
  mkdir -p "$cache"
  local owner waited=0
  until ln -s "$$" "$cache/lock" 2>/dev/null; do
    owner=$(readlink "$cache/lock") || continue
    if ! kill -0 "$owner" 2>/dev/null || [ $waited -ge 900 ]; then
      rm -f "$cache/lock"
      continue
    fi
    [ $waited -gt 0 ] || say 'waiting' "for another set-up to finish (process $owner)"
    waited=$((waited + 1))
    sleep 1
  done
  if [ $waited -gt 0 ]; then
    rm -f "$cache/lock"
    exec "$root/dev/setup" ${extra:+"$extra"} # starts again: the other run has done most of the work
  fi
  lock=$cache/lock
  find "$cache" -maxdepth 1 -name 'tmp.*' -mtime +1 -exec rm -rf {} + # left by killed runs
  work=$(mktemp -d "$cache/tmp.XXXXXX")
}

# run STEP HINT COMMAND…: runs a long step and writes its output to $work/log. On a terminal it shows
# the elapsed seconds.
run() {
  local step=$1 hint=$2 start=$SECONDS status=0
  shift 2
  say "$step" "$hint …"
  if [ -t 1 ]; then
    while sleep 1; do printf '\rsetup: %-26s %d s \r' "$step" $((SECONDS - start)); done &
    ticker=$!
  fi
  "$@" </dev/null >"$work/log" 2>&1 || status=$?
  if [ -n "$ticker" ]; then
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    ticker=''
  fi
  if [ $status -eq 0 ]; then
    say "$step" "done in $((SECONDS - start)) s"
  else
    say "$step" "failed after $((SECONDS - start)) s"
  fi
  return $status
}

# give_up MESSAGE: ends the set-up after a failed step, with the last lines of its log and the message.
give_up() {
  tail -n 25 "$work/log" | sed 's/^/    /' >&2
  die "$1"
}

# within SECONDS COMMAND…: runs a command with a time limit. macOS has no timeout(1).
within() {
  node -e '
    const [seconds, command, ...rest] = process.argv.slice(1);
    const { status } = require("node:child_process")
      .spawnSync(command, rest, { stdio: "inherit", timeout: seconds * 1000 });
    process.exit(status ?? 1);' "$@"
}

# install_tree NEW PLACE: moves a finished folder to its place, and removes an unfinished one there.
install_tree() {
  rm -rf "$2"
  mv "$1" "$2"
}

# at_least VERSION REQUIRED: compares major and minor numbers.
at_least() {
  local major=${1%%.*} minor=${1#*.} required_minor=${2#*.}
  minor=${minor%%.*} required_minor=${required_minor%%.*}
  [ "$major" -gt "${2%%.*}" ] ||
    { [ "$major" -eq "${2%%.*}" ] && [ "$minor" -ge "$required_minor" ]; }
}

# apt_install PACKAGE…: fails rather than replace an installed package (--no-remove).
apt_install() {
  apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --no-install-recommends "$@"
}

# unpack_packages FOLDER PACKAGE…: unpacks Debian's packages, and those that they need and the system lacks, without
# installing them. apt gets its own lists and cache, because the system's belong to root.
unpack_packages() (
  local folder=$1
  shift
  apt() {
    apt-get -o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o Debug::NoLocking=true \
      -o APT::Sandbox::User= "$@"
  }
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/apt/packages" "$folder" &&
    cd "$work/apt/packages" && apt update || return
  mapfile -t needed < <(apt install --print-uris -y --no-install-recommends "$@" | sed -n "s/^'[^']*' \([^_ ]*\)_.*/\1/p")
  apt download "$@" "${needed[@]}" || return
  for package in *.deb; do dpkg -x "$package" "$folder" || return; done
  rm -- *.deb
)
