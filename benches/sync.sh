#!/usr/bin/env bash
# What offices wait for when they send and follow: how fast a file of 100 000 observations is imported beside COPY of the
# same rows, into an empty database and into a full one, and how many single writes a second the feed lets through. Prints
# ratios; absolute figures depend on the machine. IMPORT_ROWS (100 000), MANY_ROWS (500 000) and FULL_ROWS (5 million: what is
# there already) can be set, and PARTS names what is measured: `imports full feed`.
#
# The rows are synthetic and say so; they live in data directories of their own that are removed afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=benches/lib.sh
source benches/lib.sh

rows=${IMPORT_ROWS:-100000}
many=${MANY_ROWS:-500000}
full=${FULL_ROWS:-5000000}
read -ra parts <<<"${PARTS:-imports full feed}"
api=/samverkan/v1

# ---- imports

source_title='Syntetisk källa'

# A file of invented observations: one report for each of the 290 municipalities, single years of age, two genders,
# subjects and forms. `mixed` goes round the municipalities row by row, so that every part of the file has rows of every
# report; otherwise they come one after the other.
observations() { # format, rows, order
  awk -v format="$1" -v rows="$2" -v order="$3" -v source="$source_title" '
    function put(code, n,   age, gender, subject, form, value) {
      age = 6 + n % 14
      gender = int(n / 14) % 2 ? "boys" : "girls"
      subject = subjects[1 + int(n / 28) % 12]
      form = forms[1 + int(n / 336) % 7]
      value = (n * 7919 + code) % 500
      if (format == "csv")
        print source ";2025;" code ";pupil_places;residence;" gender ";" age "-" age ";" subject ";" form ";" value
      else
        print "{\"source\":{\"title\":\"" source "\"},\"period\":\"2025\",\"area\":\"" code "\",\"measure\":\"pupil_places\"," \
          "\"basis\":\"residence\",\"gender\":\"" gender "\",\"ageBand\":\"" age "-" age "\",\"subject\":\"" subject "\"," \
          "\"activityForm\":\"" form "\",\"value\":" value "}"
    }
    BEGIN {
      split("visual_arts circus dance film_animation photography music_instrument_vocal music_ensemble musical writing crafts theatre_drama other", subjects, " ")
      split("all subject_course subject_course_long subject_course_short open_activity targeted_activity voluntary_activity", forms, " ")
      if (format == "csv") print "source;period;area;measure;basis;gender;ageBand;subject;activityForm;value"
    }
    {codes[NR] = $1}
    END {
      each = int((rows + NR - 1) / NR)
      for (i = 0; i < rows; i++) {
        if (order == "mixed") put(codes[1 + i % NR], int(i / NR))
        else put(codes[1 + int(i / each)], i % each)
      }
    }' "$home/municipalities"
}

# A service on a new data directory, with a client and the source of the rows.
fresh() {
  stop_all
  rm -rf "$SAMVERKAN_DATA_DIR"
  start origin "$samverkan" serve --bind 127.0.0.1:0 --import-max-mib 1024
  make_client participation:read,participation:write,registry:read,registry:write,imports:write,sync:read
  authorise "$origin"
  post sources "{\"title\":\"$source_title\",\"publisher\":\"Syntetisk utgivare\",\"area\":\"SE\"}"
}
post() { # resource, row
  get -o /dev/null -H 'Content-Type: application/json' -d "$2" "$origin$api/$1"
}

# Imports a file as a job, and sets `took` to the seconds from the first byte sent until it is done.
import() { # file, media type, mode
  local began path answer
  began=$EPOCHREALTIME
  path=$(get -D - -o /dev/null -X POST -H "Content-Type: $2" -H 'Prefer: respond-async' -H "Idempotency-Key: bench-${began/./-}" \
    --data-binary "@$1" "$origin$api/imports?type=observations&mode=$3" | sed -nE 's/^location: *([^\r]+)\r?$/\1/Ip')
  answer=$(get -N "$path/events" | tail -n 2)
  grep -q '"state":"done"' <<<"$answer" || { echo "$answer" >&2; exit 1; }
  took=$(psql -c "SELECT extract(epoch FROM finished_at) - $began FROM imports WHERE id = '${path##*/}'")
  counts=$(sed -E 's/.*"counts":(\{[^}]*\}).*/\1/' <<<"$answer")
}
expect() { # member of the counts, number
  grep -q "\"$1\":$2[,}]" <<<"$counts" || { echo "expected $1 $2: $counts" >&2; exit 1; }
}

# A table equal to observations: LIKE INCLUDING ALL, with its triggers.
equal_table() { # name
  psql -c 'SET client_min_messages = warning' -c "DROP TABLE IF EXISTS $1; CREATE TABLE $1 (LIKE observations INCLUDING ALL)"
  psql <<SQL
SELECT replace(pg_get_triggerdef(oid), ' ON public.observations ', ' ON $1 ') FROM pg_trigger
WHERE tgrelid = 'observations'::regclass AND NOT tgisinternal \gexec
SQL
}
# The same promise as PostgreSQL keeps it itself: report, measure and area by foreign keys.
keyed_table() { # name
  equal_table "$1"
  psql -c "ALTER TABLE $1 ADD FOREIGN KEY (report_id) REFERENCES reports, ADD FOREIGN KEY (measure_code) REFERENCES measures,
    ADD FOREIGN KEY (area_code) REFERENCES areas"
}
seconds_of() { # command
  local began=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f", b - a}'
}
copy() { psql -c "COPY plain FROM STDIN" <"$home/rows"; }
# What research calls the prototype: COPY into a stage, and one statement from there.
staged() {
  psql -c 'CREATE TEMPORARY TABLE stage (LIKE plain)' -c 'COPY stage FROM STDIN' \
    -c 'INSERT INTO plain SELECT * FROM stage ON CONFLICT (report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form)
        DO UPDATE SET value = excluded.value, status = excluded.status, precision = excluded.precision, note = excluded.note
        WHERE (plain.value, plain.status, plain.precision, plain.note)
          IS DISTINCT FROM (excluded.value, excluded.status, excluded.precision, excluded.note)' <"$home/rows"
}

declare -A media=([ndjson]=application/x-ndjson [csv]=text/csv)
shapes=("ndjson partial sorted" "csv atomic sorted" "ndjson partial mixed")

imports() {
  local round shape format mode order again plain stage
  fresh
  psql -c "SELECT code FROM areas WHERE kind = 'municipality' ORDER BY code" >"$home/municipalities"
  for format in ndjson csv; do
    for order in sorted mixed; do observations $format "$rows" $order >"$home/$rows-$order.$format"; done
  done
  : >"$home/imports"
  for round in $(seq "$rounds"); do
    for shape in "${shapes[@]}"; do
      read -r format mode order <<<"$shape"
      fresh
      import "$home/$rows-$order.$format" "${media[$format]}" "$mode"
      expect created "$rows"
      echo "- ${shape// /-} first $round $took" >>"$home/imports"
      import "$home/$rows-$order.$format" "${media[$format]}" "$mode"
      expect unchanged "$rows"
      echo "- ${shape// /-} again $round $took" >>"$home/imports"
      echo "- ${shape// /-} memory $round $(peak "${started[0]}")" >>"$home/imports"
      psql -c 'COPY (SELECT * FROM observations ORDER BY id) TO STDOUT' >"$home/rows"
      equal_table plain
      echo "- ${shape// /-} copy $round $(seconds_of copy)" >>"$home/imports"
      equal_table plain
      echo "- ${shape// /-} staged $round $(seconds_of staged)" >>"$home/imports"
      keyed_table plain
      echo "- ${shape// /-} keyed $round $(seconds_of staged)" >>"$home/imports"
    done
  done
  echo "$rows observations of 290 reports, a fresh database for each import; COPY and upsert into an equal table (LIKE INCLUDING ALL, triggers) of the same database, and upsert into one with foreign keys"
  printf '  %-24s %9s %9s %9s %9s %9s %9s %9s %9s %11s %9s\n' import rows/s COPY/s /COPY upsert/s /upsert keyed/s /keyed again/s again/first "MB peak"
  for shape in "${shapes[@]}"; do
    local key=${shape// /-} of="$home/imports"
    printf '  %-24s %9.0f %9.0f %9.2f %9.0f %9.2f %9.0f %9.2f %9.0f %11.2f %9d\n' "${shape// /, }" "$(per_second $key first)" \
      "$(per_second $key copy)" "$(ratio "$of" $key copy first)" \
      "$(per_second $key staged)" "$(ratio "$of" $key staged first)" \
      "$(per_second $key keyed)" "$(ratio "$of" $key keyed first)" \
      "$(per_second $key again)" "$(ratio "$of" $key first again)" "$(figure "$of" $key memory)"
  done

  for shape in "ndjson partial sorted" "csv atomic sorted"; do
    read -r format mode order <<<"$shape"
    observations "$format" "$many" "$order" >"$home/many.$format"
    fresh
    import "$home/many.$format" "${media[$format]}" "$mode"
    expect created "$many"
    printf '  %-24s %9.0f rows/s of %d rows, %d MB in the file, %d MB peak\n' "${shape// /, }" \
      "$(awk -v n="$many" -v t="$took" 'BEGIN {print n / t}')" "$many" "$(($(stat -c %s "$home/many.$format") >> 20))" "$(peak "${started[0]}")"
    rm "$home/many.$format"
  done
  stop_all
}

# The same into a database that has many years of observations already, and the upsert into a table that has them too: that
# is what offices meet. The fuller the indexes, the less the reading of the file weighs.
full() {
  local round shape format mode order source_title=$source_title
  fresh
  psql -c "SELECT code FROM areas WHERE kind = 'municipality' ORDER BY code" >"$home/municipalities"
  "$samverkan" synth --rows "$full" >"$home/synth" 2>&1 || { cat "$home/synth" >&2; exit 1; }
  equal_table plain
  psql -c 'INSERT INTO plain SELECT * FROM observations' -c 'VACUUM ANALYZE plain' -c 'VACUUM ANALYZE observations'
  : >"$home/imports"
  for round in $(seq "$rounds"); do
    for shape in "${shapes[@]}"; do
      read -r format mode order <<<"$shape"
      # Rows of a source of their own are new ones.
      source_title="Syntetisk källa $round $format $order"
      authorise "$origin"
      post sources "{\"title\":\"$source_title\",\"publisher\":\"Syntetisk utgivare\",\"area\":\"SE\"}"
      observations "$format" "$rows" "$order" >"$home/full.$format"
      import "$home/full.$format" "${media[$format]}" "$mode"
      expect created "$rows"
      echo "- ${shape// /-} first $round $took" >>"$home/imports"
      import "$home/full.$format" "${media[$format]}" "$mode"
      expect unchanged "$rows"
      echo "- ${shape// /-} again $round $took" >>"$home/imports"
      psql -c "COPY (SELECT observations.* FROM observations JOIN reports ON reports.id = report_id
        JOIN sources ON sources.id = source_id WHERE sources.title = '$source_title' ORDER BY observations.id) TO STDOUT" >"$home/rows"
      echo "- ${shape// /-} staged $round $(seconds_of staged)" >>"$home/imports"
    done
  done
  echo "$rows observations of 290 reports into a database that has $(psql -c 'SELECT count(*) FROM observations'), and the upsert into an equal table that has them, too"
  printf '  %-24s %9s %9s %9s %9s %11s\n' import rows/s upsert/s /upsert again/s again/first
  for shape in "${shapes[@]}"; do
    local key=${shape// /-} of="$home/imports"
    printf '  %-24s %9.0f %9.0f %9.2f %9.0f %11.2f\n' "${shape// /, }" "$(per_second $key first)" \
      "$(per_second $key staged)" "$(ratio "$of" $key staged first)" "$(per_second $key again)" "$(ratio "$of" $key first again)"
  done
  stop_all
}
per_second() { awk -v n="$rows" -v t="$(figure "$home/imports" "$1" "$2")" 'BEGIN {print n / t}'; } # shape, kind

# ---- the feed

# Eight writers: each thread has one connection, and asks again when it is answered. POST makes partners, PATCH changes one
# partner of its own again and again.
writers() { # POST or PATCH
  local out
  out=$(METHOD=$1 RUN=$EPOCHREALTIME wrk -t8 -c8 -d "${seconds}s" --timeout 30s -s "$home/writer.lua" "$origin")
  if grep -q 'Non-2xx' <<<"$out"; then echo "$out" >&2; exit 1; fi
  sed -nE 's/^Requests\/sec: +([0-9.]+).*/\1/p' <<<"$out"
}
# Four readers that follow the feed by long poll, a little longer than the writers write.
readers() {
  wrk -t4 -c4 -d "$((seconds + 2))s" --timeout 30s -s "$home/reader.lua" "$origin" >"$home/readers"
}

# What a write costs the database alone: the row, its version in the history, and its number in the feed, in a transaction
# each. The rows are as long as those that the API writes.
statements() {
  cat >"$home/row-0.sql" <<'SQL'
BEGIN;
INSERT INTO partners (id, area_code, name, category, source_url) VALUES (gen_random_uuid(), '1880', 'Syntetisk part', 'other', 'https://example.se/');
COMMIT;
SQL
  cat >"$home/kept-0.sql" <<'SQL'
BEGIN;
INSERT INTO partners (id, area_code, name, category, source_url) VALUES (gen_random_uuid(), '1880', 'Syntetisk part', 'other', 'https://example.se/');
INSERT INTO history (entity_type, entity_key, version, id, op, at, client_id, request_id, area_code, open, row)
SELECT 'partners', gen_random_uuid(), 1, gen_random_uuid(), 'create', clock_timestamp(), 'client_bench', gen_random_uuid(), '1880', true,
  jsonb_build_object('id', gen_random_uuid(), 'name', 'Syntetisk part', 'orgNumber', null, 'category', 'other', 'civilSociety', null,
    'legalForm', null, 'collective', false, 'area', '1880', 'areaName', 'Örebro', 'description', null, 'website', null, 'contacts', '[]'::jsonb,
    'sourceUrl', 'https://example.se/', 'state', 'published', 'version', 1, 'createdAt', now(), 'updatedAt', now(), 'deletedAt', null);
COMMIT;
SQL
}

feed() {
  local round method cursor kind kinds following
  cat >"$home/writer.lua" <<LUA
local file = io.open('$home/token'); local token = file:read('*l'); file:close()
local method, run = os.getenv('METHOD'), os.getenv('RUN')
local headers = {Authorization = 'Bearer ' .. token}
local path, version, n = '$api/partners', nil, 0
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set('own', threads)
end
local function body(name)
  return '{"name":"' .. name .. '","category":"other","area":"1880","sourceUrl":"https://example.se/"}'
end
-- The first request of PATCH makes the partner that is changed.
function request()
  n = n + 1
  local name = string.format('Syntetisk part %s %d %d', run, own, n)
  if method == 'POST' or not version then
    headers['Content-Type'] = 'application/json'
    return wrk.format('POST', '$api/partners', headers, body(name))
  end
  headers['Content-Type'] = 'application/merge-patch+json'
  headers['If-Match'] = version
  return wrk.format('PATCH', path, headers, '{"name":"' .. name .. '"}')
end
function response(status, headers, body)
  if method == 'POST' then return end
  for name, value in pairs(headers) do
    local known = name:lower()
    if known == 'etag' then version = value end
    if known == 'location' then path = value:gsub('^https?://[^/]+', '') end
  end
end
LUA
  cat >"$home/reader.lua" <<LUA
local file = io.open('$home/token'); local token = file:read('*l'); file:close()
local file = io.open('$home/cursor'); cursor = file:read('*l'); file:close()
local headers = {Authorization = 'Bearer ' .. token}
local all = {}
seen = 0
function setup(thread) table.insert(all, thread) end
function request()
  return wrk.format('GET', '$api/changes?limit=1000&types=partners&wait=25&cursor=' .. cursor, headers)
end
function response(status, headers, body)
  cursor = body:match('"nextCursor":"([^"]*)"') or cursor
  seen = seen + select(2, body:gsub('"op":', ''))
end
function done()
  for _, thread in ipairs(all) do print('seen ' .. thread:get('seen')) end
end
LUA
  statements
  fresh
  : >"$home/feed"
  for round in $(seq "$rounds"); do
    authorise "$origin"
    kinds=(off on followed)
    # Every other round in the other order, so that a machine that slows down is fair to all.
    if [ $((round % 2)) = 0 ]; then kinds=(followed on off); fi
    for kind in "${kinds[@]}"; do
      if [ "$kind" = off ]; then psql -c 'ALTER TABLE partners DISABLE TRIGGER feed'; fi
      for method in POST PATCH; do
        if [ "$kind" = followed ]; then
          get "$origin$api/snapshot?limit=1&types=partners" | sed -nE 's/.*"feedCursor":"([^"]*)".*/\1/p' >"$home/cursor"
          readers &
          following=$!
          sleep 0.5
        fi
        echo "- $method $kind $round $(writers $method)" >>"$home/feed"
        if [ "$kind" = followed ]; then
          wait $following
          echo "- $method seen $round $(awk '/^seen/ {n += $2} END {print n / NR}' <(grep ^seen "$home/readers"))" >>"$home/feed"
        fi
      done
      if [ "$kind" != followed ]; then
        echo "- INSERT row-$kind $round $(connections=8 pgbench row)" >>"$home/feed"
        echo "- INSERT kept-$kind $round $(connections=8 pgbench kept)" >>"$home/feed"
      fi
      if [ "$kind" = off ]; then psql -c 'ALTER TABLE partners ENABLE TRIGGER feed'; fi
    done
  done
  local of="$home/feed"
  echo "8 writers of single partners over HTTP, $seconds s each, and 4 readers that follow by long poll"
  printf '  %-8s %16s %9s %9s %18s %9s %22s\n' write "without feed/s" feed/s ratio "4 readers/s" ratio "changes/s to a reader"
  for method in POST PATCH; do
    printf '  %-8s %16.0f %9.0f %9.2f %18.0f %9.2f %22.0f\n' $method "$(figure "$of" $method off)" \
      "$(figure "$of" $method on)" "$(ratio "$of" $method on off)" \
      "$(figure "$of" $method followed)" "$(ratio "$of" $method followed off)" \
      "$(figure "$of" $method seen | awk -v s="$seconds" '{print $1 / s}')"
  done
  printf '  the database alone, 8 connections: %.0f rows/s; with history %.2f of it, with the feed %.2f, with both %.2f\n' \
    "$(figure "$of" INSERT row-off)" "$(ratio "$of" INSERT kept-off row-off)" "$(ratio "$of" INSERT row-on row-off)" \
    "$(ratio "$of" INSERT kept-on row-off)"
  stop_all
}

echo "rounds $rounds, $(nproc) cores shared by load, service and PostgreSQL"
for part in "${parts[@]}"; do "$part"; done
