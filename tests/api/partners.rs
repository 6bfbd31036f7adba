//! `/partners`: the exemplar of a resource's tests.

use serde_json::json;

use crate::support::TestApp;

#[actix_web::test]
async fn a_partner_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let editor = app.editor(&["1880"]);
    let created = editor
        .post("/partners", &json!({"name": "  Örebro Idrottsförening ", "orgNumber": "8020000009", "category": "sports_association", "area": "1880"}))
        .await;
    let row = created.expect(201);
    assert_eq!(
        (row["name"].as_str(), row["orgNumber"].as_str()),
        (Some("Örebro Idrottsförening"), Some("802000-0009"))
    );
    assert_eq!(
        (&row["civilSociety"], &row["state"]),
        (&json!(true), &json!("published"))
    );
    assert_eq!(created.version(), 1);
    let path = format!("/partners/{}", row["id"].as_str().unwrap());
    assert!(
        created.header("location").ends_with(&path),
        "{}",
        created.header("location")
    );

    let shown = app.reader(&["22"]).get(&path).await;
    assert_eq!(
        (shown.expect(200), shown.header("etag")),
        (row.clone(), created.header("etag"))
    );

    let changed = editor
        .patch(
            &path,
            "\"1\"",
            &json!({"website": "https://example.se/", "orgNumber": null}),
        )
        .await;
    let after = changed.expect(200);
    assert_eq!(
        (&after["website"], &after["orgNumber"], &after["name"]),
        (&json!("https://example.se/"), &json!(null), &row["name"])
    );
    assert_eq!(changed.version(), 2);
    let same = editor
        .patch(&path, "\"2\"", &json!({"website": "https://example.se/"}))
        .await;
    assert_eq!(
        (same.status, same.version()),
        (200, 2),
        "a patch that changes nothing makes no version"
    );

    assert_eq!(editor.delete(&path, "\"2\"").await.status, 204);
    assert_eq!(editor.get(&path).await.problem(410).0, "gone");
    assert!(editor.get("/partners").await.column("id").is_empty());
    let tombstones = editor
        .get("/partners?includeDeleted=true")
        .await
        .expect(200);
    assert!(tombstones["items"][0]["deletedAt"].is_string());
}

#[actix_web::test]
async fn every_fault_of_a_body_is_told_at_once_with_its_place() {
    let app = TestApp::start().await;
    let body = json!({"name": "", "category": "other", "area": "xx", "orgNumber": "811228-9874", "website": "javascript:alert(1)",
                      "contacts": [{"role": "Ordförande", "email": "nobody"}]});
    let reply = app.admin().post("/partners", &body).await;
    let problem = reply.expect(422);
    let mut faults: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["pointer"].as_str().unwrap(),
                fault["code"].as_str().unwrap(),
            )
        })
        .collect();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("/area", "area_code_format"),
            ("/contacts/0/email", "email_format"),
            ("/name", "text_empty"),
            ("/orgNumber", "org_number_is_personal"),
            ("/website", "link_format")
        ]
    );
}

#[actix_web::test]
async fn what_the_database_refuses_is_told_by_the_name_of_the_rule() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let partner = |number: &str, area: &str| json!({"name": "A", "category": "other", "area": area, "orgNumber": number});
    admin
        .post("/partners", &partner("802000-0009", "SE"))
        .await
        .expect(201);
    assert_eq!(
        admin
            .post("/partners", &partner("802000-0009", "SE"))
            .await
            .problem(409)
            .1,
        "partner_org_number_once"
    );
    assert_eq!(
        admin
            .post("/partners", &partner("556036-0793", "9999"))
            .await
            .problem(422)
            .1,
        "partner_area_exists"
    );
    let form = json!({"name": "A", "category": "other", "area": "SE", "legalForm": "6"});
    assert_eq!(
        admin.post("/partners", &form).await.problem(422).1,
        "partner_legal_form_format"
    );
}

#[actix_web::test]
async fn contacts_are_seen_only_inside_the_areas_and_with_the_permission() {
    use samverkan::access::Permission::{ContactsRead, RegistryRead};
    let app = TestApp::start().await;
    let body = json!({"name": "A", "category": "other", "area": "1880", "contacts": [{"role": "Kansli", "email": "info@example.se", "phone": null}]});
    let id = app.admin().post("/partners", &body).await.expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/partners/{id}?include=contacts");
    let inside = app
        .caller(&[RegistryRead, ContactsRead], &["18"])
        .get(&path)
        .await
        .expect(200);
    assert_eq!(inside["contacts"][0]["email"], "info@example.se");
    let outside = app
        .caller(&[RegistryRead, ContactsRead], &["22"])
        .get(&path)
        .await
        .expect(200);
    assert!(outside.get("contacts").is_none(), "{outside}");
    assert_eq!(
        app.caller(&[RegistryRead], &["18"])
            .get(&path)
            .await
            .problem(403)
            .0,
        "insufficient-permission"
    );
    assert!(
        app.admin()
            .get(&format!("/partners/{id}"))
            .await
            .expect(200)
            .get("contacts")
            .is_none()
    );
}

#[actix_web::test]
async fn drafts_are_seen_only_inside_the_areas() {
    let app = TestApp::start().await;
    let draft = json!({"name": "Utkast", "category": "other", "area": "1880", "state": "draft"});
    let id = app
        .editor(&["18"])
        .post("/partners", &draft)
        .await
        .expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        app.reader(&["1880"]).get("/partners").await.column("name"),
        ["Utkast"]
    );
    assert!(
        app.reader(&["22"])
            .get("/partners")
            .await
            .column("name")
            .is_empty()
    );
    let foreign = app.reader(&["22"]).get(&format!("/partners/{id}")).await;
    let unknown = app
        .reader(&["22"])
        .get("/partners/01903e2a-7b4c-7d5e-8f60-718293a4b5c6")
        .await;
    let strip = |reply: &crate::support::Reply| {
        let mut body = reply.json();
        body["instance"] = json!("");
        body
    };
    assert_eq!(
        (foreign.status, strip(&foreign)),
        (404, strip(&unknown)),
        "a foreign draft looks like nothing at all"
    );
}

#[actix_web::test]
async fn writing_needs_the_area_at_both_ends_of_a_move() {
    let app = TestApp::start().await;
    let body = |area: &str| json!({"name": "A", "category": "other", "area": area});
    assert_eq!(
        app.editor(&["22"])
            .post("/partners", &body("1880"))
            .await
            .problem(403),
        ("area-not-permitted".into(), "area_not_permitted".into())
    );
    assert_eq!(
        app.editor(&["18"])
            .post("/partners", &body("SE"))
            .await
            .problem(403)
            .0,
        "area-not-permitted"
    );
    let id = app
        .admin()
        .post("/partners", &body("1880"))
        .await
        .expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/partners/{id}");
    assert_eq!(
        app.editor(&["22"])
            .patch(&path, "\"1\"", &body("2281"))
            .await
            .problem(403)
            .0,
        "area-not-permitted"
    );
    assert_eq!(
        app.editor(&["18"])
            .patch(&path, "\"1\"", &body("2281"))
            .await
            .problem(403)
            .0,
        "area-not-permitted"
    );
    app.editor(&["18", "22"])
        .patch(&path, "\"1\"", &body("2281"))
        .await
        .expect(200);
    assert_eq!(
        app.editor(&["18"])
            .delete(&path, "\"2\"")
            .await
            .problem(403)
            .0,
        "area-not-permitted"
    );
}

#[actix_web::test]
async fn filters_select() {
    let app = TestApp::start().await;
    let admin = app.admin();
    for (name, category, area) in [
        ("Nora IF", "sports_association", "1884"),
        ("Örebro moské", "faith_community", "1880"),
        ("Malmö stad", "municipality", "1280"),
    ] {
        admin
            .post(
                "/partners",
                &json!({"name": name, "category": category, "area": area}),
            )
            .await
            .expect(201);
    }
    let names = async |query: &str| {
        admin
            .get(&format!("/partners?{query}"))
            .await
            .column("name")
    };
    assert_eq!(names("region=18").await, ["Nora IF", "Örebro moské"]);
    assert_eq!(names("municipality=1880").await, ["Örebro moské"]);
    assert_eq!(names("civilSociety=false").await, ["Malmö stad"]);
    assert_eq!(
        names("category=faith_community,municipality&sort=-name").await,
        ["Örebro moské", "Malmö stad"]
    );
    assert_eq!(
        admin.get("/partners?category=choir").await.problem(400),
        ("invalid-parameter".into(), "invalid_value".into())
    );
}
