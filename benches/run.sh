#!/usr/bin/env bash
# How much of PostgreSQL's own speed reaches the client: each read shape of the API against pgbench doing the same SQL
# on the same database, in one run, at equal connections. Prints ratios; absolute figures depend on the machine.
#
# The rows are synthetic and live in a data directory of their own that is removed afterwards.
# Needs wrk (Debian: apt-get install wrk) and pgbench (comes with PostgreSQL).
# ROUNDS (5), SECONDS_EACH (3) and CONNECTIONS (32) can be set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-3}
connections=${CONNECTIONS:-32}
partners=50000
picked=64 # rows and municipalities that the load walks through

command -v wrk >/dev/null || { echo "wrk is missing: apt-get install wrk" >&2; exit 1; }
pg_bin=${PG_BIN_DIR:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
cargo build --release --locked --bin samverkan
samverkan=$PWD/target/release/samverkan

home=$(mktemp -d /var/tmp/samverkan-bench-XXXXXX)
chmod 0711 "$home"
unset DATABASE_URL
export SAMVERKAN_DATA_DIR=$home/data
server=
cleanup() {
  if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$home"
}
trap cleanup EXIT

"$samverkan" serve --bind 127.0.0.1:0 >"$home/out" 2>"$home/log" &
server=$!
for _ in $(seq 100); do grep -q 'http://127.0.0.1:' "$home/out" && break; sleep 0.1; done
origin=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$home/out" | head -n 1)
[ -n "$origin" ] || { cat "$home/log" >&2; exit 1; }

socket=$(sed -n 5p "$SAMVERKAN_DATA_DIR/postgres/postmaster.pid")
psql() { "$pg_bin/psql" -h "$socket" -U samverkan -d samverkan -v ON_ERROR_STOP=1 -qAt "$@"; }

psql <<SQL
INSERT INTO partners (id, area_code, name, category, description, website, source_url)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, m.code, 'Syntetisk förening ' || n,
       (ARRAY['sports_association', 'cultural_association', 'faith_community', 'ethnic_association'])[1 + n % 4],
       'Syntetisk rad för mätning', 'https://example.se/' || n, 'https://example.se/'
FROM generate_series(1, $partners) AS n
JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS place FROM areas WHERE kind = 'municipality') AS m
  ON m.place = n % 290;
VACUUM ANALYZE partners;
SQL

client=$("$samverkan" client create --name bench --permission registry:read --area SE --json 2>/dev/null)
id=$(sed -E 's/.*"clientId": *"([^"]+)".*/\1/' <<<"$client")
secret=$(sed -E 's/.*"clientSecret": *"([^"]+)".*/\1/' <<<"$client")
token=$(curl -sf -u "$id:$secret" -d grant_type=client_credentials "$origin/oauth/token" | sed -E 's/.*"access_token": *"([^"]+)".*/\1/')

columns='id, area_code, name, org_number, category, civil_society, legal_form, collective, description, website, contacts, source_url, state, version, created_at, updated_at, deleted_at'
mapfile -t ids < <(psql -c "SELECT id FROM partners ORDER BY md5(id::text) LIMIT $picked")
mapfile -t codes < <(psql -c "SELECT code FROM areas WHERE kind = 'municipality' ORDER BY md5(code) LIMIT $picked")

for n in $(seq 0 $((picked - 1))); do
  echo "SELECT $columns FROM partners WHERE id = '${ids[$n]}'::uuid;" >"$home/one-$n.sql"
  # What GET /partners?municipality=…&limit=50&cursor= runs, one row more than the page included.
  echo "SELECT $columns FROM partners WHERE true AND deleted_at IS NULL AND (area_code >= '${codes[$n]}' AND area_code < '${codes[$n]}~')
        ORDER BY name COLLATE \"sv-SE-x-icu\" ASC NULLS LAST, id ASC NULLS LAST LIMIT 51 OFFSET 0;" | tr '\n' ' ' >"$home/page-$n.sql"
done
lua() { # name, then the paths
  printf 'wrk.headers["Authorization"] = "Bearer %s"\nlocal paths = {%s}\nlocal n = 0\nfunction request() n = n %% #paths + 1; return wrk.format("GET", paths[n]) end\n' \
    "$token" "$(printf '"%s",' "${@:2}")" >"$home/$1.lua"
}
lua one "${ids[@]/#//samverkan/v1/partners/}"
pages=()
for code in "${codes[@]}"; do pages+=("/samverkan/v1/partners?limit=50&cursor=&municipality=$code"); done
lua page "${pages[@]}"
lua live /health/live

pgbench() { # shape
  local files=()
  for n in $(seq 0 $((picked - 1))); do files+=(-f "$home/$1-$n.sql"); done
  "$pg_bin/pgbench" -n -M prepared -c "$connections" -j 1 -T "$seconds" -h "$socket" -U samverkan "${files[@]}" samverkan 2>/dev/null |
    sed -nE 's/^tps = ([0-9.]+).*/\1/p'
}
api() { # shape
  local out
  out=$(wrk -t1 -c "$connections" -d "${seconds}s" -s "$home/$1.lua" "$origin")
  if grep -q 'Non-2xx' <<<"$out"; then echo "$out" >&2; exit 1; fi
  sed -nE 's/^Requests\/sec: +([0-9.]+).*/\1/p' <<<"$out"
}

echo "rounds $rounds, $seconds s each, $connections connections, $(nproc) cores shared by load, service and PostgreSQL, $partners synthetic partners"
for round in $(seq "$rounds"); do
  shapes=(one page)
  for shape in "${shapes[@]}"; do
    # Every other round in the other order, so that a machine that slows down is fair to both.
    if [ $((round % 2)) = 0 ]; then a=$(api "$shape"); p=$(pgbench "$shape"); else p=$(pgbench "$shape"); a=$(api "$shape"); fi
    echo "$shape $p $a" >>"$home/result"
  done
  echo "live $(api live)" >>"$home/result"
done

median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
live=$(awk '$1 == "live" {print $2}' "$home/result" | median)
printf '%-34s %12s %12s %8s %14s\n' "shape" "pgbench/s" "API/s" "ratio" "API/live"
for shape in one page; do
  label=$([ $shape = one ] && echo "partner by id" || echo "50 partners of a municipality")
  p=$(awk -v s=$shape '$1 == s {print $2}' "$home/result" | median)
  a=$(awk -v s=$shape '$1 == s {print $3}' "$home/result" | median)
  r=$(awk -v s=$shape '$1 == s {print $3 / $2}' "$home/result" | median)
  printf '%-34s %12.0f %12.0f %8.2f %14.2f\n' "$label" "$p" "$a" "$r" "$(awk -v a="$a" -v l="$live" 'BEGIN {print a / l}')"
done
printf '%-34s %12s %12.0f\n' "/health/live" "-" "$live"
