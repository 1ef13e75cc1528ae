#!/usr/bin/env bash
# Prepares an unpacked WildFly 39 for Evento, once, while it is stopped; nothing listens meanwhile.
#
#   JBOSS_HOME   the unpacked WildFly (needed)
#   PGJDBC_JAR   PostgreSQL's JDBC driver (needed)
#
# See README.md for what a node is then told by its environment.
set -euo pipefail

: "${JBOSS_HOME:?}" "${PGJDBC_JAR:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Whole, as we go elsewhere below.
JBOSS_HOME=$(cd "$JBOSS_HOME" && pwd)
export JBOSS_HOME
settings=$JBOSS_HOME/standalone/configuration/standalone.xml
if grep -q 'java:/jdbc/evento' "$settings"; then
  echo "This WildFly is prepared already: $settings" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$PGJDBC_JAR" "$work/postgresql.jar"
kept=$work/standalone.xml
cp "$settings" "$kept"
cd "$work"
if ! "$JBOSS_HOME/bin/jboss-cli.sh" --file="$here/configure.cli" > "$work/said" 2>&1; then
  cat "$work/said" >&2
  # Half a configuration is none: a second run begins anew.
  cp "$kept" "$settings"
  rm -rf "$JBOSS_HOME/modules/org/postgresql"
  exit 1
fi
echo "Prepared: $settings"
