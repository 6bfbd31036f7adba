//! The clients of docs/clients, run against the real program: killed at any moment, with the service killed under them,
//! and with other rights all of a sudden, they come to the server's digest.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Set by `make test`, which installs what is needed: then a program that is missing is a failure.
const REQUIRED: &str = "REQUIRE_CLIENTS";
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/clients");

/// Whether a program is there. If it is not, the test says so and is passed over, unless it must not be.
fn have(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "{program} is missing; `make setup-tests` installs it"
        );
        // Not by eprintln, which is captured: nobody should take this for a test that was run.
        let skipped =
            format!("SKIPPED: {program} is missing, so its client in docs/clients is not tested\n");
        std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    found
}

/// A directory that every user may enter; removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("samverkan-follow-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn samverkan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samverkan"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("SAMVERKAN_") || text == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}

/// Starts the service, and says where it is.
fn serve(data: &str, bind: &str) -> (Running, String) {
    let mut process = samverkan(&["serve", "--demo", "--data-dir", data, "--bind", bind])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let running = Running(process);
    let (_, address) = line
        .split_once("http://")
        .unwrap_or_else(|| panic!("no address in {line:?}"));
    (running, address.split('/').next().unwrap().to_owned())
}

/// A client of the service: its id and secret.
struct Account(String, String);

fn account(data: &str, permissions: &[&str], areas: &[&str]) -> Account {
    let mut command = samverkan(&[
        "client",
        "create",
        "--json",
        "--name",
        "Ett kontor",
        "--data-dir",
        data,
    ]);
    for permission in permissions {
        command.args(["--permission", permission]);
    }
    for area in areas {
        command.args(["--area", area]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let made: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Account(text("clientId"), text("clientSecret"))
}

/// Someone who writes, and asks what a copy must come to.
struct Caller {
    http: reqwest::Client,
    origin: String,
    token: String,
}

impl Caller {
    async fn new(address: &str, Account(id, secret): &Account) -> Self {
        // A connection for each request: the service may have died since the one before.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let origin = format!("http://{address}");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let answer = http.post(format!("{origin}/oauth/token")).form(&form);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self {
            http,
            origin,
            token,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/samverkan/v1{path}", self.origin);
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(&self.token)
            .header("If-Match", "*");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Ten rows come, and are changed at once.
    async fn write(&self, round: usize) -> Vec<String> {
        let paths = self.add(round).await;
        self.change(&paths).await;
        paths
    }

    /// Ten rows come.
    async fn add(&self, round: usize) -> Vec<String> {
        let mut paths = Vec::new();
        for n in 0..10 {
            let state = if n % 2 == 0 { "draft" } else { "published" };
            let area = if n % 4 < 2 { "1480" } else { "1880" };
            let partner = json!({"name": format!("Rad {round}.{n} å\u{2028}ä"), "category": "other", "area": area, "state": state});
            let row = self.send(Method::POST, "/partners", Some(partner)).await;
            paths.push(format!("/partners/{}", row["id"].as_str().unwrap()));
        }
        paths
    }

    /// Of ten rows two go, two change, and two leave for a county that the office does not see: one of them is a draft.
    async fn change(&self, paths: &[String]) {
        for (n, path) in paths.iter().enumerate() {
            match n % 5 {
                0 => drop(self.send(Method::DELETE, path, None).await),
                1 => {
                    let change = json!({"name": format!("Ändrad {path}")});
                    self.send(Method::PATCH, path, Some(change)).await;
                }
                2 => {
                    let change = json!({"area": "1280"});
                    self.send(Method::PATCH, path, Some(change)).await;
                }
                _ => {}
            }
        }
    }

    /// What a whole copy adds up to, by kind.
    async fn digest(&self) -> Value {
        let answer = self.send(Method::GET, "/sync/digest", None).await;
        let types = answer["types"].as_array().unwrap();
        let sums = types.iter().filter(|of| of["rows"] != 0).map(|of| {
            let sum = json!({"rows": of["rows"], "digest": of["digest"]});
            (of["type"].as_str().unwrap().to_owned(), sum)
        });
        Value::Object(sums.collect())
    }
}

/// A program of docs/clients, and the file of its copy.
struct Follower {
    program: Vec<String>,
    origin: String,
    copy: String,
    account: Account,
}

impl Follower {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command
            .args(&self.program[1..])
            .args([&self.origin, &self.copy])
            .args(arguments)
            .env("SAMVERKAN_CLIENT_ID", &self.account.0)
            .env("SAMVERKAN_CLIENT_SECRET", &self.account.1)
            .env("no_proxy", "*")
            .stdin(Stdio::null());
        command
    }

    fn start(&self) -> Running {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(format!("{}.log", self.copy))
            .unwrap();
        Running(self.command(&[]).stderr(log).spawn().unwrap())
    }

    /// What the copy adds up to.
    fn digest(&self) -> Value {
        let output = self.command(&["--digest"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs until the copy is up to date and checked; what it says.
    fn once(&self) -> String {
        let output = self.command(&["--once"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    fn log(&self) -> String {
        fs::read_to_string(format!("{}.log", self.copy)).unwrap()
    }

    async fn comes_to(&self, caller: &Caller) {
        let began = Instant::now();
        loop {
            let (own, theirs) = (self.digest(), caller.digest().await);
            if own == theirs {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(90),
                "{own}\n{theirs}\n{}",
                self.log()
            );
            sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The whole story of one program. `damage` takes a partner out of its copy, behind its back.
async fn follows(name: &str, program: Vec<String>, damage: impl Fn(&Path)) {
    let directory = Directory::new(name);
    let data = directory.join("data");
    let (mut service, address) = serve(&data, "127.0.0.1:0");
    let everything = [
        "registry:read",
        "registry:write",
        "sync:read",
        "participation:read",
        "contacts:read",
        "clients:admin",
    ];
    let admin = Caller::new(&address, &account(&data, &everything, &["SE"])).await;
    let rights = [
        "registry:read",
        "sync:read",
        "participation:read",
        "contacts:read",
    ];
    let follower = Follower {
        program,
        origin: format!("http://{address}"),
        copy: directory.join("copy"),
        account: account(&data, &rights, &["18", "14"]),
    };

    // What the copy holds, and has to lose again.
    let early = admin.add(0).await;
    let mut running = follower.start();
    let office = Caller::new(&address, &follower.account).await;
    follower.comes_to(&office).await;
    admin.change(&early).await;
    follower.comes_to(&office).await;
    assert!(!follower.log().contains("anew"), "{}", follower.log());

    for round in 1..9 {
        admin.write(round).await;
        match round {
            // Killed in the middle of whatever it does.
            2 | 5 | 7 => {
                drop(running);
                admin.write(100 + round).await;
                running = follower.start();
            }
            // The service dies under it, and is back where it was.
            4 => {
                drop(service);
                service = serve(&data, &address).0;
            }
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
    follower.comes_to(&office).await;
    let whole = follower.digest();
    assert!(whole["partners"]["rows"].as_u64() > Some(80), "{whole}");

    // Fewer areas: what it may not see any more leaves the copy.
    let clients = admin.send(Method::GET, "/clients?limit=100", None).await;
    let clients = clients["items"].as_array().unwrap();
    let own = clients
        .iter()
        .find(|client| client["clientId"] == follower.account.0)
        .unwrap();
    let path = format!("/clients/{}", own["id"].as_str().unwrap());
    admin
        .send(Method::PATCH, &path, Some(json!({"areas": ["18"]})))
        .await;
    let office = Caller::new(&address, &follower.account).await;
    follower.comes_to(&office).await;
    assert_ne!(follower.digest(), whole);
    assert!(
        follower.log().contains("scope_changed"),
        "{}",
        follower.log()
    );
    drop(running);

    admin.write(200).await;
    let said = follower.once();
    assert!(
        said.contains("agrees with the server") && !said.contains("anew"),
        "{said}"
    );
    assert_eq!(follower.digest(), office.digest().await);

    // A fault of the copy is found, and mended by making it anew.
    damage(Path::new(&follower.copy));
    assert_ne!(follower.digest(), office.digest().await, "it is damaged");
    let said = follower.once();
    assert!(said.contains("differs from the server"), "{said}");
    assert_eq!(follower.digest(), office.digest().await);
    drop(service);
}

#[actix_web::test]
async fn the_client_in_python_keeps_an_exact_copy() {
    if !have("python3") {
        return;
    }
    let program = ["python3".to_owned(), format!("{CLIENTS}/follow.py")];
    follows("python", program.to_vec(), |copy| {
        let statement = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as file:\n    file.execute(\"DELETE FROM rows WHERE key = (SELECT min(key) FROM rows WHERE type = 'partners')\")";
        let done = Command::new("python3")
            .args(["-c", statement])
            .arg(copy)
            .status();
        assert!(done.unwrap().success());
    })
    .await;
}

#[actix_web::test]
async fn the_client_in_typescript_passes_its_checks_and_keeps_an_exact_copy() {
    if !have("tsc") || !have("node") {
        return;
    }
    let made = Directory::new("tsc");
    let output = Command::new("tsc")
        .args(["-p", CLIENTS, "--outDir", &made.join("js")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let program = ["node".to_owned(), made.join("js/follow.js")];
    follows("typescript", program.to_vec(), |copy| {
        // A row goes that nobody deleted; and a line that a crash left unfinished, which does no harm.
        let text = fs::read_to_string(copy).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let mut rows = lines
            .iter()
            .filter_map(|line| line["rows"].as_array())
            .flatten();
        let row = rows.rfind(|row| row["type"] == "measures").unwrap();
        let gone = json!({"type": row["type"], "key": row["key"], "version": row["version"], "data": null, "op": "delete"});
        let line = json!({"changes": [gone], "cursor": lines.last().unwrap()["cursor"]});
        let unfinished = &line.to_string()[..40];
        fs::write(copy, format!("{text}{line}\n{unfinished}")).unwrap();
    })
    .await;
}

/// What docs/SYNC.md shows of the programs is what they are.
#[test]
fn the_guide_shows_the_programs_as_they_are() {
    let guide = include_str!("../docs/SYNC.md");
    for (language, program) in [
        ("python", include_str!("../docs/clients/follow.py")),
        ("ts", include_str!("../docs/clients/follow.ts")),
    ] {
        let blocks: Vec<&str> = guide
            .split(&format!("```{language}\n"))
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        let shown = |block: &&&str| program.contains(**block);
        assert!(!blocks.is_empty());
        // The digest is shown by itself as well, as a few lines that need nothing around them.
        let own = blocks.iter().filter(|block| block.contains("def digest"));
        assert_eq!(
            blocks.iter().filter(shown).count() + own.count(),
            blocks.len()
        );
        assert!(blocks.iter().any(|block| shown(&block)), "{language}");
    }
}
