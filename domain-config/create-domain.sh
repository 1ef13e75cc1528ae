#!/usr/bin/env bash
# Makes a Payara Server domain that runs Evento on a connection pool of the server's own, so that its console owns and
# shows the pool. Run once per domain; an existing one is not touched. Everything is said by the environment:
#
#   PAYARA_HOME              the unpacked Payara Server 6 (needed)
#   EVENTO_WAR               evento.war (needed)
#   PGJDBC_JAR               PostgreSQL's JDBC driver: a pool of the server does not see the one in the WAR (needed)
#   EVENTO_DB_URL            jdbc:postgresql://host:5432/evento (needed)
#   EVENTO_DB_USER           default evento_server          EVENTO_DB_PASSWORD        (needed)
#   EVENTO_DB_OWNER_USER     default evento_owner           EVENTO_DB_OWNER_PASSWORD  none: somebody else migrates
#   EVENTO_DB_TLS            "elsewhere" if EVENTO_DB_URL leads to another host without sslmode=verify-full
#   EVENTO_NODE_NAME         default the domain's name      EVENTO_NODE_BIND          default 127.0.0.1
#   EVENTO_NODE_URL          default ws://EVENTO_NODE_BIND:HTTP-PORT/evento
#   EVENTO_LINK_PORT         default 7801                   EVENTO_LINK_FD_PORT       default 7901
#   EVENTO_SECURITY          default on: each caller needs a credential; open only where nobody but this machine reaches it
#   EVENTO_SETUP_FILE        where the node writes the code that makes the first administrator, or
#   EVENTO_ADMIN_PASSWORD_FILE  a file with the password of the first administrator, "admin"
#   DOMAIN_NAME              default evento                 DOMAIN_DIR    default $PAYARA_HOME/glassfish/domains
#   PORT_BASE                default 8000: HTTP on base+80, administration on base+48
#   START                    "no" leaves the domain stopped
#
# See README.md for what to do with the domain.
set -euo pipefail

: "${PAYARA_HOME:?}" "${EVENTO_WAR:?}" "${PGJDBC_JAR:?}"
: "${EVENTO_DB_URL:?}" "${EVENTO_DB_PASSWORD:?}"
domain=${DOMAIN_NAME:-evento}
directory=${DOMAIN_DIR:-$PAYARA_HOME/glassfish/domains}
base=${PORT_BASE:-8000}
bind=${EVENTO_NODE_BIND:-127.0.0.1}
node=${EVENTO_NODE_NAME:-$domain}
user=${EVENTO_DB_USER:-evento_server}
owner=${EVENTO_DB_OWNER_USER:-evento_owner}
admin=$((base + 48))
url=${EVENTO_NODE_URL:-ws://$bind:$((base + 80))/evento}

asadmin() {
  "$PAYARA_HOME/bin/asadmin" --interactive=false --port "$admin" "$@"
}

# Passwords become aliases in the domain's key store; neither a command line nor domain.xml shows them.
password_alias() {
  local file
  file=$(mktemp)
  printf 'AS_ADMIN_ALIASPASSWORD=%s\n' "$2" > "$file"
  asadmin --passwordfile "$file" create-password-alias "$1"
  rm -f "$file"
}

asadmin create-domain --nopassword --portbase "$base" --domaindir "$directory" "$domain"
# Before the first start, or administration without a password, IIOP and JMX would be open to everybody while it is made.
sed -i -e '/<config name="server-config">/,/<\/config>/ {
  s/address="0\.0\.0\.0"/address="127.0.0.1"/
  s/<network-listener port=/<network-listener address="127.0.0.1" port=/
}' "$directory/$domain/config/domain.xml"
if sed -n '/<config name="server-config">/,/<\/config>/p' "$directory/$domain/config/domain.xml" \
    | grep -E '<(network-listener|iiop-listener|jmx-connector) ' | grep -qv 'address="127\.0\.0\.1"'; then
  echo "A listener of the new domain is open to other machines; it is not started." >&2
  exit 1
fi
# Before the first start: a pool that was tried without its driver fails until the next restart.
cp "$PGJDBC_JAR" "$directory/$domain/lib/"
asadmin start-domain --domaindir "$directory" "$domain"

password_alias evento-db "$EVENTO_DB_PASSWORD"
if [ -n "${EVENTO_DB_OWNER_PASSWORD:-}" ]; then
  password_alias evento-db-owner "$EVENTO_DB_OWNER_PASSWORD"
fi

# One asadmin for all of it, as each takes a second to start. Connections are validated at each loan, so that a failover
# of the database costs nobody an error. Evento needs no data grid, and its timers are of the kind that nobody stores:
# they work with the store called "Dummy". The append keeps a connection of its own, outside any pool, and migrations run
# as the owner: that is why address and users are named again.
commands=$(mktemp)
answers=$(mktemp)
trap 'rm -f "$commands" "$answers"' EXIT
config=configs.config.server-config
listeners=$config.network-config.network-listeners.network-listener
cat > "$commands" <<END
set $listeners.http-listener-1.address=$bind
set $listeners.http-listener-2.enabled=false
set $listeners.admin-listener.address=127.0.0.1
set $config.admin-service.jmx-connector.system.address=127.0.0.1
set $config.network-config.protocols.protocol.http-listener-1.http.xpowered-by=false
create-jvm-options -Dproduct.name=
set $config.iiop-service.iiop-listener.orb-listener-1.enabled=false
set $config.iiop-service.iiop-listener.SSL.enabled=false
set $config.iiop-service.iiop-listener.SSL_MUTUALAUTH.enabled=false
set $config.jms-service.jms-host.default_JMS_host.host=127.0.0.1
set $config.hazelcast-config-specific-configuration.enabled=false
set $config.ejb-container.ejb-timer-service.ejb-timer-service=Dummy
create-jdbc-connection-pool --datasourceclassname org.postgresql.ds.PGConnectionPoolDataSource --restype javax.sql.ConnectionPoolDataSource --steadypoolsize 2 --maxpoolsize 16 --maxwait 3000 --isconnectvalidatereq=true --validationmethod custom-validation --validationclassname org.glassfish.api.jdbc.validation.PostgresConnectionValidation evento
set resources.jdbc-connection-pool.evento.property.url=$EVENTO_DB_URL
set resources.jdbc-connection-pool.evento.property.user=$user
set resources.jdbc-connection-pool.evento.property.password=\${ALIAS=evento-db}
set resources.jdbc-connection-pool.evento.property.applicationName=evento-$node
create-jdbc-resource --connectionpoolid evento jdbc/evento
ping-connection-pool evento
set server.monitoring-service.module-monitoring-levels.jdbc-connection-pool=HIGH
set server.monitoring-service.module-monitoring-levels.web-container=HIGH
set server.monitoring-service.module-monitoring-levels.ejb-container=HIGH
set server.monitoring-service.module-monitoring-levels.jersey=HIGH
set server.monitoring-service.module-monitoring-levels.thread-pool=HIGH
set server.monitoring-service.module-monitoring-levels.http-service=HIGH
set server.monitoring-service.module-monitoring-levels.jvm=HIGH
set server.monitoring-service.module-monitoring-levels.transaction-service=HIGH
set-config-property --source domain --propertyName evento.datasource.jndi --propertyValue jdbc/evento
set-config-property --source domain --propertyName evento.node-name --propertyValue $node
set-config-property --source domain --propertyName evento.node.bind --propertyValue $bind
set-config-property --source domain --propertyName evento.node.url --propertyValue $url
set-config-property --source domain --propertyName evento.link.port --propertyValue ${EVENTO_LINK_PORT:-7801}
set-config-property --source domain --propertyName evento.link.fd-port --propertyValue ${EVENTO_LINK_FD_PORT:-7901}
set-config-property --source domain --propertyName evento.security --propertyValue ${EVENTO_SECURITY:-on}
set-config-property --source domain --propertyName evento.db.url --propertyValue $EVENTO_DB_URL
set-config-property --source domain --propertyName evento.db.user --propertyValue $user
set-config-property --source domain --propertyName evento.db.password --propertyValue \${ALIAS=evento-db}
set-config-property --source domain --propertyName evento.db.tls --propertyValue ${EVENTO_DB_TLS:-verify-full}
END
# Without the owner's credentials the node waits until the job has migrated: see src/docs/postgresql.md.
if [ -n "${EVENTO_DB_OWNER_PASSWORD:-}" ]; then
  cat >> "$commands" <<END
set-config-property --source domain --propertyName evento.db.owner.user --propertyValue $owner
set-config-property --source domain --propertyName evento.db.owner.password --propertyValue \${ALIAS=evento-db-owner}
END
fi
for file in setup-file:"${EVENTO_SETUP_FILE:-}" admin.password-file:"${EVENTO_ADMIN_PASSWORD_FILE:-}"; do
  if [ -n "${file#*:}" ]; then
    echo "set-config-property --source domain --propertyName evento.${file%%:*} --propertyValue ${file#*:}" >> "$commands"
  fi
done
asadmin multimode --file "$commands" | tee "$answers"
if grep -q 'failed\.$' "$answers"; then
  echo "The domain is not complete: see above." >&2
  exit 1
fi

asadmin deploy --name evento --contextroot evento "$EVENTO_WAR"

# Listeners move when the server starts, and not before.
asadmin stop-domain --domaindir "$directory" "$domain"
if [ "${START:-yes}" = yes ]; then
  asadmin start-domain --domaindir "$directory" "$domain"
fi
