//! `/partnerships`, and the network that they make of partners.

use rstest::rstest;
use serde_json::{Value, json};

use crate::rows::{
    add, collaboration, district, fault, id, members, partner, partnership, project, school, with,
};
use crate::support::{Caller, TestApp};

/// Those that the partnerships of these tests join, by path.
struct Joined {
    partner: String,
    project: String,
    collaboration: String,
    school: String,
}

async fn those_to_join(admin: &Caller) -> Joined {
    Joined {
        partner: add(
            admin,
            "/partners",
            partner(
                "Örebro IF",
                json!({"category": "sports_association", "orgNumber": "802000-0009"}),
            ),
        )
        .await,
        project: add(
            admin,
            "/projects",
            project("Dans för alla", json!({"endMonth": "2026-05"})),
        )
        .await,
        collaboration: add(admin, "/collaborations", collaboration("Länet", json!({}))).await,
        school: add(
            admin,
            "/culture-schools",
            school("Örebro kulturskola", json!({})),
        )
        .await,
    }
}

/// A partnership in a collaboration.
fn in_collaboration(more: Value) -> Value {
    with(
        json!({"partner": {"name": "Örebro IF"}, "collaboration": {"name": "Länet"}, "area": "18", "role": "participant"}),
        &more,
    )
}

fn in_project(more: Value) -> Value {
    partnership("Örebro IF", "Dans för alla", more)
}

#[actix_web::test]
async fn a_partnership_is_created_by_natural_keys_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let joined = those_to_join(&app.admin()).await;
    let editor = app.editor(&["1880"]);
    let body = json!({"partner": {"orgNumber": "8020000009"}, "project": {"title": "Dans för alla"},
        "cultureSchool": {"municipality": "1880", "name": "Örebro kulturskola"}, "area": "1880", "role": "host", "form": "shared_premises",
        "description": "Salen lånas ut.", "validFrom": "2024-01", "validTo": "2025-06", "continuesAfterProject": true});
    let created = editor.post("/partnerships", &body).await;
    let row = created.expect(201);
    assert_eq!(
        members(
            &row,
            &[
                "partner",
                "partnerName",
                "partnerCategory",
                "project",
                "projectTitle",
                "cultureSchool",
                "cultureSchoolName",
                "area",
                "areaName",
                "role",
                "form",
                "description",
                "validFrom",
                "validTo"
            ]
        ),
        [
            id(&joined.partner),
            "Örebro IF",
            "sports_association",
            id(&joined.project),
            "Dans för alla",
            id(&joined.school),
            "Örebro kulturskola",
            "1880",
            "Örebro",
            "host",
            "shared_premises",
            "Salen lånas ut.",
            "2024-01",
            "2025-06"
        ]
    );
    assert_eq!(
        members(
            &row,
            &[
                "civilSociety",
                "continuesAfterProject",
                "collaboration",
                "collaborationName"
            ]
        ),
        [&json!(true), &json!(true), &Value::Null, &Value::Null]
    );
    let path = format!("/partnerships/{}", row["id"].as_str().unwrap());
    assert!(created.header("location").ends_with(&path));
    assert_eq!(app.reader(&["22"]).get(&path).await.expect(200), row);

    let moved = json!({"project": null, "collaboration": id(&joined.collaboration), "continuesAfterProject": null, "cultureSchool": null, "form": null});
    let changed = editor.patch(&path, created.header("etag"), &moved).await;
    assert_eq!(
        members(
            &changed.expect(200),
            &[
                "project",
                "projectTitle",
                "collaboration",
                "collaborationName",
                "cultureSchool",
                "form",
                "role"
            ]
        ),
        [
            &Value::Null,
            &Value::Null,
            &json!(id(&joined.collaboration)),
            &json!("Länet"),
            &Value::Null,
            &Value::Null,
            &json!("host")
        ]
    );
    let same = editor.patch(&path, "\"2\"", &moved).await;
    assert_eq!(
        (same.status, same.version()),
        (200, 2),
        "the same patch again changes nothing"
    );
    assert_eq!(editor.delete(&path, "\"2\"").await.status, 204);
    assert_eq!(editor.get(&path).await.problem(410).0, "gone");
    editor.post("/partnerships", &body).await.expect(201);
}

#[rstest]
#[case::by_id(json!({"partner": "{partner}", "project": "{project}", "cultureSchool": "{school}"}))]
#[case::by_name(json!({"partner": {"name": "Örebro IF"}, "project": {"title": "Dans för alla"}}))]
#[case::by_name_with_blanks_and_loose_dots(json!({"partner": {"name": " O\u{308}rebro IF"}}))]
#[case::by_number(json!({"partner": {"orgNumber": "802000-0009"}}))]
#[case::collaboration_by_id(json!({"project": null, "collaboration": "{collaboration}"}))]
#[actix_web::test]
async fn what_is_joined_is_named_by_id_or_natural_key(#[case] more: Value) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let joined = those_to_join(&admin).await;
    let more = more
        .to_string()
        .replace("{partner}", id(&joined.partner))
        .replace("{project}", id(&joined.project))
        .replace("{collaboration}", id(&joined.collaboration))
        .replace("{school}", id(&joined.school));
    let row = admin
        .post("/partnerships", &in_project(more.parse().unwrap()))
        .await
        .expect(201);
    assert_eq!(row["partner"], id(&joined.partner));
    assert!(
        row["project"] == id(&joined.project) || row["collaboration"] == id(&joined.collaboration)
    );
}

#[rstest]
#[case::partner_id(json!({"partner": "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"}), "/partner", "reference_unknown")]
#[case::partner_name(json!({"partner": {"name": "Ingen"}}), "/partner", "reference_unknown")]
#[case::partner_number(json!({"partner": {"orgNumber": "556036-0793"}}), "/partner", "reference_unknown")]
#[case::partner_ambiguous(json!({"partner": {"name": "Två"}}), "/partner", "reference_ambiguous")]
#[case::partner_nul(json!({"partner": {"name": "Örebro\u{0}IF"}}), "/partner/name", "text_control_character")]
#[case::partner_number_format(json!({"partner": {"orgNumber": "80"}}), "/partner/orgNumber", "org_number_format")]
#[case::partner_empty(json!({"partner": {}}), "/partner", "invalid_value")]
#[case::partner_missing(json!({"partner": null}), "/partner", "invalid_value")]
#[case::project_id(json!({"project": "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"}), "/project", "reference_unknown")]
#[case::project_title(json!({"project": {"title": "Inget"}}), "/project", "reference_unknown")]
#[case::project_ambiguous(json!({"project": {"title": "Två"}}), "/project", "reference_ambiguous")]
#[case::project_nul(json!({"project": {"title": "Dans\u{0}"}}), "/project/title", "text_control_character")]
#[case::collaboration_id(json!({"project": null, "collaboration": "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"}), "/collaboration", "reference_unknown")]
#[case::collaboration_name(json!({"project": null, "collaboration": {"name": "Ingen"}}), "/collaboration", "reference_unknown")]
#[case::collaboration_nul(json!({"project": null, "collaboration": {"name": "Lä\u{0}net"}}), "/collaboration/name", "text_control_character")]
#[case::school_id(json!({"cultureSchool": "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"}), "/cultureSchool", "reference_unknown")]
#[case::school_name(json!({"cultureSchool": {"municipality": "1881", "name": "Örebro kulturskola"}}), "/cultureSchool", "reference_unknown")]
#[case::school_nul(json!({"cultureSchool": {"municipality": "1880", "name": "Örebro\u{0}"}}), "/cultureSchool/name", "text_control_character")]
#[case::school_without_municipality(json!({"cultureSchool": {"name": "Örebro kulturskola"}}), "/cultureSchool", "invalid_value")]
#[actix_web::test]
async fn a_reference_that_is_not_clear_is_refused(
    #[case] more: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    those_to_join(&admin).await;
    for _ in 0..2 {
        add(&admin, "/partners", partner("Två", json!({}))).await;
        add(&admin, "/projects", project("Två", json!({}))).await;
    }
    let reply = admin.post("/partnerships", &in_project(more)).await;
    assert_eq!(
        fault(&reply, 422),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        reply.text()
    );
}

#[actix_web::test]
async fn deleted_rows_are_not_joined() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let joined = those_to_join(&admin).await;
    for (path, body, pointer) in [
        (
            joined.school,
            in_project(
                json!({"cultureSchool": {"municipality": "1880", "name": "Örebro kulturskola"}}),
            ),
            "/cultureSchool",
        ),
        (
            joined.collaboration,
            in_collaboration(json!({})),
            "/collaboration",
        ),
        (joined.project, in_project(json!({})), "/project"),
        (joined.partner, in_project(json!({})), "/partner"),
    ] {
        assert_eq!(admin.delete(&path, "*").await.status, 204, "{path}");
        if pointer == "/partner" {
            add(&admin, "/projects", project("Dans för alla", json!({}))).await;
        }
        let reply = admin.post("/partnerships", &body).await;
        assert_eq!(
            fault(&reply, 422),
            (pointer.to_owned(), "reference_unknown".to_owned())
        );
    }
}

#[rstest]
#[case::place(json!({"area": "1899"}), 422, "/area", "partnership_area_exists")]
#[case::in_both(json!({"collaboration": {"name": "Länet"}}), 422, "/project", "partnership_of_one")]
#[case::in_neither(json!({"project": null}), 422, "/project", "partnership_of_one")]
#[case::backwards(json!({"validFrom": "2025-02", "validTo": "2025-01"}), 422, "/validTo", "partnership_month_order")]
#[case::goes_on(json!({"project": null, "collaboration": {"name": "Länet"}, "continuesAfterProject": false}), 422, "/continuesAfterProject", "partnership_continues_project_only")]
#[case::twice(json!({"role": "funder"}), 409, "", "partnership_once")]
#[case::role(json!({"role": "king"}), 422, "/role", "unknown_code")]
#[case::form(json!({"form": "marriage"}), 422, "/form", "unknown_code")]
#[case::month(json!({"validFrom": "2025"}), 422, "/validFrom", "month_format")]
#[case::area_format(json!({"area": "Örebro"}), 422, "/area", "area_code_format")]
#[actix_web::test]
async fn a_partnership_that_breaks_a_rule_is_refused_by_its_name(
    #[case] more: Value,
    #[case] status: u16,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    those_to_join(&admin).await;
    add(
        &admin,
        "/partnerships",
        in_project(json!({"role": "funder"})),
    )
    .await;
    let other = add(&admin, "/partnerships", in_project(json!({}))).await;
    let posted = admin.post("/partnerships", &in_project(more.clone())).await;
    assert_eq!(
        fault(&posted, status),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        posted.text()
    );
    let patched = admin.patch(&other, "\"1\"", &more).await;
    assert_eq!(
        fault(&patched, status),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        patched.text()
    );
}

#[rstest]
#[case::collective_with_number(json!({"collective": true, "orgNumber": "556036-0793"}), "/orgNumber", "partner_collective_has_no_number")]
#[case::nul_in_the_legal_form(json!({"legalForm": "6\u{0}"}), "/legalForm", "text_control_character")]
#[actix_web::test]
async fn a_partner_that_breaks_a_rule_is_refused_by_its_name(
    #[case] more: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let reply = app
        .admin()
        .post("/partners", &partner("Idrottsföreningar", more))
        .await;
    assert_eq!(
        fault(&reply, 422),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        reply.text()
    );
}

#[rstest]
#[case("8020000009", &["Örebro IF"])]
#[case("802000-0009", &["Örebro IF"])]
#[case("556036-0793", &[])]
#[actix_web::test]
async fn a_partner_is_found_by_its_number_with_or_without_the_hyphen(
    #[case] number: &str,
    #[case] names: &[&str],
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    those_to_join(&admin).await;
    assert_eq!(
        admin
            .get(&format!("/partners?orgNumber={number}"))
            .await
            .column("name"),
        names
    );
}

#[rstest]
#[case::all("", &["a", "b", "c", "d"])]
#[case::partner("partner={partner}", &["a", "b", "c"])]
#[case::partners("partner={partner},{other}", &["a", "b", "c", "d"])]
#[case::project("project={project}", &["a", "b"])]
#[case::collaboration("collaboration={collaboration}", &["c"])]
#[case::school("cultureSchool={school}", &["b"])]
#[case::county("region=18", &["a", "b", "c"])]
#[case::municipality("municipality=1880", &["a", "b"])]
#[case::district("area=1880-vivalla", &["b"])]
#[case::country("area=SE", &["a", "b", "c", "d"])]
#[case::role("role=host,participant", &["b", "c"])]
#[case::form("form=outreach", &["a"])]
#[case::category("category=foundation,council", &["d"])]
#[case::civil_society("civilSociety=true", &["a", "b", "c"])]
#[case::others("civilSociety=false", &["d"])]
#[case::goes_on("continuesAfterProject=true", &["a"])]
#[case::does_not_go_on("continuesAfterProject=false", &["b"])]
#[case::project_ended("projectEnded=true", &["a", "b"])]
#[case::project_not_ended("projectEnded=false", &["d"])]
#[case::day("validOn=2021-09-01", &["b", "c", "d"])]
#[case::first_month("validOn=2024-01-01", &["a", "c", "d"])]
#[case::last_month("validOn=2023-12-31", &["b", "c", "d"])]
#[case::together("civilSociety=true&projectEnded=true&municipality=1880&role=host", &["b"])]
#[actix_web::test]
async fn partnerships_are_selected_by_filters(#[case] query: &str, #[case] found: &[&str]) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let joined = those_to_join(&admin).await;
    let other = add(
        &admin,
        "/partners",
        partner("Fonden", json!({"category": "foundation"})),
    )
    .await;
    add(&admin, "/projects", project("Framtiden", json!({}))).await;
    add(&admin, "/districts", district("1880-vivalla", json!({}))).await;
    for body in [
        in_project(
            json!({"description": "a", "form": "outreach", "validFrom": "2024-01", "continuesAfterProject": true}),
        ),
        in_project(
            json!({"description": "b", "role": "host", "area": "1880-vivalla", "validTo": "2023-12", "continuesAfterProject": false,
            "cultureSchool": id(&joined.school)}),
        ),
        in_collaboration(json!({"description": "c"})),
        partnership(
            "Fonden",
            "Framtiden",
            json!({"description": "d", "role": "funder", "area": "1480"}),
        ),
    ] {
        add(&admin, "/partnerships", body).await;
    }
    let query = query
        .replace("{partner}", id(&joined.partner))
        .replace("{other}", id(&other))
        .replace("{project}", id(&joined.project))
        .replace("{collaboration}", id(&joined.collaboration))
        .replace("{school}", id(&joined.school));
    let mut rows = admin
        .get(&format!("/partnerships?{query}"))
        .await
        .column("description");
    rows.sort_unstable();
    assert_eq!(rows, found);
}

#[actix_web::test]
async fn partnerships_cannot_be_searched_and_have_nothing_to_include() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    assert_eq!(
        reader.get("/partnerships?q=dans").await.problem(400).1,
        "not_searchable"
    );
    assert_eq!(
        reader
            .get("/partnerships?include=partner")
            .await
            .problem(400)
            .1,
        "unknown_include"
    );
}

#[actix_web::test]
async fn a_draft_partnership_does_not_show_who_is_at_work_in_a_district() {
    let app = TestApp::start().await;
    let admin = app.admin();
    those_to_join(&admin).await;
    add(&admin, "/districts", district("1880-vivalla", json!({}))).await;
    let draft = add(
        &admin,
        "/partnerships",
        in_project(json!({"area": "1880-vivalla", "state": "draft"})),
    )
    .await;
    let found = async || {
        app.reader(&["22"])
            .get("/partners?district=1880-vivalla")
            .await
            .column("name")
    };
    assert!(found().await.is_empty());
    admin
        .patch(&draft, "\"1\"", &json!({"state": "published"}))
        .await
        .expect(200);
    assert_eq!(found().await, ["Örebro IF"]);
}

/// A small network: my association owns, funds and works, with others beside it.
async fn network(admin: &Caller) -> String {
    let mine = add(
        admin,
        "/partners",
        partner("Min förening", json!({"category": "cultural_association"})),
    )
    .await;
    for name in ["Alfa", "Beta", "Hemlig", "Fjärran"] {
        add(admin, "/partners", partner(name, json!({}))).await;
    }
    let pays = |name: &str| json!([{"funder": {"name": name}, "kind": "fund", "periodKind": "project", "period": "2026"}]);
    for (title, more) in [
        (
            "Ägt",
            json!({"owner": {"name": "Min förening"}, "startMonth": "2020-01", "endMonth": "2021-12"}),
        ),
        (
            "Betalt",
            json!({"funding": pays("Min förening"), "owner": {"name": "Alfa"}, "startMonth": "2026-01"}),
        ),
        ("Gjort", json!({"funding": pays("Beta")})),
        (
            "Utkast",
            json!({"owner": {"name": "Min förening"}, "state": "draft"}),
        ),
        ("Annat", json!({"owner": {"name": "Fjärran"}})),
    ] {
        add(admin, "/projects", project(title, more)).await;
    }
    add(
        admin,
        "/collaborations",
        collaboration("Länet", json!({"funding": pays("Alfa")})),
    )
    .await;
    for body in [
        partnership("Min förening", "Gjort", json!({"role": "host"})),
        partnership("Min förening", "Gjort", json!({"role": "participant"})),
        partnership(
            "Min förening",
            "Gjort",
            json!({"role": "participant", "form": "outreach"}),
        ),
        partnership("Alfa", "Gjort", json!({})),
        partnership("Alfa", "Ägt", json!({})),
        partnership("Beta", "Ägt", json!({})),
        partnership("Hemlig", "Utkast", json!({})),
        partnership("Hemlig", "Ägt", json!({"state": "draft"})),
        json!({"partner": {"name": "Min förening"}, "collaboration": {"name": "Länet"}, "area": "18", "role": "participant"}),
    ] {
        add(admin, "/partnerships", body).await;
    }
    mine
}

/// The values of some members of each row, in their order.
fn table(rows: &Value, names: &[&str]) -> Vec<Vec<Value>> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| names.iter().map(|name| row[name].clone()).collect())
        .collect()
}

#[actix_web::test]
async fn a_network_tells_what_a_partner_takes_part_in_and_who_else_does() {
    let app = TestApp::start().await;
    let mine = network(&app.admin()).await;
    let seen = app
        .reader(&["22"])
        .get(&format!("{mine}/network"))
        .await
        .expect(200);
    assert_eq!(
        seen["partner"],
        json!({"id": id(&mine), "name": "Min förening", "category": "cultural_association", "civilSociety": true})
    );
    assert_eq!(
        json!(table(
            &seen["projects"],
            &[
                "title",
                "status",
                "relation",
                "role",
                "startMonth",
                "endMonth"
            ]
        )),
        json!([
            ["Betalt", "ongoing", "funder", null, "2026-01", null],
            ["Gjort", "undated", "partner", "host", null, null],
            ["Gjort", "undated", "partner", "participant", null, null],
            ["Ägt", "ended", "owner", null, "2020-01", "2021-12"]
        ])
    );
    assert_eq!(
        json!(table(
            &seen["collaborations"],
            &["name", "relation", "role"]
        )),
        json!([["Länet", "partner", "participant"]])
    );
    assert_eq!(
        json!(table(&seen["partners"], &["name", "sharedCount"])),
        json!([["Alfa", 4], ["Beta", 2]])
    );
    let lengths = |name: &str| seen["partners"][0][name].as_array().unwrap().len();
    assert_eq!(
        (lengths("sharedProjects"), lengths("sharedCollaborations")),
        (3, 1)
    );
}

#[actix_web::test]
async fn a_network_shows_drafts_inside_the_areas_only() {
    let app = TestApp::start().await;
    let mine = network(&app.admin()).await;
    let seen = app
        .reader(&["1880"])
        .get(&format!("{mine}/network"))
        .await
        .expect(200);
    assert_eq!(
        json!(table(&seen["partners"], &["name", "sharedCount"])),
        json!([["Alfa", 4], ["Beta", 2], ["Hemlig", 2]])
    );
    let titles = table(&seen["projects"], &["title"]).concat();
    assert_eq!(titles, ["Betalt", "Gjort", "Gjort", "Utkast", "Ägt"]);
}

#[actix_web::test]
async fn a_network_is_of_a_partner_that_can_be_seen() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let alone = add(
        &admin,
        "/partners",
        partner("Ensam", json!({"state": "draft"})),
    )
    .await;
    let path = format!("{alone}/network");
    assert_eq!(
        app.reader(&["22"]).get(&path).await.problem(404).0,
        "not-found"
    );
    let seen = app.reader(&["18"]).get(&path).await.expect(200);
    assert_eq!(
        members(&seen, &["projects", "collaborations", "partners"]),
        [&json!([]), &json!([]), &json!([])]
    );
    assert_eq!(
        admin.get(&format!("{path}?depth=2")).await.problem(400).1,
        "unknown_parameter"
    );
    admin.delete(&alone, "*").await;
    assert_eq!(admin.get(&path).await.problem(410).0, "gone");
    let nobody = "/partners/01903e2a-7b4c-7d5e-8f60-718293a4b5c6/network";
    assert_eq!(admin.get(nobody).await.problem(404).0, "not-found");
}
