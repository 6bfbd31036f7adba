//! `/projects`

use rstest::rstest;
use serde_json::{Value, json};

use crate::rows::{add, fault, id, members, partner, partnership, project, with};
use crate::support::app::moment;
use crate::support::{Caller, TestApp};

/// A project with everything.
fn whole() -> Value {
    json!({
        "title": "Dans för alla",
        "owner": {"name": "Örebro kommun"},
        "parent": {"title": "Kultur i hela länet"},
        "purpose": "Att fler barn provar att dansa.",
        "goal": "Varje skola får besök.",
        "description": "Kurser\noch öppet hus.",
        "targetGroup": {"text": "Barn 6–12 år.", "ageFrom": 6, "ageTo": 12},
        "method": "Prova på.",
        "dissemination": "En bok.",
        "afterProject": "Kurserna blir kvar.",
        "continuation": "partly",
        "startMonth": "2026-01",
        "endMonth": "2026-12",
        "timeStatusPercentPublished": 40,
        "contactTown": "Örebro",
        "scope": "local",
        "area": "1880",
        "areas": ["1884", "1880"],
        "themes": ["inclusion", "accessibility"],
        "funding": [
            {"funder": {"orgNumber": "8020000009"}, "kind": "project_grant", "amountSek": 1_500_000, "periodKind": "project", "period": "2026-2026"},
            {"kind": "own_funds", "periodKind": "school_year", "period": "2025/2026", "note": "Lön", "sourceUrl": "https://www.orebro.se/"}
        ],
        "dateClaims": [
            {"startsOn": "2026", "endsOn": "2026-12-31", "sourceUrl": "https://www.orebro.se/", "chosen": true},
            {"startsOn": "2026-01", "sourceUrl": "https://www.arvsfonden.se/"}
        ],
        "sourceUrl": "https://www.orebro.se/"
    })
}

/// Those that the whole project names.
async fn those_it_names(admin: &Caller) -> (String, String, String) {
    let fund = json!({"orgNumber": "802000-0009", "category": "foundation", "area": "SE"});
    (
        add(
            admin,
            "/partners",
            partner("Örebro kommun", json!({"category": "municipality"})),
        )
        .await,
        add(admin, "/partners", partner("Fonden", fund)).await,
        add(
            admin,
            "/projects",
            project("Kultur i hela länet", json!({})),
        )
        .await,
    )
}

#[actix_web::test]
async fn a_project_is_created_with_all_that_belongs_to_it_read_and_deleted() {
    let app = TestApp::start().await;
    let (owner, funder, parent) = those_it_names(&app.admin()).await;
    let editor = app.editor(&["18"]);
    let created = editor.post("/projects", &whole()).await;
    let row = created.expect(201);
    for name in [
        "title",
        "purpose",
        "goal",
        "description",
        "targetGroup",
        "method",
        "dissemination",
        "afterProject",
        "continuation",
        "startMonth",
        "endMonth",
        "timeStatusPercentPublished",
        "contactTown",
        "scope",
        "area",
        "themes",
        "sourceUrl",
    ] {
        assert_eq!(row[name], whole()[name], "{name}");
    }
    assert_eq!(
        members(&row, &["owner", "ownerName", "parent", "parentTitle"]),
        [
            id(&owner),
            "Örebro kommun",
            id(&parent),
            "Kultur i hela länet"
        ]
    );
    assert_eq!(
        row["areas"],
        json!([{"code": "1880", "name": "Örebro"}, {"code": "1884", "name": "Nora"}])
    );
    assert_eq!(
        row["funding"],
        json!([
            {"funder": id(&funder), "funderName": "Fonden", "kind": "project_grant", "amountSek": 1_500_000, "periodKind": "project",
             "period": "2026-2026", "note": null, "sourceUrl": null},
            {"funder": null, "funderName": null, "kind": "own_funds", "amountSek": null, "periodKind": "school_year",
             "period": "2025/2026", "note": "Lön", "sourceUrl": "https://www.orebro.se/"}
        ])
    );
    assert_eq!(
        row["dateClaims"],
        json!([
            {"startsOn": "2026", "endsOn": "2026-12-31", "sourceUrl": "https://www.orebro.se/", "chosen": true},
            {"startsOn": "2026-01", "endsOn": null, "sourceUrl": "https://www.arvsfonden.se/", "chosen": false}
        ])
    );
    let path = format!("/projects/{}", row["id"].as_str().unwrap());
    assert!(created.header("location").ends_with(&path));
    let shown = app.reader(&["22"]).get(&path).await;
    assert_eq!(
        (shown.expect(200), shown.header("etag")),
        (row.clone(), created.header("etag"))
    );
    let listed = app
        .reader(&["22"])
        .get("/projects?q=dansa")
        .await
        .expect(200);
    assert_eq!(listed["items"], json!([row]));

    assert_eq!(
        editor.delete(&path, created.header("etag")).await.status,
        204
    );
    assert_eq!(editor.get(&path).await.problem(410).0, "gone");
}

#[actix_web::test]
async fn where_a_project_stands_follows_the_clock() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    let months = json!({"startMonth": "2019-03", "endMonth": "2022-03"});
    let path = add(&app.admin(), "/projects", project("P", months)).await;
    for (now, status, percent) in [
        ("2019-02-28T23:59:59Z", "planned", 0),
        ("2020-04-01T00:00:00Z", "ongoing", 38),
        ("2022-03-31T23:59:59Z", "ongoing", 100),
        ("2022-04-01T00:00:00Z", "ended", 100),
    ] {
        app.state.clock.set(moment(now));
        // Tokens live for minutes: each moment has its own.
        let reader = reader.with_token(&token(&app));
        let row = reader.get(&path).await.expect(200);
        assert_eq!(
            (&row["status"], &row["timeStatusPercent"]),
            (&json!(status), &json!(percent)),
            "{now}"
        );
        let filtered = reader
            .get(&format!("/projects?status={status}"))
            .await
            .column("title");
        assert_eq!(filtered, ["P"], "{now}");
    }
}

fn token(app: &TestApp) -> String {
    let issuer = &app.state.issuer;
    let token = issuer.issue(
        uuid::Uuid::now_v7(),
        "client_test",
        "registry:read",
        vec!["SE".to_owned()],
        app.state.clock.now(),
    );
    token.unwrap().token
}

#[rstest]
#[case::member_of_an_object(json!({"targetGroup": {"ageTo": 15}}), json!({"targetGroup": {"text": "Barn 6–12 år.", "ageFrom": 6, "ageTo": 15}}))]
#[case::null_in_an_object(json!({"targetGroup": {"ageFrom": null}}), json!({"targetGroup": {"text": "Barn 6–12 år.", "ageFrom": null, "ageTo": 12}}))]
#[case::object_removed(json!({"targetGroup": null}), json!({"targetGroup": null}))]
#[case::several(json!({"goal": null, "title": "Annat", "endMonth": "2027-01"}), json!({"goal": null, "title": "Annat", "endMonth": "2027-01", "startMonth": "2026-01"}))]
#[case::reference_removed(json!({"owner": null, "parent": null}), json!({"owner": null, "ownerName": null, "parent": null, "parentTitle": null}))]
#[case::list_replaced(json!({"areas": ["1881"]}), json!({"areas": [{"code": "1881", "name": "Kumla"}]}))]
#[case::list_emptied(json!({"areas": [], "themes": [], "dateClaims": [], "funding": []}), json!({"areas": [], "themes": [], "dateClaims": [], "funding": []}))]
#[case::line_replaced(
    json!({"funding": [{"funder": "{owner}", "kind": "fund", "periodKind": "calendar_year", "period": "2026"}]}),
    json!({"funding": [{"funderName": "Örebro kommun", "kind": "fund", "amountSek": null, "period": "2026"}]}))]
#[actix_web::test]
async fn a_patch_merges_objects_and_replaces_lists(#[case] patch: Value, #[case] after: Value) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let (owner, ..) = those_it_names(&admin).await;
    let patch: Value = patch
        .to_string()
        .replace("{owner}", id(&owner))
        .parse()
        .unwrap();
    let path = add(&admin, "/projects", whole()).await;
    let before = admin.get(&path).await.expect(200);
    let reply = admin.patch(&path, "\"1\"", &patch).await;
    let row = reply.expect(200);
    for (name, value) in after.as_object().unwrap() {
        assert!(
            agrees(&row[name], value),
            "{name}: {} is not {value}",
            row[name]
        );
    }
    let touched = |name: &str| {
        after.get(name).is_some()
            || ["updatedAt", "version", "status", "timeStatusPercent"].contains(&name)
    };
    for (name, value) in before
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !touched(name))
    {
        assert_eq!(&row[name], value, "{name} stays");
    }
    assert_eq!(reply.version(), 2);
    let same = admin.patch(&path, "\"2\"", &patch).await;
    assert_eq!(
        (same.status, same.version()),
        (200, 2),
        "the same patch again changes nothing"
    );
}

/// Whether a value is the expected one, where an object may have members that are not spoken of.
fn agrees(value: &Value, expected: &Value) -> bool {
    match expected {
        Value::Object(members) => members
            .iter()
            .all(|(name, expected)| agrees(&value[name], expected)),
        Value::Array(items) => {
            let values = value.as_array().unwrap();
            values.len() == items.len()
                && values
                    .iter()
                    .zip(items)
                    .all(|(value, item)| agrees(value, item))
        }
        _ => value == expected,
    }
}

#[rstest]
#[case::area(json!({"area": "1899"}), "/area", "project_area_exists")]
#[case::areas(json!({"areas": ["1880", "1899"]}), "/areas/1", "project_areas_area_exists")]
#[case::area_twice(json!({"areas": ["1880", "1880"]}), "/areas/1", "project_areas_pkey")]
#[case::months(json!({"startMonth": "2026-02", "endMonth": "2026-01"}), "/startMonth", "project_month_order")]
#[case::ages(json!({"targetGroup": {"text": "Barn", "ageFrom": 12, "ageTo": 6}}), "/targetGroup/ageFrom", "project_age_order")]
#[case::age_below(json!({"targetGroup": {"text": "Barn", "ageFrom": -1}}), "/targetGroup", "project_age_range")]
#[case::age_above(json!({"targetGroup": {"text": "Barn", "ageTo": 121}}), "/targetGroup", "project_age_range")]
#[case::percent(json!({"timeStatusPercentPublished": 101}), "/timeStatusPercentPublished", "project_time_status_range")]
#[case::two_chosen(json!({"dateClaims": [{"startsOn": "2026", "sourceUrl": "https://a.se", "chosen": true}, {"endsOn": "2026", "sourceUrl": "https://b.se", "chosen": true}]}), "/dateClaims/1/chosen", "date_claim_chosen_once")]
#[case::claim_backwards(json!({"dateClaims": [{"startsOn": "2026-05", "endsOn": "2026-04-30", "sourceUrl": "https://a.se"}]}), "/dateClaims/0/endsOn", "date_claim_order")]
#[case::claim_of_nothing(json!({"dateClaims": [{"sourceUrl": "https://a.se"}]}), "/dateClaims/0", "date_claim_says_something")]
#[case::claim_format(json!({"dateClaims": [{"startsOn": "2026-02-30", "sourceUrl": "https://a.se"}]}), "/dateClaims/0/startsOn", "date_claim_format")]
#[case::school_year(json!({"funding": [{"kind": "own_funds", "periodKind": "project", "period": "2025"}, {"kind": "fund", "periodKind": "school_year", "period": "2025/2027"}]}), "/funding/1/period", "funding_period_fits_kind")]
#[case::calendar_year(json!({"funding": [{"kind": "fund", "periodKind": "calendar_year", "period": "2025-2026"}]}), "/funding/0/period", "funding_period_fits_kind")]
#[case::amount(json!({"funding": [{"kind": "fund", "amountSek": -1, "periodKind": "project", "period": "2025"}]}), "/funding/0/amountSek", "out_of_range")]
#[case::funding_kind(json!({"funding": [{"kind": "lottery", "periodKind": "project", "period": "2025"}]}), "/funding/0/kind", "unknown_code")]
#[case::period_kind(json!({"funding": [{"kind": "fund", "periodKind": "term", "period": "2025"}]}), "/funding/0/periodKind", "unknown_code")]
#[case::theme(json!({"themes": ["inclusion", "ballet"]}), "/themes/1", "unknown_code")]
#[case::scope(json!({"scope": "global"}), "/scope", "unknown_code")]
#[case::continuation(json!({"continuation": "maybe"}), "/continuation", "unknown_code")]
#[case::required(json!({"scope": null}), "/scope", "not_nullable")]
#[case::list_is_no_null(json!({"areas": null}), "/areas", "not_nullable")]
#[case::target_group_without_text(json!({"targetGroup": {"ageFrom": 6}}), "/targetGroup/text", "missing_member")]
#[case::computed(json!({"status": "ended"}), "/status", "unknown_member")]
#[actix_web::test]
async fn a_project_that_breaks_a_rule_is_refused_by_its_name(
    #[case] more: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = add(
        &admin,
        "/projects",
        project("Finns", json!({"areas": ["1880"]})),
    )
    .await;
    let posted = admin.post("/projects", &project("Ny", more.clone())).await;
    assert_eq!(
        fault(&posted, 422),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        posted.text()
    );
    let patched = admin.patch(&path, "\"1\"", &more).await;
    assert_eq!(
        fault(&patched, 422),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        patched.text()
    );
    assert_eq!(
        admin.get("/projects").await.column("title"),
        ["Finns"],
        "what is refused leaves nothing behind"
    );
}

/// Puts a reference where the body takes one.
fn referring(place: &str, reference: &Value) -> Value {
    match place {
        "/funding/1/funder" => json!({"funding": [
            {"kind": "own_funds", "periodKind": "project", "period": "2026"},
            {"funder": reference, "kind": "fund", "periodKind": "project", "period": "2026"}
        ]}),
        _ => json!({ place.trim_start_matches('/'): reference }),
    }
}

#[rstest]
#[case::unknown_id(json!("01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), "", "reference_unknown")]
#[case::unknown_name(json!({"name": "Ingen"}), "", "reference_unknown")]
#[case::unknown_number(json!({"orgNumber": "556036-0793"}), "", "reference_unknown")]
#[case::deleted(json!({"name": "Borttagen"}), "", "reference_unknown")]
#[case::ambiguous(json!({"name": "Två"}), "", "reference_ambiguous")]
#[case::nul(json!({"name": "Fond\u{0}en"}), "/name", "text_control_character")]
#[case::empty(json!({"name": ""}), "/name", "text_empty")]
#[case::number_format(json!({"orgNumber": "802000-0008"}), "/orgNumber", "org_number_format")]
#[case::neither(json!({"title": "Fonden"}), "", "invalid_value")]
#[case::number(json!(7), "", "invalid_value")]
#[actix_web::test]
async fn a_partner_that_is_not_meant_clearly_is_refused(
    #[values("/owner", "/funding/1/funder")] place: &str,
    #[case] reference: Value,
    #[case] below: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    those_it_names(&admin).await;
    for _ in 0..2 {
        add(&admin, "/partners", partner("Två", json!({}))).await;
    }
    let gone = add(&admin, "/partners", partner("Borttagen", json!({}))).await;
    assert_eq!(admin.delete(&gone, "*").await.status, 204);
    let path = add(&admin, "/projects", project("Finns", json!({}))).await;
    let more = referring(place, &reference);
    for reply in [
        admin.post("/projects", &project("Ny", more.clone())).await,
        admin.patch(&path, "*", &more).await,
    ] {
        assert_eq!(
            fault(&reply, 422),
            (format!("{place}{below}"), code.to_owned()),
            "{}",
            reply.text()
        );
    }
}

#[rstest]
#[case::unknown_id(json!("01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), "/parent", "reference_unknown")]
#[case::unknown_title(json!({"title": "Ingen"}), "/parent", "reference_unknown")]
#[case::deleted(json!({"title": "Borttaget"}), "/parent", "reference_unknown")]
#[case::ambiguous(json!({"title": "Två"}), "/parent", "reference_ambiguous")]
#[case::nul(json!({"title": "Pro\u{0}jekt"}), "/parent/title", "text_control_character")]
#[case::itself(json!({"title": "Mor"}), "/parent", "project_parent_circle")]
#[case::its_own_part(json!({"title": "Dotter"}), "/parent", "project_parent_circle")]
#[case::a_part_of_its_part(json!({"title": "Dotterdotter"}), "/parent", "project_parent_circle")]
#[actix_web::test]
async fn a_parent_that_cannot_be_one_is_refused(
    #[case] parent: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    for _ in 0..2 {
        add(&admin, "/projects", project("Två", json!({}))).await;
    }
    let gone = add(&admin, "/projects", project("Borttaget", json!({}))).await;
    assert_eq!(admin.delete(&gone, "*").await.status, 204);
    let path = add(&admin, "/projects", project("Mor", json!({}))).await;
    add(
        &admin,
        "/projects",
        project("Dotter", json!({"parent": {"title": "Mor"}})),
    )
    .await;
    add(
        &admin,
        "/projects",
        project("Dotterdotter", json!({"parent": {"title": "Dotter"}})),
    )
    .await;
    let reply = admin
        .patch(&path, "\"1\"", &json!({"parent": parent}))
        .await;
    assert_eq!(
        fault(&reply, 422),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        reply.text()
    );
}

#[actix_web::test]
async fn a_patch_that_names_the_same_rows_in_another_way_makes_no_new_version() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let more = json!({"orgNumber": "802000-0009"});
    add(&admin, "/partners", partner("Förbundet", more)).await;
    add(&admin, "/projects", project("Det hela", json!({}))).await;
    let body = json!({"owner": {"name": "Förbundet"}, "parent": {"title": "Det hela"},
        "funding": [{"funder": {"name": "Förbundet"}, "kind": "fund", "periodKind": "project", "period": "2026"}]});
    let path = add(&admin, "/projects", project("Delen", body.clone())).await;
    let first = admin.get(&path).await;
    for patch in [
        body.clone(),
        json!({"owner": {"orgNumber": "8020000009"}, "areas": []}),
        json!({"title": "Delen"}),
    ] {
        let same = admin.patch(&path, first.header("etag"), &patch).await;
        same.expect(200);
        assert_eq!(same.header("etag"), first.header("etag"), "{patch}");
        assert_eq!(same.json(), first.json(), "{patch}");
    }
    let changed = with(body, &json!({"purpose": "Något nytt"}));
    let changed = admin.patch(&path, "\"1\"", &changed).await;
    assert_eq!(
        (changed.expect(200)["purpose"].as_str(), changed.version()),
        (Some("Något nytt"), 2)
    );
}

#[actix_web::test]
async fn writing_needs_every_area_that_the_project_works_in() {
    let app = TestApp::start().await;
    let body = project("P", json!({"areas": ["1880", "1480"]}));
    let refused = app.editor(&["18"]).post("/projects", &body).await;
    assert_eq!(
        fault(&refused, 403),
        ("/areas".into(), "area_not_permitted".into())
    );
    let path = add(&app.editor(&["18", "14"]), "/projects", body).await;
    let kept = app
        .editor(&["18"])
        .patch(&path, "\"1\"", &json!({"goal": "Nytt"}))
        .await;
    assert_eq!(fault(&kept, 403).0, "/areas");
    app.editor(&["18"])
        .patch(&path, "\"1\"", &json!({"areas": ["1880"]}))
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_project_is_kept_while_parts_or_partnerships_name_it() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let parent = add(&admin, "/projects", project("Mor", json!({}))).await;
    add(&admin, "/partners", partner("Aktör", json!({}))).await;
    for (path, body) in [
        (
            "/projects",
            project("Dotter", json!({"parent": id(&parent)})),
        ),
        ("/partnerships", partnership("Aktör", "Mor", json!({}))),
    ] {
        let row = add(&admin, path, body).await;
        assert_eq!(
            fault(&admin.delete(&parent, "*").await, 409),
            (String::new(), "in_use".into()),
            "{path}"
        );
        assert_eq!(admin.delete(&row, "*").await.status, 204);
    }
    assert_eq!(admin.delete(&parent, "*").await.status, 204);
}

#[rstest]
#[case::owner(json!({"owner": {"name": "Aktör"}}))]
#[case::funder(json!({"funding": [{"funder": {"name": "Aktör"}, "kind": "fund", "periodKind": "project", "period": "2026"}]}))]
#[actix_web::test]
async fn a_partner_is_kept_while_a_live_project_names_it(#[case] more: Value) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let actor = add(&admin, "/partners", partner("Aktör", json!({}))).await;
    let row = add(&admin, "/projects", project("P", more)).await;
    assert_eq!(
        fault(&admin.delete(&actor, "*").await, 409),
        (String::new(), "in_use".into())
    );
    assert_eq!(admin.delete(&row, "*").await.status, 204);
    assert_eq!(
        admin.delete(&actor, "*").await.status,
        204,
        "a tombstone holds nothing"
    );
}

#[rstest]
#[case::planned("status=planned", &["Kommande"])]
#[case::ongoing("status=ongoing", &["Nu"])]
#[case::ended_or_undated("status=ended,undated", &["Del", "Förr"])]
#[case::owner("owner={owner}", &["Nu"])]
#[case::owners("owner={owner},{funder}", &["Nu"])]
#[case::funder("funder={funder}", &["Förr"])]
#[case::funder_as_partner("partner={funder}", &["Förr"])]
#[case::owner_as_partner("partner={owner}", &["Nu"])]
#[case::at_work("partner={worker}", &["Kommande"])]
#[case::theme("theme=inclusion", &["Förr", "Nu"])]
#[case::themes("theme=accessibility,youth_influence", &["Nu"])]
#[case::county("region=18", &["Del", "Nu"])]
#[case::municipality("municipality=1880", &["Del"])]
#[case::parent("parent={parent}", &["Del"])]
#[case::top("topLevel=true", &["Förr", "Kommande", "Nu"])]
#[case::parts("topLevel=false", &["Del"])]
#[case::scope("scope=regional,national", &["Nu"])]
#[case::continuation("continuation=all,ended", &["Förr", "Kommande"])]
#[case::start_from("startFrom=2020-02", &["Kommande", "Nu"])]
#[case::start_to("startTo=2020-02", &["Förr", "Nu"])]
#[case::end_from("endFrom=2026-06", &["Kommande", "Nu"])]
#[case::end_to("endTo=2026-05", &["Förr"])]
#[case::age_from("ageFrom=13", &["Förr", "Kommande"])]
#[case::age_to("ageTo=5", &["Del"])]
#[case::ages("ageFrom=10&ageTo=12", &["Del", "Kommande", "Nu"])]
#[case::words("q=dansa", &["Nu"])]
#[case::together("topLevel=true&theme=inclusion&status=ended", &["Förr"])]
#[actix_web::test]
async fn projects_are_selected_by_filters(#[case] query: &str, #[case] titles: &[&str]) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let owner = add(&admin, "/partners", partner("Ägaren", json!({}))).await;
    let funder = add(&admin, "/partners", partner("Fonden", json!({}))).await;
    let worker = add(&admin, "/partners", partner("Föreningen", json!({}))).await;
    let parent = add(&admin, "/projects", project("Förr", json!({
        "startMonth": "2017-01", "endMonth": "2026-05", "themes": ["inclusion"], "continuation": "all", "targetGroup": {"text": "Unga", "ageFrom": 13, "ageTo": 19},
        "funding": [{"funder": id(&funder), "kind": "fund", "periodKind": "project", "period": "2017-2026"}]}))).await;
    add(&admin, "/projects", project("Nu", json!({
        "startMonth": "2020-02", "endMonth": "2026-06", "themes": ["inclusion", "youth_influence"], "owner": id(&owner), "areas": ["18"], "scope": "regional",
        "purpose": "Ungdomar dansar", "targetGroup": {"text": "Barn", "ageFrom": 6, "ageTo": 12}}))).await;
    add(&admin, "/projects", project("Kommande", json!({
        "startMonth": "2026-07", "endMonth": "2027-06", "areas": ["SE"], "continuation": "ended", "targetGroup": {"text": "Från 8", "ageFrom": 8}}))).await;
    add(&admin, "/projects", project("Del", json!({"parent": id(&parent), "areas": ["1880"], "targetGroup": {"text": "Upp till 10", "ageTo": 10}}))).await;
    add(
        &admin,
        "/partnerships",
        partnership("Föreningen", "Kommande", json!({})),
    )
    .await;
    let query = query
        .replace("{owner}", id(&owner))
        .replace("{funder}", id(&funder))
        .replace("{worker}", id(&worker))
        .replace("{parent}", id(&parent));
    assert_eq!(
        admin
            .get(&format!("/projects?{query}"))
            .await
            .column("title"),
        titles
    );
}

#[rstest]
#[case("status=finished")]
#[case("owner=Aktör")]
#[case("theme=ballet")]
#[case("region=Örebro")]
#[case("startFrom=2020")]
#[case("topLevel=yes")]
#[case("ageFrom=six")]
#[actix_web::test]
async fn a_filter_that_cannot_be_read_is_refused(#[case] query: &str) {
    let app = TestApp::start().await;
    let reply = app.reader(&["SE"]).get(&format!("/projects?{query}")).await;
    assert_eq!(reply.problem(400).1, "invalid_value");
    assert_eq!(
        reply.json()["errors"][0]["parameter"],
        query.split_once('=').unwrap().0
    );
}

#[actix_web::test]
async fn includes_add_partners_and_parts_that_the_reader_may_see() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let parent = add(&admin, "/projects", project("Mor", json!({}))).await;
    let club = add(
        &admin,
        "/partners",
        partner("Örebro IF", json!({"category": "sports_association"})),
    )
    .await;
    add(&admin, "/partners", partner("Ateljén", json!({}))).await;
    let open = json!({"role": "host", "form": "shared_premises", "continuesAfterProject": true});
    let open = add(
        &admin,
        "/partnerships",
        partnership("Örebro IF", "Mor", open),
    )
    .await;
    add(
        &admin,
        "/partnerships",
        partnership("Ateljén", "Mor", json!({"state": "draft"})),
    )
    .await;
    let gone = add(
        &admin,
        "/partnerships",
        partnership("Ateljén", "Mor", json!({"role": "owner"})),
    )
    .await;
    assert_eq!(admin.delete(&gone, "*").await.status, 204);
    let part = json!({"parent": id(&parent), "areas": ["1880"], "continuation": "all"});
    let part = add(&admin, "/projects", project("Öppen del", part)).await;
    add(
        &admin,
        "/projects",
        project(
            "Hemlig del",
            json!({"parent": id(&parent), "state": "draft"}),
        ),
    )
    .await;

    let path = format!("{parent}?include=partners,subprojects");
    let outside = app.reader(&["22"]).get(&path).await.expect(200);
    assert_eq!(
        outside["partners"],
        json!([{"partnershipId": id(&open), "partner": id(&club), "name": "Örebro IF", "category": "sports_association", "civilSociety": true,
                "role": "host", "form": "shared_premises", "area": "1880", "continuesAfterProject": true}])
    );
    assert_eq!(
        outside["subprojects"],
        json!([{"id": id(&part), "title": "Öppen del", "continuation": "all", "areas": [{"code": "1880", "name": "Örebro"}]}])
    );
    let inside = app.reader(&["18"]).get(&path).await.expect(200);
    let names = |list: &Value, name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|row| row[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&inside["partners"], "name"), ["Ateljén", "Örebro IF"]);
    assert_eq!(
        names(&inside["subprojects"], "title"),
        ["Hemlig del", "Öppen del"]
    );

    let bare = admin.get(&parent).await.expect(200);
    assert!(
        bare.get("partners").is_none() && bare.get("subprojects").is_none(),
        "only what was asked for"
    );
    let list = admin
        .get("/projects?include=subprojects&topLevel=false")
        .await
        .expect(200);
    assert_eq!(
        list["items"][0]["subprojects"],
        json!([]),
        "asked for, but there is nothing"
    );
    assert_eq!(
        admin
            .get(&format!("{parent}?include=members"))
            .await
            .problem(400)
            .1,
        "unknown_include"
    );
}

#[actix_web::test]
async fn a_draft_partnership_does_not_show_itself_by_what_a_filter_lets_through() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let club = add(
        &admin,
        "/partners",
        partner("Klubben", json!({"area": "SE"})),
    )
    .await;
    add(&admin, "/projects", project("P", json!({}))).await;
    let draft = add(
        &admin,
        "/partnerships",
        partnership("Klubben", "P", json!({"state": "draft"})),
    )
    .await;
    let found = async || {
        app.reader(&["22"])
            .get(&format!("/projects?partner={}", id(&club)))
            .await
            .column("title")
    };
    assert!(found().await.is_empty());
    admin
        .patch(&draft, "\"1\"", &json!({"state": "published"}))
        .await
        .expect(200);
    assert_eq!(found().await, ["P"]);
}
