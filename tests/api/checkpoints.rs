//! `/sync/checkpoints`: a client's places in the feed, and who lags.

use reqwest::Method;
use rstest::rstest;
use samverkan::access::Permission::{ClientsAdmin, RegistryRead, SyncRead};
use serde_json::{Value, json};

use crate::rows::{add, partner};
use crate::support::{Caller, Reply, TestApp};

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn put(caller: &Caller, name: &str, condition: (&str, &str), body: &Value) -> Reply {
    let path = format!("/sync/checkpoints/{name}");
    let body = Some(body.to_string().into_bytes());
    caller
        .send(Method::PUT, &path, &[JSON, condition], body)
        .await
}

const NEW: (&str, &str) = ("If-None-Match", "*");

/// The cursor after everything that there is.
async fn newest(caller: &Caller) -> String {
    let page = caller.get("/snapshot?limit=1&types=partners").await;
    let page = page.expect(200);
    page["feedCursor"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_job_keeps_its_place_and_another_that_moved_it_is_noticed() {
    let app = TestApp::start().await;
    let (admin, office) = (app.admin(), app.caller(&[SyncRead, RegistryRead], &["18"]));
    let place = "/sync/checkpoints/nightly-partners";
    assert_eq!(office.get(place).await.problem(404).0, "not-found");
    let start = newest(&office).await;
    let body = json!({"cursor": start, "note": "Till datalagret"});
    let made = put(&office, "nightly-partners", NEW, &body).await;
    let row = made.expect(201);
    assert!(
        made.header("location")
            .ends_with(&format!("/samverkan/v1{place}"))
    );
    assert_eq!((made.version(), &row["behind"]), (1, &json!(0)));
    assert_eq!(
        (&row["behindSince"], &row["note"]),
        (&Value::Null, &json!("Till datalagret"))
    );

    for name in ["A", "B", "C"] {
        add(&admin, "/partners", partner(name, json!({}))).await;
    }
    let shown = office.get(place).await;
    let row = shown.expect(200);
    assert_eq!((&row["cursor"], &row["behind"]), (&json!(start), &json!(3)));
    assert!(row["behindSince"].is_string());
    let same = [("If-None-Match", shown.header("etag"))];
    assert_eq!(
        office.send(Method::GET, place, &same, None).await.status,
        304
    );

    // One run goes on from what is kept; another one with what it knew before is told.
    let tag = shown.header("etag").to_owned();
    let next = json!({"cursor": newest(&office).await, "note": null});
    let moved = put(&office, "nightly-partners", ("If-Match", &tag), &next).await;
    assert_eq!(moved.expect(200)["behind"], 0);
    assert_eq!(moved.version(), 2);
    let late = put(&office, "nightly-partners", ("If-Match", &tag), &body).await;
    assert_eq!(late.problem(412).0, "precondition-failed");
    assert_eq!(late.json()["current"]["cursor"], next["cursor"]);
    assert_eq!(
        put(&office, "nightly-partners", NEW, &body).await.status,
        412
    );

    // Sent again after its answer was lost, a request is answered as if it had just been carried out.
    for condition in [("If-Match", tag.as_str()), NEW] {
        let again = put(&office, "nightly-partners", condition, &next).await;
        assert_eq!(
            (again.expect(200)["version"].clone(), again.version()),
            (json!(2), 2)
        );
    }
    let list = office.get("/sync/checkpoints").await;
    assert_eq!(list.column("name"), ["nightly-partners"]);

    assert_eq!(
        office.delete(place, &tag).await.problem(412).0,
        "precondition-failed"
    );
    let tag = moved.header("etag");
    office.delete(place, tag).await.expect(204);
    assert_eq!(office.delete(place, tag).await.status, 404);
    let replaced = put(&office, "nightly-partners", ("If-Match", "*"), &body).await;
    assert_eq!(
        replaced.problem(412).0,
        "precondition-failed",
        "nothing to replace"
    );
}

/// The cursor goes on where it stands, and what has become of it is told when it is followed.
#[actix_web::test]
async fn a_stored_cursor_is_followed_as_any_other() {
    let app = TestApp::start().await;
    let office = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let body = json!({"cursor": newest(&office).await});
    put(&office, "a", NEW, &body).await.expect(201);
    add(&app.admin(), "/partners", partner("A", json!({}))).await;
    let kept = office.get("/sync/checkpoints/a").await.expect(200);
    let cursor = kept["cursor"].as_str().unwrap();
    let changes = format!("/changes?types=partners&cursor={cursor}");
    assert_eq!(
        office.get(&changes).await.expect(200)["items"][0]["data"]["name"],
        "A"
    );
    // It may be kept by a client that may see other rows by now.
    let wider = app.caller(&[SyncRead, RegistryRead], &["18", "14"]);
    put(&wider, "b", NEW, &body).await.expect(201);
    assert_eq!(wider.get(&changes).await.problem(410).1, "scope_changed");
}

#[rstest]
#[case("a", &[NEW], json!({"cursor": "nonsense"}), 422, "feed_cursor_format")]
#[case("a", &[NEW], json!({"cursor": ""}), 422, "feed_cursor_format")]
#[case("a", &[NEW], json!({}), 422, "missing_member")]
#[case("a", &[NEW], json!({"cursor": "", "note": ""}), 422, "feed_cursor_format")]
#[case("a", &[NEW], json!({"cursor": null, "seq": 1}), 422, "not_nullable")]
#[case("a", &[], json!({"cursor": "x"}), 428, "if_match_required")]
#[case("a", &[("If-None-Match", "\"1\"")], json!({"cursor": "x"}), 400, "if_none_match_format")]
#[case("a", &[NEW, ("If-Match", "*")], json!({"cursor": "x"}), 400, "if_match_or_if_none_match")]
#[case("a", &[("If-Match", "1")], json!({"cursor": "x"}), 400, "etag_format")]
#[case("A", &[NEW], json!({"cursor": "x"}), 400, "checkpoint_name_format")]
#[case("-a", &[NEW], json!({"cursor": "x"}), 400, "checkpoint_name_format")]
#[case("%C3%A5", &[NEW], json!({"cursor": "x"}), 400, "checkpoint_name_format")]
#[actix_web::test]
async fn what_cannot_be_kept_is_refused_by_its_rule(
    #[case] name: &str,
    #[case] conditions: &[(&str, &str)],
    #[case] body: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let office = app.caller(&[SyncRead, RegistryRead], &["18"]);
    // What is wrong is one thing at a time.
    let body = if body["cursor"] == "x" {
        json!({"cursor": newest(&office).await})
    } else {
        body
    };
    let headers = [&[JSON], conditions].concat();
    let path = format!("/sync/checkpoints/{name}");
    let body = Some(body.to_string().into_bytes());
    let refused = office.send(Method::PUT, &path, &headers, body).await;
    assert_eq!(refused.problem(status).1, code);
    let kept = office.get("/sync/checkpoints").await.expect(200);
    assert_eq!(kept["_meta"]["totalRecords"], 0);
}

#[actix_web::test]
async fn a_note_is_a_line_and_a_client_has_fifty_at_the_most() {
    let app = TestApp::start().await;
    let office = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let cursor = newest(&office).await;
    for (note, code) in [
        ("x".repeat(2_001), "text_too_long"),
        ("ring 19811228-9874".to_owned(), "personal_identity_number"),
    ] {
        let body = json!({"cursor": cursor, "note": note});
        assert_eq!(put(&office, "a", NEW, &body).await.problem(422).1, code);
    }
    let body = json!({"cursor": cursor});
    let longest = "n".repeat(64);
    put(&office, &longest, NEW, &body).await.expect(201);
    for n in 1..50 {
        put(&office, &format!("job.{n}_x-y"), NEW, &body)
            .await
            .expect(201);
    }
    let refused = put(&office, "one-more", NEW, &body).await;
    assert_eq!(refused.problem(409).1, "checkpoint_at_most_fifty");
    put(&office, &longest, ("If-Match", "*"), &body)
        .await
        .expect(200);
    let list = office.get("/sync/checkpoints?limit=1000").await;
    assert_eq!(list.column("name").len(), 50);
    let sync = office.get("/sync").await.expect(200);
    assert_eq!(sync["maxCheckpoints"], 50);
    let address = format!("{}/samverkan/v1/sync/checkpoints", app.origin);
    assert_eq!(sync["checkpoints"], address);
}

/// Two jobs that begin at once: one makes it, the other is told.
#[actix_web::test]
async fn of_two_that_make_it_at_once_one_is_told() {
    let app = TestApp::start().await;
    let office = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let cursor = newest(&office).await;
    let body = |n: u8| json!({"cursor": cursor, "note": format!("job {n}")});
    let (one, two) = (body(1), body(2));
    let (one, two) = tokio::join!(
        put(&office, "nightly", NEW, &one),
        put(&office, "nightly", NEW, &two)
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412], "{} {}", one.text(), two.text());
}

#[actix_web::test]
async fn administrators_see_who_lags_inside_their_areas() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let mut offices = Vec::new();
    for (name, area) in [("Örebro", "18"), ("Halland", "13"), ("Kumla", "1881")] {
        let client =
            json!({"name": name, "permissions": ["sync:read", "registry:read"], "areas": [area]});
        let client = admin.post("/clients", &client).await.expect(201);
        let text = |member: &str| client[member].as_str().unwrap().to_owned();
        let (id, secret) = (text("clientId"), text("clientSecret"));
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let token = app
            .anonymous()
            .raw(
                Method::POST,
                "/oauth/token",
                &headers,
                Some(form.into_bytes()),
            )
            .await
            .expect(200);
        let office = app
            .anonymous()
            .with_token(token["access_token"].as_str().unwrap());
        let body = json!({"cursor": newest(&office).await, "note": format!("för {name}")});
        put(&office, "nightly", NEW, &body).await.expect(201);
        add(&admin, "/partners", partner(name, json!({}))).await;
        offices.push((id, office));
    }
    // Each sees its own, whatever the others call theirs.
    let own = offices[0].1.get("/sync/checkpoints").await;
    assert_eq!(own.column("note"), ["för Örebro"]);

    let all = admin.get("/checkpoints?sort=position").await;
    assert_eq!(all.column("clientName"), ["Örebro", "Halland", "Kumla"]);
    assert_eq!(all.column("behind"), ["3", "2", "1"]);
    let first = &all.expect(200)["items"][0];
    assert_eq!(
        (&first["client"], &first["cursor"]),
        (&json!(offices[0].0), &Value::Null)
    );
    let filtered = format!("/checkpoints?client={}&name=nightly", offices[1].0);
    assert_eq!(admin.get(&filtered).await.column("clientName"), ["Halland"]);
    let page = admin.get("/checkpoints?cursor=&limit=2").await.expect(200);
    let next = page["_links"]["next"]["href"].as_str().unwrap();
    let next = next.split_once("/samverkan/v1").unwrap().1;
    assert_eq!(admin.get(next).await.column("note").len(), 1);

    let regional = app.caller(&[ClientsAdmin], &["18"]);
    let seen = regional.get("/checkpoints").await;
    assert_eq!(seen.column("clientName"), ["Örebro", "Kumla"]);
    let local = app.caller(&[ClientsAdmin], &["1881"]);
    assert_eq!(
        local.get("/checkpoints").await.column("clientName"),
        ["Kumla"]
    );
}
