// Keeps an exact copy of what a client may see in Samverkan, in a file of JSON lines.
//
// Node 18 or later, and nothing else. It may be killed at any moment and started again: each line of the file holds the
// rows of one answer and the cursor after them, so either both are there or neither. A line that was not finished is cut
// off.
//
//     tsc -p docs/clients
//     export SAMVERKAN_CLIENT_ID=… SAMVERKAN_CLIENT_SECRET=…
//     node follow.js https://samverkan.example.org copy.jsonl            follow for ever
//     node follow.js https://samverkan.example.org copy.jsonl --once     until the copy is up to date and checked
//     node follow.js https://samverkan.example.org copy.jsonl --digest   say what the copy adds up to, ask nobody

import * as crypto from "node:crypto";
import * as fs from "node:fs";

const API = "/samverkan/v1";
/** How long an answer may take, in milliseconds; one that waits for a change takes 25 seconds. */
const TIMEOUT = 60_000;
/** How often a copy that is up to date is compared with the server, in milliseconds. */
const CHECK_EVERY = 15 * 60_000;
/** The longest pause between two tries, in seconds. */
const LONGEST_PAUSE = 60;
/** So many lines more than it needs, and the file is written anew. */
const LINES = 1_000;

interface Row {
  type: string;
  key: string;
  version: number;
  data: unknown;
}
interface Change extends Row {
  op: string;
}
interface Snapshot {
  items: Row[];
  feedCursor: string;
  nextCursor: string | null;
}
interface Changes {
  items: Change[];
  nextCursor: string;
  hasMore: boolean;
}
interface Sum {
  rows: number;
  digest: string;
}
interface Digest {
  upToDate: boolean;
  types: (Sum & { type: string })[];
}
/** What is known of an answer before it is looked at. */
type Known = { status: number; headers: Headers; body: string };

/** A line of the file. */
type Line =
  | { begin: string }
  | { rows: Row[]; place: string | null; cursor: string }
  | { changes: Change[]; cursor: string };

/** The server understood and said no: trying again does not help. */
class Refused extends Error {}
/** The cursor cannot be followed any more (410): begin anew. */
class CursorGone extends Error {}

const say = (text: string) => console.error(text);
const sleep = (seconds: number) => new Promise<void>((done) => setTimeout(done, seconds * 1000));

/** Asks, with a token of its own, and again until there is an answer. */
class Server {
  private token: string | null = null;
  private readonly origin: string;
  private readonly client: URLSearchParams;

  constructor(origin: string, id: string, secret: string) {
    this.origin = origin.replace(/\/$/, "");
    this.client = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret });
  }

  /** The answer. Waits and tries again for as long as the server is away or busy. */
  async get<T>(path: string, query: Record<string, string | null>): Promise<T> {
    const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== null);
    const url = `${this.origin}${API}${path}?${new URLSearchParams(given)}`;
    for (let tries = 1; ; tries++) {
      let why: string;
      let wait = 0;
      try {
        const newToken = this.token === null;
        let known = newToken ? await this.renew() : null;
        if (known === null) {
          known = await this.send(url, { headers: { authorization: `Bearer ${this.token}` } });
        }
        const { status, headers, body } = known;
        if (status === 200) return JSON.parse(body) as T;
        if (status === 401 && !newToken) {
          // A token is good for ten minutes, or was revoked: the next one may be another.
          this.token = null;
          continue;
        }
        if (status === 410) throw new CursorGone(JSON.parse(body).errors[0].code);
        if (status < 500 && status !== 408 && status !== 429) throw new Refused(`${status} ${body}`);
        why = String(status);
        wait = Number(headers.get("retry-after") ?? 0) || 0;
      } catch (error) {
        if (error instanceof Refused || error instanceof CursorGone) throw error;
        // No connection, none any more in the middle of the answer, or not all of it.
        why = String(error);
      }
      // Twice as long each time, and not together with all the others.
      const pause = Math.min(LONGEST_PAUSE, 2 ** Math.min(tries, 10) / 2) * (0.5 + Math.random() / 2);
      say(`${why}; again in ${Math.max(pause, wait).toFixed(1)} s`);
      await sleep(Math.max(pause, wait));
    }
  }

  /** A new token; otherwise what was answered. */
  private async renew(): Promise<Known | null> {
    const known = await this.send(`${this.origin}/oauth/token`, { method: "POST", body: this.client });
    if (known.status !== 200) return known;
    this.token = JSON.parse(known.body).access_token as string;
    return null;
  }

  private async send(url: string, request: RequestInit): Promise<Known> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), TIMEOUT);
    try {
      const answer = await fetch(url, { ...request, signal: patience.signal });
      return { status: answer.status, headers: answer.headers, body: await answer.text() };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The rows, and where to go on. */
class Copy {
  types = "";
  rows = new Map<string, Row>();
  /** Where the feed goes on; null while there is no whole copy. */
  cursor: string | null = null;
  /** Where the snapshot goes on. */
  place: string | null = "";
  /** The rows of a snapshot under way: those before it stay until it is whole. */
  private next = new Map<string, Row>();
  private lines = 0;
  private output = -1;
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Reads the file, and cuts off what comes after the last line that was finished. */
  async load(): Promise<void> {
    if (!fs.existsSync(this.path)) return;
    let good = 0;
    let rest = Buffer.alloc(0);
    reading: for await (const piece of fs.createReadStream(this.path, { highWaterMark: 1 << 20 })) {
      rest = Buffer.concat([rest, piece]);
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
        try {
          this.apply(JSON.parse(rest.toString("utf8", 0, end)) as Line);
        } catch {
          break reading;
        }
        good += end + 1;
        rest = rest.subarray(end + 1);
      }
    }
    fs.truncateSync(this.path, good);
  }

  /** Keeps a line: first in the file, then in memory. */
  add(line: Line): void {
    if (this.output < 0) this.output = fs.openSync(this.path, "a");
    fs.writeFileSync(this.output, `${JSON.stringify(line)}\n`);
    fs.fsyncSync(this.output);
    this.apply(line);
    if (this.cursor !== null && this.lines > LINES + this.rows.size / 1000) this.shorten();
  }

  private apply(line: Line): void {
    this.lines += 1;
    if ("begin" in line) {
      this.types = line.begin;
      this.next = new Map();
      this.cursor = null;
      this.place = "";
    } else if ("rows" in line) {
      for (const row of line.rows) this.next.set(`${row.type} ${row.key}`, row);
      this.place = line.place;
      if (line.place === null) {
        // What the snapshot does not hold is gone.
        this.rows = this.next;
        this.next = new Map();
        this.cursor = line.cursor;
      }
    } else {
      for (const { op, ...row } of line.changes) {
        if (op === "upsert") this.rows.set(`${row.type} ${row.key}`, row);
        else this.rows.delete(`${row.type} ${row.key}`);
      }
      this.cursor = line.cursor;
    }
  }

  /** Writes the file anew, beside the old one, which it then replaces. */
  private shorten(): void {
    const cursor = this.cursor ?? "";
    const output = fs.openSync(`${this.path}.new`, "w");
    this.lines = 0;
    const write = (line: Line) => {
      fs.writeFileSync(output, `${JSON.stringify(line)}\n`);
      this.lines += 1;
    };
    write({ begin: this.types });
    let rows: Row[] = [];
    for (const row of this.rows.values()) {
      rows.push(row);
      if (rows.length === 1000) {
        write({ rows, place: "", cursor });
        rows = [];
      }
    }
    write({ rows, place: null, cursor });
    fs.fsyncSync(output);
    fs.closeSync(output);
    fs.renameSync(`${this.path}.new`, this.path);
    fs.closeSync(this.output);
    this.output = -1;
  }

  /** By type: how many rows, and the digest that `/sync/digest` must come to as well. */
  digests(): Map<string, Sum> {
    const sums = new Map<string, { rows: number; digest: bigint }>();
    for (const { type, key, version } of this.rows.values()) {
      const hash = crypto.createHash("sha256").update(`${key}:${version}`).digest();
      const sum = sums.get(type) ?? { rows: 0, digest: 0n };
      sums.set(type, { rows: sum.rows + 1, digest: sum.digest ^ hash.readBigUInt64BE(0) });
    }
    const text = (digest: bigint) => digest.toString(16).padStart(16, "0");
    return new Map([...sums].map(([type, { rows, digest }]) => [type, { rows, digest: text(digest) }]));
  }
}

/** Goes on with the snapshot from the page that was stored last. */
async function snapshot(server: Server, copy: Copy, types: string | null): Promise<void> {
  while (copy.cursor === null) {
    const page = await server.get<Snapshot>("/snapshot", { limit: "1000", cursor: copy.place, types });
    copy.add({ rows: page.items, place: page.nextCursor, cursor: page.feedCursor });
  }
}

/** Stores the next changes; says whether there are more already. */
async function follow(server: Server, copy: Copy, types: string | null, wait: string | null): Promise<boolean> {
  const page = await server.get<Changes>("/changes", { limit: "1000", cursor: copy.cursor, types, wait });
  if (page.items.length > 0 || page.nextCursor !== copy.cursor) {
    const changes = page.items.map(({ type, key, version, data, op }) => ({ type, key, version, data, op }));
    copy.add({ changes, cursor: page.nextCursor });
  }
  return page.hasMore;
}

/** Compares the copy with the server; null if something has changed meanwhile, and nothing can be said. */
async function check(server: Server, copy: Copy, types: string | null): Promise<boolean | null> {
  const answer = await server.get<Digest>("/sync/digest", { cursor: copy.cursor, types });
  if (!answer.upToDate) return null;
  const own = copy.digests();
  const agrees = answer.types.every(({ type, rows, digest }) => {
    const sum = own.get(type) ?? { rows: 0, digest: "0".repeat(16) };
    own.delete(type);
    return sum.rows === rows && sum.digest === digest;
  });
  return agrees && own.size === 0;
}

async function run(server: Server, copy: Copy, types: string | null, once: boolean): Promise<void> {
  const beginAnew = () => copy.add({ begin: types ?? "" });
  if (copy.types !== (types ?? "")) beginAnew();
  let checked = -Infinity;
  let wait: string | null = null;
  let differed = 0;
  for (;;) {
    try {
      await snapshot(server, copy, types);
      if (await follow(server, copy, types, wait)) continue;
      // Up to date: from now on an answer waits for a change.
      wait = once ? null : "25";
      if (once || Date.now() - checked > CHECK_EVERY) {
        const agrees = await check(server, copy, types);
        if (agrees === false) {
          differed += 1;
          if (differed === 3) throw new Refused("the copy differs from the server however often it is made anew");
          say("the copy differs from the server: it is made anew");
          beginAnew();
        } else if (agrees) {
          checked = Date.now();
          differed = 0;
          say("the copy is up to date and agrees with the server");
          if (once) return;
        }
      }
    } catch (error) {
      if (!(error instanceof CursorGone)) throw error;
      say(`${error.message}: the copy is made anew`);
      beginAnew();
    }
  }
}

async function main(): Promise<void> {
  const given = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const flags = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
  const types = flags.find((flag) => flag.startsWith("--types="))?.slice("--types=".length) ?? null;
  const [origin, file] = given;
  if (origin === undefined || file === undefined) {
    throw new Refused("say where Samverkan is, and the file of the copy");
  }
  const copy = new Copy(file);
  await copy.load();
  if (flags.includes("--digest")) {
    console.log(JSON.stringify(Object.fromEntries(copy.digests())));
    return;
  }
  const { SAMVERKAN_CLIENT_ID: id, SAMVERKAN_CLIENT_SECRET: secret } = process.env;
  if (id === undefined || secret === undefined) {
    throw new Refused("set the variables SAMVERKAN_CLIENT_ID and SAMVERKAN_CLIENT_SECRET");
  }
  await run(new Server(origin, id, secret), copy, types, flags.includes("--once"));
}

main().catch((error: unknown) => {
  say(error instanceof Refused ? `refused: ${error.message}` : String(error));
  process.exitCode = 1;
});
