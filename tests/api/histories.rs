//! The histories of what is not written as other rows are: clients and publications.

use diesel_async::RunQueryDsl;
use samverkan::access::Permission as P;
use serde_json::{Value, json};

use crate::rows::key;
use crate::support::TestApp;
use crate::support::statistics::{Fixture, obs};

fn column(page: &Value, name: &str) -> Vec<Value> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item[name].clone()).collect()
}

#[actix_web::test]
async fn clients_have_a_history_without_secrets() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let body = json!({"name": "Portalen", "permissions": ["registry:read", "publish"], "areas": ["18", "22"]});
    let client = admin.post("/clients", &body).await.expect(201);
    let path = format!("/clients/{}", key(&client));
    let change = json!({"permissions": ["registry:read"], "areas": ["18"]});
    let changed = admin.patch(&path, "*", &change).await.expect(200);
    let secret = admin.post(&format!("{path}/secrets"), &json!({})).await;
    let secret = secret.expect(201);
    let one = format!("{path}/secrets/{}", key(&secret));
    assert_eq!(admin.delete(&one, "*").await.status, 204);
    assert_eq!(admin.delete(&path, "*").await.status, 204);

    let reply = admin.get(&format!("{path}/history")).await;
    let history = reply.expect(200);
    assert_eq!(column(&history, "version"), [4, 3, 2, 1]);
    let before = [json!(3), json!(2), json!(1), Value::Null];
    assert_eq!(column(&history, "versionBefore"), before);
    assert_eq!(
        column(&history, "op"),
        ["update", "update", "update", "create"]
    );
    assert_eq!(column(&history, "clientId"), ["client_test"; 4]);
    let requests = column(&history, "requestId");
    assert!(requests.iter().all(Value::is_string), "{history}");
    assert!(!history["items"][0]["row"]["revokedAt"].is_null());
    assert_eq!(history["items"][2]["row"], changed);
    let first = &history["items"][3]["row"];
    assert_eq!(
        (&first["areas"], &first["name"]),
        (&body["areas"], &body["name"])
    );
    assert_eq!(column(&history, "at")[3], first["updatedAt"]);

    // As it was at any time.
    let at = |version: usize| history["items"][4 - version]["at"].as_str().unwrap();
    let then = async |at: &str| admin.get(&format!("{path}?asOf={at}")).await;
    assert_eq!(then(at(1)).await.expect(200), *first);
    let reply = then(at(2)).await;
    assert_eq!((reply.version(), reply.expect(200)), (2, changed));
    assert!(!then("2099-01-01T00:00:00Z").await.expect(200)["revokedAt"].is_null());
    assert_eq!(then("2020-01-01T00:00:00Z").await.status, 404);
    let secrets = admin
        .get(&format!("{path}?asOf={}&include=secrets", at(1)))
        .await;
    assert_eq!(secrets.problem(400).1, "not_with_as_of");

    // Neither secrets nor anything made of them, wherever they are kept.
    let made = [&client["clientSecret"], &secret["clientSecret"]];
    let stored = app.state.db.write(async |mut conn| {
        let sql = "SELECT 1 FROM history WHERE entity_type = 'clients' AND row::text ~* 'secret|hash|smv_'";
        Ok(diesel::sql_query(sql).execute(&mut conn).await?)
    });
    assert_eq!(stored.await.unwrap(), 0);
    for secret in made {
        assert!(!reply.text().contains(secret.as_str().unwrap()));
    }

    let events = admin.get("/audit-events?action=client_changed").await;
    let events = events.expect(200);
    assert_eq!(events["_meta"]["totalRecords"], 1);
    let detail = &events["items"][0]["detail"];
    assert_eq!(detail["client"], client["clientId"]);
    assert_eq!(
        detail["before"],
        json!({"name": "Portalen", "permissions": ["registry:read", "publish"], "areas": ["18", "22"], "version": 1})
    );
    assert_eq!(
        detail["after"],
        json!({"name": "Portalen", "permissions": ["registry:read"], "areas": ["18"], "version": 2})
    );
}

#[actix_web::test]
async fn who_sees_a_client_sees_its_versions_inside_their_areas() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let body = json!({"name": "Två län", "permissions": ["registry:read"], "areas": ["18", "22"]});
    let client = admin.post("/clients", &body).await.expect(201);
    let path = format!("/clients/{}", key(&client));
    let history = format!("{path}/history");
    let county = app.caller(&[P::ClientsAdmin], &["18"]);
    assert_eq!(county.get(&history).await.status, 404);
    let narrowed = json!({"areas": ["1880"]});
    admin.patch(&path, "*", &narrowed).await.expect(200);
    let seen = county.get(&history).await.expect(200);
    // The first one concerned county 22 as well.
    assert_eq!(column(&seen, "version"), [2]);
    let all = admin.get(&history).await.expect(200);
    assert_eq!(column(&all, "version"), [2, 1]);
    for (version, status) in [(0, 200), (1, 404)] {
        let at = all["items"][version]["at"].as_str().unwrap();
        let then = county.get(&format!("{path}?asOf={at}")).await;
        assert_eq!(then.status, status, "{at}");
    }
    let other = app.caller(&[P::AuditRead, P::RegistryRead], &["SE"]);
    assert_eq!(other.get(&history).await.status, 403);
    assert_eq!(admin.get(&format!("{history}?sort=at")).await.status, 400);
}

#[actix_web::test]
async fn a_client_that_is_older_than_its_history_is_kept_before_its_first_change() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let body = json!({"name": "Gammal", "permissions": ["registry:read"], "areas": ["18"]});
    let client = admin.post("/clients", &body).await.expect(201);
    let path = format!("/clients/{}", key(&client));
    // As an earlier version of the service left it: another version than the one that is kept.
    let older = app.state.db.write(async |mut conn| {
        let sql = "UPDATE clients SET name = 'Äldre'";
        Ok(diesel::sql_query(sql).execute(&mut conn).await?)
    });
    assert_eq!(older.await.unwrap(), 1);
    let renamed = json!({"name": "Ny"});
    admin.patch(&path, "*", &renamed).await.expect(200);
    let history = admin.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(column(&history, "op"), ["update", "found", "create"]);
    assert_eq!(history["items"][1]["row"]["name"], "Äldre");
    assert_eq!(history["items"][1]["clientId"], Value::Null);
}

#[actix_web::test]
async fn publications_have_the_versions_that_they_were_released_and_withdrawn_in() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let source = f.source("Årsrapport 2025").await;
    f.report(source, "1880", "2025", &[obs("pupils", "", 40.0)])
        .await;
    f.publish("2025.1").await;
    f.publish("2025.2").await;
    let reader = f.analyst();
    let path = "/publications/2025.2";
    let released = reader.get(path).await.expect(200);
    let history = reader.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(column(&history, "op"), ["create"]);
    assert_eq!(history["items"][0]["row"], released);
    assert_eq!(history["items"][0]["at"], released["publishedAt"]);
    assert_eq!(history["items"][0]["clientId"], released["createdBy"]);

    let publisher = app.caller(&[P::StatisticsRead, P::Publish], &["SE"]);
    let body = json!({"state": "withdrawn", "reason": "Fel.", "successor": "2025.1"});
    let withdrawn = publisher.put(&format!("{path}/state"), "*", &body).await;
    let withdrawn = withdrawn.expect(200);
    let history = reader.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(column(&history, "op"), ["update", "create"]);
    let version = withdrawn["version"].as_i64().unwrap();
    assert_eq!(column(&history, "version"), [version, version - 1]);
    assert_eq!(
        column(&history, "versionBefore"),
        [json!(version - 1), Value::Null]
    );
    let (now, then) = (&history["items"][0], &history["items"][1]);
    assert_eq!(now["row"], withdrawn);
    assert_eq!(now["at"], withdrawn["withdrawnAt"]);
    assert_eq!(now["clientId"], "client_test");
    assert!(now["requestId"].is_string());
    assert_eq!(then["version"], released["version"]);
    // As it was then, but that the time of its release stands for the time of that change.
    let mut expected = released.clone();
    expected["updatedAt"] = released["publishedAt"].clone();
    assert_eq!(then["row"], expected);
    let at = async |at: &Value| {
        let path = format!("{path}?asOf={}", at.as_str().unwrap());
        reader.get(&path).await
    };
    let shown = at(&released["publishedAt"]).await;
    assert_eq!(json!(shown.version()), released["version"]);
    assert_eq!(shown.expect(200), expected);
    assert_eq!(at(&withdrawn["withdrawnAt"]).await.problem(410).0, "gone");
    assert_eq!(at(&json!("2020-01-01T00:00:00Z")).await.status, 404);
    let more = format!(
        "{path}?asOf={}&include=x",
        released["publishedAt"].as_str().unwrap()
    );
    assert_eq!(reader.get(&more).await.status, 400);
    let some = format!(
        "{path}?asOf={}&fields=name",
        released["publishedAt"].as_str().unwrap()
    );
    assert_eq!(
        reader.get(&some).await.expect(200),
        json!({"name": "2025.2"})
    );

    let latest = reader.get("/publications/latest/history").await.expect(200);
    assert_eq!(latest["items"][0]["row"]["name"], "2025.1");
    let page = reader.get(&format!("{path}/history?limit=1&page=2")).await;
    assert_eq!(column(&page.expect(200), "op"), ["create"]);
    for (path, status) in [("2025.9/history", 404), ("2025.2/history?sort=at", 400)] {
        let reply = reader.get(&format!("/publications/{path}")).await;
        assert_eq!(reply.status, status, "{path}");
    }
    let other = app.caller(&[P::RegistryRead], &["SE"]);
    assert_eq!(other.get(&format!("{path}/history")).await.status, 403);
}
