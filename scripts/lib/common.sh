# For the scripts of this folder: where things are, how they talk, what they need. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
JOBS=$(nproc)
export ROOT CACHE JOBS

# Objects are the same whatever folder a checkout lives in, so that a clean one compiles from the cache.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-time_macros,include_file_mtime,include_file_ctime}

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

PACKAGES_BUILD=(
  clang-19 lld-19 llvm-19 ninja-build cmake ccache pkg-config libboost1.81-dev libboost-url1.81-dev libssl-dev
  libsimdjson-dev libspdlog-dev libfmt-dev libyaml-cpp-dev prometheus-cpp-dev libcli11-dev libc-ares-dev zlib1g-dev
  libmimalloc-dev libicu-dev libxxhash-dev libprotobuf-dev protobuf-compiler libnghttp2-dev
)
PACKAGES_TEST=(
  catch2 librapidcheck-dev libclang-rt-19-dev clang-format-19 clang-tidy-19 python3-venv openssl curl prometheus
)
PACKAGES_BENCH=(nginx-light haproxy wrk linux-perf)
# A machine that brings these from elsewhere keeps its own.
COMMANDS_TEST=(node:nodejs npm:npm python3:python3)

# Installs of the named Debian packages those that are missing; says nothing when nothing is.
ensure_packages() {
  local missing=() package installed
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -q "^$package installed\$" <<<"$installed" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "missing packages: ${missing[*]} (install them as root)"
    as_root=(sudo)
  fi
  say "installing: ${missing[*]}"
  local log
  log=$(mktemp)
  # Services that come with packages are not wanted: this machine only builds and tests.
  if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: ${missing[*]}"
  fi
  rm -f "$log"
}

# The same for commands that some machines have without a package: name:package.
ensure_commands() {
  local pair wanted=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || wanted+=("${pair##*:}")
  done
  ((${#wanted[@]})) && ensure_packages "${wanted[@]}"
  return 0
}

# build PRESET TARGET... : configures where needed and builds; the output only when it fails.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  say "building $preset: $*"
  local start=$SECONDS
  if ! { (cd "$ROOT" && cmake --preset "$preset" ${CMAKE_MORE:-}) && ninja -C "$ROOT/build/$preset" -j "$JOBS" "$@"; } >"$log" 2>&1; then
    grep -E -A 12 'error|FAILED' "$log" | head -n 120 >&2 || tail -n 60 "$log" >&2
    rm -f "$log"
    die "the $preset build failed"
  fi
  rm -f "$log"
  say "built $preset in $((SECONDS - start)) s"
}
