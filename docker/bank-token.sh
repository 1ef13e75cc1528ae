#!/bin/sh
# Makes the bank's token once and leaves it in /tokens/bank, where the bank finds it (EVENTO_TOKEN_FILE). Signs in as the
# first administrator, whom the nodes made with the password of the same secret.
#
# It stands for what an operator does by hand. The password must have neither quotes nor backslashes.
set -eu
[ -s /tokens/bank ] && exit 0
api=${API:-http://node-1:8080/evento/api}
password=$(cat "${EVENTO_ADMIN_PASSWORD_FILE:?}")
umask 022

# By standard input, or the list of processes would show it.
head=$(printf '{"name":"admin","password":"%s"}' "$password" \
  | curl -fsS --retry 30 --retry-delay 1 --retry-all-errors -D - -H 'Content-Type: application/json' --data @- "$api/session")
cookie=$(printf '%s' "$head" | tr -d '\r' | sed -n 's/^[Ss]et-[Cc]ookie: \(__Host-evento=[^;]*\).*/\1/p')
csrf=$(printf '%s' "$head" | sed -n 's/.*"csrf":"\([^"]*\)".*/\1/p')

printf '%s' '{"bundle":"bank","scopes":[{"right":"host","context":"*","type":"*"},{"right":"send","context":"*","type":"*"},{"right":"read","context":"*","type":"*"},{"right":"personal","context":"*","type":"*"}]}' \
  | curl -fsS -H 'Content-Type: application/json' -H "Cookie: $cookie" -H "Evento-CSRF: $csrf" --data @- "$api/tokens" \
  | sed -n 's/.*"token":"\([^"]*\)".*/\1/p' > /tokens/bank.new
[ -s /tokens/bank.new ]
mv /tokens/bank.new /tokens/bank
curl -fsS -X DELETE -H "Cookie: $cookie" -H "Evento-CSRF: $csrf" "$api/session"
