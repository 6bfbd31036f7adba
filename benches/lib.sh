# What the benches share: settings, services on a data directory of their own, load, medians. Sourced, not run.
#
# Needs wrk (Debian: apt-get install wrk) and pgbench (comes with PostgreSQL).
# ROUNDS (5), SECONDS_EACH (3) and CONNECTIONS (32) can be set.
# shellcheck shell=bash
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-3}
connections=${CONNECTIONS:-32}

command -v wrk >/dev/null || { echo "wrk is missing: apt-get install wrk" >&2; exit 1; }
pg_bin=${PG_BIN_DIR:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
cargo build --release --locked --bin samverkan
samverkan=${CARGO_TARGET_DIR:-$PWD/target}/release/samverkan

home=$(mktemp -d /var/tmp/samverkan-bench-XXXXXX)
chmod 0711 "$home"
unset DATABASE_URL
export SAMVERKAN_DATA_DIR=$home/data
started=()
cleanup() {
  stop_all
  rm -rf "$home"
}
trap cleanup EXIT

# Starts a program that prints its address, and sets the variable named first to that address.
start() { # variable, program, arguments
  local -n address=$1
  local n=${#started[@]}
  shift
  : >"$home/out-$n"
  "$@" >"$home/out-$n" 2>"$home/log-$n" &
  started+=($!)
  for _ in $(seq 100); do grep -q 'http://127.0.0.1:' "$home/out-$n" && break; sleep 0.1; done
  address=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$home/out-$n" | head -n 1) || true
  [ -n "$address" ] || { cat "$home/log-$n" >&2; exit 1; }
}
# The last one first: the first service owns the database.
stop_all() {
  local n
  for ((n = ${#started[@]} - 1; n >= 0; n--)); do
    kill -TERM "${started[$n]}" 2>/dev/null || true
    wait "${started[$n]}" 2>/dev/null || true
  done
  started=()
}

socket() { sed -n 5p "$SAMVERKAN_DATA_DIR/postgres/postmaster.pid"; }
psql() { "$pg_bin/psql" -h "$(socket)" -U samverkan -d samverkan -v ON_ERROR_STOP=1 -qAt "$@"; }

# Makes a client, whose tokens `authorise` fetches; they are good for ten minutes.
make_client() { # permissions, comma separated
  local client
  client=$("$samverkan" client create --name bench --permission "$1" --area SE --json 2>/dev/null)
  id=$(sed -E 's/.*"clientId": *"([^"]+)".*/\1/' <<<"$client")
  secret=$(sed -E 's/.*"clientSecret": *"([^"]+)".*/\1/' <<<"$client")
}
authorise() { # address
  curl -sf -u "$id:$secret" -d grant_type=client_credentials "$1/oauth/token" |
    sed -E 's/.*"access_token": *"([^"]+)".*/\1/' >"$home/token"
}
get() { # address of the answer, arguments of curl
  curl -sf -H "Authorization: Bearer $(cat "$home/token")" "$@"
}

# What wrk asks for in turn: paths, each perhaps with the tag that the client already has after a blank.
questions() { # name, then the questions
  local name=$1 question
  {
    echo "local file = io.open('$home/token'); local token = file:read('*l'); file:close()"
    echo 'local questions = {'
    for question in "${@:2}"; do
      # A tag holds double quotes.
      printf "  {'%s', '%s'},\n" "${question%% *}" "$([[ $question == *' '* ]] && echo "${question#* }")"
    done
    cat <<'LUA'
}
local built, n = {}, 0
function request()
  n = n % #questions + 1
  if not built[n] then
    local headers = {Authorization = 'Bearer ' .. token}
    if questions[n][2] ~= '' then headers['If-None-Match'] = questions[n][2] end
    built[n] = wrk.format('GET', questions[n][1], headers)
  end
  return built[n]
end
LUA
  } >"$home/$name.lua"
}
# Requests per second.
load() { # address, name of the questions, connections
  local out
  out=$(wrk -t1 -c "${3:-$connections}" -d "${seconds}s" -s "$home/$2.lua" "$1")
  if grep -q 'Non-2xx' <<<"$out"; then echo "$out" >&2; exit 1; fi
  sed -nE 's/^Requests\/sec: +([0-9.]+).*/\1/p' <<<"$out"
}
# Transactions per second of the statements in $home/<name>-*.sql, in turn.
pgbench() { # name
  local file files=()
  for file in "$home/$1"-*.sql; do files+=(-f "$file"); done
  "$pg_bin/pgbench" -n -M prepared -c "$connections" -j 1 -T "$seconds" -h "$(socket)" -U samverkan "${files[@]}" samverkan 2>/dev/null |
    sed -nE 's/^tps = ([0-9.]+).*/\1/p'
}

# The most memory that a process has had, in MB; nothing if it has ended.
peak() { awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$1/status" 2>/dev/null; }
# The figures of a kind, and the ratio of two kinds in each round, from lines "… shape kind round figure": their medians.
figure() { # results, shape, kind
  awk -v s="$2" -v k="$3" '$2 == s && $3 == k {print $5}' "$1" | median
}
ratio() { # results, shape, kind, of kind
  awk -v s="$2" -v a="$3" -v b="$4" '$2 == s && $3 == a {x[$4] = $5} $2 == s && $3 == b {y[$4] = $5} END {for (r in x) print x[r] / y[r]}' "$1" | median
}
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
