#!/usr/bin/env bash
# Run once by the PostgreSQL image, in an empty data directory: makes the roles with the passwords of the environment, or
# of the files that …_FILE names.
set -euo pipefail

for name in EVENTO_DB_OWNER_PASSWORD EVENTO_DB_PASSWORD BANK_JDBC_PASSWORD; do
  file=${name}_FILE
  if [ -n "${!file:-}" ]; then
    export "$name=$(< "${!file}")"
  fi
  : "${!name:?}"
done

# \getenv, as an option -v would show the passwords to everybody who lists processes.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  -c '\getenv owner_password EVENTO_DB_OWNER_PASSWORD' \
  -c '\getenv server_password EVENTO_DB_PASSWORD' \
  -c '\getenv bank_password BANK_JDBC_PASSWORD' \
  -f "${ROLES_SQL:-/roles.sql}"
