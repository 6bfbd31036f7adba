//! Clients that write without a pause. Each write carries a mark that no other has.

use std::rc::Rc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Reply, Request};
use crate::ledger::{Imported, Said};
use crate::stage::{Keys, Stage};

/// Rows of a file of partners.
pub const ROWS: usize = 120;
/// Rows of a large file of observations: more than are written in one transaction.
const MANY: usize = 8_400;
/// So many large files are sent at the most: readers get each report again and again.
const LARGE: usize = 5;
/// The municipalities that a file of observations tells of, in turn.
const PLACES: [&str; 4] = ["1880", "1862", "1883", "1885"];

/// Writes rows one by one: new, changed, deleted, and one that everybody changes.
pub async fn one_by_one(stage: Rc<Stage>, name: usize, shared: String) {
    let client = &stage.writer;
    let mut cursor = String::new();
    for n in 0.. {
        if !stage.is_on() {
            return;
        }
        let mark = format!("w{name}-{n}");
        let sent = Instant::now();
        let (path, body) = if n % 3 == 0 {
            let body =
                json!({"title": mark, "scope": "local", "area": "1880", "areas": ["1880", "1862"]});
            ("/projects", body)
        } else {
            (
                "/partners",
                json!({"name": mark, "category": "other", "area": "1880"}),
            )
        };
        let reply = post(&stage, path, &body, n % 3 == 1).await;
        if reply.status != 201 {
            stage.ledger.blame(format!("POST {path} {mark}: {reply:?}"));
            continue;
        }
        let id = reply.id().to_owned();
        stage.ledger.note(&id, 1, sent);
        stage
            .ledger
            .made
            .borrow_mut()
            .push((mark.clone(), id.clone()));
        match n % 4 {
            0 => cursor = stage.looks_fresh(client, cursor, &id).await,
            1 => patch(&stage, &format!("{path}/{id}"), 1, &format!("{mark} igen")).await,
            2 => delete(&stage, &format!("{path}/{id}"), 1).await,
            _ => {
                let version = client.get(&shared).await["version"].as_i64().unwrap();
                patch(&stage, &shared, version, &format!("{mark} delad")).await;
            }
        }
    }
}

async fn post(stage: &Stage, path: &str, body: &Value, hangs_up: bool) -> Reply {
    let key = Uuid::now_v7().to_string();
    let mut headers = vec![("Content-Type", "application/json")];
    if stage.keys == Keys::Sent {
        headers.push(("Idempotency-Key", &key));
    }
    let mut request = Request::new(Method::POST, path, &headers, body.to_string().into_bytes());
    request.patience = hangs_up.then_some(Duration::from_millis(8));
    stage.writer.insist(request).await
}

/// Changes a row that is expected to be at this version. If it has changed, it was by this very request or by somebody else:
/// what it is now tells.
async fn patch(stage: &Stage, path: &str, version: i64, mark: &str) {
    let sent = Instant::now();
    let tag = format!("\"{version}\"");
    let headers = [
        ("Content-Type", "application/merge-patch+json"),
        ("If-Match", tag.as_str()),
    ];
    let body = json!({"description": mark}).to_string().into_bytes();
    let reply = stage
        .writer
        .insist(Request::new(Method::PATCH, path, &headers, body))
        .await;
    let id = path.rsplit('/').next().unwrap();
    let current = &reply.body["current"];
    match reply.status {
        200 => stage.ledger.note(id, reply.version(), sent),
        412 if current["description"] == mark => {
            stage
                .ledger
                .note(id, current["version"].as_i64().unwrap(), sent);
        }
        // Somebody else was faster, or changed it since: the answer is lost, but not what was written over.
        412 if current["version"].as_i64() > Some(version) => {}
        _ => stage.ledger.blame(format!("PATCH {path}: {reply:?}")),
    }
}

async fn delete(stage: &Stage, path: &str, version: i64) {
    let sent = Instant::now();
    let tag = format!("\"{version}\"");
    let headers = [("If-Match", tag.as_str())];
    let request = Request::new(Method::DELETE, path, &headers, Vec::new());
    let reply = stage.writer.insist(request).await;
    match reply.status {
        204 | 410 => stage
            .ledger
            .note(path.rsplit('/').next().unwrap(), version + 1, sent),
        _ => stage.ledger.blame(format!("DELETE {path}: {reply:?}")),
    }
}

/// Sends files: answered at once, as jobs of all or nothing, and as jobs that are written part by part.
pub async fn files(stage: Rc<Stage>, name: usize) {
    for n in 0.. {
        if !stage.is_on() {
            return;
        }
        let (mode, job) = match n % 4 {
            1 => ("atomic", true),
            3 => ("partial", true),
            _ => ("atomic", false),
        };
        let mark = format!("i{name}-{n}");
        let line = |n| json!({"name": format!("{mark}:{n}"), "category": "other", "area": "1880"});
        let file = File {
            mark: &mark,
            of: "partners",
            rows: ROWS,
            makes: ROWS,
            body: body(ROWS, line),
        };
        file.send(&stage, mode, job).await;
    }
}

/// Sends files of observations, each of a source of its own: some small, some that are written in more than one part.
pub async fn observations(stage: Rc<Stage>) {
    for n in 0.. {
        if !stage.is_on() {
            return;
        }
        let mark = format!("o{n}");
        let source = json!({"title": mark, "publisher": "Kaos", "area": "SE"});
        let answer = post(&stage, "/sources", &source, false).await;
        if answer.status != 201 {
            stage
                .ledger
                .blame(format!("POST /sources {mark}: {answer:?}"));
            continue;
        }
        let source = answer.id();
        let (rows, mode) = match n % 4 {
            0 if n / 4 < LARGE => (MANY, "partial"),
            2 if n / 4 < LARGE => (MANY, "atomic"),
            _ => (ROWS, "partial"),
        };
        let line = |n: usize| {
            let (place, own) = (PLACES[n % PLACES.len()], n / PLACES.len());
            let gender = ["girls", "boys"][own / 100 % 2];
            let subject = SUBJECTS[own / 200 % SUBJECTS.len()];
            json!({"source": source, "period": "2025", "area": place, "measure": "pupil_places", "value": n,
                "ageBand": format!("{0}-{0}", own % 100), "gender": gender, "subject": subject})
        };
        let file = File {
            mark: &mark,
            of: "observations",
            rows,
            makes: PLACES.len(),
            body: body(rows, line),
        };
        file.send(&stage, mode, true).await;
    }
}

const SUBJECTS: [&str; 12] = [
    "dance",
    "circus",
    "visual_arts",
    "film_animation",
    "photography",
    "music_ensemble",
    "music_instrument_vocal",
    "musical",
    "writing",
    "crafts",
    "theatre_drama",
    "other",
];

fn body(rows: usize, line: impl Fn(usize) -> Value) -> Vec<u8> {
    let lines = (0..rows).map(|n| line(n).to_string() + "\n");
    lines.collect::<String>().into_bytes()
}

struct File<'a> {
    mark: &'a str,
    of: &'static str,
    rows: usize,
    makes: usize,
    body: Vec<u8>,
}

impl File<'_> {
    /// Sends it until it is taken, and waits until it is done.
    async fn send(self, stage: &Stage, mode: &str, job: bool) {
        let Self { mark, rows, .. } = self;
        let key = Uuid::now_v7().to_string();
        let mut headers = vec![
            ("Content-Type", "application/x-ndjson"),
            ("Idempotency-Key", key.as_str()),
        ];
        if job {
            headers.push(("Prefer", "respond-async"));
        }
        let path = format!("/imports?type={}&strategy=create&mode={mode}", self.of);
        let reply = stage
            .writer
            .insist(Request::new(Method::POST, &path, &headers, self.body))
            .await;
        let mut import = reply.body.clone();
        match reply.status {
            200 | 207 => {}
            202 => {
                let place = format!("/imports/{}", reply.id());
                while import["finishedAt"].is_null() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    import = stage.writer.get(&place).await;
                }
            }
            _ => stage.ledger.blame(format!("import {mark}: {reply:?}")),
        }
        let created = import["counts"]["created"].as_u64().unwrap_or_default();
        let said = if import["state"] == "done" && created == rows as u64 {
            Said::Done
        } else {
            // The file is good and nobody cancelled it: it has to be done, whatever died meanwhile.
            import["rows"] = Value::Null;
            stage
                .ledger
                .blame(format!("import {mark} is not done: {import}"));
            Said::Nothing
        };
        stage.ledger.imported.borrow_mut().push(Imported {
            id: import["id"].as_str().unwrap_or_default().to_owned(),
            mark: mark.to_owned(),
            rows,
            makes: self.makes,
            said,
        });
    }
}
