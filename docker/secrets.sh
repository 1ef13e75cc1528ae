#!/usr/bin/env bash
# Makes the passwords that compose.yaml and patroni/compose.yaml hand to their containers, each in a file of its own, once:
#
#   docker/secrets.sh
#
# The folder is this user's alone. The files in it are not, as Compose mounts each one as it is, and in a container
# somebody else reads it.
set -euo pipefail

directory=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/secrets}
umask 077
mkdir -p "$directory"
chmod 700 "$directory"
for name in admin-password superuser owner server bank replication rewind; do
  if [ ! -s "$directory/$name" ]; then
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' > "$directory/$name"
    chmod 644 "$directory/$name"
  fi
done
echo "Passwords are in $directory"
