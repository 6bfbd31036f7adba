"""DuckDB's time for the national ranking of a year: observations of pupil places and residents in its memory.

Prints the median of 21 runs, after one that does not count. Arguments: the two CSV files.
"""

import os
import statistics
import sys
import time

import duckdb

RANKING = """
SELECT rank() OVER (ORDER BY share DESC) AS place, municipality, share
FROM (SELECT municipality, round(100 * sum(o.value) / any_value(r.value), 2) AS share
      FROM observations AS o JOIN residents AS r ON r.area_code = municipality AND r.year = o.year
      WHERE o.year = ? GROUP BY municipality)
"""

observations, residents = sys.argv[1:]
db = duckdb.connect()
db.execute(f"SET threads = {os.cpu_count()}")
types = "types = {'area_code': 'VARCHAR', 'value': 'INTEGER'}"
db.execute(
    "CREATE TABLE observations AS SELECT *, area_code[:4] AS municipality"
    f" FROM read_csv('{observations}', {types}) ORDER BY year, municipality"
)
db.execute(f"CREATE TABLE residents AS SELECT * FROM read_csv('{residents}', {types})")
years = [year for (year,) in db.execute("SELECT DISTINCT year FROM observations").fetchall()]
rows = db.execute("SELECT count(*) FROM observations").fetchone()[0]
times = []
for run in range(22):
    began = time.perf_counter()
    ranked = db.execute(RANKING, [years[run % len(years)]]).fetchall()
    times.append(1000 * (time.perf_counter() - began))
    assert len(ranked) == 290, len(ranked)
print(
    f"DuckDB {duckdb.__version__}, {os.cpu_count()} threads, {rows} observations in memory:"
    f" ranking in {statistics.median(times[1:]):.1f} ms"
)
