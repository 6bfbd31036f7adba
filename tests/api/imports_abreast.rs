//! Files of observations that are written two parts at a time: whatever becomes of one of the two, each row is done once,
//! and what is done is the beginning of the file.

use std::fmt::Write;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use reqwest::Method;
use rstest::rstest;
use samverkan::db::connect::{self, Work};
use serde_json::{Value, json};

use crate::imports::{CSV, SUBJECTS, counting, ended, import, location, other_worker, until};
use crate::support::{Caller, TestApp};

const PARTIAL: &str = "type=observations&mode=partial";
/// Rows of a report: twelve subjects by two genders by fourteen ages.
const EACH: usize = 336;
const PLACES: [&str; 12] = [
    "1814", "1860", "1861", "1862", "1863", "1864", "1880", "1881", "1882", "1883", "1884", "1885",
];

/// The row `n` of a report: they are of twelve municipalities and many years.
fn row(report: usize, n: usize) -> String {
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

/// What is in the database: observations, rows of the import that are told as created, the position of its last row, reports,
/// how many versions of them are kept, and the highest of those that they have.
async fn there(app: &TestApp) -> There {
    let sql = "SELECT (SELECT count(*) FROM observations) AS observations,
            (SELECT coalesce(sum(rows), 0) FROM import_rows WHERE outcome = 'created') AS told,
            (SELECT coalesce(max(position + rows - 1), -1) FROM import_rows) AS last,
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
    let (app, office) = counting().await;
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

/// The part behind waits for the reports that the part ahead has locked. Where a file is parted does not depend on how often
/// somebody had to begin again: its reports change as often as without.
#[rstest]
#[case::whole(false)]
#[case::taken_up(true)]
#[actix_web::test]
async fn parts_that_share_their_reports_are_written_one_after_the_other(#[case] dies: bool) {
    let (app, office) = counting().await;
    let held = if dies {
        Some(hold_up(&app, 2).await)
    } else {
        None
    };
    let reports = 52;
    let path = sent(&app, &office, file(reports, true)).await;
    if let Some(held) = held {
        until(&app, "SELECT done AS n FROM imports", 2_000).await;
        let other = other_worker(&app, held).await;
        ended(&office, &path).await;
        other.stop().await;
    }
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
    if !dies {
        let again = sent(&app, &office, file(52, true)).await;
        assert_eq!(ended(&office, &again).await["counts"]["unchanged"], rows);
    }
}

/// Holds up this write of observations, counted from 1, until the connection is dropped. The part behind it is written
/// meanwhile, if it is of other reports.
async fn hold_up(app: &TestApp, at: u32) -> AsyncPgConnection {
    let sql = format!("CREATE SEQUENCE writes;
        CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('writes') = {at} THEN
                PERFORM set_config('lock_timeout', '0', true);
                PERFORM pg_advisory_xact_lock(4711);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER hold_up BEFORE INSERT ON observations FOR EACH STATEMENT EXECUTE FUNCTION hold_up();
        SELECT pg_advisory_lock(4711)");
    let mut conn = connection(app).await;
    conn.batch_execute(&sql).await.unwrap();
    conn
}

/// Until the part behind has done all that it may do before the part ahead.
async fn until_one_waits_behind(app: &TestApp) {
    let sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()
        AND state = 'idle in transaction' AND query LIKE '%INSERT INTO import_rows%'";
    until(app, sql, 1).await;
}

/// How far an import says it is, held against what is there.
async fn whole_so_far(app: &TestApp, told: &Value) -> i64 {
    let (done, there) = (told["done"].as_i64().unwrap(), there(app).await);
    let written = (there.observations, there.told, there.last + 1);
    assert_eq!(written, (done, done, done), "{told}");
    assert_eq!(told["counts"]["created"], done);
    done
}

/// What becomes of an import whose part ahead is held up.
#[derive(Clone, Copy)]
enum Then {
    GoesOn,
    Cancelled,
    Dies,
}

/// Two parts are written at the same time, and nothing of the part behind is there before the part ahead.
#[rstest]
#[case::goes_on(Then::GoesOn)]
#[case::cancelled(Then::Cancelled)]
#[case::died(Then::Dies)]
#[actix_web::test]
async fn what_is_done_is_the_beginning_of_the_file(#[case] then: Then) {
    let (app, office) = counting().await;
    let held = hold_up(&app, 1).await;
    let path = sent(&app, &office, file(52, false)).await;
    until_one_waits_behind(&app).await;
    let told = office.get(&path).await.expect(200);
    assert_eq!(whole_so_far(&app, &told).await, 0);
    let rows = i64::try_from(52 * EACH).unwrap();
    match then {
        Then::GoesOn => drop(held),
        Then::Cancelled => {
            let asked = office.send(Method::DELETE, &path, &[], None).await;
            assert_eq!(asked.expect(200)["cancelAsked"], true);
            drop(held);
            let told = ended(&office, &path).await;
            assert_eq!(told["state"], "cancelled", "{told}");
            assert!(whole_so_far(&app, &told).await < rows);
            return;
        }
        Then::Dies => {
            let other = other_worker(&app, held).await;
            ended(&office, &path).await;
            other.stop().await;
        }
    }
    let told = ended(&office, &path).await;
    assert_eq!(told["state"], "done", "{told}");
    assert_eq!(whole_so_far(&app, &told).await, rows);
}

/// The part ahead is written, but the worker does not hear of it: it goes on from there.
#[actix_web::test]
async fn a_part_ahead_whose_commit_was_not_heard_of_is_not_written_again() {
    let (app, office) = counting().await;
    let held = hold_up(&app, 1).await;
    let path = sent(&app, &office, file(52, false)).await;
    until_one_waits_behind(&app).await;
    // A first part has 2 000 rows, and those that the last of its reports has more.
    let first = 6 * i64::try_from(EACH).unwrap();
    let sql = format!(
        "UPDATE imports SET done = {first}, counts = '{{\"created\": {first}}}';
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"
    );
    connection(&app).await.batch_execute(&sql).await.unwrap();
    drop(held);
    let told = ended(&office, &path).await;
    let rows = 52 * i64::try_from(EACH).unwrap();
    assert_eq!(
        (&told["done"], &told["counts"]["created"]),
        (&json!(rows), &json!(rows))
    );
    let there = there(&app).await;
    assert_eq!(
        (there.observations, there.told),
        (rows - first, rows - first)
    );
}
