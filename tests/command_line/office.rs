//! A service with the demo data, its clients, and copies of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Directory, Service, samverkan, succeed};

const BASE: &str = "/samverkan/v1";
/// What an office may do.
pub const ALL: &str = "registry:read,registry:write,contacts:read,participation:read,participation:write,imports:write,sync:read";

/// A service and its directory, both of which end with it.
pub struct Office {
    pub service: Service,
    pub directory: Directory,
}

/// A client of it.
#[derive(Clone)]
pub struct Client {
    id: String,
    secret: String,
    origin: String,
}

impl Office {
    pub fn open() -> Self {
        let directory = Directory::new();
        let service = Service::start(&directory.join("data"), &["--demo"]);
        Self { service, directory }
    }

    pub fn client(&self, areas: &str) -> Client {
        let data = self.directory.join("data");
        let made = succeed(
            samverkan(&["client", "create", "--json", "--data-dir", &data]).args([
                "--name",
                "Kontoret",
                "--permission",
                ALL,
                "--area",
                areas,
            ]),
        );
        let made: Value = serde_json::from_str(&made).unwrap();
        Client {
            id: made["clientId"].as_str().unwrap().to_owned(),
            secret: made["clientSecret"].as_str().unwrap().to_owned(),
            origin: self.service.origin.clone(),
        }
    }
}

impl Client {
    /// The same, with another secret.
    pub fn with_secret(&self, secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            ..self.clone()
        }
    }

    /// The same, of a service somewhere else.
    pub fn at(&self, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            ..self.clone()
        }
    }

    /// A command of this client.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = samverkan(arguments);
        command
            .env("SAMVERKAN_URL", &self.origin)
            .env("SAMVERKAN_CLIENT_ID", &self.id)
            .env("SAMVERKAN_CLIENT_SECRET", &self.secret);
        command
    }

    pub fn pull(&self, folder: &Path) -> Command {
        self.command(&["pull", "--dir", folder.to_str().unwrap()])
    }

    /// A pull that must succeed, and what it says.
    #[track_caller]
    pub fn pulled(&self, folder: &Path) -> String {
        succeed(&mut self.pull(folder))
    }

    pub async fn token(&self) -> String {
        let answer = reqwest::Client::new()
            .post(format!("{}/oauth/token", self.origin))
            .basic_auth(&self.id, Some(&self.secret))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = reqwest::Client::new()
            .request(method, format!("{}{BASE}{path}", self.origin))
            .bearer_auth(self.token().await)
            .header("If-Match", "*");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = if status == StatusCode::NO_CONTENT {
            Value::Null
        } else {
            answer.json().await.unwrap()
        };
        (status.as_u16(), body)
    }

    /// A new partner, and its id.
    pub async fn add_partner(&self, name: &str) -> String {
        let partner = json!({"name": name, "category": "sports_association", "area": "1880"});
        let (status, made) = self.send(Method::POST, "/partners", Some(partner)).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// What the service says that a complete copy comes to, by kind.
    pub async fn digest(&self) -> BTreeMap<String, (u64, String)> {
        let (status, digest) = self.send(Method::GET, "/sync/digest", None).await;
        assert_eq!(status, 200, "{digest}");
        by_kind(&digest["types"])
    }
}

fn by_kind(types: &Value) -> BTreeMap<String, (u64, String)> {
    let kinds = types.as_array().unwrap().iter().map(|kind| {
        let text = |name: &str| kind[name].as_str().unwrap().to_owned();
        (
            text("type"),
            (kind["rows"].as_u64().unwrap(), text("digest")),
        )
    });
    kinds.collect()
}

/// The state that a folder is in, and the rows that it holds by kind.
pub struct Held {
    pub place: PathBuf,
    pub told: BTreeMap<String, (u64, String)>,
    pub rows: BTreeMap<String, Vec<Value>>,
}

impl Held {
    /// Of a folder; none if there is no state in it yet.
    pub fn of(folder: &Path) -> Option<Self> {
        let place = fs::canonicalize(folder.join("current")).ok()?;
        let state: Value =
            serde_json::from_slice(&fs::read(place.join("state.json")).unwrap()).unwrap();
        let told = by_kind(&state["types"]);
        let read = |of: &String| {
            let text = fs::read_to_string(place.join(format!("{of}.ndjson"))).unwrap();
            let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
            (of.clone(), rows.collect())
        };
        let rows = told.keys().map(read).collect();
        Some(Self { place, told, rows })
    }

    /// What the rows come to, reckoned as docs/SYNC.md says and not as the program does.
    pub fn reckoned(&self) -> BTreeMap<String, (u64, String)> {
        let digest = |rows: &Vec<Value>| {
            let hashes = rows.iter().map(|row| {
                let key = row["id"].as_str().or(row["code"].as_str()).unwrap();
                let hash = Sha256::digest(format!("{key}:{}", row["version"]));
                u64::from_be_bytes(hash[..8].try_into().unwrap())
            });
            let xor = hashes.fold(0, |all, one| all ^ one);
            (rows.len() as u64, format!("{xor:016x}"))
        };
        self.rows
            .iter()
            .map(|(of, rows)| (of.clone(), digest(rows)))
            .collect()
    }

    /// A table of the state: its headings, and the cells by heading.
    pub fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let mut table = csv::Reader::from_path(self.place.join(name)).unwrap();
        table.deserialize().map(Result::unwrap).collect()
    }

    /// One whole state: the rows are what `state.json` says, and the tables have the same rows.
    #[track_caller]
    pub fn assert_whole(&self) {
        assert_eq!(self.reckoned(), self.told);
        for (of, rows) in &self.rows {
            let cells = self.table(&format!("{of}.csv"));
            let key =
                |row: &BTreeMap<String, String>| row.get("id").or(row.get("code")).unwrap().clone();
            let own = |row: &Value| {
                let key = row["id"].as_str().or(row["code"].as_str());
                key.unwrap().to_owned()
            };
            let keys: Vec<String> = cells.iter().map(key).collect();
            assert_eq!(keys, rows.iter().map(own).collect::<Vec<_>>(), "{of}");
            assert!(keys.is_sorted(), "{of}");
            let versions: Vec<&String> = cells.iter().map(|row| &row["version"]).collect();
            let own = rows.iter().map(|row| row["version"].to_string());
            assert!(own.eq(versions.into_iter().cloned()), "{of}");
        }
    }
}

/// The exit code, what went to standard output, and what went to standard error.
pub fn outcome(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    (
        status.code().unwrap(),
        super::text(&stdout),
        super::text(&stderr),
    )
}
