#!/usr/bin/env bash
# Run once by the PostgreSQL image, in an empty data directory: makes the roles with the passwords of the environment.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  -v owner_password="$EVENTO_DB_OWNER_PASSWORD" \
  -v server_password="$EVENTO_DB_PASSWORD" \
  -v bank_password="$BANK_JDBC_PASSWORD" \
  -f "${ROLES_SQL:-/roles.sql}"
