#!/usr/bin/env bash
# Runs one node on Payara Micro in the foreground; SIGTERM ends it politely. The settings are the environment's
# (EVENTO_…, see README.md); files are looked for here unless named:
#
#   PAYARA_MICRO_JAR   default payara-micro.jar beside this script
#   EVENTO_WAR         default evento.war beside this script
#   HTTP_PORT          default 8080; not used with a certificate
#   HTTPS_KEY_STORE    a PKCS#12 file: then HTTPS alone, on HTTPS_PORT (8443), with the key of HTTPS_KEY_ALIAS (server)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export EVENTO_NODE_BIND=${EVENTO_NODE_BIND:-127.0.0.1}
listener=(--port "${HTTP_PORT:-8080}" --prebootcommandfile "$here/pre-boot.asadmin")
if [ -n "${HTTPS_KEY_STORE:-}" ]; then
  : "${HTTPS_KEY_STORE_PASSWORD:=$(cat "${HTTPS_KEY_STORE_PASSWORD_FILE:?}")}"
  export HTTPS_KEY_STORE HTTPS_KEY_STORE_PASSWORD HTTPS_KEY_ALIAS=${HTTPS_KEY_ALIAS:-server}
  listener=(--sslport "${HTTPS_PORT:-8443}" --prebootcommandfile "$here/pre-boot-tls.asadmin")
fi

# Without --rootdir: Payara would deploy what an earlier start left there, and then the same once more.
exec java @"$here/jvm-options" -jar "${PAYARA_MICRO_JAR:-$here/payara-micro.jar}" \
  --nocluster --disablephonehome "${listener[@]}" \
  --deploy "${EVENTO_WAR:-$here/evento.war}" "$@"
