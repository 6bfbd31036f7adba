#!/usr/bin/env python3
"""Keeps an exact copy of what a client may see in Samverkan, in a SQLite file.

Standard library only, Python 3.9 or later. It may be killed at any moment and started again: the rows of an answer and
the cursor after them are stored in one transaction, so either both are there or neither.

    export SAMVERKAN_CLIENT_ID=… SAMVERKAN_CLIENT_SECRET=…
    follow.py https://samverkan.example.org copy.sqlite            follow for ever
    follow.py https://samverkan.example.org copy.sqlite --once     until the copy is up to date and checked
    follow.py https://samverkan.example.org copy.sqlite --digest   say what the copy adds up to, ask nobody

The copy is the table `rows` (type, key, version, data as JSON).
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

API = "/samverkan/v1"
# How long an answer may take; one that waits for a change takes 25 seconds.
TIMEOUT = 60
# How often a copy that is up to date is compared with the server, in seconds.
CHECK_EVERY = 15 * 60
# The longest pause between two tries, in seconds.
LONGEST_PAUSE = 60


def say(text):
    print(text, file=sys.stderr, flush=True)


class Refused(Exception):
    """The server understood and said no: trying again does not help."""


class CursorGone(Exception):
    """The cursor cannot be followed any more (410): begin anew."""


class Server:
    """Asks, with a token of its own, and again until there is an answer."""

    def __init__(self, origin, client_id, client_secret):
        self.origin = origin.rstrip("/")
        self.client = urllib.parse.urlencode(
            {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        ).encode()
        self.token = None

    def get(self, path, **query):
        """The answer as JSON. Waits and tries again for as long as the server is away or busy."""
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        url = f"{self.origin}{API}{path}?{query}"
        tries = 0
        while True:
            new_token = self.token is None
            try:
                if new_token:
                    self.token = self._send(f"{self.origin}/oauth/token", self.client, {})["access_token"]
                return self._send(url, None, {"Authorization": f"Bearer {self.token}"})
            except urllib.error.HTTPError as error:
                problem = error.read().decode(errors="replace")
                if error.code == 401 and not new_token:
                    # A token is good for ten minutes, or was revoked: the next one may be another.
                    self.token = None
                    continue
                if error.code == 410:
                    raise CursorGone(json.loads(problem)["errors"][0]["code"]) from None
                if error.code < 500 and error.code not in (408, 429):
                    raise Refused(f"{error.code} {problem}") from None
                why, wait = f"{error.code}", error.headers.get("Retry-After", "")
            except (OSError, http.client.HTTPException, ValueError) as error:
                # No connection, none any more in the middle of the answer, or not all of it.
                why, wait = repr(error), ""
            tries += 1
            # Twice as long each time, and not together with all the others.
            pause = min(LONGEST_PAUSE, 2 ** min(tries, 10) / 2) * random.uniform(0.5, 1)
            pause = max(pause, float(wait) if wait.isdigit() else 0)
            say(f"{why}; again in {pause:.1f} s")
            time.sleep(pause)

    @staticmethod
    def _send(url, body, headers):
        request = urllib.request.Request(url, body, {"Accept": "application/json", **headers})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read())


class Copy:
    """The rows, and where to go on. `generation` tells the rows of a snapshot under way from those before it."""

    def __init__(self, path):
        self.file = sqlite3.connect(path, isolation_level=None)
        self.file.executescript(
            """
            CREATE TABLE IF NOT EXISTS rows (
                type TEXT, key TEXT, version INTEGER NOT NULL, data TEXT NOT NULL, generation INTEGER NOT NULL,
                PRIMARY KEY (type, key));
            CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT);
            """
        )

    def get(self, name):
        found = self.file.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return found and found[0]

    def set(self, **state):
        self.file.executemany("REPLACE INTO state VALUES (?, ?)", state.items())

    def __enter__(self):
        self.file.execute("BEGIN IMMEDIATE")

    def __exit__(self, error, *_):
        self.file.execute("ROLLBACK" if error else "COMMIT")

    def put(self, item, generation):
        row = (item["type"], item["key"], item["version"], json.dumps(item["data"], ensure_ascii=False), generation)
        self.file.execute("REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", row)

    def remove(self, item):
        self.file.execute("DELETE FROM rows WHERE type = ? AND key = ?", (item["type"], item["key"]))

    def digests(self):
        """By type: how many rows, and the digest that `/sync/digest` must come to as well."""
        sums = {}
        for of, key, version in self.file.execute("SELECT type, key, version FROM rows"):
            rows, digest = sums.get(of, (0, 0))
            hashed = hashlib.sha256(f"{key}:{version}".encode()).digest()
            sums[of] = (rows + 1, digest ^ int.from_bytes(hashed[:8], "big"))
        return {of: {"rows": rows, "digest": f"{digest:016x}"} for of, (rows, digest) in sums.items()}


def begin_anew(copy):
    """The next copy is made beside this one, which stays readable until the other is whole."""
    with copy:
        generation = int(copy.get("generation") or 0) + 1
        copy.set(generation=generation, cursor=None, place="")


def snapshot(server, copy, types):
    """Goes on with the snapshot from the page that was stored last."""
    generation = int(copy.get("generation"))
    while copy.get("cursor") is None:
        page = server.get("/snapshot", limit=1000, cursor=copy.get("place"), types=types)
        with copy:
            for item in page["items"]:
                copy.put(item, generation)
            copy.set(place=page["nextCursor"])
            if page["nextCursor"] is None:
                # What the snapshot does not hold is gone.
                copy.file.execute("DELETE FROM rows WHERE generation < ?", (generation,))
                copy.set(cursor=page["feedCursor"])


def follow(server, copy, types, wait):
    """Stores the next changes; says whether there are more already."""
    generation = int(copy.get("generation"))
    page = server.get("/changes", limit=1000, cursor=copy.get("cursor"), types=types, wait=wait)
    with copy:
        for item in page["items"]:
            if item["op"] == "upsert":
                copy.put(item, generation)
            else:
                copy.remove(item)
        copy.set(cursor=page["nextCursor"])
    return page["hasMore"]


def check(server, copy, types):
    """Compares the copy with the server; none if something has changed meanwhile, and nothing can be said."""
    answer = server.get("/sync/digest", cursor=copy.get("cursor"), types=types)
    if not answer["upToDate"]:
        return None
    own, empty = copy.digests(), {"rows": 0, "digest": f"{0:016x}"}
    theirs = {of["type"]: {"rows": of["rows"], "digest": of["digest"]} for of in answer["types"]}
    return all(own.get(of, empty) == theirs.get(of, empty) for of in own.keys() | theirs.keys())


def run(server, copy, types, once):
    if copy.get("types") != (types or "") or copy.get("generation") is None:
        begin_anew(copy)
        copy.set(types=types or "")
    checked, wait, differed = 0.0, None, 0
    while True:
        try:
            snapshot(server, copy, types)
            if follow(server, copy, types, wait):
                continue
            # Up to date: from now on an answer waits for a change.
            wait = None if once else 25
            if once or time.monotonic() - checked > CHECK_EVERY:
                agrees = check(server, copy, types)
                if agrees is False:
                    differed += 1
                    if differed == 3:
                        raise Refused("the copy differs from the server however often it is made anew")
                    say("the copy differs from the server: it is made anew")
                    begin_anew(copy)
                elif agrees:
                    checked, differed = time.monotonic(), 0
                    say("the copy is up to date and agrees with the server")
                    if once:
                        return
        except CursorGone as gone:
            say(f"{gone}: the copy is made anew")
            begin_anew(copy)


def main():
    arguments = argparse.ArgumentParser(description="Keeps an exact copy of what a client may see in Samverkan.")
    arguments.add_argument("origin", help="where Samverkan is, https://host")
    arguments.add_argument("file", help="the SQLite file of the copy")
    arguments.add_argument("--types", help="kinds of row, comma separated; all that the client may read if left out")
    arguments.add_argument("--once", action="store_true", help="end when the copy is up to date and checked")
    arguments.add_argument("--digest", action="store_true", help="say what the copy adds up to")
    given = arguments.parse_args()
    copy = Copy(given.file)
    if given.digest:
        print(json.dumps(copy.digests()))
        return
    try:
        client = (os.environ["SAMVERKAN_CLIENT_ID"], os.environ["SAMVERKAN_CLIENT_SECRET"])
    except KeyError as missing:
        sys.exit(f"set the variable {missing.args[0]}")
    try:
        run(Server(given.origin, *client), copy, given.types, given.once)
    except Refused as refused:
        sys.exit(f"refused: {refused}")


if __name__ == "__main__":
    main()
