#!/usr/bin/env bash
# Whether http://HOST:PORT/PATH answers 200, for a container without curl: healthy.sh HOST PORT PATH
set -euo pipefail

exec 3<> "/dev/tcp/$1/$2"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$3" >&3
IFS= read -r -t 2 status <&3
[[ $status == "HTTP/1.1 200"* ]]
