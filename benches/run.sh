#!/usr/bin/env bash
# How much of PostgreSQL's own speed reaches the client: each read shape of the registry against pgbench doing the same
# SQL on the same database, in one run, at equal connections. Prints ratios; absolute figures depend on the machine.
#
# The rows are synthetic and live in a data directory of their own that is removed afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/lib.sh
source benches/lib.sh

partners=50000
picked=64 # rows and municipalities that the load walks through

start origin "$samverkan" serve --bind 127.0.0.1:0
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
make_client registry:read

columns='id, area_code, name, org_number, category, civil_society, legal_form, collective, description, website, contacts, source_url, state, version, created_at, updated_at, deleted_at'
mapfile -t ids < <(psql -c "SELECT id FROM partners ORDER BY md5(id::text) LIMIT $picked")
mapfile -t codes < <(psql -c "SELECT code FROM areas WHERE kind = 'municipality' ORDER BY md5(code) LIMIT $picked")

for n in $(seq 0 $((picked - 1))); do
  echo "SELECT $columns FROM partners WHERE id = '${ids[$n]}'::uuid;" >"$home/one-$n.sql"
  # What GET /partners?municipality=…&limit=50&cursor= runs, one row more than the page included.
  echo "SELECT $columns FROM partners WHERE true AND deleted_at IS NULL AND (area_code >= '${codes[$n]}' AND area_code < '${codes[$n]}~')
        ORDER BY name COLLATE \"sv-SE-x-icu\" ASC NULLS LAST, id ASC NULLS LAST LIMIT 51 OFFSET 0;" | tr '\n' ' ' >"$home/page-$n.sql"
done
questions one "${ids[@]/#//samverkan/v1/partners/}"
pages=()
for code in "${codes[@]}"; do pages+=("/samverkan/v1/partners?limit=50&cursor=&municipality=$code"); done
questions page "${pages[@]}"
questions live /health/live

echo "rounds $rounds, $seconds s each, $connections connections, $(nproc) cores shared by load, service and PostgreSQL, $partners synthetic partners"
for round in $(seq "$rounds"); do
  authorise "$origin"
  for shape in one page; do
    # Every other round in the other order, so that a machine that slows down is fair to both.
    if [ $((round % 2)) = 0 ]; then
      a=$(load "$origin" $shape)
      p=$(pgbench $shape)
    else
      p=$(pgbench $shape)
      a=$(load "$origin" $shape)
    fi
    echo "$shape $p $a" >>"$home/result"
  done
  echo "live $(load "$origin" live)" >>"$home/result"
done

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
