//! What holds of every resource of the registry: shape, order, who sees and who writes.

use std::collections::BTreeSet;

use rstest::rstest;
use samverkan::access::Permission::{RegistryRead, RegistryWrite, StatisticsRead};
use samverkan::db::window::Sortable;
use samverkan::http::list::known_fields;
use samverkan::http::resource::Resource;
use samverkan::registry::areas::api::{Areas, MunicipalityOut, RegionOut};
use samverkan::registry::areas::districts::Districts;
use samverkan::registry::collaborations::api::Collaborations;
use samverkan::registry::culture_schools::api::CultureSchools;
use samverkan::registry::partners::api::Partners;
use samverkan::registry::partnerships::api::Partnerships;
use samverkan::registry::projects::api::Projects;
use serde_json::{Value, json};

use crate::rows::{
    add, collaboration, district, fault, key, partner, partnership, project, school,
};
use crate::support::{Caller, Reply, TestApp};

/// Seven rows of each resource that is written; some lack what others have.
async fn rows(admin: &Caller) {
    for (n, name) in ["Ö", "Å", "Z", "a", "B", "ä", "é"].into_iter().enumerate() {
        let month = (n % 3 > 0).then(|| format!("202{n}-01"));
        let (area, category, role) = if n % 2 == 0 {
            ("1880", "other", "partner")
        } else {
            ("1280", "council", "host")
        };
        add(
            admin,
            "/districts",
            district(&format!("1880-{n}"), json!({})),
        )
        .await;
        add(
            admin,
            "/culture-schools",
            school(name, json!({"openedMonth": month, "municipality": area})),
        )
        .await;
        let contacts = json!([{"role": "Kansli", "email": "info@example.se", "phone": null}]);
        add(
            admin,
            "/partners",
            partner(name, json!({"contacts": contacts, "category": category})),
        )
        .await;
        let some = json!({"startMonth": month, "endMonth": month, "areas": ["1880"], "dateClaims": [{"startsOn": "2020", "sourceUrl": "https://a.se"}],
            "funding": [{"kind": "fund", "periodKind": "project", "period": "2026"}]});
        add(admin, "/projects", project(name, some)).await;
        let some = json!({"established": month, "members": [{"municipality": "1880"}]});
        add(admin, "/collaborations", collaboration(name, some)).await;
        add(
            admin,
            "/partnerships",
            partnership(
                name,
                name,
                json!({"validFrom": month, "area": area, "role": role}),
            ),
        )
        .await;
    }
}

fn includes<R: Resource>() -> String {
    match R::INCLUDES {
        [] => String::new(),
        names => format!("&include={}", names.join(",")),
    }
}

/// Each field can be chosen, in a list and of a row, and gives what the whole row has.
async fn fields_work<R: Resource>(admin: &Caller) {
    let include = includes::<R>();
    let whole = admin
        .get(&format!("{}?limit=3{include}", R::PATH))
        .await
        .expect(200);
    let items = whole["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "{}", R::PATH);
    let fields = known_fields::<R::Out>();
    for item in items {
        let members: BTreeSet<&String> = item.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            fields.iter().collect(),
            "{}: every known field is there",
            R::PATH
        );
    }
    for field in &fields {
        let chosen = admin
            .get(&format!("{}?limit=3&fields={field}{include}", R::PATH))
            .await
            .expect(200);
        for (item, whole) in chosen["items"].as_array().unwrap().iter().zip(items) {
            assert_eq!(item, &json!({ field: whole[field] }), "{}", R::PATH);
        }
        let path = format!("{}/{}?fields={field}{include}", R::PATH, key(&items[0]));
        assert_eq!(
            admin.get(&path).await.expect(200),
            json!({ field: items[0][field] }),
            "{path}"
        );
    }
}

/// The header of CSV names the known fields, in the order of the document; each row has as many.
async fn csv_works<R: Resource>(admin: &Caller) {
    let text = admin
        .get(&format!(
            "{}?limit=3&format=csv{}",
            R::PATH,
            includes::<R>()
        ))
        .await
        .text();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>(),
        known_fields::<R::Out>(),
        "{}",
        R::PATH
    );
    assert_eq!(
        reader.records().map(Result::unwrap).count(),
        3,
        "{}",
        R::PATH
    );
}

/// A workbook holds the same as CSV, on a sheet of the resource's name.
async fn workbook_works<R: Resource>(admin: &Caller) {
    use samverkan::formats::read::{FileKind, Incoming, Source, open};
    let path = format!("{}?limit=3&format=xlsx{}", R::PATH, includes::<R>());
    let source = Source::Memory(admin.get(&path).await.body.into());
    let Incoming::Table {
        headings, records, ..
    } = open(FileKind::Xlsx, &source, &[R::PATH.trim_start_matches('/')]).unwrap()
    else {
        panic!("{path} is a table");
    };
    let names: Vec<String> = headings.into_iter().map(|heading| heading.text).collect();
    let rows = records.map(Result::unwrap).count();
    assert_eq!((names, rows), (known_fields::<R::Out>(), 3), "{path}");
}

/// Reads a list to its end by following the links.
async fn followed(admin: &Caller, mut path: String, column: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let reply = admin.get(&path).await;
        seen.extend(reply.column(column));
        match reply.json()["_links"]["next"]["href"].as_str() {
            Some(href) => href
                .split("/samverkan/v1")
                .nth(1)
                .unwrap()
                .clone_into(&mut path),
            None => return seen,
        }
    }
}

/// Every order, both ways: by page and by cursor the same rows, each once, and nothing that is missing comes first.
async fn orders_work<R: Resource>(admin: &Caller, limit: u32) {
    let unique = R::Row::UNIQUE.name;
    for key in R::Row::KEYS.iter().chain([&R::Row::UNIQUE]) {
        for sort in [key.name.to_owned(), format!("-{}", key.name)] {
            let list = |rest: String| format!("{}?sort={sort}&{rest}", R::PATH);
            let whole = admin.get(&list("limit=1000".to_owned())).await;
            let rows = whole.column(unique);
            assert!(rows.len() >= 7, "{}", R::PATH);
            assert_eq!(
                rows.iter().collect::<BTreeSet<_>>().len(),
                rows.len(),
                "{} {sort}",
                R::PATH
            );
            assert_eq!(
                followed(admin, list(format!("limit={limit}&page=1")), unique).await,
                rows,
                "{} {sort} by page",
                R::PATH
            );
            assert_eq!(
                followed(admin, list(format!("limit={limit}&cursor=")), unique).await,
                rows,
                "{} {sort} by cursor",
                R::PATH
            );
            let missing: Vec<bool> = whole
                .column(key.name)
                .iter()
                .map(|value| value == "null")
                .collect();
            assert!(
                missing.is_sorted(),
                "{} {sort}: missing values come last",
                R::PATH
            );
        }
    }
}

#[actix_web::test]
async fn every_field_can_be_chosen_and_is_a_column_of_csv() {
    let app = TestApp::start().await;
    let admin = app.admin();
    rows(&admin).await;
    macro_rules! each {
        ($($resource:ty),*) => {$(
            fields_work::<$resource>(&admin).await;
            csv_works::<$resource>(&admin).await;
            workbook_works::<$resource>(&admin).await;
        )*};
    }
    each!(
        Areas<RegionOut>,
        Areas<MunicipalityOut>,
        Districts,
        CultureSchools,
        Partners,
        Projects,
        Collaborations,
        Partnerships
    );
}

#[actix_web::test]
async fn every_order_gives_the_same_rows_by_page_and_by_cursor() {
    let app = TestApp::start().await;
    let admin = app.admin();
    rows(&admin).await;
    orders_work::<Areas<RegionOut>>(&admin, 8).await;
    orders_work::<Areas<MunicipalityOut>>(&admin, 100).await;
    orders_work::<Districts>(&admin, 2).await;
    orders_work::<CultureSchools>(&admin, 2).await;
    orders_work::<Partners>(&admin, 2).await;
    orders_work::<Projects>(&admin, 2).await;
    orders_work::<Collaborations>(&admin, 2).await;
    orders_work::<Partnerships>(&admin, 2).await;
}

#[actix_web::test]
async fn names_follow_swedish_rules() {
    let app = TestApp::start().await;
    let admin = app.admin();
    rows(&admin).await;
    assert_eq!(
        admin.get("/collaborations").await.column("name"),
        ["a", "B", "é", "Z", "Å", "ä", "Ö"]
    );
}

/// A row of 1880 that is kept by that municipality, by resource.
fn of_municipality(path: &str) -> Value {
    match path {
        "/districts" => district("1880-x", json!({})),
        "/culture-schools" => school("Rad", json!({})),
        "/partners" => partner("Rad", json!({})),
        "/projects" => project("Rad", json!({"areas": ["1880"]})),
        "/collaborations" => collaboration("Rad", json!({"area": "1880", "regions": []})),
        _ => partnership("Aktör", "Projekt", json!({})),
    }
}

/// A service with those that a partnership joins.
async fn service() -> TestApp {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(&admin, "/partners", partner("Aktör", json!({"area": "SE"}))).await;
    add(
        &admin,
        "/projects",
        project("Projekt", json!({"area": "SE"})),
    )
    .await;
    app
}

fn without_instance(reply: &Reply) -> Value {
    let mut body = reply.json();
    body["instance"] = json!("");
    body
}

const NOWHERE: &str = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6";

#[rstest]
#[actix_web::test]
async fn a_foreign_draft_looks_like_nothing_at_all(
    #[values(
        "/districts",
        "/culture-schools",
        "/partners",
        "/projects",
        "/collaborations",
        "/partnerships"
    )]
    path: &str,
) {
    let app = service().await;
    let mut body = of_municipality(path);
    body["state"] = json!("draft");
    let row = add(&app.editor(&["1880"]), path, body).await;
    let count = async |caller: Caller, query: &str| {
        caller.get(&format!("{path}?{query}")).await.expect(200)["_meta"]["totalRecords"]
            .as_i64()
            .unwrap()
    };
    let (own, foreign) = (app.reader(&["18"]), app.editor(&["1881", "22"]));
    assert_eq!(own.get(&row).await.expect(200)["state"], "draft");
    assert_eq!(
        count(own.clone(), "").await - count(foreign.clone(), "").await,
        1
    );
    assert_eq!(
        count(own, "includeDeleted=true").await
            - count(foreign.clone(), "includeDeleted=true").await,
        1
    );
    let nowhere = if path == "/districts" {
        "1881-ingenstans"
    } else {
        NOWHERE
    };
    let nowhere = format!("{path}/{nowhere}");
    for (there, nothing) in [
        (foreign.get(&row).await, foreign.get(&nowhere).await),
        (
            foreign.patch(&row, "*", &json!({})).await,
            foreign.patch(&nowhere, "*", &json!({})).await,
        ),
        (
            foreign.delete(&row, "*").await,
            foreign.delete(&nowhere, "*").await,
        ),
    ] {
        assert_eq!(
            (there.status, without_instance(&there)),
            (404, without_instance(&nothing))
        );
    }
    app.editor(&["1880"])
        .patch(&row, "\"1\"", &json!({"state": "published"}))
        .await
        .expect(200);
    foreign.get(&row).await.expect(200);
}

#[rstest]
#[case::districts("/districts", "/code", None)]
#[case::culture_schools("/culture-schools", "/municipality", Some(json!({"municipality": "2281"})))]
#[case::partners("/partners", "/area", Some(json!({"area": "2281"})))]
#[case::projects("/projects", "/area", Some(json!({"area": "2281"})))]
#[case::collaborations("/collaborations", "/area", Some(json!({"area": "2281"})))]
#[case::partnerships("/partnerships", "/area", Some(json!({"area": "2281"})))]
#[actix_web::test]
async fn writing_needs_the_area_at_both_ends(
    #[case] path: &str,
    #[case] pointer: &str,
    #[case] moved: Option<Value>,
) {
    let app = service().await;
    let (own, foreign) = (app.editor(&["1880"]), app.editor(&["22", "1881"]));
    let refused = |reply: &Reply, pointer: &str| {
        assert_eq!(
            fault(reply, 403),
            (pointer.to_owned(), "area_not_permitted".to_owned()),
            "{}",
            reply.text()
        );
    };
    refused(&foreign.post(path, &of_municipality(path)).await, pointer);
    let row = add(&own, path, of_municipality(path)).await;
    refused(
        &foreign.patch(&row, "*", &json!({"state": "draft"})).await,
        "/area",
    );
    refused(&foreign.delete(&row, "*").await, "/area");
    if let Some(moved) = moved {
        refused(&own.patch(&row, "*", &moved).await, pointer);
        refused(&foreign.patch(&row, "*", &moved).await, "/area");
        app.editor(&["1880", "22"])
            .patch(&row, "\"1\"", &moved)
            .await
            .expect(200);
        refused(&own.delete(&row, "*").await, "/area");
    }
}

#[rstest]
#[actix_web::test]
async fn a_deleted_row_is_a_tombstone_that_nobody_changes(
    #[values(
        "/districts",
        "/culture-schools",
        "/partners",
        "/projects",
        "/collaborations",
        "/partnerships"
    )]
    path: &str,
) {
    let app = service().await;
    let editor = app.editor(&["1880"]);
    let row = add(&editor, path, of_municipality(path)).await;
    assert_eq!(
        editor.delete(&row, "\"7\"").await.problem(412).0,
        "precondition-failed"
    );
    assert_eq!(editor.delete(&row, "\"1\"").await.status, 204);
    for reply in [
        editor.get(&row).await,
        editor.patch(&row, "*", &json!({})).await,
        editor.delete(&row, "*").await,
    ] {
        assert_eq!(reply.problem(410).0, "gone");
    }
    let listed = async |query: &str| {
        let page = editor
            .get(&format!("{path}?limit=1000&{query}"))
            .await
            .expect(200);
        let all = page["items"].as_array().unwrap().clone();
        all.into_iter().find(|item| row.ends_with(key(item)))
    };
    assert_eq!(listed("").await, None);
    let tombstone = listed("includeDeleted=true").await.unwrap();
    assert!(
        tombstone["deletedAt"].is_string() && tombstone["version"] == 2,
        "{tombstone}"
    );
}

/// The names of the members that a new row may have, as documented.
fn documented_members(path: &str) -> Vec<String> {
    let document = samverkan::openapi::document();
    let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        ["$ref"];
    let schema = document
        .pointer(schema.as_str().unwrap().trim_start_matches('#'))
        .unwrap();
    schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[rstest]
#[actix_web::test]
async fn what_no_member_can_hold_is_the_clients_fault_in_every_member(
    #[values(
        "/districts",
        "/culture-schools",
        "/partners",
        "/projects",
        "/collaborations",
        "/partnerships"
    )]
    path: &str,
) {
    let app = service().await;
    let admin = app.admin();
    let nul = "a\u{0}b";
    let members = documented_members(path);
    assert!(members.len() > 7, "{members:?}");
    for member in members {
        for hostile in [
            json!(nul),
            json!([nul]),
            json!({"name": nul}),
            json!({"title": nul}),
            json!({"text": nul}),
            json!(1e300),
            json!([[]]),
        ] {
            let mut body = of_municipality(path);
            body[&member] = hostile;
            let reply = admin.post(path, &body).await;
            assert_eq!(reply.status, 422, "{path} {body}: {}", reply.text());
        }
    }
}

#[rstest]
#[actix_web::test]
async fn every_request_needs_its_permission(
    #[values(
        "/districts",
        "/culture-schools",
        "/partners",
        "/projects",
        "/collaborations",
        "/partnerships"
    )]
    path: &str,
) {
    let app = service().await;
    let row = add(&app.admin(), path, of_municipality(path)).await;
    let body = of_municipality(path);
    let (reader, writer) = (
        app.caller(&[RegistryRead, StatisticsRead], &["SE"]),
        app.caller(&[RegistryWrite], &["SE"]),
    );
    for (stranger, status, code) in [
        (app.anonymous(), 401, "unauthenticated"),
        (reader, 403, "insufficient-permission"),
    ] {
        for reply in [
            stranger.post(path, &body).await,
            stranger.patch(&row, "*", &json!({})).await,
            stranger.delete(&row, "*").await,
        ] {
            assert_eq!(reply.problem(status).0, code);
        }
    }
    for reply in [writer.get(path).await, writer.get(&row).await] {
        assert_eq!(reply.problem(403).0, "insufficient-permission");
    }
    for reply in [
        app.anonymous().get(path).await,
        app.anonymous().get(&row).await,
    ] {
        assert_eq!(reply.problem(401).0, "unauthenticated");
    }
}
