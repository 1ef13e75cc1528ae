#!/usr/bin/env bash
# Starts Patroni with the passwords of the environment, or of the files that …_FILE names.
set -euo pipefail

for name in PATRONI_SUPERUSER_PASSWORD PATRONI_REPLICATION_PASSWORD PATRONI_REWIND_PASSWORD \
  EVENTO_DB_OWNER_PASSWORD EVENTO_DB_PASSWORD BANK_JDBC_PASSWORD; do
  file=${name}_FILE
  if [ -n "${!file:-}" ]; then
    export "$name=$(< "${!file}")"
  fi
  : "${!name:?}"
done
exec patroni /etc/patroni/patroni.yml
