#!/bin/bash
# Run once by the PostgreSQL image, in an empty data directory: makes the roles with the passwords of the environment.
set -euo pipefail
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  -v owner_password="$OWNER_PASSWORD" -v server_password="$SERVER_PASSWORD" -v bank_password="$BANK_PASSWORD" \
  -f /roles.sql
