#!/usr/bin/env bash
# What a customer of the example does: ENVIRONMENT PORT PASSWORD. Says each step; ends at the first that is wrong.
set -euo pipefail

environment=$1 port=$2 password=$3
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT

ask() { # SERVICE PATH [CURL OPTIONS...] : through the edge; the name need not resolve here
    local host=$1.$environment.localhost path=$2
    shift 2
    curl --fail --silent --show-error --max-time 30 --cookie "$jar" --cookie-jar "$jar" \
        --connect-to "::127.0.0.1:$port" "$@" "http://$host$([ "$port" = 80 ] || echo ":$port")$path"
}

expect() { # TEXT : standard input must hold it
    grep --quiet --fixed-strings -- "$1" || { echo "   expected to read: $1" >&2; exit 1; }
}

echo "   logs in at legacy"
ask legacy /login.php --location --data name=demo --data-urlencode "password=$password" | expect "Bonjour demo"

echo "   adds a customer"
ask legacy /customers.php --location --data-urlencode "name=Maison Fictive" --data email=compta@fictive.example \
    --data city=Conflans | expect "Maison Fictive"

echo "   makes an invoice, with the session of legacy"
ask invoicing / --location --data-urlencode "customer=Maison Fictive" --data email=compta@fictive.example \
    --data-urlencode "net=1250,00" | expect "Maison Fictive"

echo "   sees it in accounting"
ask accounting /entries | expect "Maison Fictive"

echo "   runs the payroll"
ask payroll /runs --data '{"month":"2026-01"}' | expect "2026-01"

echo "   reads the balance through the admin front"
ask admin /api/accounting/balance | expect "balance"
