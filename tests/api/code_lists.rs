//! `/code-lists`

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use rstest::rstest;
use serde_json::Value;

use crate::support::TestApp;

/// Every vocabulary that the document uses, by the list that its description names.
fn vocabularies(schema: &Value, found: &mut BTreeMap<String, Vec<Value>>) {
    match schema {
        Value::Object(members) => {
            if let (Some(codes), Some(text)) = (members.get("enum"), members.get("description"))
                && let Some((_, list)) = text.as_str().unwrap().split_once("labels at /code-lists/")
            {
                found.insert(list.to_owned(), codes.as_array().unwrap().clone());
            }
            members
                .values()
                .for_each(|value| vocabularies(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| vocabularies(item, found)),
        _ => {}
    }
}

#[actix_web::test]
async fn every_vocabulary_of_the_document_has_its_list_with_the_same_codes() {
    let app = TestApp::start().await;
    let page = app
        .reader(&["SE"])
        .get("/code-lists?limit=1000")
        .await
        .expect(200);
    let lists: BTreeMap<String, Vec<Value>> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| {
            let codes = list["codes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|code| code["code"].clone());
            (list["name"].as_str().unwrap().to_owned(), codes.collect())
        })
        .collect();
    let mut used = BTreeMap::new();
    vocabularies(samverkan::openapi::document(), &mut used);
    assert!(used.len() > 10, "{used:?}");
    for (name, codes) in used {
        assert_eq!(lists.get(&name), Some(&codes), "{name}");
    }
}

#[actix_web::test]
async fn labels_come_in_the_language_of_the_request_and_in_both() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    for (lang, title, label) in [
        ("sv", "Skolslag", "Musikskola"),
        ("en", "Kind of school", "Music school"),
    ] {
        let list = reader
            .get(&format!("/code-lists/culture-school-kind?lang={lang}"))
            .await
            .expect(200);
        assert_eq!(
            (&list["title"], &list["codes"][0]["label"]),
            (&title.into(), &label.into())
        );
        assert_eq!(list["titles"]["en"], "Kind of school");
        assert_eq!(list["codes"][0]["labels"]["sv"], "Musikskola");
    }
}

#[actix_web::test]
async fn pages_and_cursors_give_every_list_once() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    let whole = reader.get("/code-lists?limit=1000").await.column("name");
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len());
    let mut by_page = Vec::new();
    for page in 1..=whole.len().div_ceil(4) {
        by_page.extend(
            reader
                .get(&format!("/code-lists?limit=4&page={page}"))
                .await
                .column("name"),
        );
    }
    assert_eq!(by_page, whole);
    let (mut by_cursor, mut next) = (Vec::new(), "/code-lists?limit=4&cursor=".to_owned());
    while !next.is_empty() {
        let reply = reader.get(&next).await;
        by_cursor.extend(reply.column("name"));
        let href = reply.json()["_links"]["next"]["href"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        next = href
            .split("/samverkan/v1")
            .nth(1)
            .unwrap_or_default()
            .to_owned();
    }
    assert_eq!(by_cursor, whole);
}

#[actix_web::test]
async fn fields_choose_and_csv_has_a_column_for_each() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    let page = reader
        .get("/code-lists?fields=name&limit=1")
        .await
        .expect(200);
    assert_eq!(
        page["items"][0]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["name"]
    );
    let csv = reader.get("/code-lists?format=csv").await.text();
    assert!(csv.starts_with("name,title,titles,codes\r\n"), "{csv}");
}

#[actix_web::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    let path = "/code-lists/project-theme";
    let etag = reader.get(path).await.header("etag").to_owned();
    let again = reader
        .send(Method::GET, path, &[("If-None-Match", &etag)], None)
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(
        reader.get("/code-lists/colours").await.problem(404).0,
        "not-found"
    );
}

#[rstest]
#[case("sort=name", "not_supported")]
#[case("q=tema", "not_supported")]
#[case("include=codes", "not_supported")]
#[case("updatedSince=2026-01-01T00:00:00Z", "not_supported")]
#[case("cursor=abc", "invalid_cursor")]
#[case("fields=nmae", "unknown_field")]
#[case("category=other", "unknown_parameter")]
#[actix_web::test]
async fn a_parameter_that_means_nothing_here_is_refused(#[case] query: &str, #[case] code: &str) {
    let app = TestApp::start().await;
    let reply = app
        .reader(&["SE"])
        .get(&format!("/code-lists?{query}"))
        .await;
    assert_eq!(reply.problem(400).1, code);
}

#[actix_web::test]
async fn code_lists_need_the_permission_to_read() {
    let app = TestApp::start().await;
    assert_eq!(
        app.anonymous().get("/code-lists").await.problem(401).0,
        "unauthenticated"
    );
    let other = app.caller(&[samverkan::access::Permission::StatisticsRead], &["SE"]);
    assert_eq!(
        other.get("/code-lists").await.problem(403).0,
        "insufficient-permission"
    );
}
