//! Imports: files of every format, what becomes of each row, and jobs that outlive their worker.

use std::sync::Arc;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use reqwest::Method;
use rstest::rstest;
use samverkan::access::Permission as P;
use samverkan::db::connect::{self, Work};
use samverkan::sync::imports::job::Importer;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rows::{add, partner};
use crate::support::{Caller, Reply, TestApp};

/// What large files of observations are broken down by.
pub const SUBJECTS: [&str; 12] = [
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
pub const CSV: &str = "text/csv";
pub const JSON: &str = "application/json";
pub const NDJSON: &str = "application/x-ndjson";
const BASE: &str = "/samverkan/v1";
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

pub fn office(app: &TestApp, areas: &[&str]) -> Caller {
    let all = [
        P::RegistryRead,
        P::RegistryWrite,
        P::ParticipationRead,
        P::ParticipationWrite,
        P::ImportsWrite,
    ];
    app.caller(&all, areas)
}

/// Sends a file under a key.
async fn send(
    caller: &Caller,
    query: &str,
    media: &str,
    body: impl Into<Vec<u8>>,
    key: &str,
) -> Reply {
    let headers = [("Content-Type", media), ("Idempotency-Key", key)];
    caller
        .send(
            Method::POST,
            &format!("/imports?{query}"),
            &headers,
            Some(body.into()),
        )
        .await
}

/// Sends a file under a key of its own.
pub async fn import(caller: &Caller, query: &str, media: &str, body: impl Into<Vec<u8>>) -> Reply {
    send(caller, query, media, body, &Uuid::now_v7().to_string()).await
}

pub async fn import_json(caller: &Caller, query: &str, rows: Value) -> Reply {
    import(caller, query, JSON, rows.to_string()).await
}

/// The outcomes of the rows, in their order.
#[track_caller]
pub fn outcomes(answer: &Value) -> Vec<String> {
    let rows = answer["rows"].as_array().unwrap();
    let outcome = |row: &Value| row["outcome"].as_str().unwrap().to_owned();
    rows.iter().map(outcome).collect()
}

/// The code of the first error of a row.
#[track_caller]
pub fn error(answer: &Value, row: usize) -> &str {
    answer["rows"][row]["errors"][0]["code"].as_str().unwrap()
}

pub async fn total(caller: &Caller, path: &str) -> i64 {
    let page = caller.get(path).await.expect(200);
    page["_meta"]["totalRecords"].as_i64().unwrap()
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

pub async fn number(app: &TestApp, sql: &'static str) -> i64 {
    app.state
        .db
        .write(async |mut conn| {
            let number: Number = diesel::sql_query(sql).get_result(&mut conn).await?;
            Ok(number.n)
        })
        .await
        .unwrap()
}

/// Waits until an import is as it should be.
async fn wait(caller: &Caller, path: &str, good: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_200 {
        let import = caller.get(path).await.expect(200);
        if good(&import) {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", caller.get(path).await.text());
}

pub async fn ended(caller: &Caller, path: &str) -> Value {
    wait(caller, path, |import| !import["finishedAt"].is_null()).await
}

pub fn location(app: &TestApp, reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{}", reply.text());
    let prefix = format!("{}{BASE}", app.origin);
    reply
        .header("location")
        .strip_prefix(&prefix)
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn each_row_is_told_what_became_of_it() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let rows = json!([
        partner("A", json!({})),
        partner("B", json!({"orgNumber": "802000-0009"}))
    ]);
    let first = import_json(&office, "type=partners", rows.clone())
        .await
        .expect(200);
    assert_eq!(outcomes(&first), ["created", "created"]);
    assert_eq!(first["counts"]["created"], 2);
    assert_eq!(first["state"], "done");
    let id = first["rows"][1]["id"].as_str().unwrap();

    let again = import_json(&office, "type=partners", rows)
        .await
        .expect(200);
    assert_eq!(outcomes(&again), ["unchanged", "unchanged"]);
    assert_eq!(again["rows"][1]["version"], 1);
    assert_eq!(again["rows"][1]["id"], id);

    // Members that are not there stay; the name of B is found by its number.
    let change = json!({"items": [{"orgNumber": "8020000009", "name": "B", "category": "other", "area": "1880", "description": "Ny"}]});
    let changed = import_json(&office, "type=partners", change)
        .await
        .expect(200);
    assert_eq!(outcomes(&changed), ["updated"]);
    let row = office.get(&format!("/partners/{id}")).await.expect(200);
    assert_eq!(
        (&row["description"], &row["version"]),
        (&json!("Ny"), &json!(2))
    );

    let stale = json!([{"id": id, "version": 1, "description": "Gammal"}, {"id": id, "name": "C"}]);
    let refused = import_json(&office, "type=partners&strategy=update", stale)
        .await
        .expect(422);
    assert_eq!(
        outcomes(&refused),
        ["invalid", "invalid"],
        "the same row twice"
    );
    assert_eq!(error(&refused, 0), "row_doubled");
    assert!(
        refused["rows"][1]["errors"][0]["message"]["sv"]
            .as_str()
            .unwrap()
            .contains("rad 1, 2")
    );

    let stale = json!([{"id": id, "version": 1, "description": "Gammal"}]);
    let conflict = import_json(&office, "type=partners&strategy=update", stale)
        .await
        .expect(422);
    assert_eq!(
        (outcomes(&conflict)[0].as_str(), error(&conflict, 0)),
        ("conflict", "version_changed")
    );
    assert_eq!(conflict["rows"][0]["existing"]["version"], 2);
}

#[actix_web::test]
async fn all_or_nothing_or_what_is_good() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let rows = json!([
        partner("Bra", json!({})),
        partner("Fel", json!({"category": "club"})),
        partner("Annan", json!({"area": "2281"})),
        partner("Okänd", json!({"adress": "x"})),
        partner("Nummer", json!({"orgNumber": "802000-0008"})),
    ]);
    let atomic = import_json(&office, "type=partners", rows.clone())
        .await
        .expect(422);
    assert_eq!(
        outcomes(&atomic),
        ["not_written", "invalid", "forbidden", "invalid", "invalid"]
    );
    assert_eq!(atomic["state"], "refused");
    assert_eq!(
        (
            &atomic["counts"]["created"],
            &atomic["counts"]["notWritten"]
        ),
        (&json!(0), &json!(1))
    );
    assert_eq!(atomic["rows"][0]["id"], Value::Null);
    assert_eq!(error(&atomic, 1), "unknown_code");
    assert_eq!(atomic["rows"][1]["errors"][0]["pointer"], "/category");
    assert_eq!(atomic["rows"][1]["errors"][0]["value"], "club");
    assert_eq!(error(&atomic, 2), "area_not_permitted");
    assert_eq!(error(&atomic, 3), "unknown_member");
    assert_eq!(total(&office, "/partners?municipality=1880").await, 0);

    let partial = import_json(&office, "type=partners&mode=partial", rows)
        .await
        .expect(207);
    assert_eq!(
        outcomes(&partial),
        ["created", "invalid", "forbidden", "invalid", "invalid"]
    );
    assert_eq!(partial["state"], "done");
    assert_eq!(total(&office, "/partners?municipality=1880").await, 1);

    let path = format!("/imports/{}", partial["id"].as_str().unwrap());
    let invalid = office
        .get(&format!("{path}/rows?outcome=invalid,forbidden"))
        .await;
    assert_eq!(invalid.column("position"), ["1", "2", "3", "4"]);
    let rejected = office
        .get(&format!("{path}/rejected?lang=en"))
        .await
        .expect(200);
    let rejected = rejected.as_array().unwrap();
    assert_eq!(rejected.len(), 4);
    assert!(
        rejected[1]["_errors"].to_string().contains("2281"),
        "{rejected:?}"
    );
    let twice = import_json(&office, "type=partners&mode=partial", json!(rejected))
        .await
        .expect(207);
    assert_eq!(
        outcomes(&twice),
        ["invalid", "forbidden", "invalid", "invalid"],
        "reasons are passed over"
    );
}

#[actix_web::test]
async fn spreadsheets_as_offices_write_them() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let office = office(&app, &["18"]);
    let measure = json!({"code": "cost", "kind": "money", "unit": "sek", "labelSv": "Kostnad", "labelEn": "Cost",
        "definitionSv": "Kronor.", "definitionEn": "Kronor."});
    add(&admin, "/measures", measure).await;
    add(
        &office,
        "/sources",
        json!({"title": "Bokslut 2025", "publisher": "Örebro", "area": "1880"}),
    )
    .await;
    let text = "\u{feff}Källa;Period;Område;Mått;Värde\r\nBokslut 2025;2025;1880;cost;12,5\r\nBokslut 2025;2024;Örebro;cost;1 200\r\n";
    let done = import(&office, "type=observations", CSV, text)
        .await
        .expect(200);
    assert_eq!(outcomes(&done), ["created", "created"], "{done}");
    let values = office.get("/observations?area=1880&sort=-value").await;
    assert_eq!(values.column("value"), ["1200.0", "12.5"]);
    assert_eq!(
        office.get("/reports?sort=period").await.column("state"),
        ["draft", "draft"]
    );

    // A wrong cell is told with its line, column and heading; a misspelt column stops the file.
    let text = "Källa;Period;Område;Mått;Värde\r\nBokslut 2025;2025;1880;cost;tolv\r\n";
    let wrong = import(&office, "type=observations", CSV, text)
        .await
        .expect(422);
    let told = &wrong["rows"][0]["errors"][0];
    assert_eq!(
        (&told["column"], &told["heading"]),
        (&json!("E"), &json!("Värde")),
        "{wrong}"
    );
    assert_eq!(wrong["rows"][0]["line"], 2);
    let path = format!("/imports/{}/rejected", wrong["id"].as_str().unwrap());
    let file = office.get(&path).await;
    assert!(file.header("content-type").starts_with(CSV));
    assert!(
        file.text().contains("_fel;Källa;Period") && file.text().contains("tolv"),
        "{}",
        file.text()
    );
    let misspelt = "Källa;Period;Område;Mått;Värdet\r\nBokslut 2025;2025;1880;cost;1\r\n";
    let misspelt = import(&office, "type=observations", CSV, misspelt)
        .await
        .expect(422);
    assert_eq!(misspelt["faults"][0]["code"], "unknown_column");
    assert!(
        misspelt["faults"][0]["message"]["sv"]
            .as_str()
            .unwrap()
            .contains("Menade du Värde?")
    );

    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, text) in ["Namn", "Kategori", "Område"].into_iter().enumerate() {
        sheet
            .write(0, u16::try_from(column).unwrap(), text)
            .unwrap();
    }
    sheet.write(1, 0, "Dansens vänner").unwrap();
    sheet.write(1, 1, "other").unwrap();
    sheet.write(1, 2, 1880).unwrap();
    sheet.write(2, 0, "Ingen ort").unwrap();
    sheet.write(2, 1, "other").unwrap();
    sheet.write(2, 2, "Nowhere").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let done = import(&office, "type=partners&mode=partial", XLSX, bytes)
        .await
        .expect(207);
    assert_eq!(outcomes(&done), ["created", "invalid"], "{done}");
    assert_eq!(done["rows"][1]["errors"][0]["column"], "C");
    let path = format!("/imports/{}/rejected", done["id"].as_str().unwrap());
    let file = office.get(&path).await;
    assert_eq!(file.header("content-type"), XLSX);
    let again = import(
        &office,
        "type=partners&mode=partial",
        XLSX,
        file.body.clone(),
    )
    .await
    .expect(207);
    assert_eq!(
        outcomes(&again),
        ["invalid"],
        "a file of rejected rows can be sent as it is"
    );
    let described = office
        .get("/imports/templates/partners.json")
        .await
        .expect(200);
    let columns = described["columns"].as_array().unwrap();
    let name = columns.iter().find(|column| column["field"] == "name");
    assert_eq!(name.unwrap()["heading"]["sv"], "Namn");
    let untyped = import(&office, "mode=atomic", CSV, "Namn\r\n").await;
    assert_eq!(untyped.problem(400).1, "missing_parameter");
    let template = office.get("/imports/templates/partners.xlsx").await;
    assert_eq!(
        (template.status, template.header("content-type")),
        (200, XLSX)
    );
    assert_eq!(
        office.get("/imports/templates/pupils.xlsx").await.status,
        404
    );
}

#[rstest]
#[case("atomic")]
#[case("partial")]
#[actix_web::test]
async fn a_dry_run_says_the_same_and_leaves_nothing(#[case] mode: &str) {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let rows = json!([partner("A", json!({})), partner("B", json!({"parent": 1}))]);
    let query = format!("type=partners&mode={mode}");
    let body = rows.to_string();
    let tried = send(
        &office,
        &format!("{query}&dryRun=true"),
        JSON,
        body.clone(),
        "the-same-key",
    )
    .await;
    let done = send(&office, &query, JSON, body, "the-same-key").await;
    assert_eq!(tried.status, done.status, "trying uses up no key");
    let (tried, done) = (tried.json(), done.json());
    assert_eq!(outcomes(&tried), outcomes(&done));
    assert_eq!(
        (&tried["dryRun"], &tried["id"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(tried["counts"], done["counts"]);
    assert_eq!(number(&app, "SELECT count(*) AS n FROM imports").await, 1);
    let written = i64::from(mode == "partial");
    assert_eq!(
        number(&app, "SELECT count(*) AS n FROM partners").await,
        written
    );
    assert_eq!(
        number(&app, "SELECT count(*) AS n FROM history").await,
        written
    );
}

#[actix_web::test]
async fn strategies_say_what_is_done_with_rows_that_are_there() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let path = add(&office, "/partners", partner("Finns", json!({}))).await;
    let both = json!([
        partner("Finns", json!({"description": "x"})),
        partner("Ny", json!({}))
    ]);
    let create = import_json(
        &office,
        "type=partners&strategy=create&mode=partial&dryRun=true",
        both.clone(),
    )
    .await
    .expect(207);
    assert_eq!(outcomes(&create), ["conflict", "created"]);
    assert_eq!(create["rows"][0]["existing"]["name"], "Finns");
    let update = import_json(
        &office,
        "type=partners&strategy=update&mode=partial",
        both.clone(),
    )
    .await
    .expect(207);
    assert_eq!(outcomes(&update), ["updated", "invalid"]);
    let delete = import_json(&office, "type=partners&strategy=delete&mode=partial", both)
        .await
        .expect(207);
    assert_eq!(outcomes(&delete), ["deleted", "invalid"]);
    assert_eq!(office.get(&path).await.status, 410);
    let id = crate::rows::id(&path);
    let gone = json!([{"id": id, "name": "Finns"}]);
    let gone = import_json(&office, "type=partners&strategy=update", gone)
        .await
        .expect(422);
    assert_eq!(
        outcomes(&gone),
        ["gone"],
        "a deleted row is not brought back"
    );
    let unknown = json!([{"id": Uuid::now_v7(), "name": "Finns"}]);
    let unknown = import_json(&office, "type=partners&strategy=update", unknown)
        .await
        .expect(422);
    assert_eq!(error(&unknown, 0), "id_unknown");
}

#[actix_web::test]
async fn replacing_deletes_the_rest_of_the_scope_but_not_much_unasked() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    for n in 0..10 {
        add(&office, "/partners", partner(&format!("P{n}"), json!({}))).await;
    }
    add(
        &office,
        "/partners",
        partner("Annan", json!({"area": "1883"})),
    )
    .await;
    let keep = |n: usize| {
        json!(
            (0..n)
                .map(|n| partner(&format!("P{n}"), json!({})))
                .collect::<Vec<_>>()
        )
    };
    let most = import_json(&office, "type=partners&strategy=replace", keep(8))
        .await
        .expect(200);
    assert_eq!(
        (&most["counts"]["unchanged"], &most["counts"]["deleted"]),
        (&json!(8), &json!(2))
    );
    assert_eq!(most["rows"][9]["line"], Value::Null);
    assert_eq!(
        total(&office, "/partners?region=18").await,
        9,
        "1883 is none of its areas"
    );

    let few = import_json(&office, "type=partners&strategy=replace", keep(4))
        .await
        .expect(422);
    assert_eq!(few["faults"][0]["code"], "replace_deletes_too_much");
    assert_eq!(few["counts"]["deleted"], 0);
    let wrong = import_json(
        &office,
        "type=partners&strategy=replace&confirmDelete=3",
        keep(4),
    )
    .await;
    assert_eq!(wrong.status, 422);
    let asked = import_json(
        &office,
        "type=partners&strategy=replace&confirmDelete=4",
        keep(4),
    )
    .await
    .expect(200);
    assert_eq!(asked["counts"]["deleted"], 4);
    let scope = "type=partners&strategy=replace&scope=18&confirmDelete=1";
    let named = import_json(&office, scope, keep(4)).await.expect(200);
    assert_eq!(named["counts"]["deleted"], 1, "1883 lies in 18");
    let outside = import_json(&office, "type=partners&strategy=replace&scope=22", keep(4)).await;
    assert_eq!(outside.problem(403).0, "area-not-permitted");
    let partial = import_json(
        &office,
        "type=partners&strategy=replace&mode=partial",
        keep(4),
    )
    .await;
    assert_eq!(partial.problem(400).1, "import_replace_is_atomic");
}

#[actix_web::test]
async fn a_key_makes_a_second_request_the_same_one() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let body = json!([partner("A", json!({}))]).to_string();
    let first = send(&office, "type=partners", JSON, body.clone(), "first-key").await;
    let again = send(
        &office,
        "type=partners",
        JSON,
        body.clone(),
        "\"first-key\"",
    )
    .await;
    assert_eq!((first.status, again.status), (200, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(total(&office, "/partners").await, 1);
    let other = send(
        &office,
        "type=partners&mode=partial",
        JSON,
        body.clone(),
        "first-key",
    )
    .await;
    assert_eq!(other.problem(422).1, "idempotency_key_reused");
    let refused = json!([partner("A", json!({"category": "x"}))]).to_string();
    let one = send(&office, "type=partners", JSON, refused.clone(), "other-key").await;
    let two = send(&office, "type=partners", JSON, refused, "other-key").await;
    assert_eq!(
        (one.status, two.header("idempotent-replayed")),
        (422, "true")
    );
    assert_eq!(one.body, two.body);
    for key in ["short", "with blank in it"] {
        let bad = send(&office, "type=partners", JSON, body.clone(), key).await;
        assert_eq!(bad.problem(400).1, "idempotency_key_format");
    }
    let headers = [("Content-Type", JSON)];
    let none = office
        .send(
            Method::POST,
            "/imports?type=partners",
            &headers,
            Some(body.clone().into_bytes()),
        )
        .await;
    assert_eq!(none.problem(400).1, "idempotency_key_required");

    // Ten at once: one is carried out, all get its answer.
    let sent = (0..10).map(|_| {
        send(
            &office,
            "type=sources",
            JSON,
            json!([{"title": "K", "publisher": "P", "area": "1880"}]).to_string(),
            "ten-at-once",
        )
    });
    let answers = futures_util::future::join_all(sent).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.body == answers[0].body && answer.status == 200)
    );
    assert_eq!(number(&app, "SELECT count(*) AS n FROM sources").await, 1);
    let sources_only = app.caller(&[P::ImportsWrite, P::ParticipationWrite], &["18"]);
    let refused = send(&sources_only, "type=partners", JSON, body, "another-key").await;
    assert_eq!(refused.problem(403).0, "insufficient-permission");
}

#[rstest]
#[case("hello", "application/json")]
#[case("{\"rows\": []}", "application/json")]
#[case("[1, 2]", "application/json")]
#[case("Namn;Namn\r\na;b\r\n", "text/csv")]
#[case("", "text/csv")]
#[case("not a zip", XLSX)]
#[actix_web::test]
async fn what_is_no_such_file_is_refused_and_says_why(#[case] body: &str, #[case] media: &str) {
    let app = TestApp::start().await;
    let reply = import(&office(&app, &["18"]), "type=partners", media, body).await;
    let answer = reply.expect(422);
    let faults = answer["faults"].as_array().unwrap();
    let rows = answer["rows"].as_array().unwrap();
    assert!(
        !faults.is_empty() || rows.iter().all(|row| row["outcome"] == "invalid"),
        "{answer}"
    );
    assert!(!faults.is_empty() || !rows.is_empty());
    let text = import(&office(&app, &["18"]), "type=partners", "text/plain", body).await;
    assert_eq!(text.problem(415).1, "content_type");
}

pub async fn measure(app: &TestApp) {
    let measure = json!({"code": "pupils", "kind": "count", "unit": "persons", "labelSv": "Elever", "labelEn": "Pupils",
        "definitionSv": "Personer.", "definitionEn": "Persons."});
    add(&app.admin(), "/measures", measure).await;
}

/// A service with a measure, and an office of Örebro county with a source.
pub async fn counting() -> (TestApp, Caller) {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["18"]);
    let source = json!({"title": "S", "publisher": "P", "area": "18"});
    add(&office, "/sources", source).await;
    (app, office)
}

pub fn observation(area: &str, gender: &str, value: i64) -> Value {
    json!({"source": {"title": "S"}, "period": "2025", "area": area, "measure": "pupils", "gender": gender, "value": value})
}

#[actix_web::test]
async fn observations_are_grouped_into_reports_and_submitted() {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["18"]);
    add(
        &office,
        "/sources",
        json!({"title": "S", "publisher": "P", "area": "18"}),
    )
    .await;
    let rows = json!([
        observation("1880", "girls", 10),
        observation("1883", "girls", 5),
        observation("1880", "boys", 7)
    ]);
    let made = import_json(&office, "type=observations", rows.clone())
        .await
        .expect(200);
    assert_eq!(outcomes(&made), ["created"; 3]);
    assert_eq!(made["rows"][0]["id"], made["rows"][2]["id"]);
    assert_eq!(total(&office, "/reports?state=draft").await, 2);
    let report = format!("/reports/{}", made["rows"][0]["id"].as_str().unwrap());
    let version = office.get(&report).await.version();
    let same = import_json(&office, "type=observations", rows)
        .await
        .expect(200);
    assert_eq!(outcomes(&same), ["unchanged"; 3]);
    assert_eq!(
        office.get(&report).await.version(),
        version,
        "what is unchanged moves nothing"
    );

    let wrong = json!([
        observation("1880", "girls", 11),
        observation("1880", "boys", -1),
        observation("2281", "boys", 1)
    ]);
    let wrong = import_json(&office, "type=observations&mode=partial", wrong)
        .await
        .expect(207);
    assert_eq!(outcomes(&wrong), ["updated", "invalid", "forbidden"]);
    assert_eq!(error(&wrong, 1), "observation_value_fits_measure");
    assert_eq!(office.get(&report).await.version(), version + 1);

    let replace = json!([observation("1880", "girls", 11)]);
    let guarded = import_json(
        &office,
        "type=observations&strategy=replace",
        replace.clone(),
    )
    .await
    .expect(422);
    assert_eq!(guarded["faults"][0]["code"], "replace_deletes_too_much");
    let replaced = import_json(
        &office,
        "type=observations&strategy=replace&confirmDelete=1&submit=true",
        replace,
    )
    .await
    .expect(200);
    assert_eq!(outcomes(&replaced), ["unchanged", "deleted"]);
    let now = office.get(&report).await.expect(200);
    assert_eq!(
        (&now["state"], &now["observationCount"]),
        (&json!("submitted"), &json!(1))
    );
    assert_eq!(now["submittedBy"], "client_test");

    let late = json!([
        observation("1880", "girls", 11),
        observation("1880", "boys", 1)
    ]);
    let late = import_json(&office, "type=observations&mode=partial", late)
        .await
        .expect(207);
    assert_eq!(outcomes(&late), ["unchanged", "conflict"]);
    assert_eq!(error(&late, 1), "report_not_draft");
    let gone = json!([observation("1883", "girls", 0)]);
    let deleted = import_json(&office, "type=observations&strategy=delete", gone)
        .await
        .expect(200);
    assert_eq!(outcomes(&deleted), ["deleted"]);
}

fn lines(range: std::ops::Range<usize>) -> String {
    let row = |n: usize| format!("{}\n", partner(&format!("Partner {n:05}"), json!({})));
    range.map(row).collect()
}

#[actix_web::test]
async fn a_large_file_becomes_a_job() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let mut body = lines(0..1200);
    body += &partner("Fel", json!({"area": "2281"})).to_string();
    let queued = send(
        &office,
        "type=partners&mode=partial",
        NDJSON,
        body.clone(),
        "large-file",
    )
    .await;
    let path = location(&app, &queued);
    let import = ended(&office, &path).await;
    assert_eq!(
        (&import["state"], &import["done"], &import["total"]),
        (&json!("done"), &json!(1201), &json!(1201))
    );
    assert_eq!(
        (&import["counts"]["created"], &import["counts"]["forbidden"]),
        (&json!(1200), &json!(1))
    );
    assert_eq!(total(&office, "/partners").await, 1200);
    assert_eq!(total(&office, &format!("{path}/rows")).await, 1201);
    let refused = office
        .get(&format!("{path}/rows?outcome=forbidden"))
        .await
        .expect(200);
    assert_eq!(refused["items"][0]["line"], 1201);
    assert_eq!(
        number(&app, "SELECT count(*) AS n FROM import_pieces").await,
        0,
        "the file is gone"
    );
    let events = office.get(&format!("{path}/events")).await;
    assert!(
        events.text().starts_with("event: end\ndata: {"),
        "{}",
        events.text()
    );
    let again = send(
        &office,
        "type=partners&mode=partial",
        NDJSON,
        body,
        "large-file",
    )
    .await;
    assert_eq!(
        (location(&app, &again), again.header("idempotent-replayed")),
        (path.clone(), "true")
    );
    // It acted in the name of its client, and of the request that it came with.
    assert_eq!(
        number(
            &app,
            "SELECT count(*) AS n FROM history WHERE client_id = 'client_test'
        AND request_id = (SELECT request_id FROM imports)"
        )
        .await,
        1200
    );
    assert_eq!(total(&office, "/imports?type=partners&state=done").await, 1);
    let other = app.state.issuer.issue(
        Uuid::now_v7(),
        "client_other",
        "imports:write",
        vec!["18".into()],
        app.state.clock.now(),
    );
    let other = office.with_token(&other.unwrap().token);
    assert_eq!(other.get(&path).await.status, 404);
    assert_eq!(total(&other, "/imports").await, 0);
}

#[actix_web::test]
async fn an_atomic_job_writes_all_or_nothing() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let mut body = lines(0..1100);
    body += &partner("Fel", json!({"area": "2281"})).to_string();
    let refused = import(&office, "type=partners", NDJSON, body).await;
    let path = location(&app, &refused);
    let import = ended(&office, &path).await;
    assert_eq!(
        (&import["state"], &import["counts"]["created"]),
        (&json!("refused"), &json!(0))
    );
    assert_eq!(
        (
            &import["counts"]["notWritten"],
            &import["counts"]["forbidden"]
        ),
        (&json!(1100), &json!(1))
    );
    assert_eq!(total(&office, "/partners").await, 0);
    assert_eq!(
        total(&office, &format!("{path}/rows?outcome=not_written")).await,
        1100
    );
    let tried = import_path(&app, &office, "type=partners&dryRun=true", lines(0..1100)).await;
    let tried = ended(&office, &tried).await;
    assert_eq!(
        (&tried["state"], &tried["counts"]["created"]),
        (&json!("done"), &json!(1100))
    );
    assert_eq!(total(&office, "/partners").await, 0);
    let done = import_path(&app, &office, "type=partners", lines(0..1100)).await;
    let done = ended(&office, &done).await;
    assert_eq!(
        (&done["state"], &done["counts"]["created"]),
        (&json!("done"), &json!(1100))
    );
    assert_eq!(total(&office, "/partners").await, 1100);
    let headers = [
        ("Content-Type", JSON),
        ("Idempotency-Key", "small-one"),
        ("Prefer", "respond-async"),
    ];
    let small = json!([partner("Liten", json!({}))])
        .to_string()
        .into_bytes();
    let small = office
        .send(
            Method::POST,
            "/imports?type=partners",
            &headers,
            Some(small),
        )
        .await;
    let small = ended(&office, &location(&app, &small)).await;
    assert_eq!(small["counts"]["created"], 1);
}

async fn import_path(app: &TestApp, caller: &Caller, query: &str, body: String) -> String {
    location(app, &import(caller, query, NDJSON, body).await)
}

/// Holds the row of one partner until it is dropped, so that a worker stops at it.
async fn hold(app: &TestApp) -> diesel_async::AsyncPgConnection {
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    conn.batch_execute("BEGIN; SELECT FROM partners WHERE name = 'Partner 01500' FOR UPDATE")
        .await
        .unwrap();
    conn
}

/// The worker of another process, when this one has died and what its import waited for is free.
pub async fn other_worker(app: &TestApp, held: diesel_async::AsyncPgConnection) -> Importer {
    app.state.importer.stop().await;
    drop(held);
    // The lease is still somebody's, and over.
    app.state.db.write(async |mut conn| {
        let sql = "UPDATE imports SET holder = gen_random_uuid(), leased_until = clock_timestamp() - interval '1 second'";
        diesel::sql_query(sql).execute(&mut conn).await?;
        Ok(())
    }).await.unwrap();
    let other = Importer::new(Arc::clone(&app.state.db), 1024);
    other.wake().unwrap();
    other
}

/// The other worker takes the file from the database, where it lies packed, or as it came if a service of before put it there.
#[rstest]
#[case::packed(false)]
#[case::as_it_came(true)]
#[actix_web::test]
async fn a_job_goes_on_where_its_worker_died_and_does_each_row_once(#[case] as_it_came: bool) {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    add(
        &office,
        "/partners",
        partner("Partner 01500", json!({"description": "Fanns"})),
    )
    .await;
    let held = hold(&app).await;
    let path = import_path(&app, &office, "type=partners&mode=partial", lines(0..2500)).await;
    let first = wait(&office, &path, |import| import["done"] == 1000).await;
    assert_eq!(
        (&first["state"], &first["counts"]["created"]),
        (&json!("running"), &json!(1000))
    );
    let packed = "SELECT count(*) AS n FROM import_pieces WHERE octet_length(bytes) * 4 < unpacked";
    assert_eq!(number(&app, packed).await, 1);
    if as_it_came {
        let written = app.state.db.write(async |mut conn| {
            let sql = "UPDATE import_pieces SET bytes = $1, unpacked = NULL";
            let update = diesel::sql_query(sql)
                .bind::<diesel::sql_types::Binary, _>(lines(0..2500).into_bytes());
            Ok(update.execute(&mut conn).await?)
        });
        assert_eq!(written.await.unwrap(), 1);
    }
    let other = other_worker(&app, held).await;
    let import = ended(&office, &path).await;
    assert_eq!(
        (&import["state"], &import["done"]),
        (&json!("done"), &json!(2500))
    );
    assert_eq!(
        (&import["counts"]["created"], &import["counts"]["unchanged"]),
        (&json!(2499), &json!(1))
    );
    assert_eq!(total(&office, "/partners").await, 2500);
    assert_eq!(
        number(&app, "SELECT count(*) AS n FROM partners WHERE version > 1").await,
        0
    );
    assert_eq!(
        number(&app, "SELECT count(DISTINCT entity) AS n FROM import_rows").await,
        2500
    );
    other.stop().await;
}

/// A partial import of 2 500 partners whose first part is written, and whose second waits for a row that is held.
async fn in_the_second_part() -> (TestApp, Caller, diesel_async::AsyncPgConnection, String) {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    add(&office, "/partners", partner("Partner 01500", json!({}))).await;
    let held = hold(&app).await;
    let path = import_path(&app, &office, "type=partners&mode=partial", lines(0..2500)).await;
    wait(&office, &path, |import| import["done"] == 1000).await;
    (app, office, held, path)
}

#[actix_web::test]
async fn a_worker_that_lost_its_lease_writes_nothing_more() {
    let (app, office, held, path) = in_the_second_part().await;
    app.state.db.write(async |mut conn| {
        let sql = "UPDATE imports SET holder = gen_random_uuid(), leased_until = clock_timestamp() + interval '1 hour'";
        diesel::sql_query(sql).execute(&mut conn).await?;
        Ok(())
    }).await.unwrap();
    drop(held);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let import = office.get(&path).await.expect(200);
    assert_eq!(
        (&import["state"], &import["done"]),
        (&json!("running"), &json!(1000))
    );
    assert_eq!(total(&office, "/partners").await, 1001);
}

/// Until a session waits for the row that is held.
async fn until_one_waits(app: &TestApp) {
    let waiting = "SELECT count(*) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(app, waiting, 1).await;
}

/// Until there are so many.
pub async fn until(app: &TestApp, sql: &'static str, enough: i64) {
    for _ in 0..1_200 {
        if number(app, sql).await >= enough {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {enough}: {sql}");
}

#[rstest]
#[case("atomic")]
#[case("partial")]
#[actix_web::test]
async fn a_job_whose_database_goes_away_is_done_all_the_same(#[case] mode: &str) {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    add(&office, "/partners", partner("Partner 01500", json!({}))).await;
    let held = hold(&app).await;
    let query = format!("type=partners&mode={mode}");
    let path = import_path(&app, &office, &query, lines(0..1600)).await;
    until_one_waits(&app).await;
    // As a database that is stopped ends all sessions.
    let end = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(number(&app, end).await, 1);
    drop(held);
    let import = ended(&office, &path).await;
    assert_eq!(import["state"], "done", "{import}");
    assert_eq!(
        (&import["counts"]["created"], &import["counts"]["unchanged"]),
        (&json!(1599), &json!(1))
    );
    assert_eq!(total(&office, "/partners").await, 1600);
    assert_eq!(total(&office, &format!("{path}/rows")).await, 1600);
}

#[actix_web::test]
async fn a_worker_that_does_not_hear_of_its_commit_takes_nothing_back() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    add(&office, "/partners", partner("Partner 01500", json!({}))).await;
    let held = hold(&app).await;
    let path = import_path(&app, &office, "type=partners", lines(0..1600)).await;
    until_one_waits(&app).await;
    // The first part is told of while the second is written.
    until(&app, "SELECT count(*) AS n FROM import_rows", 1000).await;
    // As if the commit had gone through, and only the answer were lost.
    let end = "WITH done AS (UPDATE imports SET state = 'done', holder = NULL, leased_until = NULL,
            finished_at = clock_timestamp() RETURNING id)
        SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity, done
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(number(&app, end).await, 1);
    drop(held);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(office.get(&path).await.expect(200)["state"], "done");
    assert_eq!(total(&office, &format!("{path}/rows")).await, 1000);
}

#[actix_web::test]
async fn a_part_whose_commit_was_not_heard_of_is_not_written_again() {
    let (app, office, held, path) = in_the_second_part().await;
    until_one_waits(&app).await;
    // As if the commit of the second part had gone through, and only the answer were lost.
    let end =
        "WITH done AS (UPDATE imports SET done = 2000, counts = '{\"created\": 2000}' RETURNING id)
        SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity, done
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(number(&app, end).await, 1);
    drop(held);
    let import = ended(&office, &path).await;
    assert_eq!(
        (
            &import["state"],
            &import["done"],
            &import["counts"]["created"]
        ),
        (&json!("done"), &json!(2500), &json!(2500))
    );
    // The one that was there, the first part and the third.
    assert_eq!(total(&office, "/partners").await, 1 + 1000 + 500);
}

#[actix_web::test]
async fn a_job_can_be_cancelled() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    add(&office, "/partners", partner("Partner 01500", json!({}))).await;
    let held = hold(&app).await;
    let running = import_path(&app, &office, "type=partners&mode=partial", lines(0..2500)).await;
    let waiting = import_path(&app, &office, "type=partners", lines(3000..4100)).await;
    wait(&office, &running, |import| import["done"] == 1000).await;
    let cancelled = office
        .send(Method::DELETE, &waiting, &[], None)
        .await
        .expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    let asked = office
        .send(Method::DELETE, &running, &[], None)
        .await
        .expect(200);
    assert_eq!(
        (&asked["state"], &asked["cancelAsked"]),
        (&json!("running"), &json!(true))
    );
    drop(held);
    let import = ended(&office, &running).await;
    assert_eq!(import["state"], "cancelled");
    let done = import["done"].as_i64().unwrap();
    assert!(done == 1000 || done == 2000, "{import}");
    let created = import["counts"]["created"].as_i64().unwrap();
    assert_eq!(
        total(&office, "/partners").await,
        1 + created,
        "what its counts say is written"
    );
    let late = office
        .send(Method::DELETE, &running, &[], None)
        .await
        .expect(200);
    assert_eq!(late["state"], "cancelled");
}

#[actix_web::test]
async fn what_was_read_otherwise_than_written_is_told() {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["01"]);
    let source = json!({"title": "S", "publisher": "P", "area": "01"});
    add(&office, "/sources", source).await;
    let text = "Källa;Period;Område;Mått;Ålder;Värde\r\nS;2025;114;pupils;6;5\r\nS;2025;0115;pupils;7 – 12 år;6\r\n";
    let expected = json!([{"code": "code_padded", "pointer": "/area", "column": "C", "heading": "Område", "value": "114",
        "message": {"sv": "114 lästes som 0114: den inledande nollan saknades.", "en": "114 was read as 0114: its leading zero was missing."}}]);
    let tried = import(&office, "type=observations&dryRun=true", CSV, text)
        .await
        .expect(200);
    let done = import(&office, "type=observations", CSV, text)
        .await
        .expect(200);
    for answer in [&tried, &done] {
        assert_eq!(outcomes(answer), ["created", "created"]);
        assert_eq!(answer["rows"][0]["notes"], expected);
        assert_eq!(answer["rows"][1]["notes"], json!([]));
        assert_eq!(answer["counts"]["noted"], 1);
    }
    let ages = office.get("/observations?sort=value").await;
    assert_eq!(ages.column("ageBand"), ["6-6", "7-12"]);

    let headers = [
        ("Content-Type", CSV),
        ("Idempotency-Key", "noted-job"),
        ("Prefer", "respond-async"),
    ];
    let queued = office
        .send(
            Method::POST,
            "/imports?type=observations&mode=partial",
            &headers,
            Some(text.as_bytes().to_vec()),
        )
        .await;
    let path = location(&app, &queued);
    let job = ended(&office, &path).await;
    assert_eq!(
        (&job["counts"]["unchanged"], &job["counts"]["noted"]),
        (&json!(2), &json!(1))
    );
    let rows = office.get(&format!("{path}/rows")).await.expect(200);
    assert_eq!(rows["items"][0]["notes"], expected);
    assert_eq!(rows["items"][1]["notes"], json!([]));
}

#[actix_web::test]
async fn rows_that_name_one_report_in_two_ways_belong_together() {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["18"]);
    let source = json!({"title": "S", "publisher": "P", "area": "18"});
    let source = add(&office, "/sources", source).await;
    let mut by_id = observation("1880", "boys", 7);
    by_id["source"] = json!(crate::rows::id(&source));
    let rows = json!([observation("1880", "girls", 10), by_id]);
    let made = import_json(&office, "type=observations", rows)
        .await
        .expect(200);
    assert_eq!(outcomes(&made), ["created", "created"]);
    assert_eq!(made["rows"][0]["id"], made["rows"][1]["id"]);
    assert_eq!(total(&office, "/reports").await, 1);

    // The same observation twice, which the names alone do not show.
    let mut again = observation("1880", "girls", 12);
    again["source"] = json!(crate::rows::id(&source));
    let twice = json!([observation("1880", "girls", 11), again]);
    let twice = import_json(&office, "type=observations&mode=partial", twice)
        .await
        .expect(207);
    assert_eq!(outcomes(&twice), ["updated", "invalid"]);
    assert_eq!(error(&twice, 1), "observation_once");
}

#[actix_web::test]
async fn a_report_that_cannot_be_made_takes_no_other_with_it() {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["18"]);
    let source = json!({"title": "S", "publisher": "P", "area": "18"});
    add(&office, "/sources", source).await;
    let mut wrong = observation("1882", "girls", 1);
    wrong["firstDay"] = json!("2024-12-01");
    wrong["lastDay"] = json!("2025-12-31");
    // The days are refused before the database sees them, a source that never was by its foreign key.
    let mut unknown = observation("1881", "girls", 1);
    unknown["source"] = json!(Uuid::now_v7());
    let rows = json!([
        observation("1880", "girls", 10),
        wrong,
        unknown,
        observation("1883", "girls", 5)
    ]);
    let done = import_json(&office, "type=observations&mode=partial", rows)
        .await
        .expect(207);
    assert_eq!(
        outcomes(&done),
        ["created", "invalid", "invalid", "created"],
        "{done}"
    );
    assert_eq!(error(&done, 2), "report_source_exists");
    assert_eq!(
        office.get("/reports?sort=area").await.column("area"),
        ["1880", "1883"]
    );
}

#[actix_web::test]
async fn observations_say_which_version_of_their_report_they_are_about() {
    let app = TestApp::start().await;
    measure(&app).await;
    let office = office(&app, &["18"]);
    let source = json!({"title": "S", "publisher": "P", "area": "18"});
    add(&office, "/sources", source).await;
    let expecting = |gender, value, version: i64| {
        let mut row = observation("1880", gender, value);
        row["ifVersion"] = json!(version);
        row
    };
    let none = import_json(
        &office,
        "type=observations&mode=partial",
        json!([expecting("girls", 10, 1)]),
    )
    .await
    .expect(207);
    assert_eq!(
        (outcomes(&none)[0].as_str(), error(&none, 0)),
        ("conflict", "version_changed")
    );
    assert_eq!(total(&office, "/reports").await, 0);

    let made = json!([observation("1880", "girls", 10)]);
    let made = import_json(&office, "type=observations", made)
        .await
        .expect(200);
    let report = format!("/reports/{}", made["rows"][0]["id"].as_str().unwrap());
    let version = office.get(&report).await.version();
    let rows = json!([
        expecting("girls", 11, version),
        expecting("boys", 7, version - 1),
        expecting("other", 1, version),
    ]);
    let some = import_json(&office, "type=observations&mode=partial", rows)
        .await
        .expect(207);
    assert_eq!(outcomes(&some), ["updated", "conflict", "created"]);
    assert_eq!(office.get(&report).await.version(), version + 1);

    let stale = json!([expecting("girls", 12, version)]);
    let stale = import_json(&office, "type=observations", stale)
        .await
        .expect(422);
    assert_eq!(
        (outcomes(&stale)[0].as_str(), error(&stale, 0)),
        ("conflict", "version_changed")
    );
    assert_eq!(stale["rows"][0]["errors"][0]["pointer"], "/ifVersion");
    assert_eq!(stale["rows"][0]["existing"]["value"], 11.0, "{stale}");
    let text = format!(
        "Källa;Period;Område;Mått;Kön;Värde;Rapportens version\r\nS;2025;1880;pupils;Flickor;11;{}\r\n",
        version + 1
    );
    let same = import(&office, "type=observations", CSV, text)
        .await
        .expect(200);
    assert_eq!(outcomes(&same), ["unchanged"]);

    // A job that writes a report part by part counts its versions up, and is none of the others that are meant.
    let mut body = String::new();
    for n in 0..8_500 {
        let mut row = expecting(["girls", "boys"][n % 2], 1, version + 1);
        row["activityForm"] = json!(
            [
                "all",
                "open_activity",
                "subject_course",
                "targeted_activity"
            ][n / 2_600]
        );
        row["ageBand"] = json!(format!("{0}-{0}", n / 2 % 100));
        row["subject"] = json!(
            [
                "dance",
                "film_animation",
                "writing",
                "crafts",
                "musical",
                "circus",
                "visual_arts",
                "photography",
                "music_ensemble",
                "music_instrument_vocal",
                "theatre_drama",
                "other",
                "all"
            ][n / 200 % 13]
        );
        body += &row.to_string();
        body.push('\n');
    }
    let path = import_path(&app, &office, "type=observations&mode=partial", body).await;
    let import = ended(&office, &path).await;
    assert_eq!(import["counts"]["created"], 8_500, "{import}");
}

#[actix_web::test]
async fn a_personal_identity_number_is_not_kept_of_a_refused_row_either() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let rows = json!([
        partner("Föreningen", json!({})),
        partner(
            "Ringen",
            json!({"description": "Kontakta 811228-9874 i kväll"})
        ),
        partner("Koden", json!({"category": "Anna 811228-9874"})),
        partner("Namnet", json!({"Anna 811228-9874": 1})),
    ]);
    let reply = import_json(&office, "type=partners&mode=partial", rows).await;
    let answer = reply.expect(207);
    assert_eq!(outcomes(&answer)[1..], ["invalid"; 3]);
    assert_eq!(error(&answer, 1), "personal_identity_number");
    assert_eq!(error(&answer, 2), "unknown_code");
    assert_eq!(error(&answer, 3), "unknown_member");
    let rejected = format!("/imports/{}/rejected", answer["id"].as_str().unwrap());
    let rejected = office.get(&rejected).await;
    for text in [reply.text(), rejected.text()] {
        assert!(text.contains("Kontakta [personnummer] i kväll"), "{text}");
        assert!(!text.contains("811228"), "{text}");
    }
}

#[actix_web::test]
async fn nothing_of_a_file_of_persons_is_stored_even_if_it_may_wait() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let line = |n: usize| format!("{{\"name\":\"Elev {n}\",\"personnummer\":\"811228-9874\"}}\n");
    // Small and large, of a kind that is looked through while it is read.
    for (rows, key) in [(2, "persons-some"), (1_500, "persons-many")] {
        let body: String = (0..rows).map(line).collect();
        let headers = [
            ("Content-Type", NDJSON),
            ("Idempotency-Key", key),
            ("Prefer", "respond-async"),
        ];
        let path = "/imports?type=partners&mode=partial";
        let reply = office
            .send(Method::POST, path, &headers, Some(body.into_bytes()))
            .await;
        let told = reply.expect(422);
        assert_eq!(told["state"], "refused", "{told}");
        assert_eq!(told["faults"][0]["code"], "personal_identity_numbers");
        assert!(!reply.text().contains("9874"));
    }
    assert_eq!(
        number(&app, "SELECT count(*) AS n FROM import_pieces").await,
        0
    );
    assert_eq!(
        number(&app, "SELECT count(*) AS n FROM import_rows").await,
        0
    );
}

#[actix_web::test]
async fn a_rival_that_is_still_importing_is_told() {
    let app = TestApp::start().await;
    let office = office(&app, &["18"]);
    let body = |name| json!([partner(name, json!({}))]).to_string();
    let query = "type=partners";
    let before = send(&office, query, JSON, body("Första"), "the-key-before").await;
    before.expect(200);
    let (claimed, answered) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    // Another process that has claimed the key and does not come to its end.
    let holding = app.state.db.write(async |mut conn| {
        conn.batch_execute("UPDATE imports SET idempotency_key = 'the-key-of-both'")
            .await?;
        claimed.notify_one();
        answered.notified().await;
        Err::<(), _>(diesel::result::Error::RollbackTransaction.into())
    });
    let waiting = async {
        claimed.notified().await;
        let reply = send(&office, query, JSON, body("Andra"), "the-key-of-both").await;
        answered.notify_one();
        reply
    };
    let (held, reply) = tokio::join!(holding, waiting);
    assert!(held.is_err());
    assert_eq!(reply.problem(409).1, "idempotency_in_progress");
    assert!(reply.header("retry-after").parse::<u8>().is_ok());
    let again = send(&office, query, JSON, body("Andra"), "the-key-of-both").await;
    assert_eq!(outcomes(&again.expect(200)), ["created"]);
}

#[actix_web::test]
async fn rows_belong_to_an_import_and_are_forgotten_with_it() {
    let app = TestApp::start().await;
    let caller = office(&app, &["SE"]);
    let rows = json!([{"name": "Ett", "category": "other", "area": "1880"}, {"name": "Två", "category": "other", "area": "1880"}]);
    import_json(&caller, "type=partners", rows)
        .await
        .expect(200);
    let of = "SELECT count(*) AS n FROM import_rows";
    assert_eq!(number(&app, of).await, 2);
    let write = async |statement: &'static str| {
        let written = app
            .state
            .db
            .write(async |mut conn| Ok(conn.batch_execute(statement).await?));
        written.await
    };
    let stray = "INSERT INTO import_rows (import_id, position, outcome) SELECT gen_random_uuid(), n, 'created' FROM generate_series(1, 3) AS n";
    let refused = format!("{:?}", write(stray).await.unwrap_err());
    assert!(refused.contains("import_row_import_exists"), "{refused}");
    write("DELETE FROM imports").await.unwrap();
    assert_eq!(number(&app, of).await, 0);
}
