# Sourced by ./run and ./test: makes .venv hold exactly what uv.lock says. POSIX sh; works without the venv module and without root.
UV_VERSION=0.13.9

say() { printf '%s\n' "$*" >&2; }

find_python() {
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
      return
    fi
  done
  say "Duecourse needs Python 3.11 or newer. 需要 Python 3.11 或更高版本。"
  exit 1
}

# Whether .venv holds what is wanted; says in `wanted` what that is. What was set up for development also serves the product.
is_set_up() {
  wanted="$(cksum < "$here/uv.lock") $(cksum < "$here/pyproject.toml") $here ${group:-product}"
  stamp=$here/.venv/.set-up
  [ -x "$here/.venv/bin/duecourse" ] && [ -f "$stamp" ] && { grep -qxF "$wanted" "$stamp" || { [ -z "$group" ] && grep -qF "${wanted% product}" "$stamp"; }; }
}

# A checkout set up for development stays so, whatever ./run finds changed.
keep_development() {
  if [ -z "$group" ] && grep -q ' dev$' "$here/.venv/.set-up" 2>/dev/null; then group=dev; fi
}

# set_up [GROUP]: the product alone, or with a dependency group (dev)
set_up() {
  group=${1:-}
  keep_development
  if is_set_up; then return 0; fi
  find_python
  mkdir -p "$here/.tools"
  # One at a time: two that set up the same checkout at once would take away each other's packages.
  # shellcheck disable=SC2016
  "$python" "$here/scripts/alone.py" "$here/.tools/set-up.lock" \
    sh -euc '. "$1/scripts/set-up.sh"; here=$1 python=$2 group=$3; install_packages' - "$here" "$python" "$group"
}

install_packages() {
  keep_development
  if is_set_up; then return 0; fi  # by whom we waited for
  say "Setting up (once; about a minute): the packages of uv.lock into .venv"
  say "正在安装（仅首次，约一分钟）：按 uv.lock 安装到 .venv"
  # uv asks no system trust store by default; behind a company's TLS proxy it has to.
  UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true}
  UV_LINK_MODE=${UV_LINK_MODE:-copy}
  export UV_SYSTEM_CERTS UV_LINK_MODE
  unset VIRTUAL_ENV || true
  uv=$here/.tools/bin/uv
  if ! { [ -x "$uv" ] && [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" = "$UV_VERSION" ]; }; then
    # --target is allowed where the system's pip refuses to touch its own packages, and needs no venv module.
    "$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location --upgrade --target "$here/.tools" "uv==$UV_VERSION" 2>&1 |
      grep -vi 'running pip as the' >&2 || true
  fi
  # shellcheck disable=SC2086
  (cd "$here" && "$uv" sync --locked --quiet --compile-bytecode --python "$python" ${group:+--group $group})
  printf '%s\n' "$wanted" > "$stamp"
}
