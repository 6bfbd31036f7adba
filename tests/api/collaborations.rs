//! `/collaborations`

use rstest::rstest;
use serde_json::{Value, json};

use crate::rows::{add, collaboration, fault, id, members, partner, with};
use crate::support::TestApp;
use crate::support::app::moment;

/// A collaboration with everything.
fn whole() -> Value {
    json!({
        "name": "Kulturskolesamverkan i Örebro län",
        "purpose": "Att barn och unga lättare ska kunna utöva kultur.",
        "description": "Träffas\noch lär.",
        "established": "2015-08",
        "area": "18",
        "regions": ["18"],
        "members": [
            {"municipality": "1883", "role": "administrative_host", "validFrom": "2018-07-01", "validTo": "2022-06-30", "agreement": "Avtal 2018"},
            {"municipality": "1880", "role": "administrative_host", "validFrom": "2022-07-01"},
            {"municipality": "1884"}
        ],
        "goals": [
            {"audience": "teachers_and_managers", "goal": "Fortbildas tillsammans."},
            {"audience": "children_and_young_people", "goal": "Fler dansar."}
        ],
        "funding": [{"funder": {"name": "Fonden"}, "kind": "members", "amountSek": 0, "periodKind": "school_year", "period": "2025/2026"}],
        "links": [{"title": "Om oss", "url": "https://www.kulturskolesamverkan.se/om-oss/"}],
        "sourceUrl": "https://www.kulturskolesamverkan.se/"
    })
}

#[actix_web::test]
async fn a_collaboration_is_created_with_all_that_belongs_to_it_read_and_deleted() {
    let app = TestApp::start().await;
    let fund = add(&app.admin(), "/partners", partner("Fonden", json!({}))).await;
    let editor = app.editor(&["18"]);
    let created = editor.post("/collaborations", &whole()).await;
    let row = created.expect(201);
    for name in [
        "name",
        "purpose",
        "description",
        "established",
        "area",
        "goals",
        "links",
        "sourceUrl",
    ] {
        assert_eq!(row[name], whole()[name], "{name}");
    }
    assert_eq!(
        row["regions"],
        json!([{"code": "18", "name": "Örebro län"}])
    );
    assert_eq!(
        row["funding"],
        json!([{"funder": id(&fund), "funderName": "Fonden", "kind": "members", "amountSek": 0, "periodKind": "school_year", "period": "2025/2026",
                "note": null, "sourceUrl": null}])
    );
    assert_eq!(
        members(
            &row,
            &[
                "memberCount",
                "administrativeHost",
                "administrativeHostName"
            ]
        ),
        [&json!(2), &json!("1880"), &json!("Örebro")]
    );
    assert!(row.get("members").is_none(), "only what was asked for");
    let path = format!("/collaborations/{}", row["id"].as_str().unwrap());
    assert!(created.header("location").ends_with(&path));
    assert_eq!(app.reader(&["22"]).get(&path).await.expect(200), row);

    let shown = app
        .reader(&["22"])
        .get(&format!("{path}?include=members"))
        .await
        .expect(200);
    assert_eq!(
        shown["members"],
        json!([
            {"municipality": "1883", "municipalityName": "Karlskoga", "role": "administrative_host", "validFrom": "2018-07-01",
             "validTo": "2022-06-30", "agreement": "Avtal 2018"},
            {"municipality": "1880", "municipalityName": "Örebro", "role": "administrative_host", "validFrom": "2022-07-01", "validTo": null, "agreement": null},
            {"municipality": "1884", "municipalityName": "Nora", "role": "member", "validFrom": null, "validTo": null, "agreement": null}
        ])
    );
    assert_eq!(
        editor.delete(&path, created.header("etag")).await.status,
        204
    );
    assert_eq!(editor.get(&path).await.problem(410).0, "gone");
    add(&app.admin(), "/collaborations", whole()).await; // the name is free again
}

#[rstest]
#[case::host(json!({"description": null, "established": "2015"}), json!({"description": null, "established": "2015"}))]
#[case::members(
    json!({"members": [{"municipality": "1881"}]}),
    json!({"members": [{"municipality": "1881", "municipalityName": "Kumla", "role": "member", "validFrom": null, "validTo": null, "agreement": null}],
           "memberCount": 1, "administrativeHost": null, "administrativeHostName": null}))]
#[case::regions_and_members(
    json!({"regions": ["17", "19"], "members": [{"municipality": "1780"}, {"municipality": "1980", "role": "administrative_host"}]}),
    json!({"regions": [{"code": "17", "name": "Värmlands län"}, {"code": "19", "name": "Västmanlands län"}], "memberCount": 2,
           "administrativeHost": "1980", "administrativeHostName": "Västerås"}))]
#[case::lists_emptied(
    json!({"members": [], "goals": [], "funding": [], "links": []}),
    json!({"members": [], "memberCount": 0, "administrativeHost": null, "administrativeHostName": null, "goals": [], "funding": [], "links": []}))]
#[actix_web::test]
async fn a_patch_replaces_lists_whole(#[case] patch: Value, #[case] after: Value) {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(&admin, "/partners", partner("Fonden", json!({}))).await;
    let path = add(&admin, "/collaborations", whole()).await;
    let show = format!("{path}?include=members");
    let before = admin.get(&show).await.expect(200);
    let changed = admin.patch(&path, "\"1\"", &patch).await;
    assert_eq!(
        (changed.status, changed.version()),
        (200, 2),
        "{}",
        changed.text()
    );
    let row = admin.get(&show).await.expect(200);
    let lists_follow = after.get("regions").is_some();
    for (name, value) in with(before, &after).as_object().unwrap() {
        let follows = lists_follow && name == "members";
        if !(follows || name == "updatedAt" || name == "version") {
            assert_eq!(&row[name], value, "{name}");
        }
    }
    let same = admin.patch(&path, "\"2\"", &patch).await;
    assert_eq!(
        (same.status, same.version()),
        (200, 2),
        "the same patch again changes nothing"
    );
}

#[rstest]
#[case::name_taken(json!({"name": "FINNS"}), 409, "/name", "collaboration_name_once")]
#[case::area(json!({"area": "1899"}), 422, "/area", "collaboration_area_exists")]
#[case::county_twice(json!({"regions": ["18", "18"]}), 422, "/regions/1", "collaboration_regions_pkey")]
#[case::no_such_county(json!({"regions": ["18", "99"]}), 422, "/regions/1", "collaboration_regions_region_exists")]
#[case::municipality_as_county(json!({"regions": ["18", "1880"]}), 422, "/regions/1", "collaboration_region_is_region")]
#[case::no_such_member(json!({"members": [{"municipality": "1899"}]}), 422, "/members/0/municipality", "member_municipality_exists")]
#[case::county_as_member(json!({"members": [{"municipality": "18"}]}), 422, "/members/0/municipality", "member_is_municipality")]
#[case::member_elsewhere(json!({"members": [{"municipality": "1880"}, {"municipality": "1480"}]}), 422, "/members/1/municipality", "member_in_collaboration_region")]
#[case::backwards(json!({"members": [{"municipality": "1880", "validFrom": "2020-02-01", "validTo": "2020-01-31"}]}), 422, "/members/0/validTo", "member_validity_order")]
#[case::overlap_of_a_day(json!({"members": [{"municipality": "1880", "validTo": "2020-01-31"}, {"municipality": "1880", "validFrom": "2020-01-31"}]}), 422, "/members/1", "member_no_overlap")]
#[case::open_overlap(json!({"members": [{"municipality": "1880"}, {"municipality": "1880"}]}), 422, "/members/1", "member_no_overlap")]
#[case::two_hosts(json!({"members": [{"municipality": "1880", "role": "administrative_host"}, {"municipality": "1883", "role": "administrative_host"}]}), 422, "/members/1/role", "member_one_host")]
#[case::role(json!({"members": [{"municipality": "1880", "role": "king"}]}), 422, "/members/0/role", "unknown_code")]
#[case::day(json!({"members": [{"municipality": "1880", "validFrom": "2020-13-01"}]}), 422, "/members/0/validFrom", "invalid_value")]
#[case::agreement(json!({"members": [{"municipality": "1880", "agreement": "a\u{0}"}]}), 422, "/members/0/agreement", "text_control_character")]
#[case::audience(json!({"goals": [{"audience": "everybody", "goal": "Allt"}]}), 422, "/goals/0/audience", "unknown_code")]
#[case::goal(json!({"goals": [{"audience": "teachers_and_managers", "goal": " "}]}), 422, "/goals/0/goal", "text_empty")]
#[case::established(json!({"established": "2015-8"}), 422, "/established", "date_claim_format")]
#[case::period(json!({"funding": [{"kind": "members", "periodKind": "calendar_year", "period": "22"}]}), 422, "/funding/0/period", "funding_period_fits_kind")]
#[case::unknown_funder(json!({"funding": [{"funder": {"name": "Ingen"}, "kind": "fund", "periodKind": "project", "period": "2022"}]}), 422, "/funding/0/funder", "reference_unknown")]
#[case::link(json!({"links": [{"title": "Om", "url": "javascript:alert(1)"}]}), 422, "/links/0/url", "link_format")]
#[case::required(json!({"members": null}), 422, "/members", "not_nullable")]
#[actix_web::test]
async fn a_collaboration_that_breaks_a_rule_is_refused_by_its_name(
    #[case] more: Value,
    #[case] status: u16,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(&admin, "/collaborations", collaboration("Finns", json!({}))).await;
    let other = add(
        &admin,
        "/collaborations",
        collaboration("Annan", json!({"members": [{"municipality": "1884"}]})),
    )
    .await;
    let before = admin
        .get(&format!("{other}?include=members"))
        .await
        .expect(200);
    let posted = admin
        .post("/collaborations", &collaboration("Ny", more.clone()))
        .await;
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
    assert_eq!(
        admin
            .get(&format!("{other}?include=members"))
            .await
            .expect(200),
        before,
        "all of it, or nothing"
    );
}

#[actix_web::test]
async fn memberships_may_follow_each_other_and_hosts_take_turns() {
    let app = TestApp::start().await;
    let turns = json!({"members": [
        {"municipality": "1880", "role": "administrative_host", "validTo": "2020-06-30"},
        {"municipality": "1880", "validFrom": "2020-07-01", "validTo": "2021-06-30"},
        {"municipality": "1883", "role": "administrative_host", "validFrom": "2020-07-01"}
    ]});
    app.admin()
        .post("/collaborations", &collaboration("Turas", turns))
        .await
        .expect(201);
}

#[actix_web::test]
async fn a_county_cannot_leave_while_a_member_lies_in_it() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = add(&admin, "/collaborations", whole_without_money()).await;
    let reply = admin
        .patch(&path, "\"1\"", &json!({"regions": ["17"]}))
        .await;
    assert_eq!(
        fault(&reply, 422),
        (
            "/members/0/municipality".into(),
            "member_in_collaboration_region".into()
        )
    );
}

fn whole_without_money() -> Value {
    with(whole(), &json!({"funding": []}))
}

#[actix_web::test]
async fn writing_needs_every_county_that_the_collaboration_works_in() {
    let app = TestApp::start().await;
    let body = collaboration("Två län", json!({"regions": ["17", "18"]}));
    let refused = app.editor(&["18"]).post("/collaborations", &body).await;
    assert_eq!(
        fault(&refused, 403),
        ("/regions".into(), "area_not_permitted".into())
    );
    let path = add(&app.editor(&["17", "18"]), "/collaborations", body).await;
    assert_eq!(
        fault(
            &app.editor(&["18"])
                .patch(&path, "\"1\"", &json!({"purpose": "X"}))
                .await,
            403
        )
        .0,
        "/regions"
    );
    app.editor(&["18"])
        .patch(&path, "\"1\"", &json!({"regions": ["18"]}))
        .await
        .expect(200);
}

#[rstest]
#[case::all("", &["Bergslagen", "Länet", "Tom"])]
#[case::county("region=17", &["Bergslagen"])]
#[case::counties("region=17,18", &["Bergslagen", "Länet", "Tom"])]
#[case::member_ever("municipality=1883", &["Bergslagen", "Länet"])]
#[case::member_on_the_day("municipality=1883&validOn=2021-09-01", &["Länet"])]
#[case::host_ever("host=1880", &["Länet"])]
#[case::hosts("host=1780,1880", &["Bergslagen", "Länet"])]
#[case::host_on_the_day("host=1880&validOn=2021-09-01", &[])]
#[case::no_members_then("validOn=2010-01-01", &["Länet"])]
#[case::day_before("validOn=2019-12-31&municipality=1780", &[])]
#[case::first_day("validOn=2020-01-01&municipality=1780", &["Bergslagen"])]
#[case::last_day("validOn=2020-12-31&municipality=1780", &["Bergslagen"])]
#[case::day_after("validOn=2021-01-01&municipality=1780", &[])]
#[case::words("q=bergslagens", &["Bergslagen"])]
#[actix_web::test]
async fn collaborations_are_selected_by_filters(#[case] query: &str, #[case] names: &[&str]) {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(
        &admin,
        "/collaborations",
        with(whole_without_money(), &json!({"name": "Länet"})),
    )
    .await;
    let other = json!({"regions": ["17", "18"], "members": [
        {"municipality": "1780", "role": "administrative_host", "validFrom": "2020-01-01", "validTo": "2020-12-31"},
        {"municipality": "1883", "validFrom": "2020-01-01", "validTo": "2020-12-31"}]});
    add(
        &admin,
        "/collaborations",
        collaboration("Bergslagen", other),
    )
    .await;
    add(&admin, "/collaborations", collaboration("Tom", json!({}))).await;
    assert_eq!(
        admin
            .get(&format!("/collaborations?{query}"))
            .await
            .column("name"),
        names
    );
}

#[actix_web::test]
async fn host_and_number_of_members_are_those_of_the_day() {
    let app = TestApp::start().await;
    let path = add(&app.admin(), "/collaborations", whole_without_money()).await;
    let seen = async |now: &str, path: &str| {
        app.state.clock.set(moment(now));
        let row = app.reader(&["SE"]).get(path).await.expect(200);
        let row = row["items"].get(0).cloned().unwrap_or(row);
        (
            row["administrativeHost"].clone(),
            row["memberCount"].clone(),
            row["members"].as_array().map(Vec::len),
        )
    };
    assert_eq!(
        seen("2022-06-30T23:59:59Z", &path).await,
        (json!("1883"), json!(2), None)
    );
    assert_eq!(
        seen("2022-07-01T00:00:00Z", &path).await,
        (json!("1880"), json!(2), None)
    );
    let today = "2026-06-01T12:00:00Z";
    let all = seen(today, "/collaborations?include=members").await;
    assert_eq!(
        all,
        (json!("1880"), json!(2), Some(3)),
        "without a day, all there ever were"
    );
    let then = seen(today, "/collaborations?include=members&validOn=2018-06-30").await;
    assert_eq!(then, (Value::Null, json!(1), Some(1)));
}

#[actix_web::test]
async fn a_collaboration_is_kept_while_a_partnership_names_it() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = add(
        &admin,
        "/collaborations",
        collaboration("Samverkan", json!({})),
    )
    .await;
    let fund = add(&admin, "/partners", partner("Fonden", json!({}))).await;
    let body = json!({"partner": {"name": "Fonden"}, "collaboration": {"name": "Samverkan"}, "area": "18", "role": "funder"});
    let row = add(&admin, "/partnerships", body).await;
    assert_eq!(
        fault(&admin.delete(&path, "*").await, 409),
        (String::new(), "in_use".into())
    );
    assert_eq!(fault(&admin.delete(&fund, "*").await, 409).1, "in_use");
    assert_eq!(admin.delete(&row, "*").await.status, 204);
    assert_eq!(admin.delete(&path, "*").await.status, 204);
    assert_eq!(admin.delete(&fund, "*").await.status, 204);
}

#[actix_web::test]
async fn a_funder_is_kept_while_a_live_collaboration_names_it() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let fund = add(&admin, "/partners", partner("Fonden", json!({}))).await;
    let row = add(&admin, "/collaborations", whole()).await;
    assert_eq!(fault(&admin.delete(&fund, "*").await, 409).1, "in_use");
    assert_eq!(admin.delete(&row, "*").await.status, 204);
    assert_eq!(
        admin.delete(&fund, "*").await.status,
        204,
        "a tombstone holds nothing"
    );
}
