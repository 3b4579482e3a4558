#!/bin/bash
# Runs once, when the cluster is first created: who owns what in it.
#
# One cluster holds Docket's database and Temporal's two, so that one backup has them in step. `docket_owner` owns the
# schema and connects only to migrate; the run-time roles come from the migrations. `temporal` owns Temporal's databases and
# sees nothing of Docket's.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  -v owner_password="$DOCKET_OWNER_PASSWORD" -v temporal_password="$TEMPORAL_DB_PASSWORD" <<'SQL'
CREATE ROLE docket_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE DATABASE docket OWNER docket_owner;

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE temporal, temporal_visibility FROM PUBLIC;
SQL
