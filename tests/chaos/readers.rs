//! Clients that keep a copy.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::client::Client;
use crate::stage::Stage;
use crate::writers::ROWS;

/// A change as a reader got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub seq: i64,
    pub of: String,
    pub key: String,
    pub version: i64,
}

/// A copy, and everything by which it came to be.
#[derive(Clone, Default)]
pub struct Copy {
    pub cursor: String,
    /// Type and key, with the version.
    pub rows: BTreeMap<(String, String), i64>,
    pub seen: Vec<Seen>,
    /// Places from which it could have begun again: how much it had by then, and the cursor.
    pub saved: Vec<(usize, String)>,
    /// How many rows it has of each import that is all or nothing.
    imports: HashMap<String, usize>,
    /// How often it was up to date and had a part of one.
    pub torn: usize,
}

impl Copy {
    /// Nothing yet, of a feed that is followed from this place.
    pub fn from(cursor: &str) -> Self {
        Self {
            cursor: cursor.to_owned(),
            ..Self::default()
        }
    }

    /// Takes the next page in; whether there are more.
    pub async fn next(&mut self, client: &Client, types: &str, limit: u32, wait: u32) -> bool {
        let path = format!(
            "/changes?cursor={}&limit={limit}&wait={wait}{types}",
            self.cursor
        );
        let page = client.get(&path).await;
        for item in page["items"].as_array().into_iter().flatten() {
            self.take(item);
        }
        if let Some(cursor) = page["nextCursor"].as_str() {
            cursor.clone_into(&mut self.cursor);
        }
        let more = page["hasMore"] == true;
        if !more {
            self.torn += self
                .imports
                .values()
                .filter(|rows| **rows % ROWS != 0)
                .count();
        }
        more
    }

    /// Takes an event in.
    fn hear(&mut self, event: &str) {
        for line in event.lines() {
            if let Some(data) = line.strip_prefix("data:") {
                self.take(&serde_json::from_str(data).unwrap());
            }
        }
        let id = event.lines().find_map(|line| line.strip_prefix("id:"));
        if let Some(id) = id {
            id.trim().clone_into(&mut self.cursor);
            if self.seen.len() % 200 == 199 {
                self.saved.push((self.seen.len(), self.cursor.clone()));
            }
        }
    }

    fn take(&mut self, item: &Value) {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        let version = item["version"].as_i64().unwrap();
        let key = text("key");
        self.seen.push(Seen {
            seq: text("seq").parse().unwrap(),
            of: text("type"),
            key: key.clone(),
            version,
        });
        let place = (text("type"), key);
        if item["op"] == "upsert" {
            let data = &item["data"];
            assert_eq!(data["version"], version, "one state of the database");
            let name = data["name"].as_str().or(data["title"].as_str());
            let import = name.and_then(|name| Some(name.split_once(':')?.0.to_owned()));
            let new = self.rows.insert(place, version).is_none();
            if let Some(import) = import.filter(|mark| new && mark.starts_with('i')) {
                *self.imports.entry(import).or_default() += 1;
            }
        } else {
            self.rows.remove(&place);
        }
    }

    /// The digest of each type, as docs/SYNC.md has it.
    pub fn digests(&self) -> BTreeMap<String, (usize, String)> {
        let mut sums: BTreeMap<String, (usize, u64)> = BTreeMap::new();
        for ((of, key), version) in &self.rows {
            let hash = Sha256::digest(format!("{key}:{version}"));
            let sum = sums.entry(of.clone()).or_default();
            sum.0 += 1;
            sum.1 ^= u64::from_be_bytes(hash[..8].try_into().unwrap());
        }
        let told = sums
            .into_iter()
            .map(|(of, (rows, sum))| (of, (rows, format!("{sum:016x}"))));
        told.collect()
    }
}

/// Follows the feed as a stream of events until all writers are done, and reads what is left page by page. A stream that
/// breaks off is taken up after the last event that came whole.
pub async fn listen(stage: Rc<Stage>, client: Client, habit: Habit) -> Copy {
    let mut copy = Copy::default();
    while stage.is_writing() {
        let path = format!("/changes?{}", habit.types.trim_start_matches('&'));
        if let Some(mut answer) = client.events(&path, &copy.cursor).await {
            stage.ledger.listen();
            let mut text = Vec::new();
            while stage.is_writing() {
                let Ok(come) = timeout(Duration::from_secs(1), answer.chunk()).await else {
                    continue;
                };
                let Ok(Some(piece)) = come else {
                    break;
                };
                text.extend_from_slice(&piece);
                while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                    let event: Vec<u8> = text.drain(..end + 2).collect();
                    copy.hear(std::str::from_utf8(&event).unwrap());
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    while copy.next(&client, habit.types, habit.limit, 0).await {}
    copy
}

/// What a reader asks for.
#[derive(Clone, Copy)]
pub struct Habit {
    pub limit: u32,
    pub wait: u32,
    pub types: &'static str,
    /// Loses what it did not store, again and again.
    pub crashes: bool,
    /// Has no rights where the rows are.
    pub abroad: bool,
    /// Follows the stream of events, not pages.
    pub listens: bool,
}

/// Follows the feed until all writers are done and there is nothing left.
pub async fn follow(stage: Rc<Stage>, client: Client, habit: Habit) -> Copy {
    let (mut copy, mut stored) = (Copy::default(), Copy::default());
    for turn in 1.. {
        let last = !stage.is_writing();
        let more = copy
            .next(&client, habit.types, habit.limit, habit.wait)
            .await;
        if turn % 5 == 0 {
            copy.saved.push((copy.seen.len(), copy.cursor.clone()));
        }
        if habit.crashes && !last {
            match turn % 7 {
                0 => copy = stored.clone(),
                3 => stored = copy.clone(),
                _ => {}
            }
        }
        if last && !more {
            break;
        }
        if !more {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    copy
}
