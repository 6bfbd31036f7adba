//! The past of rows: who wrote which version, the row as it was, and what is erased for good.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use samverkan::access::Permission;
use samverkan::db::connect::{self, Work};
use samverkan::http::lang::Lang;
use samverkan::http::resource::Writable;
use samverkan::registry::partners::api::{PartnerIn, Partners};
use samverkan::telemetry::{self, RequestContext, TraceParent};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rows::{add, collaboration, key, partner, partnership, project};
use crate::support::{Caller, Reply, TestApp};

async fn versions(caller: &Caller, path: &str) -> Vec<Value> {
    let list = caller.get(&format!("{path}/history?limit=100")).await;
    list.expect(200)["items"].as_array().unwrap().clone()
}

fn column(versions: &[Value], name: &str) -> Vec<Value> {
    versions
        .iter()
        .map(|version| version[name].clone())
        .collect()
}

async fn patch(caller: &Caller, path: &str, body: Value) -> Reply {
    let reply = caller.patch(path, "*", &body).await;
    reply.expect(200);
    reply
}

/// Since when the row is as the reply shows it.
fn since(reply: &Value) -> String {
    reply["updatedAt"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn every_version_says_who_made_it_and_what_it_was() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let created = editor.post("/partners", &partner("Ett", json!({}))).await;
    let path = format!("/partners/{}", key(&created.expect(201)));
    let changed = patch(&editor, &path, json!({"name": "Två"})).await;
    // What comes to what is there already makes no version.
    patch(&editor, &path, json!({"name": "Två"})).await;
    let deleted = editor.delete(&path, "*").await;
    assert_eq!(deleted.status, 204);
    assert_eq!(editor.get(&path).await.status, 410);

    let past = versions(&editor, &path).await;
    assert_eq!(column(&past, "op"), ["delete", "update", "create"]);
    assert_eq!(column(&past, "version"), [3, 2, 1]);
    assert_eq!(
        column(&past, "versionBefore"),
        [json!(2), json!(1), Value::Null]
    );
    assert_eq!(column(&past, "clientId"), ["client_test"; 3]);
    let requests =
        [&deleted, &changed, &created].map(|reply| reply.header("x-request-id").to_owned());
    assert_eq!(column(&past, "requestId"), requests);
    assert_eq!(past[2]["row"], created.json());
    assert_eq!(past[1]["row"], changed.json());
    assert!(past[0]["row"]["deletedAt"].is_string());

    // By cursor the same, and nothing that a list in a fixed order has no use for.
    let first = editor
        .get(&format!("{path}/history?limit=2&cursor="))
        .await
        .expect(200);
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    let rest = editor
        .get(next.split("/samverkan/v1").nth(1).unwrap())
        .await
        .expect(200);
    assert_eq!(
        (
            rest["items"][0]["version"].as_i64(),
            rest["items"].as_array().unwrap().len()
        ),
        (Some(1), 1)
    );
    for wrong in [
        "sort=version",
        "q=ett",
        "updatedSince=2026-01-01T00:00:00Z",
        "include=members",
    ] {
        assert_eq!(
            editor.get(&format!("{path}/history?{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
}

#[actix_web::test]
async fn a_row_is_shown_as_it_was_at_a_time() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let one = editor
        .post("/partners", &partner("Ett", json!({})))
        .await
        .expect(201);
    let path = format!("/partners/{}", key(&one));
    let two = patch(&editor, &path, json!({"name": "Två"})).await.json();
    editor.delete(&path, "*").await;
    let at = |time: &str| format!("{path}?asOf={time}");

    let then = editor.get(&at(&since(&one))).await;
    assert_eq!((then.version(), &then.json()), (1, &one));
    assert_eq!(editor.get(&at(&since(&two))).await.expect(200), two);
    let chosen = editor
        .get(&format!("{}&fields=name", at(&since(&one))))
        .await;
    assert_eq!(chosen.expect(200), json!({"name": "Ett"}));
    let before = editor.get(&at("2020-01-01T00:00:00Z")).await;
    assert_eq!(before.problem(404).0, "not-found");
    assert!(
        before.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("Raden fanns inte än")
    );
    assert_eq!(
        editor.get(&at("2100-01-01T00:00:00Z")).await.problem(410).0,
        "gone"
    );
    assert_eq!(editor.get(&at("yesterday")).await.status, 400);
}

#[actix_web::test]
async fn members_are_those_that_were_known_then() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let body = collaboration(
        "Länet",
        json!({"members": [{"municipality": "1880", "role": "administrative_host", "validFrom": "2020-01-01"}]}),
    );
    let one = editor.post("/collaborations", &body).await.expect(201);
    let path = format!("/collaborations/{}", key(&one));
    let more = json!([
        {"municipality": "1880", "validFrom": "2020-01-01"},
        {"municipality": "1881", "role": "administrative_host", "validFrom": "2020-01-01"}]);
    patch(&editor, &path, json!({"members": more})).await;

    let then = editor
        .get(&format!("{path}?asOf={}&include=members", since(&one)))
        .await
        .expect(200);
    assert_eq!(then["members"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            then["memberCount"].as_i64(),
            then["administrativeHost"].as_str()
        ),
        (Some(1), Some("1880"))
    );
    let bare = editor
        .get(&format!("{path}?asOf={}", since(&one)))
        .await
        .expect(200);
    assert!(bare.get("members").is_none());
    let now = editor
        .get(&format!("{path}?include=members"))
        .await
        .expect(200);
    assert_eq!(
        (
            now["memberCount"].as_i64(),
            now["administrativeHost"].as_str()
        ),
        (Some(2), Some("1881"))
    );
    let past = versions(&editor, &path).await;
    let counts: Vec<usize> = past
        .iter()
        .map(|version| version["row"]["members"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [2, 1]);
}

#[actix_web::test]
async fn other_rows_have_a_history_of_their_own() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    add(&editor, "/partners", partner("P", json!({}))).await;
    let path = add(
        &editor,
        "/projects",
        project("P", json!({"startMonth": "2026-07", "endMonth": "2026-12"})),
    )
    .await;
    add(&editor, "/partnerships", partnership("P", "P", json!({}))).await;
    let made = editor.get(&path).await.expect(200);
    assert_eq!(made["status"], "planned");
    let refused = editor
        .get(&format!("{path}?asOf={}&include=partners", since(&made)))
        .await;
    assert_eq!(refused.problem(400).1, "not_with_as_of");
    assert!(
        versions(&editor, &path).await[0]["row"]
            .get("partners")
            .is_none()
    );
    // The status is that of the time that is asked for, which the database's clock stands beside.
    let later = editor
        .get(&format!("{path}?asOf=2099-01-01T00:00:00Z"))
        .await
        .expect(200);
    assert_eq!(later["status"], "ended");
}

#[actix_web::test]
async fn a_version_that_was_a_draft_is_seen_inside_its_area_only() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let draft = editor
        .post(
            "/partners",
            &partner("Hemligt namn", json!({"state": "draft"})),
        )
        .await
        .expect(201);
    let path = format!("/partners/{}", key(&draft));
    let foreign = app.reader(&["22"]);
    assert_eq!(foreign.get(&format!("{path}/history")).await.status, 404);
    patch(
        &editor,
        &path,
        json!({"state": "published", "name": "Öppet namn"}),
    )
    .await;
    let seen = foreign.get(&format!("{path}/history")).await;
    assert!(!seen.text().contains("Hemligt"), "{}", seen.text());
    assert_eq!(column(&versions(&foreign, &path).await, "version"), [2]);
    assert_eq!(
        column(&versions(&app.reader(&["1880"]), &path).await, "version"),
        [2, 1]
    );
    let then = format!("{path}?asOf={}", since(&draft));
    assert_eq!(foreign.get(&then).await.status, 404);
    assert_eq!(
        app.reader(&["18"]).get(&then).await.expect(200)["name"],
        "Hemligt namn"
    );
}

#[actix_web::test]
async fn contacts_need_their_permission_and_go_for_good() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let contact = |mail: &str| json!({"role": "Ledare", "email": mail, "phone": null});
    let both = json!({"contacts": [contact("ada@example.se"), contact("bo@example.se")]});
    let made = editor
        .post("/partners", &partner("K", both))
        .await
        .expect(201);
    let path = format!("/partners/{}", key(&made));
    let past = format!("{path}/history?include=contacts");
    let text = editor.get(&past).await.text();
    assert!(text.contains("ada@example.se") && text.contains("bo@example.se"));
    let then = format!("{path}?asOf={}&include=contacts", since(&made));
    assert_eq!(
        editor.get(&then).await.expect(200)["contacts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // Unasked, without the permission, and outside the area nobody sees them.
    let unasked = editor.get(&format!("{path}/history")).await.text()
        + &editor
            .get(&format!("{path}?asOf={}", since(&made)))
            .await
            .text();
    assert!(!unasked.contains("example.se"), "{unasked}");
    let other = app.caller(&[Permission::RegistryRead], &["18"]);
    assert_eq!(other.get(&past).await.status, 403);
    let outside = app.reader(&["22"]);
    assert!(
        !(outside.get(&past).await.text() + &outside.get(&then).await.text())
            .contains("example.se")
    );

    patch(
        &editor,
        &path,
        json!({"contacts": [contact("bo@example.se")]}),
    )
    .await;
    let text = editor.get(&past).await.text() + &editor.get(&then).await.text();
    assert!(!text.contains("ada@") && text.contains("bo@"), "{text}");
    assert_eq!(column(&versions(&editor, &path).await, "version"), [2, 1]);
    editor.delete(&path, "*").await;
    assert!(!editor.get(&past).await.text().contains("bo@"));
    let stored = app
        .state
        .db
        .write(async |mut conn| {
            Ok(diesel::sql_query("SELECT 1 FROM history WHERE row::text LIKE '%@example.se%' UNION ALL SELECT 1 FROM partners WHERE contacts::text LIKE '%@%'")
                .execute(&mut conn)
                .await?)
        })
        .await
        .unwrap();
    assert_eq!(stored, 0);
    let events = app.admin().get("/audit-events?action=contact_erased").await;
    assert!(!events.text().contains("example.se"));
    let events = events.expect(200);
    assert_eq!(events["_meta"]["totalRecords"], 2);
    assert_eq!(events["items"][0]["detail"]["key"], key(&made));
    assert_eq!(events["items"][0]["areas"], json!(["1880"]));
}

#[actix_web::test]
async fn a_row_that_was_loaded_is_kept_before_its_first_change() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let new: PartnerIn = serde_json::from_value(partner("Inläst", json!({}))).unwrap();
    let id = app
        .state
        .db
        .write(async |conn| Partners::insert(conn, &new).await)
        .await
        .unwrap();
    let path = format!("/partners/{id}");
    let loaded = editor.get(&path).await.expect(200);
    assert_eq!(versions(&editor, &path).await, Vec::<Value>::new());
    assert_eq!(
        editor
            .get(&format!("{path}?asOf={}", since(&loaded)))
            .await
            .expect(200),
        loaded
    );
    patch(&editor, &path, json!({"name": "Ändrad"})).await;
    let past = versions(&editor, &path).await;
    assert_eq!(column(&past, "op"), ["update", "found"]);
    assert_eq!(
        column(&past, "clientId"),
        [json!("client_test"), Value::Null]
    );
    assert_eq!(past[1]["row"], loaded);
    // That it was found is nobody's doing.
    let trail = app.admin().get("/audit-events").await.expect(200);
    assert_eq!(trail["_meta"]["totalRecords"], 1);
    assert_eq!(
        editor
            .get(&format!("{path}?asOf={}", since(&loaded)))
            .await
            .expect(200),
        loaded
    );
}

#[actix_web::test]
async fn a_report_keeps_its_states_and_each_write_of_its_observations() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let source = admin.post("/sources", &json!({"title": "Enkät", "publisher": "Rådet", "area": "SE", "url": "https://e.example/"})).await.expect(201);
    let measure = json!({"code": "pupils", "kind": "count", "unit": "persons", "labelSv": "Elever", "labelEn": "Pupils",
        "definitionSv": "Unika elever.", "definitionEn": "Unique pupils."});
    admin.post("/measures", &measure).await.expect(201);
    let report =
        json!({"source": source["id"], "area": "1880", "periodKind": "year", "period": "2025"});
    let path = add(&admin, "/reports", report).await;
    let numbers = json!({"observations": [{"measure": "pupils", "value": 10}]});
    admin
        .put(&format!("{path}/observations"), "*", &numbers)
        .await
        .expect(200);
    // The same again is no new version.
    admin
        .put(&format!("{path}/observations"), "*", &numbers)
        .await
        .expect(200);
    for state in ["submitted", "approved"] {
        admin
            .put(&format!("{path}/state"), "*", &json!({"state": state}))
            .await
            .expect(200);
    }
    let past = versions(&admin, &path).await;
    assert_eq!(column(&past, "version"), [4, 3, 2, 1]);
    let rows = column(&past, "row");
    assert_eq!(
        column(&rows, "state"),
        ["approved", "submitted", "draft", "draft"]
    );
    assert_eq!(column(&rows, "observationCount"), [1, 1, 1, 0]);
    let events = admin
        .get("/audit-events?action=report_state_changed")
        .await
        .expect(200);
    assert_eq!(events["items"][0]["detail"]["to"], "approved");
    assert_eq!(
        events["items"][1]["detail"],
        json!({"report": key(&rows[0]), "from": "draft", "to": "submitted"})
    );
    assert_eq!(
        app.reader(&["22"])
            .get(&format!("{path}/history"))
            .await
            .status,
        404
    );

    let code = format!(
        "/measures/pupils?asOf={}&lang=en",
        since(&admin.get("/measures/pupils").await.expect(200))
    );
    admin
        .patch("/measures/pupils", "*", &json!({"labelEn": "Students"}))
        .await
        .expect(200);
    assert_eq!(admin.get(&code).await.expect(200)["label"], "Pupils");
}

#[actix_web::test]
async fn history_is_never_rewritten() {
    let app = TestApp::start().await;
    add(&app.editor(&["18"]), "/partners", partner("Ett", json!({}))).await;
    for attempt in [
        "DELETE FROM history",
        "UPDATE history SET client_id = 'someone'",
        "UPDATE history SET row = jsonb_set(row, '{name}', '\"Annat\"')",
        "UPDATE history SET row = jsonb_set(row, '{contacts}', '[{\"role\": \"Ny\"}]')",
    ] {
        let done = app
            .state
            .db
            .write(async |mut conn| Ok(conn.batch_execute(attempt).await?))
            .await;
        assert!(done.is_err(), "{attempt}");
    }
}

#[derive(QueryableByName)]
struct Actor {
    #[diesel(sql_type = Nullable<Text>)]
    client: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    request: Option<String>,
}

#[actix_web::test]
async fn the_database_knows_who_acts_from_the_first_statement_to_the_end_of_the_transaction() {
    let app = TestApp::start().await;
    let asked = async || {
        let sql = "SELECT nullif(current_setting('samverkan.client', true), '') AS client, nullif(current_setting('samverkan.request', true), '') AS request";
        let work = app.state.db.write(async |mut conn| {
            Ok(diesel::sql_query(sql)
                .get_result::<Actor>(&mut conn)
                .await?)
        });
        let actor = work.await.unwrap();
        (actor.client, actor.request)
    };
    for _ in 0..10 {
        let id = Uuid::now_v7();
        let context = RequestContext::new(id, Lang::Sv, TraceParent::from_header_or_new(None));
        let inside = telemetry::with_context(context.into(), async {
            telemetry::note_caller("client_o'hara");
            asked().await
        });
        let known = (Some("client_o'hara".to_owned()), Some(id.to_string()));
        assert_eq!(inside.await, known);
        assert_eq!(asked().await, (None, None));
    }
}

/// The observations that a list shows, each as measure, gender, value.
fn numbers(list: &Value) -> Vec<Value> {
    let items = list["items"].as_array().unwrap();
    let one = |item: &Value| json!([item["measure"], item["gender"], item["value"]]);
    items.iter().map(one).collect()
}

#[actix_web::test]
async fn the_numbers_of_a_report_can_be_had_as_every_version_had_them() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let source = admin.post("/sources", &json!({"title": "Enkät", "publisher": "Rådet", "area": "SE", "url": "https://e.example/"})).await.expect(201);
    let measure = json!({"code": "pupils", "kind": "count", "unit": "persons", "labelSv": "Elever", "labelEn": "Pupils",
        "definitionSv": "Unika elever.", "definitionEn": "Unique pupils."});
    admin.post("/measures", &measure).await.expect(201);
    let report =
        json!({"source": source["id"], "area": "1880", "periodKind": "year", "period": "2025"});
    let path = add(&admin, "/reports", report).await;
    let list = format!("{path}/observations");
    let number =
        |gender: &str, value: i64| json!({"measure": "pupils", "gender": gender, "value": value});
    let first = json!({"observations": [number("total", 10), number("girls", 7)]});
    admin.put(&list, "*", &first).await.expect(200);
    let second = json!({"observations": [number("total", 12), number("boys", 5)]});
    let headers = [("Content-Type", "application/json"), ("If-Match", "*")];
    let second = Some(second.to_string().into_bytes());
    let merged = admin
        .send(reqwest::Method::PATCH, &list, &headers, second)
        .await;
    merged.expect(200);
    let third = json!({"observations": [number("total", 13)]});
    admin.put(&list, "*", &third).await.expect(200);

    let past = versions(&admin, &path).await;
    assert_eq!(column(&past, "version"), [4, 3, 2, 1]);
    assert_eq!(
        column(&column(&past, "row"), "observationCount"),
        [1, 3, 2, 0]
    );
    let then = async |version: usize, more: &str| {
        let at = past[past.len() - version]["at"].as_str().unwrap();
        let list = admin.get(&format!("{list}?asOf={at}{more}")).await;
        numbers(&list.expect(200))
    };
    let row = |gender: &str, value: f64| json!(["pupils", gender, value]);
    assert_eq!(then(1, "").await, [] as [Value; 0]);
    assert_eq!(then(2, "").await, [row("total", 10.0), row("girls", 7.0)]);
    assert_eq!(
        then(3, "").await,
        [row("total", 12.0), row("girls", 7.0), row("boys", 5.0)]
    );
    assert_eq!(then(4, "").await, [row("total", 13.0)]);
    assert_eq!(
        then(2, "&measure=pupils&area=1880&limit=1&page=2").await,
        [row("girls", 7.0)]
    );
    assert_eq!(then(2, "&measure=pupil_places").await, [] as [Value; 0]);
    assert_eq!(then(3, "&limit=1&cursor=").await, [row("total", 12.0)]);

    let before = format!("{list}?asOf=2001-01-01T00:00:00Z");
    assert_eq!(admin.get(&before).await.status, 404);
    let known = past[0]["at"].as_str().unwrap();
    let known = format!("{list}?asOf={known}");
    assert_eq!(app.reader(&["22"]).get(&known).await.status, 404);
    assert_eq!(admin.get(&format!("{list}?asOf=igår")).await.status, 400);
    // The past is only added to, also for those who reach the database.
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    let rewrite = "UPDATE earlier_observations SET value = 0";
    assert!(conn.batch_execute(rewrite).await.is_err());
}
