#!/bin/sh
# Starts one node. In a container it listens on its own address; links need one that the other nodes can dial.
set -eu
address=$(hostname -i | cut -d ' ' -f 1)
export EVENTO_NODE_BIND=0.0.0.0 # for HTTP; the links' own address is the property below, which wins there
exec java -Xmx"${EVENTO_HEAP:-512m}" -XX:+UseG1GC -XX:MaxMetaspaceSize=256m -XX:+ExitOnOutOfMemoryError \
  -Devento.node.bind="$address" \
  -jar payara-micro.jar --nocluster --disablephonehome --nohostaware --port 8080 --rootdir "$HOME/payara" \
  --prebootcommandfile pre-boot.asadmin --deploy evento.war
