# What the scripts of a release share: whose release it is, and how its repository is asked and written.
# Sourced by bash, never run.
#
# The names of owner and repository come from the runner's environment; nothing here knows them.
# shellcheck source=.ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# The platforms that are built, signed and attached.
# shellcheck disable=SC2034  # read by the scripts that source this
readonly platforms=(amd64 arm64)

# Says why the release stops, and what to do about it.
stop() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
  exit 1
}

# Prints `NAME=VALUE` for people, and for later steps where there are any.
output() {
  printf '%s=%s\n' "$1" "$2"
  [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# A version as Semantic Versioning has it, but for build metadata, which no image's tag can carry.
is_version() {
  local number='(0|[1-9][0-9]*)' part='(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)'
  [[ $1 =~ ^$number\.$number\.$number(-$part(\.$part)*)?$ ]]
}
is_prerelease() { [[ $1 == *-* ]]; }

# git, with the job's token where there is one: in the environment, which other users cannot read.
remote_git() {
  if [ -z "${GH_TOKEN:-}" ]; then
    git -C "$root" "$@"
    return
  fi
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:?}/.extraheader" \
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GH_TOKEN" | base64 -w 0)" \
    git -C "$root" "$@"
}

# Prints the commit that a tag of the remote names, or nothing.
remote_tag() {
  local listed
  listed=$(remote_git ls-remote origin "refs/tags/$1" "refs/tags/$1^{}")
  # An annotated tag is listed twice, its commit last.
  awk 'END { print $1 }' <<<"$listed"
}

# Prints the released versions, least first: the remote's tags `vX.Y.Z` without a prerelease part.
released_versions() {
  local listed
  listed=$(remote_git ls-remote origin 'refs/tags/v*')
  sed -nE 's,^[0-9a-f]+\trefs/tags/v((0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*))$,\1,p' <<<"$listed" | sort -V
}

# newest_of PREFIX: the newest released version that begins with this, such as `1.`.
newest_of() {
  released_versions | awk -v prefix="$1" 'index($0, prefix) == 1 { newest = $0 } END { print newest }'
}
