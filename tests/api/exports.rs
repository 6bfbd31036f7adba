//! `/exports`: all rows of a kind in one answer, of one state, and never taken for whole when it is not.

use std::io::Read;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use flate2::read::GzDecoder;
use reqwest::Method;
use rstest::rstest;
use samverkan::access::Permission::{
    ContactsRead, ParticipationRead, ParticipationWrite, RegistryRead, SyncRead,
};
use samverkan::db::connect::{self, Work};
use samverkan::sync::types::EntityType;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::rows::{add, id, partner};
use crate::support::{Caller, TestApp};

const NDJSON: &str = "application/x-ndjson";

/// What an export says, once its last line has been found to be true.
struct Export {
    head: Value,
    rows: Vec<Value>,
}

fn whole(body: &[u8]) -> Export {
    let text = std::str::from_utf8(body).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let last = lines.pop().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    let before: String = lines.concat();
    let hash = Sha256::digest(&before);
    let hash = format!("{hash:x}");
    let mut lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    let (head, rows): (Value, Vec<Value>) = (lines.next().unwrap(), lines.collect());
    let expected = json!({"end": true, "rows": rows.len(), "sha256": hash});
    assert_eq!(last, expected, "the last line");
    Export { head, rows }
}

async fn export(caller: &Caller, of: &str) -> Export {
    let reply = caller.get(&format!("/exports/{of}.ndjson")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), NDJSON);
    assert_eq!(reply.header("cache-control"), "private, no-store");
    let name = format!("attachment; filename=\"{of}.ndjson\"");
    assert_eq!(reply.header("content-disposition"), name);
    whole(&reply.body)
}

async fn snapshot(caller: &Caller, of: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/snapshot?types={of}&limit=7&cursor={cursor}");
        let page = caller.get(&path).await.expect(200);
        rows.extend(page["items"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return rows,
        }
    }
}

async fn connection(app: &TestApp) -> AsyncPgConnection {
    connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap()
}

/// So many partners of ten thousand characters each: more than the buffers between the service and a client hold.
async fn many_partners(app: &TestApp) {
    let mut conn = connection(app).await;
    conn.batch_execute(
        "INSERT INTO partners (id, area_code, name, category, description)
         SELECT gen_random_uuid(), '1880', 'Rad ' || n, 'other', repeat(md5(n::text) || ' ', 300)
         FROM generate_series(1, 2000) AS n",
    )
    .await
    .unwrap();
}

#[derive(diesel::QueryableByName)]
struct Backend {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pid: i32,
}

/// The database connections of exports under way.
async fn backends(app: &TestApp) -> Vec<i32> {
    let mut conn = connection(app).await;
    let backends: Vec<Backend> = diesel::sql_query(
        "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'samverkan export' AND xact_start IS NOT NULL",
    )
    .load(&mut conn)
    .await
    .unwrap();
    backends.iter().map(|backend| backend.pid).collect()
}

async fn until_none_is_left(app: &TestApp) {
    for _ in 0..100 {
        if backends(app).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("an export still holds its transaction");
}

/// An export under way, of which nothing more than the beginning has been taken.
async fn begun(caller: &Caller, more: &[(&str, &str)]) -> (reqwest::Response, Vec<u8>) {
    let headers = [&[("Accept", NDJSON)], more].concat();
    let mut response = caller.stream("/exports/partners.ndjson", &headers).await;
    assert_eq!(response.status(), 200);
    let first = response.chunk().await.unwrap().unwrap();
    (response, first.to_vec())
}

/// The rest of it, and whether it ended as an answer should.
async fn rest(response: &mut reqwest::Response, mut text: Vec<u8>) -> (Vec<u8>, bool) {
    let reading = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => text.extend_from_slice(&chunk),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    });
    let ended = reading.await.expect("it ends");
    (text, ended)
}

#[actix_web::test]
async fn an_export_holds_the_rows_of_the_snapshot() {
    let app = TestApp::start().await;
    samverkan::demo::load_reference(&app.state.db)
        .await
        .unwrap();
    assert!(samverkan::demo::load_if_empty(&app.state.db).await.unwrap() > 300);
    let admin = app.admin();
    let contacts =
        json!({"state": "draft", "contacts": [{"role": "Ordförande", "email": "a@example.se"}]});
    add(&admin, "/partners", partner("Utkast", contacts)).await;
    let gone = add(&admin, "/partners", partner("Borta", json!({}))).await;
    admin.delete(&gone, "*").await.expect(204);
    let rights = [SyncRead, RegistryRead, ParticipationRead, ContactsRead];
    let mut counts = Vec::new();
    for areas in [&["SE"][..], &["18"], &["14", "0980"]] {
        let caller = app.caller(&rights, areas);
        let mut count = 0;
        for of in EntityType::ALL {
            let of = of.as_str();
            let Export { head, rows } = export(&caller, of).await;
            assert_eq!(rows, snapshot(&caller, of).await, "{of} in {areas:?}");
            assert_eq!(
                (&head["type"], &head["schema"], &head["exportedAt"]),
                (&json!(of), &json!("1.0.0"), &json!("2026-06-01T12:00:00Z"))
            );
            let cursor = head["feedCursor"].as_str().unwrap();
            let after = format!("/changes?types={of}&cursor={cursor}");
            let after = caller.get(&after).await.expect(200);
            assert_eq!(after["items"], json!([]), "nothing comes twice");

            // The other form, held against the document by the client.
            let one = caller.get(&format!("/exports/{of}.json")).await.expect(200);
            assert_eq!(one["items"].as_array().unwrap(), &rows);
            assert_eq!(
                (&one["rows"], &one["type"]),
                (&json!(rows.len()), &head["type"])
            );
            count += rows.len();
        }
        let partners = export(&caller, "partners").await.rows;
        let own = partners.iter().find(|row| row["data"]["name"] == "Utkast");
        let email = own.map(|row| row["data"]["contacts"][0]["email"].clone());
        let expected = (areas != ["14", "0980"]).then(|| json!("a@example.se"));
        assert_eq!(email, expected, "drafts and contacts in the own areas");
        counts.push(count);
    }
    assert!(counts[0] > 300 && counts[0] > counts[1], "{counts:?}");
}

/// Reports come in parts by the weight of their observations, none left out between two.
#[actix_web::test]
async fn heavy_reports_come_whole() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let measure = json!({"code": "pupils", "kind": "count", "unit": "persons", "labelSv": "Elever", "labelEn": "Pupils",
        "definitionSv": "E", "definitionEn": "P"});
    add(&admin, "/measures", measure).await;
    let source = json!({"title": "T", "publisher": "P", "area": "1880"});
    let source = add(&admin, "/sources", source).await;
    let rows: Vec<Value> = (0..30)
        .flat_map(|from| (60..90).map(move |to| format!("{from}-{to}")))
        .map(|ages| json!({"measure": "pupils", "area": "1880", "ageBand": ages, "value": 7}))
        .collect();
    for period in ["2020", "2021", "2022", "2023", "2024"] {
        let report =
            json!({"source": id(&source), "area": "1880", "periodKind": "year", "period": period});
        let report = add(&admin, "/reports", report).await;
        if period != "2022" {
            let path = format!("{report}/observations");
            let put = admin.put(&path, "*", &json!({"observations": rows})).await;
            assert_eq!(put.status, 200, "{}", put.text());
        }
    }
    let caller = app.caller(&[SyncRead, ParticipationRead, RegistryRead], &["18"]);
    let exported = export(&caller, "reports").await.rows;
    let counts = exported
        .iter()
        .map(|row| row["data"]["observations"].as_array().unwrap().len());
    assert_eq!(counts.sum::<usize>(), 4 * rows.len());
    assert_eq!(exported.len(), 5);
    assert_eq!(exported, snapshot(&caller, "reports").await);
}

#[actix_web::test]
async fn what_changes_meanwhile_is_told_by_the_feed_and_not_by_the_export() {
    let app = TestApp::start().await;
    many_partners(&app).await;
    let admin = app.admin();
    let keys = keys(&app.caller(&[SyncRead, RegistryRead], &["18"])).await;
    let (first, last) = (keys[0].as_str().unwrap(), keys[1_999].as_str().unwrap());
    let before_last = keys[1_998].as_str().unwrap();
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let (mut response, text) = begun(&caller, &[]).await;
    assert_eq!(backends(&app).await.len(), 1, "it is under way");
    let change = json!({"name": "Ändrad"});
    for key in [first, last] {
        let path = format!("/partners/{key}");
        assert_eq!(admin.patch(&path, "*", &change).await.status, 200);
    }
    let gone = format!("/partners/{before_last}");
    admin.delete(&gone, "*").await.expect(204);
    add(&admin, "/partners", partner("Ny", json!({}))).await;
    assert_eq!(backends(&app).await.len(), 1, "it is still under way");
    let (text, ended) = rest(&mut response, text).await;
    assert!(ended);
    let Export { head, mut rows } = whole(&text);
    assert_eq!(rows.len(), 2_000);
    assert!(rows.iter().all(|row| row["version"] == 1), "one state");
    until_none_is_left(&app).await;

    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let mut cursor = head["feedCursor"].as_str().unwrap().to_owned();
    let page = caller
        .get(&format!("/changes?types=partners&cursor={cursor}"))
        .await
        .expect(200);
    for item in page["items"].as_array().unwrap() {
        rows.retain(|row| row["key"] != item["key"]);
        if item["op"] == "upsert" {
            rows.push(item.clone());
        }
    }
    page["nextCursor"].as_str().unwrap().clone_into(&mut cursor);
    let mut all = 0;
    for row in &rows {
        let row = format!("{}:{}", row["key"].as_str().unwrap(), row["version"]);
        all ^= u64::from_be_bytes(Sha256::digest(row)[..8].try_into().unwrap());
    }
    let digest = format!("/sync/digest?types=partners&cursor={cursor}");
    let digest = caller.get(&digest).await.expect(200);
    let expected = json!({"type": "partners", "rows": 2_000, "digest": format!("{all:016x}")});
    assert_eq!(digest["types"], json!([expected]));
}

async fn keys(caller: &Caller) -> Vec<Value> {
    let rows = export(caller, "partners").await.rows;
    rows.into_iter().map(|row| row["key"].clone()).collect()
}

/// Whatever ends an export before its end: the answer breaks off, also when it is compressed.
#[rstest]
#[case::the_database(&[], true)]
#[case::the_database_and_compressed(&[("Accept-Encoding", "gzip")], true)]
#[case::a_token_that_was_revoked(&[], false)]
#[actix_web::test]
async fn an_export_that_breaks_off_has_no_last_line(
    #[case] headers: &[(&str, &str)],
    #[case] database: bool,
) {
    let app = TestApp::start().await;
    many_partners(&app).await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let (mut response, text) = begun(&caller, headers).await;
    let packed = response.headers().get("content-encoding").is_some();
    assert_eq!(packed, !headers.is_empty());
    let pids = backends(&app).await;
    assert_eq!(pids.len(), 1, "it is under way");
    if database {
        let kill = format!("SELECT pg_terminate_backend({})", pids[0]);
        connection(&app).await.batch_execute(&kill).await.unwrap();
    } else {
        let now = app.state.clock.now();
        let subject = caller.subject();
        app.state.revocations.learn([(subject, now)], now);
    }
    let (text, ended) = rest(&mut response, text).await;
    assert!(!ended, "the answer does not end as if it were whole");
    let text = if packed {
        let mut plain = Vec::new();
        let _ = GzDecoder::new(&*text).read_to_end(&mut plain);
        plain
    } else {
        text
    };
    let text = String::from_utf8_lossy(&text);
    assert!(text.starts_with("{\"type\":\"partners\""), "{text:.80}");
    assert!(!text.contains("\"end\":true"));
    until_none_is_left(&app).await;
}

#[actix_web::test]
async fn a_compressed_export_is_the_same() {
    let app = TestApp::start().await;
    many_partners(&app).await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let plain = caller.get("/exports/partners.ndjson").await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let packed = [("Accept-Encoding", "gzip")];
    let packed = caller
        .send(Method::GET, "/exports/partners.ndjson", &packed, None)
        .await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() < plain.body.len() / 2);
    let mut text = Vec::new();
    GzDecoder::new(&*packed.body)
        .read_to_end(&mut text)
        .unwrap();
    assert!(text == plain.body);
    assert_eq!(whole(&text).rows.len(), 2_000);
}

#[actix_web::test]
async fn a_client_that_hangs_up_frees_its_place_and_too_many_wait() {
    let app = TestApp::start().await;
    many_partners(&app).await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    // The two places of this service, of which a client has one.
    let (one, _) = begun(&caller, &[]).await;
    let more = caller.get("/exports/partners.ndjson").await;
    assert_eq!(more.problem(429).0, "too-many-requests");
    assert_eq!(more.header("retry-after"), "5");
    let (two, _) = begun(&app.caller(&[SyncRead, RegistryRead], &["18"]), &[]).await;
    assert_eq!(backends(&app).await.len(), 2);
    let third = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let third = third.get("/exports/partners.ndjson").await;
    assert_eq!(third.problem(503).0, "unavailable");
    let seconds: u8 = third.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&seconds));
    // Others are not kept waiting: reads, writes and snapshots have connections of their own.
    add(&app.admin(), "/partners", partner("Ny", json!({}))).await;
    caller.get("/snapshot?limit=1").await.expect(200);
    drop(one);
    drop(two);
    until_none_is_left(&app).await;
    assert_eq!(export(&caller, "partners").await.rows.len(), 2_001);

    app.state.exporter.close();
    // Reading took so long that the connection may be closed by now.
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let stopping = caller.get("/exports/partners.ndjson").await;
    assert_eq!(stopping.problem(503).0, "unavailable");
}

#[rstest]
#[case("/exports/partner.ndjson", 404, "not-found")]
#[case("/exports/partners.csv", 404, "not-found")]
#[case("/exports/partners", 404, "not-found")]
#[case("/exports/.ndjson", 404, "not-found")]
#[case("/exports/reports.ndjson", 403, "insufficient-permission")]
#[case("/exports/partners.ndjson?types=partners", 400, "unknown-parameter")]
#[actix_web::test]
async fn what_cannot_be_exported_is_refused(
    #[case] path: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let caller = app.caller(&[SyncRead, RegistryRead, ParticipationWrite], &["18"]);
    let refused = caller.get(path).await;
    assert_eq!(refused.problem(status).0, code);
    if status == 404 {
        assert!(refused.text().contains("partners.ndjson"), "it names them");
    }
}

#[actix_web::test]
async fn an_export_has_the_form_of_its_name_only() {
    let app = TestApp::start().await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    for (path, accept, status) in [
        ("/exports/partners.ndjson", "application/json", 406),
        ("/exports/partners.json", NDJSON, 406),
        ("/exports/partners.ndjson", "*/*", 200),
    ] {
        let reply = caller
            .send(Method::GET, path, &[("Accept", accept)], None)
            .await;
        assert_eq!(reply.status, status, "{path} {accept}");
    }
}
