#!/usr/bin/env bash
# Makes, once, an authority for one certificate, and that certificate for PostgreSQL: certificate.sh NAME PRIVATE PUBLIC
#
#   NAME      by which nodes and bundles call the server; with verify-full it must be the one in their URL
#   PRIVATE   gets server.key and server.crt, for PostgreSQL alone
#   PUBLIC    gets ca.crt, for everybody who connects
#   OWNER     of the environment: whose the private files are; root alone may give them away
#
# The authority's own key is thrown away: nobody can make a second certificate of it. Where you have an authority, take
# its certificates instead.
set -euo pipefail

name=$1 private=$2 public=$3
if [ -s "$private/server.crt" ] && [ -s "$public/ca.crt" ]; then
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
openssl req -x509 "${key[@]}" -days 3650 -subj "/CN=Evento database $name" -keyout "$work/ca.key" -out "$work/ca.crt" 2> "$work/said"
openssl req "${key[@]}" -subj "/CN=$name" -keyout "$work/server.key" -out "$work/server.csr" 2>> "$work/said"
printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$name" > "$work/names"
openssl x509 -req -in "$work/server.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 3650 \
  -extfile "$work/names" -out "$work/server.crt" 2>> "$work/said"
install -m 600 "$work/server.key" "$work/server.crt" "$private"
install -m 644 "$work/ca.crt" "$public"
if [ -n "${OWNER:-}" ]; then
  chown "$OWNER:" "$private" "$private"/*
fi
