//! The program from outside: what it prints, and how it refuses.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod office;
mod pull;
mod push;
mod tls;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use rstest::rstest;
use samverkan::access::secret::{PresentedSecret, SecretText};
use samverkan::db::connect::{self, Target, Work};
use samverkan::db::private::{Durability, PrivateCluster, running_url};
use serde_json::Value;

/// A wrong setting is told within this time.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// The program with these arguments, in an environment that holds nothing of ours.
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The standard output of a command that must succeed.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A directory of its own for one test, that every user may enter; removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("samverkan-cli-{}-{number}", std::process::id()));
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

/// One line on standard error, nothing on standard output, exit code 2, and soon.
fn refusal(command: &mut Command) -> String {
    let began = Instant::now();
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let took = began.elapsed();
    let line = text(&stderr);
    assert_eq!(status.code(), Some(2), "{line}");
    assert!(took < REFUSED_WITHIN, "it took {took:?}");
    assert_eq!(text(&stdout), "");
    assert!(
        line.ends_with('\n') && line.lines().count() == 1,
        "not one line: {line:?}"
    );
    line
}

#[rstest]
#[case("SAMVERKAN_BIND", "--bind", &["", "8080", "localhost", "127.0.0.1", "127.0.0.1:70000"])]
#[case("SAMVERKAN_METRICS_BIND", "--metrics-bind", &["", "9464"])]
#[case("DATABASE_URL", "--database-url", &["", "mysql://hunter2@host/db", "postgres://", "postgres://u:hunter2@host:x/db", "postgres://u:hunter2@host/db?sslmode=require"])]
#[case("SAMVERKAN_DATA_DIR", "--data-dir", &["", "/dev/null/data", "/proc/data"])]
#[case("PG_BIN_DIR", "--pg-bin-dir", &["", "/nowhere"])]
#[case("SAMVERKAN_PUBLIC_URL", "--public-url", &["", "example.se", "https://example.se?a=b"])]
#[case("SAMVERKAN_CORS_ORIGIN", "--cors-origin", &["", "*", "https://a.se,b.se", "https://a.se/path"])]
#[case("SAMVERKAN_ISSUER", "--issuer", &["", "me"])]
#[case("SAMVERKAN_AUDIENCE", "--audience", &["", " "])]
#[case("SAMVERKAN_WORKERS", "--workers", &["", "0", "-1", "many", "257"])]
#[case("SAMVERKAN_POOL_SIZE", "--pool-size", &["", "0", "1000"])]
#[case("SAMVERKAN_EXPORTS", "--exports", &["", "0", "65"])]
#[case("SAMVERKAN_STATISTICS_CACHE_MIB", "--statistics-cache-mib", &["", "-1", "64MB", "65536"])]
#[case("SAMVERKAN_DRAIN_SECONDS", "--drain-seconds", &["", "25s"])]
#[case("SAMVERKAN_DRAIN_DELAY_SECONDS", "--drain-delay-seconds", &["", "-1"])]
#[case("SAMVERKAN_LOG_FORMAT", "--log-format", &["", "xml"])]
#[case("SAMVERKAN_LOG", "--log", &["", "inof", "samverkan=loud"])]
#[case("SAMVERKAN_DEMO", "--demo", &["", "perhaps"])]
#[case("SAMVERKAN_NO_DOCS", "--no-docs", &["", "perhaps"])]
fn a_wrong_variable_is_refused_by_its_name(
    #[case] variable: &str,
    #[case] flag: &str,
    #[case] values: &[&str],
) {
    for value in values {
        let line = refusal(samverkan(&["serve"]).env(variable, value));
        assert!(
            line.contains(variable) && line.contains(flag),
            "{value:?}: {line}"
        );
        assert!(!line.contains("hunter2"), "it tells a password: {line}");
    }
}

#[rstest]
#[case(&["serve", "--bind", "x"], "SAMVERKAN_BIND (--bind)")]
#[case(&["serve", "--bind", "127.0.0.1:80", "--metrics-bind", "127.0.0.1:80"], "SAMVERKAN_METRICS_BIND (--metrics-bind)")]
#[case(&["serve", "--bnid", "x"], "'--bind'")]
#[case(&["migrate", "--bind", "127.0.0.1:0"], "'--bind'")]
#[case(&["client", "create", "--area", "SE", "--permission", "publish"], "--name")]
#[case(&["client", "create", "--name", "A", "--area", "SE", "--permission", "rule:world"], "--permission")]
#[case(&["client", "create", "--name", "A", "--area", "Örebro", "--permission", "publish"], "--area")]
#[case(&["client", "create", "--name", " ", "--area", "SE", "--permission", "publish"], "--name")]
#[case(&["client", "revoke"], "<CLIENT_ID>")]
#[case(&["client"], "create, list, rotate, revoke")]
#[case(&["keys", "rotate", "--data-dir", "/nowhere"], "SAMVERKAN_DATA_DIR (--data-dir)")]
#[case(&["synth"], "--rows")]
#[case(&["synth", "--rows", "16239"], "--rows")]
#[case(&["synth", "--rows", "58072001"], "a whole number from 16240 to 58072000")]
#[case(&["synth", "--rows", "20000", "--seed=-1"], "--seed")]
#[case(&["pull"], "SAMVERKAN_URL (--url), SAMVERKAN_CLIENT_ID (--client-id), SAMVERKAN_DIR (--dir)")]
#[case(&["pull", "--url", "http://api.example.se"], "SAMVERKAN_URL (--url): 'http://api.example.se' is not accepted: the secret would be sent")]
#[case(&["pull", "--url", "https://localhost", "--client-id", "client_a", "--dir", "/tmp/x"], "SAMVERKAN_CLIENT_SECRET")]
#[case(&["pull", "--types", "partner"], "SAMVERKAN_TYPES (--types)")]
#[case(&["pull", "--lang", "de"], "SAMVERKAN_LANG (--lang)")]
#[case(&["pull", "--patience", "long"], "SAMVERKAN_PATIENCE (--patience)")]
#[case(&["start"], "'start'")]
#[case(&[], "serve, migrate, demo, publish, synth, pull, push, openapi, client, keys, version")]
fn a_wrong_command_line_is_refused_with_what_is_wrong(
    #[case] arguments: &[&str],
    #[case] told: &str,
) {
    let line = refusal(&mut samverkan(arguments));
    assert!(line.contains(told), "{line}");
}

#[test]
fn an_address_of_another_machine_is_refused() {
    let directory = Directory::new();
    let data = directory.join("data");
    // The port opens last, so what comes before it must have been done for the refusal to be quick.
    succeed(&mut samverkan(&["migrate", "--data-dir", &data]));
    let mut command = samverkan(&["serve", "--data-dir", &data, "--bind", "192.0.2.1:0"]);
    let line = refusal(command.env("SAMVERKAN_LOG", "error"));
    assert!(
        line.contains("SAMVERKAN_BIND (--bind): cannot listen on 192.0.2.1:0"),
        "{line}"
    );
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let data = directory.join("data");
    let keys = Path::new(&data).join("keys");
    samverkan::access::keys::KeyRing::load_or_create(&keys, samverkan::clock::now()).unwrap();
    let key = fs::read_dir(&keys)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some());
    fs::set_permissions(key.unwrap(), fs::Permissions::from_mode(0o644)).unwrap();
    let line = refusal(&mut samverkan(&["keys", "rotate", "--data-dir", &data]));
    assert!(
        line.contains("SAMVERKAN_DATA_DIR (--data-dir)") && line.contains("chmod 600"),
        "{line}"
    );
}

#[test]
fn a_variable_that_means_nothing_is_told_the_nearest_one() {
    let output = samverkan(&["version"])
        .env("SAMVERKAN_DATADIR", "/x")
        .output()
        .unwrap();
    assert!(output.status.success());
    let line = text(&output.stderr);
    assert!(
        line.contains("SAMVERKAN_DATADIR") && line.contains("did you mean SAMVERKAN_DATA_DIR?"),
        "{line}"
    );
}

#[rstest]
#[case("version")]
#[case("--version")]
fn the_version_is_that_of_the_package(#[case] word: &str) {
    assert_eq!(
        succeed(&mut samverkan(&[word])),
        concat!("samverkan ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn the_document_is_json_and_ends_with_a_line_break() {
    let text = succeed(&mut samverkan(&["openapi"]));
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert!(text.ends_with("}\n"));
}

#[test]
fn five_processes_that_migrate_an_empty_database_at_once_all_succeed_and_one_does_it() {
    let directory = Directory::new();
    let cluster = PrivateCluster::start(&directory.0.join("data"), Durability::Fast, None).unwrap();
    let migrate = || {
        let mut command = samverkan(&["migrate"]);
        command
            .env("DATABASE_URL", cluster.url("postgres"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let all: Vec<Child> = std::iter::repeat_with(migrate).take(5).collect();
    let mut ran = Vec::new();
    for process in all {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        ran.extend(
            text(&output.stdout)
                .lines()
                .filter(|line| line.starts_with("ran "))
                .map(str::to_owned),
        );
    }
    let migrations = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .unwrap()
        .count();
    assert_eq!(ran.len(), migrations, "{ran:?}");
    drop(cluster);
}

#[test]
fn commands_share_the_private_database_and_leave_nothing_running() {
    let directory = Directory::new();
    let data = directory.join("data");
    // Three at once on a directory that does not exist: one starts the server, the others join it or come after it.
    let create = |name: &str| {
        let arguments = [
            "client",
            "create",
            "--json",
            "--data-dir",
            &data,
            "--name",
            name,
        ];
        let mut command = samverkan(&arguments);
        command.args([
            "--permission",
            "registry:read,sync:read",
            "--area",
            "18",
            "--area",
            "1480",
        ]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let all: Vec<Child> = ["Ett", "Två", "Tre"].map(create).into();
    let mut ids = Vec::new();
    for process in all {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let members: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(members, ["clientId", "clientSecret"]);
        let secret = made["clientSecret"].as_str().unwrap().to_owned();
        assert!(PresentedSecret::parse(&SecretText::from(secret)).is_some());
        ids.push(made["clientId"].as_str().unwrap().to_owned());
    }
    let id = &ids[0];
    let rotated = succeed(&mut samverkan(&[
        "client",
        "rotate",
        id,
        "--data-dir",
        &data,
    ]));
    assert!(
        rotated.contains(id) && rotated.contains("smv_"),
        "{rotated}"
    );
    succeed(&mut samverkan(&[
        "client",
        "revoke",
        id,
        "--data-dir",
        &data,
    ]));
    let again = samverkan(&["client", "rotate", id, "--data-dir", &data])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1));
    let listed = succeed(&mut samverkan(&[
        "client",
        "list",
        "--json",
        "--data-dir",
        &data,
    ]));
    assert!(!listed.contains("smv_"), "a list tells no secret");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    for client in listed.as_array().unwrap() {
        assert!(ids.iter().any(|id| client["clientId"] == **id), "{client}");
        assert_eq!(client["areas"], serde_json::json!(["1480", "18"]));
        assert_eq!(
            client["revokedAt"].is_string(),
            client["clientId"] == **id,
            "{client}"
        );
    }
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert!(!Path::new(&data).join("postgres/postmaster.pid").exists());
}

/// A `samverkan serve` on a port of the system's choice, killed at the end if it still runs.
struct Service {
    process: Child,
    origin: String,
    rest: BufReader<std::process::ChildStdout>,
}

impl Service {
    fn start(data: &str, arguments: &[&str]) -> Self {
        Self::start_with_log(data, arguments, Stdio::null())
    }

    fn start_with_log(data: &str, arguments: &[&str], log: Stdio) -> Self {
        let serve = ["serve", "--data-dir", data, "--bind", "127.0.0.1:0"];
        Self::spawn(samverkan(&serve).args(arguments), log)
    }

    /// On a port that an earlier one had.
    fn start_at(data: &str, address: &str) -> Self {
        let serve = ["serve", "--data-dir", data, "--bind", address];
        Self::spawn(&mut samverkan(&serve), Stdio::null())
    }

    fn spawn(command: &mut Command, log: Stdio) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut rest = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).unwrap();
        let (_, address) = line
            .split_once("http://")
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        let origin = format!("http://{}", address.split('/').next().unwrap());
        Self {
            process,
            origin,
            rest,
        }
    }

    async fn status(&self, path: &str) -> u16 {
        reqwest::get(format!("{}{path}", self.origin))
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop, and gives the exit code and what it has printed since its first line.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let code = self.process.wait().unwrap().code();
        (code, std::io::read_to_string(&mut self.rest).unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[actix_web::test]
async fn a_service_starts_is_killed_starts_again_drains_and_stops_with_its_database() {
    let directory = Directory::new();
    let data = directory.join("data");
    let service = Service::start(&data, &[]);
    assert_eq!(service.status("/health/ready").await, 200);
    service.signal("-KILL");
    drop(service);

    let service = Service::start(
        &data,
        &[
            "--drain-delay-seconds",
            "2",
            "--metrics-bind",
            "127.0.0.1:0",
        ],
    );
    assert_eq!(service.status("/health/ready").await, 200);
    assert_eq!(service.status("/version").await, 200);
    // Another one on the same data would lose its database when this one stops.
    let mut other = samverkan(&["serve", "--data-dir", &data, "--bind", "127.0.0.1:0"]);
    let line = refusal(other.env("SAMVERKAN_LOG", "error"));
    let holder = format!("process {};", service.process.id());
    assert!(
        line.contains("SAMVERKAN_DATA_DIR (--data-dir)") && line.contains(&holder),
        "{line}"
    );
    // A short command joins it.
    succeed(&mut samverkan(&["client", "list", "--data-dir", &data]));
    assert_eq!(service.status("/health/ready").await, 200);

    service.signal("-TERM");
    let began = Instant::now();
    while service.status("/health/ready").await != 503 {
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "it does not say that it is about to stop"
        );
    }
    assert_eq!(service.status("/health/live").await, 200);
    let (code, said) = service.stop("-INT"); // the second signal ends the waiting
    assert_eq!(code, Some(0));
    let metrics = said
        .lines()
        .find(|line| line.trim_start().starts_with("metrics"));
    assert!(
        metrics.is_some_and(|line| line.ends_with("/metrics") && !line.contains(":0/")),
        "the address of the metrics is told: {said}"
    );
    assert!(!Path::new(&data).join("postgres/postmaster.pid").exists());
}

#[test]
fn a_service_waits_for_a_short_command_and_then_runs_its_own_database() {
    let directory = Directory::new();
    let data = directory.join("data");
    // What a short command does that came first.
    let first = PrivateCluster::start(Path::new(&data), Durability::Durable, None).unwrap();
    let service = std::thread::spawn(move || Service::start(&data, &[]));
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!service.is_finished());
    first.stop().unwrap();
    let (code, _) = service.join().unwrap().stop("-TERM");
    assert_eq!(code, Some(0));
}

#[actix_web::test]
async fn a_service_that_stops_waits_for_short_commands() {
    let directory = Directory::new();
    let data = directory.join("data");
    let service = Service::start(&data, &[]);
    let database = running_url(Path::new(&data), "samverkan").unwrap();
    // What a short command does as long as it works.
    let mut work = connect::open(&Target::parse(&database).unwrap(), Work::Write)
        .await
        .unwrap();
    work.batch_execute("SELECT pg_advisory_lock_shared(8102095857243120928)")
        .await
        .unwrap();
    service.signal("-TERM");
    actix_web::rt::time::sleep(Duration::from_secs(1)).await;
    work.batch_execute("SELECT 1").await.unwrap();
    drop(work);
    assert_eq!(service.stop("-TERM").0, Some(0));
    assert_eq!(running_url(Path::new(&data), "samverkan"), None);
}

#[actix_web::test]
async fn no_line_is_lost_when_the_service_is_told_to_stop() {
    let directory = Directory::new();
    let log = directory.0.join("log");
    let service = Service::start_with_log(
        &directory.join("data"),
        &["--log-format", "json"],
        fs::File::create(&log).unwrap().into(),
    );
    let requests = 200;
    for _ in 0..requests {
        assert_eq!(service.status("/version").await, 200);
    }
    let (code, _) = service.stop("-TERM");
    assert_eq!(code, Some(0));
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.ends_with('\n'));
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let answered = |line: &&Value| line["target"] == "access" && line["route"] == "/version";
    assert_eq!(lines.iter().filter(answered).count(), requests);
    assert!(lines.iter().any(|line| line["message"] == "stopped"));
}

#[actix_web::test]
async fn only_a_demo_has_a_client_that_nobody_made_and_its_secret_is_new_at_each_start() {
    let directory = Directory::new();
    let data = directory.join("data");
    let (code, said) = Service::start(&data, &[]).stop("-TERM");
    assert_eq!((code, said.contains("smv_")), (Some(0), false), "{said}");
    assert_eq!(
        succeed(&mut samverkan(&["client", "list", "--data-dir", &data])),
        ""
    );

    let mut secrets = Vec::new();
    for _ in 0..4 {
        let (code, said) = Service::start(&data, &["--demo"]).stop("-INT");
        assert_eq!(code, Some(0));
        let word = |begin: &str| {
            said.split_whitespace()
                .find(|word| word.starts_with(begin))
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            word("client_").len() > 16 && word("TOKEN=").len() > 100,
            "{said}"
        );
        assert_eq!(
            said.lines()
                .filter(|line| line.starts_with("curl -H"))
                .count(),
            3,
            "{said}"
        );
        secrets.push(word("smv_"));
    }
    let mut different = secrets.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 4, "{secrets:?}");
    let listed = succeed(&mut samverkan(&["client", "list", "--data-dir", &data]));
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn a_port_that_is_taken_is_no_fault_of_the_settings() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = Directory::new();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = samverkan(&[
        "serve",
        "--data-dir",
        &directory.join("data"),
        "--metrics-bind",
        &address,
    ]);
    let output = command.env("SAMVERKAN_LOG", "error").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("SAMVERKAN_METRICS_BIND (--metrics-bind)"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn publish_says_what_it_made_and_what_stands_in_the_way() {
    let directory = Directory::new();
    let cluster = PrivateCluster::start(&directory.0.join("data"), Durability::Fast, None).unwrap();
    let publish = |arguments: &[&str]| {
        let mut command = samverkan(&["publish", "--name"]);
        command
            .args(arguments)
            .env("DATABASE_URL", cluster.url("postgres"))
            .env("SAMVERKAN_LOG", "error");
        command
    };
    succeed(samverkan(&["migrate"]).env("DATABASE_URL", cluster.url("postgres")));
    let nothing = publish(&["2026.2"]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1));
    succeed(samverkan(&["demo"]).env("DATABASE_URL", cluster.url("postgres")));
    let unseen = publish(&["2026.2"]).output().unwrap();
    assert_eq!(unseen.status.code(), Some(1));
    assert!(
        text(&unseen.stderr).contains("missing_municipality"),
        "{}",
        text(&unseen.stderr)
    );
    let trial = succeed(&mut publish(&["2026.2", "--dry-run"]));
    assert!(
        trial.starts_with("would publish 2026.2: 117 observations of 81 reports as "),
        "{trial}"
    );
    let made = succeed(&mut publish(&["2026.2", "--acknowledge-all"]));
    assert_eq!(
        made.lines().next(),
        trial.replace("would publish", "published").lines().next()
    );
    assert!(
        made.contains("warning duplicate: ") && made.contains(", acknowledged"),
        "{made}"
    );
}
