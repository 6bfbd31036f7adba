//! Commits that overlap on purpose: writers stalled on a row lock while others overtake them, and readers that miss
//! nothing. The same against a feed that numbers changes when they are written, which must lose some.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use samverkan::access::Permission::{RegistryRead, SyncRead};
use samverkan::db::connect::{self, Work};
use serde_json::json;

use crate::rows::{add, id, partner, project};
use crate::support::{Caller, TestApp};

/// A write that was answered with success.
struct Written {
    key: String,
    version: i64,
    sent: Instant,
    acknowledged: Instant,
    stalled: bool,
}

/// A change as a reader got it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    seq: i64,
    key: String,
    version: i64,
}

/// What one reader got, and places from which it could have begun again: how much it had by then, and the cursor.
#[derive(Default)]
struct Read {
    seen: Vec<Seen>,
    saved: Vec<(usize, String)>,
}

/// What went wrong, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Faults {
    /// The newest version of a row never reached a reader.
    lost: usize,
    /// A version of a row reached a reader more than once.
    doubled: usize,
    /// Numbers or versions went down, or two readers got different numbers for the same.
    disordered: usize,
    /// A write that was answered before another was sent has the larger number.
    turned: usize,
    /// A poll that began after the answer and came to the end lacked the write.
    stale: usize,
}

/// What all tasks of a run share.
struct Run {
    writer: Caller,
    reader: Caller,
    written: RefCell<Vec<Written>>,
    stale: Cell<usize>,
    stalling: Cell<bool>,
    /// The overtaking writers end with the stalled ones.
    overtaking: Cell<bool>,
    /// Until every write is answered.
    writing: Cell<bool>,
}

/// The municipality whose row is locked again and again.
const LOCKED: &str = "1862";

impl Run {
    fn note(&self, key: &str, version: i64, sent: Instant, stalled: bool) {
        self.written.borrow_mut().push(Written {
            key: key.to_owned(),
            version,
            sent,
            acknowledged: Instant::now(),
            stalled,
        });
    }

    async fn page(&self, cursor: &str, limit: u32) -> (Vec<Seen>, String, bool) {
        let path = format!("/changes?types=partners,projects&cursor={cursor}&limit={limit}");
        let page = self.reader.get(&path).await.expect(200);
        let seen = page["items"].as_array().unwrap().iter().map(|item| {
            if item["op"] == "upsert" {
                assert_eq!(
                    item["version"], item["data"]["version"],
                    "one state of the database"
                );
            }
            Seen {
                seq: item["seq"].as_str().unwrap().parse().unwrap(),
                key: item["key"].as_str().unwrap().to_owned(),
                version: item["version"].as_i64().unwrap(),
            }
        });
        let cursor = page["nextCursor"].as_str().unwrap().to_owned();
        (seen.collect(), cursor, page["hasMore"] == true)
    }

    async fn to_the_end(&self, cursor: &str) -> (Vec<Seen>, String) {
        let (mut all, mut cursor) = (Vec::new(), cursor.to_owned());
        loop {
            let (seen, next, more) = self.page(&cursor, 1000).await;
            all.extend(seen);
            cursor = next;
            if !more {
                return (all, cursor);
            }
        }
    }

    /// Projects whose row is written before their areas, one of which is locked by then.
    async fn stalled_writer(&self, name: usize) {
        for n in 0..6 {
            let sent = Instant::now();
            let more = json!({"areas": ["1880", LOCKED]});
            let path = add(
                &self.writer,
                "/projects",
                project(&format!("S{name}-{n}"), more),
            )
            .await;
            self.note(id(&path), 1, sent, true);
            let sent = Instant::now();
            let again = json!({"title": format!("S{name}-{n} igen")});
            let reply = self.writer.patch(&path, "*", &again).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.note(id(&path), reply.version(), sent, true);
        }
    }

    /// Partners, one statement each; all writers of this kind change one of them together.
    async fn overtaking_writer(&self, name: usize, hot: String) {
        let (_, mut cursor) = self.to_the_end("").await;
        for n in 0.. {
            if !self.overtaking.get() {
                return;
            }
            let sent = Instant::now();
            let path = add(
                &self.writer,
                "/partners",
                partner(&format!("O{name}-{n}"), json!({})),
            )
            .await;
            self.note(id(&path), 1, sent, false);
            let sent = Instant::now();
            let reply = match n % 4 {
                0 => {
                    let (seen, end) = self.to_the_end(&cursor).await;
                    cursor = end;
                    let fresh = seen.iter().any(|seen| seen.key == id(&path));
                    self.stale.set(self.stale.get() + usize::from(!fresh));
                    continue;
                }
                1 => {
                    self.writer
                        .patch(&path, "*", &json!({"description": "Ändrad"}))
                        .await
                }
                2 => {
                    self.writer.delete(&path, "*").await.expect(204);
                    self.note(id(&path), 2, sent, false);
                    continue;
                }
                _ => {
                    let text = json!({"description": format!("Av {name}, gång {n}")});
                    let reply = self.writer.patch(&hot, "*", &text).await;
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    self.note(id(&hot), reply.version(), sent, false);
                    continue;
                }
            };
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.note(id(&path), reply.version(), sent, false);
        }
    }

    /// Reads until the writers are done and there is nothing left. One that crashes forgets every third page and begins
    /// again where it was.
    async fn reader(&self, limit: u32, crashes: bool) -> Read {
        let (mut read, mut cursor) = (Read::default(), String::new());
        for turn in 0.. {
            let last = !self.writing.get();
            let (seen, next, more) = self.page(&cursor, limit).await;
            if crashes && turn % 3 == 0 && !last {
                continue;
            }
            read.seen.extend(seen);
            cursor = next;
            if turn % 5 == 0 {
                read.saved.push((read.seen.len(), cursor.clone()));
            }
            if last && !more {
                break;
            }
            if !more {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        read
    }
}

/// Holds the lock of one area again and again, so that whoever refers to it waits.
async fn stall(app_target: connect::Target, run: Rc<Run>) {
    let mut conn = connect::open(&app_target, Work::Migrate).await.unwrap();
    let lock = format!("BEGIN; SELECT FROM areas WHERE code = '{LOCKED}' FOR UPDATE");
    while run.stalling.get() {
        conn.batch_execute(&lock).await.unwrap();
        tokio::time::sleep(Duration::from_millis(120)).await;
        conn.batch_execute("COMMIT").await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes commits overlap. Says what went wrong, and how many stalled writes were overtaken by one that was sent later and
/// answered earlier.
async fn overlap(app: &TestApp) -> (Faults, usize) {
    let admin = app.admin();
    let hot = add(&admin, "/partners", partner("Delad", json!({}))).await;
    let run = Rc::new(Run {
        writer: admin,
        reader: app.caller(&[SyncRead, RegistryRead], &["18"]),
        written: RefCell::default(),
        stale: Cell::new(0),
        stalling: Cell::new(true),
        overtaking: Cell::new(true),
        writing: Cell::new(true),
    });
    let stalling = spawn(stall(app.state.db.target().clone(), Rc::clone(&run)));
    let readers: Vec<_> = [(1000, false), (3, false), (50, true)]
        .into_iter()
        .map(|(limit, crashes)| {
            let run = Rc::clone(&run);
            spawn(async move { run.reader(limit, crashes).await })
        })
        .collect();
    let overtaking: Vec<_> = (0..3)
        .map(|name| {
            let (run, hot) = (Rc::clone(&run), hot.clone());
            spawn(async move { run.overtaking_writer(name, hot).await })
        })
        .collect();
    join_all((0..3).map(|name| run.stalled_writer(name))).await;
    run.overtaking.set(false);
    for task in overtaking {
        task.await.unwrap();
    }
    run.writing.set(false);
    let mut reads = Vec::new();
    for reader in readers {
        reads.push(reader.await.unwrap());
    }
    run.stalling.set(false);
    stalling.await.unwrap();
    let overtaken = overtaken(&run.written.borrow());
    (judge(&run, &reads).await, overtaken)
}

fn overtaken(written: &[Written]) -> usize {
    let overtakes = |one: &Written, other: &Written| {
        other.sent > one.sent && other.acknowledged < one.acknowledged
    };
    let stalled = written.iter().filter(|one| one.stalled);
    stalled
        .filter(|one| {
            written
                .iter()
                .any(|other| !other.stalled && overtakes(one, other))
        })
        .count()
}

async fn judge(run: &Run, reads: &[Read]) -> Faults {
    let mut faults = Faults {
        stale: run.stale.get(),
        ..Faults::default()
    };
    let (all, _) = run.to_the_end("").await;
    let newest: BTreeMap<&str, i64> = all
        .iter()
        .map(|seen| (seen.key.as_str(), seen.version))
        .collect();
    let mut acknowledged: HashMap<&str, i64> = HashMap::new();
    let written = run.written.take();
    for write in &written {
        let version = acknowledged.entry(&write.key).or_default();
        *version = write.version.max(*version);
    }
    for (key, version) in &acknowledged {
        assert_eq!(
            newest.get(key),
            Some(version),
            "what was answered is in the feed at its end"
        );
    }
    let mut numbers: HashMap<(&str, i64), i64> = HashMap::new();
    for seen in reads.iter().flat_map(|read| &read.seen).chain(&all) {
        let number = *numbers.entry((&seen.key, seen.version)).or_insert(seen.seq);
        faults.disordered += usize::from(number != seen.seq);
    }
    for read in reads {
        let mut have: HashMap<&str, i64> = HashMap::new();
        let mut once = HashSet::new();
        for (n, seen) in read.seen.iter().enumerate() {
            faults.doubled += usize::from(!once.insert((&seen.key, seen.version)));
            let before = have.insert(&seen.key, seen.version);
            let rises = n == 0 || read.seen[n - 1].seq < seen.seq;
            faults.disordered +=
                usize::from(!rises || before.is_some_and(|before| before > seen.version));
        }
        faults.lost += missing(&newest, &have);
        // From every saved place the rest leads to the same end.
        for (length, cursor) in read.saved.iter().rev().step_by(read.saved.len() / 6 + 1) {
            let mut have: HashMap<&str, i64> = HashMap::new();
            let (rest, _) = run.to_the_end(cursor).await;
            for seen in read.seen[..*length].iter().chain(&rest) {
                have.insert(&seen.key, seen.version);
            }
            faults.lost += missing(&newest, &have);
        }
    }
    let numbered = |write: &Written| numbers.get(&(write.key.as_str(), write.version)).copied();
    for one in &written {
        for other in written.iter().filter(|other| one.acknowledged < other.sent) {
            if let (Some(first), Some(second)) = (numbered(one), numbered(other)) {
                faults.turned += usize::from(first >= second);
            }
        }
    }
    faults
}

fn missing(newest: &BTreeMap<&str, i64>, have: &HashMap<&str, i64>) -> usize {
    newest
        .iter()
        .filter(|(key, version)| have.get(*key) != Some(*version))
        .count()
}

#[actix_web::test]
async fn no_reader_misses_a_write_that_was_overtaken() {
    let app = TestApp::with_pool(12).await;
    let (faults, overtaken) = overlap(&app).await;
    assert!(overtaken >= 12, "the commits did not overlap: {overtaken}");
    assert_eq!(faults, Faults::default());
}

/// The control: numbers taken when a row is written, without the lock, as most feeds do it.
const NUMBERED_AT_WRITE: &str = "DO $do$
DECLARE
    emit text := pg_get_functiondef('feed_emit'::regproc);
    watched text;
BEGIN
    EXECUTE replace(replace(emit, 'PERFORM feed_lock();', ''), 'PERFORM feed_begin_epoch();', '');
    FOREACH watched IN ARRAY ARRAY['partners', 'projects'] LOOP
        EXECUTE format('DROP TRIGGER feed ON %I', watched);
        EXECUTE format('CREATE TRIGGER feed AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION feed_emit(%L)',
            watched, watched);
    END LOOP;
END
$do$";

#[actix_web::test]
async fn a_feed_that_is_numbered_at_write_loses_writes_in_the_same_test() {
    let app = TestApp::with_pool(12).await;
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    conn.batch_execute(NUMBERED_AT_WRITE).await.unwrap();
    let (faults, overtaken) = overlap(&app).await;
    assert!(overtaken >= 12, "the commits did not overlap: {overtaken}");
    assert!(faults.lost > 0, "{faults:?}");
}
