//! What is true at the end: the answers that clients got, the database, the feed, and the copies.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::ledger::{Imported, Said, Written};
use crate::readers::{Copy, Seen};
use crate::service;
use crate::stage::Stage;

/// What went wrong, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// What was answered with success is not in the database, not in its history, or its newest version did not reach
    /// a reader.
    pub lost: usize,
    /// What was asked for once is there twice, or reached a reader twice.
    pub doubled: usize,
    /// A part of an import of all or nothing is there, or was seen by a reader who was up to date.
    pub torn: usize,
    /// Numbers or versions went down, or two readers got different numbers for the same.
    pub disordered: usize,
    /// A write that was answered before another was sent has the larger number.
    pub turned: usize,
    /// A poll that began after the answer and came to the end lacked the write.
    pub stale: usize,
    /// Answers that no client should get, and errors in the service's log.
    pub answers: usize,
    /// A copy does not come to the digest of the server.
    pub unequal: usize,
    /// The service ended by itself.
    pub ended: u32,
}

impl Stage {
    /// Holds everything that was told against everything that is.
    pub async fn judge(&self) -> Wrong {
        for error in service::errors(&self.place) {
            self.ledger.blame(error);
        }
        let copies = self.copies.take();
        let mut wrong = Wrong {
            stale: self.ledger.stale.get(),
            answers: self.ledger.wrong.borrow().len(),
            ended: self.service.ended(),
            torn: copies.iter().map(|(_, _, copy)| copy.torn).sum(),
            ..Wrong::default()
        };
        let mut all = Copy::default();
        while all.next(&self.reader, "", 1_000, 0).await {}
        let newest = versions(&all.seen);
        self.judge_database(&newest, &mut wrong).await;
        for (client, habit, copy) in &copies {
            // All reports are of another county.
            let seen_there = |seen: &Seen| !habit.abroad || seen.of != "reports";
            let asked = |seen: &&Seen| {
                (habit.types.is_empty() || habit.types.ends_with(&seen.of)) && seen_there(seen)
            };
            let newest = versions(all.seen.iter().filter(asked));
            judge_order(copy, &mut wrong);
            wrong.lost += missing(&newest, &versions(&copy.seen));
            // From every saved place the rest leads to the same end.
            for (length, cursor) in copy.saved.iter().rev().step_by(copy.saved.len() / 6 + 1) {
                let mut rest = Copy::from(cursor);
                while rest.next(client, habit.types, 1_000, 0).await {}
                let again = copy.seen[..*length].iter().chain(&rest.seen);
                wrong.lost += missing(&newest, &versions(again));
            }
            let path = format!("/sync/digest?cursor={}{}", copy.cursor, habit.types);
            let digest = client.get(&path).await;
            let mut told = BTreeMap::new();
            for of in digest["types"].as_array().unwrap() {
                let rows = usize::try_from(of["rows"].as_i64().unwrap()).unwrap();
                if rows > 0 {
                    let text = |name: &str| of[name].as_str().unwrap().to_owned();
                    told.insert(text("type"), (rows, text("digest")));
                }
            }
            let equal = digest["upToDate"] == true && told == copy.digests();
            wrong.unequal += usize::from(!equal);
        }
        let readers = copies.iter().flat_map(|(_, _, copy)| &copy.seen);
        self.judge_numbers(readers.chain(&all.seen), &mut wrong);
        wrong
    }

    async fn judge_database(&self, newest: &HashMap<&str, i64>, wrong: &mut Wrong) {
        let rows = "SELECT id::text, name, version FROM partners UNION ALL SELECT id::text, title, version FROM projects
            UNION ALL SELECT reports.id::text, title || ':' || reports.area_code, reports.version FROM reports JOIN sources ON sources.id = source_id";
        let rows = self.database.ask(rows).await;
        let mut by_key: HashMap<String, i64> = HashMap::new();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        for row in &rows {
            let (key, version): (String, i64) = (row.get(0), row.get(2));
            // Whatever is in the database is in the feed.
            wrong.lost += usize::from(newest.get(key.as_str()) != Some(&version));
            by_key.insert(key, version);
            *by_name.entry(row.get(1)).or_default() += 1;
        }
        for (name, rows) in by_name.iter().filter(|(_, rows)| **rows > 1) {
            println!("{name} is there {rows} times");
            wrong.doubled += rows - 1;
        }
        for (mark, key) in self.ledger.made.borrow().iter() {
            wrong.lost += usize::from(!by_key.contains_key(key) || !by_name.contains_key(mark));
        }
        let kept = "SELECT entity_key, version FROM history";
        let kept = self.database.ask(kept).await;
        let kept: HashSet<(String, i64)> =
            kept.iter().map(|row| (row.get(0), row.get(1))).collect();
        for write in self.ledger.written.borrow().iter() {
            wrong.lost += usize::from(!kept.contains(&(write.key.clone(), write.version)));
        }
        let twice = "SELECT row ->> 'description' FROM history WHERE op = 'update' AND entity_type <> 'reports' GROUP BY 1 HAVING count(*) > 1";
        for row in self.database.ask(twice).await {
            println!("{:?} was written twice", row.get::<_, Option<&str>>(0));
            wrong.doubled += 1;
        }
        let imported = self.ledger.imported.take();
        for import in &imported {
            let of = |name: &&String| {
                name.split_once(':')
                    .is_some_and(|(mark, _)| mark == import.mark)
            };
            let there = by_name.keys().filter(of).count();
            let done = import.said == Said::Done;
            wrong.torn += usize::from(there != if done { import.makes } else { 0 });
            let expected = if done { import.rows } else { 0 };
            // What became of each row can still be asked.
            let rows = format!("/imports/{}/rows?outcome=created&limit=1", import.id);
            let told = self.writer.get(&rows).await;
            wrong.lost += usize::from(told["_meta"]["totalRecords"] != expected);
        }
        self.judge_observations(&imported, wrong).await;
        self.ledger.imported.replace(imported);
    }

    /// Each row of a file of observations is there once, with its own value, and changed its report with all of its part.
    async fn judge_observations(&self, imported: &[Imported], wrong: &mut Wrong) {
        let there = "SELECT title, count(*), count(DISTINCT value), coalesce(max(value)::bigint, 0), max(reports.version)
            FROM observations JOIN reports ON reports.id = report_id JOIN sources ON sources.id = source_id GROUP BY title";
        let there = self.database.ask(there).await;
        let of = |import: &&Imported| import.makes < import.rows && import.said == Said::Done;
        for import in imported.iter().filter(of) {
            let rows = i64::try_from(import.rows).unwrap();
            let row = there
                .iter()
                .find(|row| row.get::<_, &str>(0) == import.mark);
            let told = row.map(|row| [row.get(1), row.get(2), row.get::<_, i64>(3) + 1]);
            wrong.lost += usize::from(told != Some([rows; 3]));
            // Made, and changed by each part of the file at the most.
            let most = 1 + rows.div_euclid(8_000) + 1;
            let changed = row.map_or(0, |row| row.get::<_, i64>(4));
            if changed > most {
                println!(
                    "a report of {} has version {changed}, not {most}",
                    import.mark
                );
                wrong.doubled += 1;
            }
        }
    }

    /// One number for each version, the same for all, in the order of the answers.
    fn judge_numbers<'a>(&self, all: impl Iterator<Item = &'a Seen>, wrong: &mut Wrong) {
        let mut numbers: HashMap<(&str, i64), i64> = HashMap::new();
        for seen in all {
            let number = *numbers.entry((&seen.key, seen.version)).or_insert(seen.seq);
            wrong.disordered += usize::from(number != seen.seq);
        }
        let written = self.ledger.written.borrow();
        let number = |write: &&Written| numbers.get(&(write.key.as_str(), write.version)).copied();
        let mut sent: Vec<&Written> = written
            .iter()
            .filter(|write| number(write).is_some())
            .collect();
        let mut acknowledged = sent.clone();
        sent.sort_by_key(|write| write.sent);
        acknowledged.sort_by_key(|write| write.acknowledged);
        let (mut before, mut highest) = (acknowledged.iter().peekable(), None);
        for write in sent {
            while let Some(one) = before.next_if(|one| one.acknowledged < write.sent) {
                highest = highest.max(number(one));
            }
            wrong.turned += usize::from(number(&write) <= highest);
        }
    }
}

fn judge_order(copy: &Copy, wrong: &mut Wrong) {
    let mut have: HashMap<&str, i64> = HashMap::new();
    let mut once = HashSet::new();
    let mut last = 0;
    for seen in &copy.seen {
        if !once.insert((&seen.key, seen.version)) {
            println!("a reader got {} {} twice", seen.key, seen.version);
            wrong.doubled += 1;
        }
        let before = have.insert(&seen.key, seen.version);
        let falls = seen.seq <= last || before.is_some_and(|before| before > seen.version);
        wrong.disordered += usize::from(falls);
        last = seen.seq;
    }
}

fn versions<'a>(seen: impl IntoIterator<Item = &'a Seen>) -> HashMap<&'a str, i64> {
    let versions = seen
        .into_iter()
        .map(|seen| (seen.key.as_str(), seen.version));
    versions.collect()
}

fn missing(newest: &HashMap<&str, i64>, have: &HashMap<&str, i64>) -> usize {
    let lacks = |(key, version): &(&&str, &i64)| have.get(**key) != Some(*version);
    newest.iter().filter(lacks).count()
}
