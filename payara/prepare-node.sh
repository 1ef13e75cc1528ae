#!/usr/bin/env bash
# Makes what nodes start a third faster with: Payara Micro unpacked, and an archive of the classes that a node loads
# while it starts. Once for a server, a WAR and a Java; run it again when one of them has changed. It starts a node
# that reaches no database and ends by itself.
#
#   PAYARA_MICRO_JAR   default payara-micro.jar beside this script
#   EVENTO_WAR         default evento.war beside this script
#   TRAINING_PORT      where that node listens, on 127.0.0.1; default 18080
#   UNPACKED           what it makes, anew; default payara-micro beside this script
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jar=${PAYARA_MICRO_JAR:-$here/payara-micro.jar}
unpacked=${UNPACKED:-$here/payara-micro}
export EVENTO_NODE_BIND=127.0.0.1 EVENTO_DB_URL=jdbc:postgresql://127.0.0.1:1/none

rm -rf "$unpacked"
mkdir -p "$unpacked/training"
java -jar "$jar" --rootdir "$unpacked" --outputlauncher
java @"$here/jvm-options" -Xlog:cds=error -XX:ArchiveClassesAtExit="$unpacked/classes.jsa" @"$here/launch-options" \
  -Dfish.payara.micro.BootJar="file:$unpacked/launch-micro.jar" -Dfish.payara.micro.UnpackDir="$unpacked" \
  -cp "$jar:$unpacked/launch-micro.jar" fish.payara.micro.impl.PayaraMicroImpl \
  --rootdir "$unpacked/training" --nocluster --disablephonehome --logproperties "$here/logging.properties" \
  --port "${TRAINING_PORT:-18080}" --prebootcommandfile "$here/pre-boot.asadmin" \
  --deploy "${EVENTO_WAR:-$here/evento.war}" --warmup
rm -rf "$unpacked/training"
wc -c < "$jar" > "$unpacked/made-of"
