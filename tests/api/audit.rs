//! Who did what: the audit trail.

use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use samverkan::access::Permission;
use samverkan::db::connect::{self, Work};
use serde_json::{Value, json};

use crate::rows::{add, key, partner};
use crate::support::TestApp;

fn column(list: &Value, name: &str) -> Vec<Value> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item[name].clone()).collect()
}

#[actix_web::test]
async fn rows_and_clients_are_in_one_trail_newest_first() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = add(&app.editor(&["18"]), "/partners", partner("Ett", json!({}))).await;
    app.editor(&["18"])
        .patch(&path, "*", &json!({"name": "Två"}))
        .await
        .expect(200);
    let body =
        json!({"name": "Portalen", "permissions": ["registry:read", "publish"], "areas": ["18"]});
    let client = admin.post("/clients", &body).await.expect(201);
    let own = format!("/clients/{}", key(&client));
    let secret = admin
        .post(&format!("{own}/secrets"), &json!({}))
        .await
        .expect(201);
    admin
        .delete(&format!("{own}/secrets/{}", key(&secret)), "*")
        .await;
    admin
        .patch(&own, "*", &json!({"permissions": ["registry:read"]}))
        .await
        .expect(200);
    assert_eq!(admin.delete(&own, "*").await.status, 204);
    app.editor(&["18"]).delete(&path, "*").await;

    let trail = admin.get("/audit-events").await.expect(200);
    assert_eq!(
        column(&trail, "action"),
        [
            "row_deleted",
            "client_revoked",
            "client_changed",
            "client_secret_revoked",
            "client_secret_created",
            "client_created",
            "row_changed",
            "row_created"
        ]
    );
    assert_eq!(column(&trail, "clientId"), ["client_test"; 8]);
    assert_eq!(trail["items"][1]["detail"]["client"], client["clientId"]);
    assert!(
        !trail
            .to_string()
            .contains(client["clientSecret"].as_str().unwrap())
    );
    let row = &trail["items"][6];
    assert_eq!(
        (
            &row["entityType"],
            &row["versionBefore"],
            &row["version"],
            &row["areas"]
        ),
        (&json!("partners"), &json!(1), &json!(2), &json!(["1880"]))
    );
    assert_eq!(
        format!("/partners/{}", row["entityKey"].as_str().unwrap()),
        path
    );
    assert!(row["requestId"].is_string());

    let first = admin.get("/audit-events?limit=5&cursor=").await.expect(200);
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    let rest = admin
        .get(next.split("/samverkan/v1").nth(1).unwrap())
        .await
        .expect(200);
    let followed: Vec<Value> = [column(&first, "id"), column(&rest, "id")].concat();
    assert_eq!(followed, column(&trail, "id"));
    assert_eq!(admin.get("/audit-events?sort=at").await.status, 400);
    assert!(
        admin
            .get("/audit-events?format=csv")
            .await
            .text()
            .contains("client_revoked")
    );
}

#[actix_web::test]
async fn it_is_read_by_area_and_filtered() {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(&admin, "/partners", partner("Örebro", json!({}))).await;
    add(&admin, "/partners", partner("Länet", json!({"area": "18"}))).await;
    add(
        &admin,
        "/partners",
        partner("Härnösand", json!({"area": "2280"})),
    )
    .await;
    add(
        &admin,
        "/partners",
        partner("Landet", json!({"area": "SE"})),
    )
    .await;
    let body = json!({"name": "Två län", "permissions": ["registry:read"], "areas": ["18", "22"]});
    admin.post("/clients", &body).await.expect(201);
    let auditor = |areas: &[&str]| app.caller(&[Permission::AuditRead], areas);
    let count = async |areas: &[&str], query: &str| {
        let list = auditor(areas)
            .get(&format!("/audit-events{query}"))
            .await
            .expect(200);
        list["_meta"]["totalRecords"].as_i64().unwrap()
    };
    assert_eq!(count(&["SE"], "").await, 5);
    // What concerns areas outside as well is not for a part of them.
    assert_eq!(count(&["18"], "").await, 2);
    assert_eq!(count(&["1880"], "").await, 1);
    assert_eq!(count(&["18", "22"], "").await, 4);
    assert_eq!(count(&["SE"], "?area=22").await, 2);
    assert_eq!(count(&["SE"], "?area=SE").await, 5);
    assert_eq!(
        count(&["SE"], "?action=client_created,row_deleted").await,
        1
    );
    assert_eq!(count(&["SE"], "?client=client_test").await, 5);
    assert_eq!(count(&["SE"], "?client=client_other").await, 0);
    assert_eq!(count(&["SE"], "?since=2100-01-01T00:00:00Z").await, 0);
    assert_eq!(count(&["SE"], "?until=2020-01-01T00:00:00Z").await, 0);
    let third = &auditor(&["SE"]).get("/audit-events").await.expect(200)["items"][2]["at"];
    let at = third.as_str().unwrap();
    assert_eq!(count(&["SE"], &format!("?since={at}")).await, 3);
    assert_eq!(count(&["SE"], &format!("?until={at}")).await, 2);
    assert_eq!(
        auditor(&["SE"])
            .get("/audit-events?action=nothing")
            .await
            .status,
        400
    );
    assert_eq!(app.reader(&["SE"]).get("/audit-events").await.status, 403);
}

#[derive(diesel::QueryableByName)]
struct Allowed {
    #[diesel(sql_type = diesel::sql_types::Text)]
    privilege_type: String,
}

#[actix_web::test]
async fn it_is_only_added_to() {
    let app = TestApp::start().await;
    let body = json!({"name": "Portalen", "permissions": ["registry:read"], "areas": ["18"]});
    app.admin().post("/clients", &body).await.expect(201);
    for attempt in [
        "DELETE FROM audit_events",
        "UPDATE audit_events SET client_id = 'someone'",
        "TRUNCATE audit_events",
        "TRUNCATE earlier_observations",
    ] {
        let done = app
            .state
            .db
            .write(async |mut conn| Ok(conn.batch_execute(attempt).await?))
            .await;
        assert!(done.is_err(), "{attempt}");
    }
    // That was refused to a superuser; the role of a service without a server of its own may not even try.
    let mut conn = connect::open(app.state.db.target(), Work::Read)
        .await
        .unwrap();
    let query = "SELECT privilege_type FROM pg_class CROSS JOIN aclexplode(relacl)
        WHERE oid = 'audit_events'::regclass ORDER BY privilege_type";
    let allowed: Vec<Allowed> = diesel::sql_query(query).load(&mut conn).await.unwrap();
    let allowed: Vec<&str> = allowed
        .iter()
        .map(|row| row.privilege_type.as_str())
        .collect();
    let may = |privilege: &str| allowed.contains(&privilege);
    assert!(may("INSERT") && may("SELECT"), "{allowed:?}");
    let more = ["UPDATE", "DELETE", "TRUNCATE"];
    assert!(!more.into_iter().any(may), "{allowed:?}");
}
