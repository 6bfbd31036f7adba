//! `samverkan synth`: what it loads, what it refuses, and that it goes on where it was interrupted.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use samverkan::db::connect::open_plain;
use samverkan::db::private::{Durability, PrivateCluster};
use samverkan::db::{Target, Work};
use tokio_postgres::Client;

/// A cluster in a directory of its own, removed at the end.
struct Cluster {
    server: Option<PrivateCluster>,
    directory: PathBuf,
}

impl Cluster {
    fn start(name: &str) -> Self {
        let directory =
            std::env::temp_dir().join(format!("samverkan-synth-{name}-{}", std::process::id()));
        let server = PrivateCluster::start(&directory, Durability::Fast, None).unwrap();
        Self {
            server: Some(server),
            directory,
        }
    }

    /// A database with the schema and the reference data.
    fn database(&self, name: &str) -> String {
        let server = self.server.as_ref().unwrap();
        create_database(server, name);
        let url = server.url(name);
        succeed(&url, &["migrate"]);
        url
    }
}

fn create_database(server: &PrivateCluster, name: &str) {
    let (url, statement) = (server.url("postgres"), format!("CREATE DATABASE {name}"));
    let creating = async move {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        actix_web::rt::spawn(connection);
        client.batch_execute(&statement).await.unwrap();
    };
    // On a thread of its own: the test may run on a runtime already.
    std::thread::spawn(|| actix_web::rt::System::new().block_on(creating))
        .join()
        .unwrap();
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn run(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_samverkan"))
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("SAMVERKAN_LOG", "error")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn succeed(url: &str, arguments: &[&str]) -> String {
    let output = run(url, arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

async fn open(url: &str) -> Client {
    open_plain(&Target::parse(url).unwrap(), Work::Write)
        .await
        .unwrap()
}

async fn number(client: &Client, question: &str) -> i64 {
    let row = client.query_one(question, &[]).await.unwrap();
    row.get(0)
}

/// Everything that was loaded, without the times.
const CONTENT: &str = "SELECT coalesce(md5(string_agg(line, ' ' ORDER BY line)), 'nothing') FROM (
    SELECT concat_ws(' ', o.id, report_id, measure_code, o.area_code, basis, gender, age_band, subject, activity_form, value,
        r.source_id, r.area_code, r.period_kind, r.period, r.first_day, r.last_day, r.state) AS line
    FROM observations AS o JOIN reports AS r ON r.id = report_id
    UNION ALL SELECT concat_ws(' ', id, area_code, year, gender, age_from, age_to, value, reference_date) FROM populations
    UNION ALL SELECT concat_ws(' ', id, title, publisher, state) FROM sources
    UNION ALL SELECT concat_ws(' ', code, name, scheme) FROM areas WHERE kind = 'district') AS lines";

async fn content(client: &Client) -> String {
    let row = client.query_one(CONTENT, &[]).await.unwrap();
    row.get(0)
}

/// What a table is besides its columns: keys, checks, indexes, triggers.
const DEFINITIONS: &str = "SELECT string_agg(line, chr(10) ORDER BY line) FROM (
    SELECT conname || ' ' || convalidated || ' ' || pg_get_constraintdef(oid) AS line FROM pg_constraint
    WHERE conrelid IN ('observations'::regclass, 'populations'::regclass)
    UNION ALL SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid FROM pg_index
    WHERE indrelid IN ('observations'::regclass, 'populations'::regclass)
    UNION ALL SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger
    WHERE tgrelid IN ('observations'::regclass, 'populations'::regclass) AND NOT tgisinternal) AS lines";

async fn definitions(client: &Client) -> String {
    let row = client.query_one(DEFINITIONS, &[]).await.unwrap();
    row.get(0)
}

const ROWS: &[&str] = &["synth", "--rows", "20000", "--seed", "3"];
const WROTE: &str =
    "wrote 20000 synthetic observations in 580 approved reports, and 115072 populations\n";
const THERE: &str = "this synthetic data is there already: nothing was loaded\n";

#[actix_web::test]
async fn what_is_loaded_is_labelled_complete_and_the_same_for_the_same_seed() {
    let cluster = Cluster::start("one");
    let url = cluster.database("one");
    let client = open(&url).await;
    let tables = definitions(&client).await;
    assert!(tables.lines().count() > 30, "{tables}");
    assert_eq!(succeed(&url, ROWS), WROTE);
    assert_eq!(definitions(&client).await, tables);
    let is = async |expected: i64, question: &str| {
        assert_eq!(number(&client, question).await, expected, "{question}");
    };
    is(20_000, "SELECT count(*) FROM observations").await;
    is(3, "SELECT count(*) FROM sources WHERE publisher = 'SYNTETISKA DATA' AND starts_with(title, publisher) AND state = 'published' AND NOT official_statistics").await;
    is(3, "SELECT count(*) FROM sources").await;
    // The feed tells of every row, once.
    is(115_072, "SELECT count(DISTINCT seq) FROM changes AS c JOIN populations AS p ON p.id::text = entity_key WHERE entity_type = 'populations' AND scope = '*' AND op = 'upsert' AND c.version = p.version").await;
    is(580, "SELECT count(*) FROM changes AS c JOIN reports AS r ON r.id::text = entity_key WHERE entity_type = 'reports'").await;
    is(3_400, "SELECT count(*) FROM areas WHERE kind = 'district' AND starts_with(name, 'Syntetiskt område') AND scheme = 'synthetic:regso' AND code ~ '^\\d{4}R\\d{3}$'").await;
    is(580, "SELECT count(DISTINCT (source_id, area_code)) FROM reports WHERE state = 'approved' AND period = '2024' AND length(area_code) = 4").await;
    // Residents of the country, its counties, its municipalities and its districts are the same number, by gender and in all.
    is(1, "SELECT count(DISTINCT sum) FROM (SELECT sum(value) FROM populations WHERE age_to - age_from = 13 GROUP BY length(area_code), area_code = 'SE', gender = 'total') AS s").await;
    is(1, "SELECT count(DISTINCT sum) FROM (SELECT sum(value) FROM populations WHERE gender <> 'total' GROUP BY length(area_code), area_code = 'SE', age_from = age_to) AS s").await;
    // What the row trigger would have refused is not there.
    is(0, "SELECT count(*) FROM observations AS o JOIN reports AS r ON r.id = o.report_id WHERE NOT starts_with(o.area_code, r.area_code) OR value < 0 OR value <> floor(value)").await;
    // More pupils than residents would block every publication.
    is(0, "SELECT count(*) FROM observations AS o JOIN populations AS p USING (area_code, gender) WHERE measure_code = 'pupils' AND age_band = age_from || '-' || age_to AND o.value > p.value").await;

    assert_eq!(succeed(&url, ROWS), THERE);
    let loaded = content(&client).await;
    let other = cluster.database("other");
    succeed(&other, ROWS);
    assert_eq!(content(&open(&other).await).await, loaded);

    // Another seed is other people in the same districts, beside rows that stay checked meanwhile.
    succeed(&url, &["synth", "--rows", "20000", "--seed", "4"]);
    assert_eq!(definitions(&client).await, tables);
    is(40_000, "SELECT count(*) FROM observations").await;
    is(3_400, "SELECT count(*) FROM areas WHERE kind = 'district'").await;
}

#[actix_web::test]
async fn a_load_that_breaks_off_leaves_nothing_and_can_be_begun_again() {
    let cluster = Cluster::start("broken");
    let url = cluster.database("broken");
    let client = open(&url).await;
    let tables = definitions(&client).await;
    let before = content(&client).await;
    // In the middle of the observations.
    let limit =
        "ALTER TABLE observations ADD CONSTRAINT none_of_umea CHECK (area_code NOT LIKE '2480%')";
    client.batch_execute(limit).await.unwrap();
    let output = run(&url, ROWS);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("none_of_umea"), "{told}");
    client
        .batch_execute("ALTER TABLE observations DROP CONSTRAINT none_of_umea")
        .await
        .unwrap();
    assert_eq!(definitions(&client).await, tables);
    assert_eq!(content(&client).await, before);
    assert_eq!(succeed(&url, ROWS), WROTE);
}

#[actix_web::test]
async fn invented_numbers_do_not_get_among_real_ones_by_mistake() {
    let cluster = Cluster::start("real");
    let url = cluster.database("real");
    succeed(&url, &["demo"]);
    let client = open(&url).await;
    let before = content(&client).await;
    let output = run(&url, ROWS);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--beside-real-data"), "{told}");
    assert_eq!(content(&client).await, before);

    let beside: Vec<&str> = ROWS.iter().copied().chain(["--beside-real-data"]).collect();
    // A real district of the same code is not made an invented one.
    let real = "INSERT INTO areas (code, kind, name, parent_code, scheme) VALUES ('1880R001', 'district', 'Varberga', '1880', 'regso-2025')";
    client.batch_execute(real).await.unwrap();
    let output = run(&url, &beside);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("1880R001"), "{told}");
    client
        .batch_execute("DELETE FROM areas WHERE code = '1880R001'")
        .await
        .unwrap();
    assert_eq!(succeed(&url, &beside), WROTE);
}

#[actix_web::test]
async fn a_database_without_the_schema_is_told_what_to_do() {
    let cluster = Cluster::start("empty");
    let server = cluster.server.as_ref().unwrap();
    create_database(server, "empty");
    let output = run(&server.url("empty"), ROWS);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("samverkan migrate"), "{told}");
}
