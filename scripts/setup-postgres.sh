#!/usr/bin/env bash
# Makes PostgreSQL's server programs available: Docket runs a private cluster from them, and the tests do too.
#
# Nothing happens where a new enough server is installed. On Debian and its relatives root gets it installed, without
# the cluster that the package would create and start by itself; anybody else is told the one command to run.
set -euo pipefail

minimum=15

server_version() { # DIR -> major version of DIR/postgres, or nothing
  [ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 0
  "$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p'
}

newest_server() { # -> "VERSION DIR" of the newest installed server, or nothing; looks where internal/pgdev looks
  local dir version on_path
  on_path=$(command -v initdb || true)
  for dir in ${on_path:+"$(dirname "$(readlink -f "$on_path")")"} "$(pg_config --bindir 2>/dev/null || true)" \
    /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /usr/local/bin; do
    version=$(server_version "$dir")
    if [ -n "$version" ]; then printf '%s %s\n' "$version" "$dir"; fi
  done | sort -rn | head -n 1
}

found=$(newest_server)
if [ -n "$found" ] && [ "${found%% *}" -ge "$minimum" ]; then
  printf '  PostgreSQL %s: %s\n' "${found%% *}" "${found#* }" >&2
  exit 0
fi

if [ -n "$found" ]; then
  printf 'PostgreSQL %s is installed in %s; Docket needs %d or newer.\n' "${found%% *}" "${found#* }" "$minimum" >&2
else
  printf 'PostgreSQL'\''s server programs (initdb, postgres) are not installed.\n' >&2
fi

if ! command -v apt-get >/dev/null; then
  printf 'Install the PostgreSQL server, version %d or newer, with the package manager of this system, then run this again.\n' "$minimum" >&2
  exit 1
fi

if [ "$(id -u)" -ne 0 ]; then
  printf 'This command installs Debian'\''s package, without starting a cluster of its own:\n\n    sudo %s\n\nThen run this again.\n' \
    "$(readlink -f "$0")" >&2
  exit 1
fi

printf '  installing PostgreSQL (apt-get install postgresql)\n' >&2
# Debian's package would create a cluster `main` and start it on port 5432. The drop-in is read by the package's
# set-up script and goes away afterwards, so that later pg_createcluster runs behave as usual.
dropin=/etc/postgresql-common/createcluster.d/docket-install.conf
mkdir -p "$(dirname "$dropin")"
trap 'rm -f "$dropin"' EXIT
printf 'create_main_cluster = false\n' >"$dropin"

export DEBIAN_FRONTEND=noninteractive
apt_get() { apt-get -o DPkg::Lock::Timeout=120 "$@" >&2; }
apt_get update -qq
apt_get install -y -qq --no-install-recommends postgresql

found=$(newest_server)
if [ -z "$found" ] || [ "${found%% *}" -lt "$minimum" ]; then
  printf 'This system'\''s package is PostgreSQL %s; Docket needs %d or newer (see https://www.postgresql.org/download/).\n' \
    "${found%% *}" "$minimum" >&2
  exit 1
fi
printf '  PostgreSQL %s installed: %s\n' "${found%% *}" "${found#* }" >&2
