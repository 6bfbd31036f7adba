#!/usr/bin/env bash
# What a question to the statistics costs, and how that grows with the data: publications made from 0.5 and 5 million
# synthetic observations (and 50 million with BENCH_50M=1, which needs 30 GB of disk). `SCALES` names others.
#
# For each: how long loading and publishing take and how much memory, and then, in rounds that take turns,
#   pgbench  the statement behind the question, prepared, on the same rows;
#   cold     the question to a service that keeps no answers, so that every request is computed;
#   cached   the question to a service that keeps them;
#   hello    the same bytes from a server that does nothing else;
#   304      the question of a client that has the answer already.
# The national ranking is also asked of DuckDB, on the same observations in its memory, when pip can install it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/lib.sh
source benches/lib.sh
# A crate of its own: as an example of the service it would be built with all that the tests need.
cargo build --release --locked --manifest-path benches/hello/Cargo.toml --target-dir target/hello
hello=$PWD/target/hello/release/hello

read -ra scales <<<"${SCALES:-500000 5000000${BENCH_50M:+ 50000000}}"
picked=64 # municipalities and districts that the load walks through
api=/samverkan/v1/statistics
shapes=(municipality ranking district)
declare -A label=(
  [municipality]="a municipality by year and gender"
  [ranking]="ranking of 290 municipalities"
  [district]="district, municipality, nation; 10 years"
)

# Runs a command, and tells its seconds, its peak memory and that of the largest backend of PostgreSQL meanwhile.
measured() { # command
  local began=$EPOCHREALTIME pid postmaster child own=0 backend=0 now
  "$@" >"$home/measured" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    now=$(peak "$pid") && own=${now:-$own}
    postmaster=$(head -n 1 "$SAMVERKAN_DATA_DIR/postgres/postmaster.pid" 2>/dev/null || true)
    for child in $(ps -o pid= --ppid "${postmaster:-0}"); do
      now=$(peak "$child") && [ "${now:-0}" -gt "$backend" ] && backend=$now
    done
    sleep 0.1
  done
  wait "$pid" || { cat "$home/measured" >&2; exit 1; }
  awk -v a="$began" -v b="$EPOCHREALTIME" -v own="$own" -v backend="$backend" \
    'BEGIN {printf "%.1f s, %d MB, backend %d MB\n", b - a, own, backend}'
}

# DuckDB's milliseconds for the ranking, in its own process, with as many threads as there are cores.
duckdb=target/bench-venv/bin/python
if ! { [ -x $duckdb ] || python3 -m venv target/bench-venv; } >/dev/null 2>&1 ||
  ! { $duckdb -c 'import duckdb' || $duckdb -m pip install -q duckdb; } >/dev/null 2>&1; then
  duckdb=
  echo "DuckDB cannot be installed here: its column stays empty"
fi

statements() { # shape; the columns and conditions of src/statistics/blocks.rs
  local n=0 measure levels areas periods
  while IFS='|' read -r measure levels areas periods; do
    echo "SELECT measure_code, basis, period_no, area_code, reported, expected, source_nos, summary, residents
      FROM publication_blocks WHERE publication_id = '$publication'::uuid AND measure_code = ANY ('{$measure}'::text[])
      AND basis = ANY ('{residence}'::text[]) AND level = ANY ('{$levels}'::smallint[])
      AND period_no = ANY ('{$periods}'::smallint[]) ${areas:+AND area_code = ANY ('{$areas}'::text[])};" |
      tr '\n' ' ' >"$home/$1-$n.sql"
    n=$((n + 1))
  done
}

compare() { # rows
  local rows=$1 took origin cold_origin hello_origin publication shape round kind kinds
  rm -rf "$home"/*.sql "$home"/body-* "$SAMVERKAN_DATA_DIR"
  start origin "$samverkan" serve --bind 127.0.0.1:0
  echo "$rows observations"
  took=$(measured "$samverkan" synth --rows "$rows")
  echo "  synth: $took"
  took=$(measured "$samverkan" publish --name 2025.1 --synthetic --acknowledge-all)
  echo "  publish: $took"
  psql -c 'VACUUM ANALYZE publication_blocks'
  make_client statistics:read
  authorise "$origin"
  # The same database and the same keys; a data directory can have only one service.
  rm -rf "$home/second" && mkdir -m 0700 "$home/second"
  cp -a "$SAMVERKAN_DATA_DIR/keys" "$home/second/"
  start cold_origin env DATABASE_URL="host=$(socket) user=samverkan dbname=samverkan" SAMVERKAN_DATA_DIR="$home/second" \
    "$samverkan" serve --bind 127.0.0.1:0 --statistics-cache-mib 0

  publication=$(psql -c "SELECT id FROM publications WHERE name = '2025.1'")
  local -a municipalities districts periods years
  mapfile -t municipalities < <(psql -c "SELECT code FROM areas WHERE kind = 'municipality' ORDER BY md5(code) LIMIT $picked")
  mapfile -t districts < <(psql -c "SELECT area_code FROM publication_blocks WHERE publication_id = '$publication'
    AND measure_code = 'pupil_places' AND level = 3 GROUP BY area_code ORDER BY md5(area_code) LIMIT $picked")
  mapfile -t periods < <(psql -c "SELECT period_no FROM publication_blocks WHERE publication_id = '$publication'
    AND measure_code = 'pupil_places' AND level = 0 ORDER BY period_no")
  mapfile -t years < <(psql -c "SELECT DISTINCT period FROM reports ORDER BY period")
  local all=${periods[*]}
  all=${all// /,}

  local -a urls
  local code n
  urls=()
  for code in "${municipalities[@]}"; do urls+=("$api/participation?publication=2025.1&measure=pupil_places&area=$code&groupBy=gender"); done
  printf '%s\n' "${urls[@]}" >"$home/municipality"
  for code in "${municipalities[@]}"; do echo "pupil_places|2|$code|$all"; done | statements municipality
  urls=()
  for n in "${years[@]}"; do urls+=("$api/rankings?publication=2025.1&measure=pupil_places_share&level=municipality&period=$n"); done
  printf '%s\n' "${urls[@]}" >"$home/ranking"
  for n in "${periods[@]}"; do echo "pupil_places|2||$n"; done | statements ranking
  urls=()
  for code in "${districts[@]}"; do urls+=("$api/participation?publication=2025.1&measure=pupil_places_share&area=$code,${code:0:4},SE"); done
  printf '%s\n' "${urls[@]}" >"$home/district"
  for code in "${districts[@]}"; do echo "pupil_places|3,2,0|$code,${code:0:4},SE|$all"; done | statements district

  local -a asked known bodies
  for shape in "${shapes[@]}"; do
    mapfile -t asked <"$home/$shape"
    known=()
    bodies=()
    for n in "${!asked[@]}"; do
      get -D "$home/head" -o "$home/body-$shape-$n" "$origin${asked[$n]}"
      known+=("${asked[$n]} $(sed -nE 's/^etag: *([^\r]+)\r?$/\1/Ip' "$home/head")")
      bodies+=("$home/body-$shape-$n")
    done
    questions "$shape" "${asked[@]}"
    questions "$shape-304" "${known[@]}"
    start hello_origin "$hello" "${bodies[@]}"
    echo "$hello_origin" >"$home/hello-$shape"
    mapfile -t asked < <(seq -f '/%.0f' 0 $((${#bodies[@]} - 1)))
    questions "$shape-hello" "${asked[@]}"
  done

  : >"$home/result"
  for round in $(seq "$rounds"); do
    authorise "$origin"
    for shape in "${shapes[@]}"; do
      kinds=(pgbench cold cached hello 304)
      # Every other round in the other order, so that a machine that slows down is fair to all.
      if [ $((round % 2)) = 0 ]; then kinds=(304 hello cached cold pgbench); fi
      for kind in "${kinds[@]}"; do
        case $kind in
          pgbench) n=$(pgbench "$shape") ;;
          cold) n=$(load "$cold_origin" "$shape") ;;
          cached) n=$(load "$origin" "$shape") ;;
          hello) n=$(load "$(cat "$home/hello-$shape")" "$shape-hello") ;;
          304) n=$(load "$origin" "$shape-304") ;;
        esac
        echo "$rows $shape $kind $round $n" | tee -a "$home/result" >>"$home/results"
      done
    done
  done

  local of="$home/result"
  printf '  %-42s %7s %11s %8s %8s %9s %9s %9s %9s %9s\n' question bytes "pgbench/s" cold/s /pgbench cached/s /hello 304/s /hello "cold ms"
  for shape in "${shapes[@]}"; do
    printf '  %-42s %7d %11.0f %8.0f %8.2f %9.0f %9.2f %9.0f %9.2f %9.2f\n' "${label[$shape]}" \
      "$(cat "$home"/body-"$shape"-* | wc -c | awk -v n="$(ls "$home"/body-"$shape"-* | wc -l)" '{print int($1 / n)}')" \
      "$(figure "$of" "$shape" pgbench)" "$(figure "$of" "$shape" cold)" "$(ratio "$of" "$shape" cold pgbench)" \
      "$(figure "$of" "$shape" cached)" "$(ratio "$of" "$shape" cached hello)" \
      "$(figure "$of" "$shape" 304)" "$(ratio "$of" "$shape" 304 hello)" \
      "$(load "$cold_origin" "$shape" 1 | awk '{print 1000 / $1}')"
  done
  if [ -n "$duckdb" ]; then
    psql -c "COPY (SELECT r.period::int AS year, o.area_code, o.gender, o.age_band, o.subject, o.activity_form, o.value::int AS value
      FROM observations AS o JOIN reports AS r ON r.id = o.report_id WHERE measure_code = 'pupil_places') TO STDOUT (FORMAT csv, HEADER)" >"$home/observations.csv"
    psql -c "COPY (SELECT area_code, year, value FROM populations WHERE gender = 'total' AND age_to - age_from = 13) TO STDOUT (FORMAT csv, HEADER)" >"$home/residents.csv"
    $duckdb benches/ranking.py "$home/observations.csv" "$home/residents.csv" | sed 's/^/  /'
    rm "$home/observations.csv" "$home/residents.csv"
  fi
  stop_all
}

echo "rounds $rounds, $seconds s each, $connections connections, $(nproc) cores shared by load, service and PostgreSQL"
for rows in "${scales[@]}"; do compare "$rows"; done

printf '\nhow cold requests and their statements slow down, times the requests/s of %s observations\n' "${scales[0]}"
for rows in "${scales[@]:1}"; do
  for shape in "${shapes[@]}"; do
    for kind in cold pgbench; do
      awk -v few="${scales[0]}" -v many="$rows" -v s=$shape -v k=$kind '$2 == s && $3 == k && $1 == few {print $5}' "$home/results" | median >"$home/few"
      awk -v many="$rows" -v s=$shape -v k=$kind '$2 == s && $3 == k && $1 == many {print $5}' "$home/results" | median >"$home/many"
      printf '%10s  %-42s %-8s %.2f\n' "$rows" "${label[$shape]}" $kind "$(paste "$home/many" "$home/few" | awk '{print $1 / $2}')"
    done
  done
done
