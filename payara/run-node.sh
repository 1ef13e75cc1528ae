#!/usr/bin/env bash
# Runs one node on Payara Micro in the foreground; SIGTERM ends it politely. The settings are the environment's
# (EVENTO_…, see README.md); files are looked for here unless named:
#
#   PAYARA_MICRO_JAR   default payara-micro.jar beside this script
#   EVENTO_WAR         default evento.war beside this script
#   HTTP_PORT          default 8080
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export EVENTO_NODE_BIND=${EVENTO_NODE_BIND:-127.0.0.1}

# Without --rootdir: Payara would deploy what an earlier start left there, and then the same once more.
exec java @"$here/jvm-options" -jar "${PAYARA_MICRO_JAR:-$here/payara-micro.jar}" \
  --nocluster --disablephonehome --port "${HTTP_PORT:-8080}" \
  --prebootcommandfile "$here/pre-boot.asadmin" \
  --deploy "${EVENTO_WAR:-$here/evento.war}" "$@"
