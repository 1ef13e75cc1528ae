#!/usr/bin/env bash
# Runs one node on Payara Micro in the foreground; SIGTERM ends it politely. The settings are the environment's
# (EVENTO_…, see README.md); files are looked for here unless named:
#
#   PAYARA_MICRO_JAR   default payara-micro.jar beside this script
#   EVENTO_WAR         default evento.war beside this script
#   UNPACKED           what prepare-node.sh made; default payara-micro beside this script. Without it a node starts
#                      too, by its jar, and takes a third longer
#   HTTP_PORT          default 8080; not used with a certificate
#   LOG_FORMAT         "text" (default): one line an entry, without colours; "json": one object a line
#   HEAP_PERCENT       share of the memory that the container or the machine has; default 60
#   JAVA_OPTIONS       further options of the JVM, separated by spaces
#   NODE_WORK_DIR      where Payara unpacks itself, each start into a folder of its own; default: the temporary directory
#   HTTPS_KEY_STORE    a PKCS#12 file: then HTTPS alone, on HTTPS_PORT (8443), with the key of HTTPS_KEY_ALIAS (server)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export EVENTO_NODE_BIND=${EVENTO_NODE_BIND:-127.0.0.1} EVENTO_NODE_NAME=${EVENTO_NODE_NAME:-$(uname -n)}
listener=(--port "${HTTP_PORT:-8080}" --prebootcommandfile "$here/pre-boot.asadmin")
if [ -n "${HTTPS_KEY_STORE:-}" ]; then
  : "${HTTPS_KEY_STORE_PASSWORD:=$(cat "${HTTPS_KEY_STORE_PASSWORD_FILE:?}")}"
  export HTTPS_KEY_STORE HTTPS_KEY_STORE_PASSWORD HTTPS_KEY_ALIAS=${HTTPS_KEY_ALIAS:-server}
  listener=(--sslport "${HTTPS_PORT:-8443}" --prebootcommandfile "$here/pre-boot-tls.asadmin")
fi

case ${LOG_FORMAT:-text} in
  text) logging=$here/logging.properties ;;
  json) logging=$here/logging-json.properties ;;
  *) echo "LOG_FORMAT must be text or json, is $LOG_FORMAT" >&2; exit 64 ;;
esac
percent=${HEAP_PERCENT:-60}
if ! [[ $percent =~ ^[1-9][0-9]?$ ]]; then
  echo "HEAP_PERCENT must be 1 to 99, is $percent" >&2
  exit 64
fi
work=()
if [ -n "${NODE_WORK_DIR:-}" ]; then
  # Not below /tmp, where a cleaner may take files that a node needs after weeks. What an earlier start left goes.
  mkdir -p "$NODE_WORK_DIR"
  find "$NODE_WORK_DIR" -mindepth 1 -maxdepth 1 -name 'node-*' -exec rm -rf {} +
  work=("-Djava.io.tmpdir=$(mktemp -d "$NODE_WORK_DIR/node-XXXXXX")")
fi
read -ra options <<< "${JAVA_OPTIONS:-}"

jar=${PAYARA_MICRO_JAR:-$here/payara-micro.jar}
unpacked=${UNPACKED:-$here/payara-micro}
server=(-jar "$jar")
# Not what was made of another server. An archive of other classes, or of another Java, the JVM leaves alone.
if [ -f "$unpacked/classes.jsa" ] && [ "$(cat "$unpacked/made-of")" = "$(wc -c < "$jar")" ]; then
  server=(
    -XX:SharedArchiveFile="$unpacked/classes.jsa" @"$here/launch-options"
    -Dfish.payara.micro.BootJar="file:$unpacked/launch-micro.jar" -Dfish.payara.micro.UnpackDir="$unpacked"
    -cp "$jar:$unpacked/launch-micro.jar" fish.payara.micro.impl.PayaraMicroImpl
  )
fi

# Without --rootdir: Payara would deploy what an earlier start left there, and then the same once more.
exec java @"$here/jvm-options" -XX:MaxRAMPercentage="$percent" "${work[@]}" "${options[@]}" "${server[@]}" \
  --nocluster --disablephonehome --logproperties "$logging" "${listener[@]}" \
  --deploy "${EVENTO_WAR:-$here/evento.war}" "$@"
