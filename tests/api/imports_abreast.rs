//! Files of observations that are written two parts at a time: whatever becomes of one of the two, each row is done once,
//! and what is done is the beginning of the file.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use rstest::rstest;
use samverkan::db::connect::{self, Work};
use samverkan::sync::imports::job::Importer;
use serde_json::{Value, json};

use crate::imports::{CSV, ended, import, location, measure, office, wait};
use crate::rows::add;
use crate::support::{Caller, TestApp};

const PARTIAL: &str = "type=observations&mode=partial";
/// Rows of a report: twelve subjects by two genders by fourteen ages.
const EACH: usize = 336;
const PLACES: [&str; 12] = [
    "1814", "1860", "1861", "1862", "1863", "1864", "1880", "1881", "1882", "1883", "1884", "1885",
];

/// The row `n` of a report: they are of twelve municipalities and many years.
fn row(report: usize, n: usize) -> String {
    const SUBJECTS: [&str; 12] = [
        "visual_arts",
        "circus",
        "dance",
        "film_animation",
        "photography",
        "music_instrument_vocal",
        "music_ensemble",
        "musical",
        "writing",
        "crafts",
        "theatre_drama",
        "other",
    ];
    let (area, year) = (PLACES[report % 12], 2000 + report / 12);
    let gender = ["girls", "boys"][n % 2];
    let (age, subject) = (6 + n / 2 % 14, SUBJECTS[n / 28 % 12]);
    format!(
        "S,{year},{area},pupils,{gender},{age}-{age},{subject},{}\n",
        1 + n % 40
    )
}

/// A file in which the rows of a report stand together, or come in turn.
fn file(reports: usize, in_turn: bool) -> String {
    let mut file = "source,period,area,measure,gender,ageBand,subject,value\n".to_owned();
    for n in 0..reports * EACH {
        let (report, n) = if in_turn {
            (n % reports, n / reports)
        } else {
            (n / EACH, n % EACH)
        };
        write!(file, "{}", row(report, n)).unwrap();
    }
    file
}

async fn start() -> (TestApp, Caller) {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["18"]);
    let source = json!({"title": "S", "publisher": "P", "area": "18"});
    add(&office, "/sources", source).await;
    (app, office)
}

async fn sent(app: &TestApp, office: &Caller, file: String) -> String {
    location(app, &import(office, PARTIAL, CSV, file).await)
}

/// A connection that breaks at each of these writes of observations, counted from 1, as if it had been cut.
async fn breaks(app: &TestApp, at: &str) {
    let sql = format!(
        "CREATE SEQUENCE writes;
        CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('writes') = ANY ('{{{at}}}') THEN
                PERFORM pg_terminate_backend(pg_backend_pid());
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER cut BEFORE INSERT ON observations FOR EACH STATEMENT EXECUTE FUNCTION cut()"
    );
    connection(app).await.batch_execute(&sql).await.unwrap();
}

async fn connection(app: &TestApp) -> AsyncPgConnection {
    connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap()
}

#[derive(QueryableByName, Debug, PartialEq)]
struct There {
    #[diesel(sql_type = BigInt)]
    observations: i64,
    #[diesel(sql_type = BigInt)]
    told: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = BigInt)]
    reports: i64,
    #[diesel(sql_type = BigInt)]
    versions: i64,
    #[diesel(sql_type = BigInt)]
    highest: i64,
}

/// What is in the database: observations, rows of the import that were told, the position of the last of them, reports, the
/// sum of their versions and how many of those are kept, and the highest.
async fn there(app: &TestApp) -> There {
    let sql = "SELECT (SELECT count(*) FROM observations) AS observations,
            (SELECT count(*) FROM import_rows WHERE outcome = 'created') AS told,
            (SELECT coalesce(max(position), -1) FROM import_rows) AS last,
            count(*) AS reports, coalesce(max(version), 0) AS highest,
            (SELECT count(*) FROM history WHERE entity_type = 'reports') AS versions
        FROM reports";
    let mut conn = connection(app).await;
    diesel::sql_query(sql).get_result(&mut conn).await.unwrap()
}

/// All rows of the file are there, and each report was made and filled by one transaction.
#[rstest]
#[case::whole("")]
#[case::ahead("1")]
#[case::behind("2")]
#[case::both("1,2")]
#[case::again("1,2,3,4")]
#[case::last("3")]
#[actix_web::test]
async fn each_row_is_written_once_whatever_becomes_of_one_of_two_parts(#[case] cut: &str) {
    let (app, office) = start().await;
    breaks(&app, cut).await;
    let reports = 52;
    let path = sent(&app, &office, file(reports, false)).await;
    let told = ended(&office, &path).await;
    let rows = i64::try_from(reports * EACH).unwrap();
    assert_eq!(told["state"], "done", "{told}");
    assert_eq!(told["counts"]["created"], rows, "{told}");
    let reports = i64::try_from(reports).unwrap();
    let expected = There {
        observations: rows,
        told: rows,
        last: rows - 1,
        reports,
        versions: 2 * reports,
        highest: 2,
    };
    assert_eq!(there(&app).await, expected);
}

/// The part behind waits for the reports that the part ahead has locked.
#[actix_web::test]
async fn parts_that_share_their_reports_are_written_one_after_the_other() {
    let (app, office) = start().await;
    let reports = 52;
    let path = sent(&app, &office, file(reports, true)).await;
    let told = ended(&office, &path).await;
    let rows = i64::try_from(reports * EACH).unwrap();
    assert_eq!(told["counts"]["created"], rows, "{told}");
    let there = there(&app).await;
    assert_eq!((there.observations, there.told), (rows, rows));
    let reports = i64::try_from(reports).unwrap();
    // Each of them was made, and has rows in each of three parts.
    assert_eq!(
        (there.reports, there.versions, there.highest),
        (reports, 4 * reports, 4)
    );
    let again = sent(&app, &office, file(52, true)).await;
    assert_eq!(ended(&office, &again).await["counts"]["unchanged"], rows);
}

/// Holds a report of the file until it is dropped, so that the part with its rows stops there.
async fn hold(app: &TestApp, office: &Caller, report: usize) -> AsyncPgConnection {
    let (area, year) = (PLACES[report % 12], 2000 + report / 12);
    let new = json!({"source": {"title": "S"}, "area": area, "periodKind": "year", "period": year.to_string()});
    add(office, "/reports", new).await;
    let mut conn = connection(app).await;
    let sql = format!(
        "BEGIN; SELECT FROM reports WHERE area_code = '{area}' AND period = '{year}' FOR UPDATE"
    );
    conn.batch_execute(&sql).await.unwrap();
    conn
}

/// How far an import says it is, held against what is there.
async fn whole_so_far(app: &TestApp, told: &Value) -> i64 {
    let (done, there) = (told["done"].as_i64().unwrap(), there(app).await);
    let written = (there.observations, there.told, there.last + 1);
    assert_eq!(written, (done, done, done), "{told}");
    assert_eq!(told["counts"]["created"], done);
    done
}

/// The part behind has written its rows, and waits: nothing of it is there before the part ahead is.
#[rstest]
#[case::cancelled(true)]
#[case::died(false)]
#[actix_web::test]
async fn what_is_done_is_the_beginning_of_the_file(#[case] cancelled: bool) {
    let (app, office) = start().await;
    let reports = 76;
    // In the third part, which is the one ahead of the second pair.
    let held = hold(&app, &office, 55).await;
    let path = sent(&app, &office, file(reports, false)).await;
    let told = wait(&office, &path, |told| told["done"] != 0).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = whole_so_far(&app, &wait(&office, &path, |now| now["done"] != 0).await).await;
    assert!(before >= told["done"].as_i64().unwrap());
    if cancelled {
        office.send(reqwest::Method::DELETE, &path, &[], None).await;
        drop(held);
        let told = ended(&office, &path).await;
        assert_eq!(told["state"], "cancelled", "{told}");
        whole_so_far(&app, &told).await;
        return;
    }
    app.state.importer.stop().await;
    drop(held);
    app.state.db.write(async |mut conn| {
        let sql = "UPDATE imports SET holder = gen_random_uuid(), leased_until = clock_timestamp() - interval '1 second'";
        diesel::sql_query(sql).execute(&mut conn).await?;
        Ok(())
    }).await.unwrap();
    let other = Importer::new(Arc::clone(&app.state.db), 1024);
    other.wake().unwrap();
    let told = ended(&office, &path).await;
    assert_eq!(told["state"], "done", "{told}");
    let rows = i64::try_from(reports * EACH).unwrap();
    assert_eq!(whole_so_far(&app, &told).await, rows);
    other.stop().await;
}
