#!/usr/bin/env bash
# Run by Patroni where the cluster is made, and nowhere else: makes the database and its roles, with the passwords of
# the environment. $1 tells psql how to connect as the superuser.
set -euo pipefail

# \getenv, as an option -v would show the passwords to everybody who lists processes.
psql -v ON_ERROR_STOP=1 -d "$1" \
  -c '\getenv owner_password EVENTO_DB_OWNER_PASSWORD' \
  -c '\getenv server_password EVENTO_DB_PASSWORD' \
  -c '\getenv bank_password BANK_JDBC_PASSWORD' \
  -c 'CREATE DATABASE evento' -c '\connect evento' -f "${ROLES_SQL:-/roles.sql}"
