//! Safe retries: however often a request is sent with its key, it happens once.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use reqwest::Method;
use samverkan::access::Permission;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rows::partner;
use crate::support::app::moment;
use crate::support::{Caller, Reply, TestApp};

const KEY: &str = "a-key-of-the-test";

async fn post(caller: &Caller, path: &str, key: &str, body: &Value) -> Reply {
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", key),
    ];
    caller
        .send(
            Method::POST,
            path,
            &headers,
            Some(body.to_string().into_bytes()),
        )
        .await
}

async fn partners(app: &TestApp) -> i64 {
    let list = app.admin().get("/partners").await.expect(200);
    list["_meta"]["totalRecords"].as_i64().unwrap()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn kept(app: &TestApp, condition: &'static str) -> i64 {
    let sql = format!("SELECT count(*) AS count FROM idempotency_keys WHERE {condition}");
    app.state
        .db
        .write(async |mut conn| {
            let counted: Count = diesel::sql_query(&sql).get_result(&mut conn).await?;
            Ok(counted.count)
        })
        .await
        .unwrap()
}

fn token_of(app: &TestApp, client: &str) -> String {
    let scope = [Permission::RegistryRead, Permission::RegistryWrite].map(Permission::as_str);
    app.state
        .issuer
        .issue(
            Uuid::now_v7(),
            client,
            &scope.join(" "),
            vec!["SE".to_owned()],
            app.state.clock.now(),
        )
        .unwrap()
        .token
}

#[actix_web::test]
async fn the_answer_of_the_first_time_comes_again() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let body = partner("Fören", json!({}));
    let first = post(&editor, "/partners", KEY, &body).await;
    first.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let quoted = format!("\"{KEY}\"");
    for key in [KEY, &quoted] {
        let again = post(&editor, "/partners", key, &body).await;
        assert_eq!(again.status, 201);
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("idempotent-replayed"), "true");
        for same in ["location", "etag", "content-type"] {
            assert_eq!(again.header(same), first.header(same), "{same}");
        }
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    }
    assert_eq!(partners(&app).await, 1);
    // Without a key each request is one of its own.
    editor.post("/partners", &body).await.expect(201);
    assert_eq!(partners(&app).await, 2);
}

#[actix_web::test]
async fn the_same_request_sent_at_the_same_time_happens_once() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    for round in 0..5 {
        let body = partner(&format!("Samtidig {round}"), json!({}));
        let key = format!("parallel-{round}");
        let sent = (0..8).map(|_| post(&editor, "/partners", &key, &body));
        let replies = futures_util::future::join_all(sent).await;
        let fresh = replies
            .iter()
            .filter(|reply| reply.header("idempotent-replayed").is_empty())
            .count();
        assert_eq!(fresh, 1);
        for reply in &replies {
            assert_eq!(reply.expect(201)["id"], replies[0].json()["id"]);
        }
        assert_eq!(partners(&app).await, round + 1);
    }
}

#[actix_web::test]
async fn a_rival_that_goes_on_for_too_long_is_told() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let body = partner("Långsam", json!({}));
    let (claimed, answered) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    // Another process that has claimed the key and does not come to its end.
    let holding = app.state.db.write(async |mut conn| {
        diesel::sql_query(
            "INSERT INTO idempotency_keys (client_id, key, fingerprint, created_at) VALUES ('client_test', 'a-key-of-the-test', '', now())",
        )
        .execute(&mut conn)
        .await?;
        claimed.notify_one();
        answered.notified().await;
        Err::<(), _>(diesel::result::Error::RollbackTransaction.into())
    });
    let waiting = async {
        claimed.notified().await;
        let reply = post(&editor, "/partners", KEY, &body).await;
        answered.notify_one();
        reply
    };
    let (held, reply) = tokio::join!(holding, waiting);
    assert!(held.is_err());
    assert_eq!(reply.problem(409).1, "idempotency_in_progress");
    assert_eq!(reply.header("retry-after"), "2");
    // The rival came to nothing, and the key is free.
    post(&editor, "/partners", KEY, &body).await.expect(201);
    assert_eq!(partners(&app).await, 1);
}

#[actix_web::test]
async fn a_key_belongs_to_one_request() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let body = partner("Ett", json!({}));
    post(&editor, "/partners", KEY, &body).await.expect(201);
    let other = post(&editor, "/partners", KEY, &partner("Två", json!({}))).await;
    assert_eq!(other.problem(422).1, "idempotency_key_reused");
    assert_eq!(other.json()["errors"][0]["header"], "Idempotency-Key");
    let school =
        json!({"municipality": "1880", "name": "Örebro kulturskola", "kind": "culture_school"});
    let elsewhere = post(&editor, "/culture-schools", KEY, &school).await;
    assert_eq!(elsewhere.problem(422).1, "idempotency_key_reused");
    assert_eq!(partners(&app).await, 1);
    for wrong in ["short", "with blank in it", "\"half-quoted", "åäöåäöåäö"] {
        let refused = post(&editor, "/partners", wrong, &body).await;
        assert_eq!(refused.problem(400).1, "idempotency_key_format", "{wrong}");
    }
}

#[actix_web::test]
async fn the_key_of_another_client_is_another_key() {
    let app = TestApp::start().await;
    let body = partner("Samma", json!({}));
    let mut ids = Vec::new();
    for client in ["client_one", "client_two", "client_one"] {
        let caller = app.anonymous().with_token(&token_of(&app, client));
        ids.push(post(&caller, "/partners", KEY, &body).await.expect(201)["id"].clone());
    }
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(partners(&app).await, 2);
}

#[actix_web::test]
async fn a_refusal_leaves_the_key_free() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let outside = partner("Utanför", json!({"area": "2280"}));
    assert_eq!(post(&editor, "/partners", KEY, &outside).await.status, 403);
    let broken = partner("Trasig", json!({"orgNumber": "802000-0008"}));
    assert_eq!(post(&editor, "/partners", KEY, &broken).await.status, 422);
    let number = json!({"orgNumber": "802000-0009"});
    editor
        .post("/partners", &partner("Först", number.clone()))
        .await
        .expect(201);
    let taken = post(&editor, "/partners", KEY, &partner("Sedan", number)).await;
    assert_eq!(taken.problem(409).1, "partner_org_number_once");
    assert_eq!(kept(&app, "true").await, 0);
    post(&editor, "/partners", KEY, &partner("Lagad", json!({})))
        .await
        .expect(201);
    assert_eq!(kept(&app, "status = 201").await, 1);
}

#[actix_web::test]
async fn after_seven_days_a_key_is_forgotten() {
    let app = TestApp::start().await;
    let body = partner("Vecka", json!({}));
    let first = post(&app.editor(&["18"]), "/partners", KEY, &body)
        .await
        .expect(201);
    let start = moment("2026-06-01T12:00:00Z");
    app.state.clock.set(start + TimeDelta::days(7));
    let day_seven = post(&app.editor(&["18"]), "/partners", KEY, &body).await;
    assert_eq!(day_seven.expect(201)["id"], first["id"]);
    let forgotten = || samverkan::http::once::forget(&app.state.db, &app.state.clock);
    assert_eq!(forgotten().await.unwrap(), 0);
    app.state
        .clock
        .set(start + TimeDelta::days(7) + TimeDelta::seconds(1));
    // Over, though nobody has cleared it away yet.
    let later = post(&app.editor(&["18"]), "/partners", KEY, &body).await;
    assert_ne!(later.expect(201)["id"], first["id"]);
    app.state.clock.set(start + TimeDelta::days(15));
    assert_eq!(forgotten().await.unwrap(), 1);
    assert_eq!(kept(&app, "true").await, 0);
}

#[actix_web::test]
async fn a_secret_is_not_kept_and_not_shown_again() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let body = json!({"name": "Portalen", "permissions": ["registry:read"], "areas": ["18"]});
    let first = post(&admin, "/clients", KEY, &body).await;
    let client = first.expect(201);
    let again = post(&admin, "/clients", KEY, &body).await;
    assert_eq!(again.problem(409).1, "secret_shown_once");
    let path = format!("/clients/{}", client["id"].as_str().unwrap());
    assert!(
        again.json()["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains(&path)
    );
    let secrets = format!("{path}/secrets");
    let key = "a-key-of-a-secret";
    post(&admin, &secrets, key, &json!({})).await.expect(201);
    let again = post(&admin, &secrets, key, &json!({})).await;
    assert_eq!(again.problem(409).1, "secret_shown_once");
    assert_eq!(
        admin.get("/clients").await.expect(200)["_meta"]["totalRecords"],
        1
    );
    assert_eq!(kept(&app, "body IS NULL").await, 2);
    assert_eq!(kept(&app, "headers::text LIKE '%smv_%'").await, 0);
}

#[actix_web::test]
async fn a_client_that_hangs_up_and_tries_again_writes_one_row() {
    let app = TestApp::start().await;
    let editor = app.editor(&["18"]);
    let token = token_of(&app, "client_test");
    for round in 0..20 {
        let body = partner(&format!("Lagt på {round}"), json!({}));
        let (text, key) = (body.to_string(), format!("hang-up-{round}"));
        let request = format!(
            "POST /samverkan/v1/partners HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        let address = app.origin.strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        // At once, in the middle of the work, or after it.
        tokio::time::sleep(Duration::from_millis(round % 5)).await;
        drop(stream);
        post(&editor, "/partners", &key, &body).await.expect(201);
        assert_eq!(partners(&app).await, i64::try_from(round).unwrap() + 1);
    }
}
