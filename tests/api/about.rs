//! `/api-info`, `/limits`, `/problems`, and what is beside the API.

use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;

#[actix_web::test]
async fn the_api_describes_itself_without_a_token() {
    let app = TestApp::start().await;
    let info = app.anonymous().get("/api-info").await.expect(200);
    assert_eq!(info["apiStatus"], "active");
    assert_eq!(info["apiVersion"], samverkan::openapi::API_VERSION);
    assert_eq!(
        app.anonymous().get("/limits").await.expect(200)["maxPageSize"],
        json!(1000)
    );
}

#[actix_web::test]
async fn every_kind_of_problem_has_a_page_in_both_languages() {
    let app = TestApp::start().await;
    let codes = app
        .anonymous()
        .get("/problems?limit=100")
        .await
        .column("code");
    assert_eq!(codes.len(), samverkan::problem::ProblemKind::ALL.len());
    let sv = app.anonymous().get("/problems/gone").await.expect(200);
    let en = app
        .anonymous()
        .get("/problems/gone?lang=en")
        .await
        .expect(200);
    assert_eq!(
        (sv["title"].as_str(), en["title"].as_str()),
        (Some("Borttagen"), Some("Deleted"))
    );
    assert_eq!(
        app.anonymous()
            .get("/problems/nonsense")
            .await
            .problem(404)
            .0,
        "not-found"
    );
}

#[actix_web::test]
async fn what_the_list_of_problems_cannot_do_is_refused() {
    let app = TestApp::start().await;
    for (name, value) in [
        ("sort", "code"),
        ("q", "gone"),
        ("include", "a"),
        ("updatedSince", "2026-01-01T00:00:00Z"),
    ] {
        let reply = app
            .anonymous()
            .get(&format!("/problems?{name}={value}"))
            .await;
        assert_eq!(reply.problem(400).1, "not_supported", "{name}");
    }
}

#[actix_web::test]
async fn the_document_is_served_and_swagger_ui_works_offline() {
    let app = TestApp::start().await;
    let served = app
        .anonymous()
        .raw(Method::GET, "/samverkan/v1/openapi.json", &[], None)
        .await;
    assert_eq!(served.text(), samverkan::openapi::json());
    let ui = app.anonymous().raw(Method::GET, "/docs/", &[], None).await;
    assert_eq!(ui.status, 200);
    assert!(
        ui.header("content-security-policy")
            .contains("script-src 'self'")
    );
    let script = app
        .anonymous()
        .raw(Method::GET, "/docs/swagger-ui-bundle.js", &[], None)
        .await;
    assert!(script.status == 200 && script.body.len() > 100_000);
    let initializer = app
        .anonymous()
        .raw(Method::GET, "/docs/swagger-initializer.js", &[], None)
        .await
        .text();
    assert!(
        initializer.contains("/samverkan/v1/openapi.json"),
        "{initializer}"
    );
}

/// Whatever the document lets a client choose is tried, all of it in few requests.
#[actix_web::test]
async fn whatever_the_document_offers_of_a_list_works_and_nothing_else_does() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let paths = samverkan::openapi::document()["paths"].as_object().unwrap();
    let lists = paths.iter().filter_map(|(path, item)| {
        let parameters = item["get"]["parameters"].as_array()?;
        let named = |name: &str| {
            parameters
                .iter()
                .find(|parameter| parameter["name"] == name)
        };
        let list = named("fields").is_some() && named("page").is_some() && !path.contains('{');
        list.then_some((
            path,
            ["sort", "fields", "include", "q"].map(|name| (name, named(name))),
        ))
    });
    let mut seen = 0;
    for (path, parameters) in lists {
        for (name, parameter) in parameters {
            let names =
                parameter.and_then(|parameter| parameter["schema"]["items"]["enum"].as_array());
            let value = match names {
                Some(names) => {
                    let names: Vec<&str> =
                        names.iter().map(|name| name.as_str().unwrap()).collect();
                    assert!(!names.is_empty(), "{path} {name}");
                    names.join(",")
                }
                None => "name".to_owned(),
            };
            let reply = admin.get(&format!("{path}?{name}={value}")).await;
            match parameter {
                Some(_) => assert_eq!(reply.status, 200, "{path}?{name}={value}: {}", reply.text()),
                None => assert_eq!(reply.status, 400, "{path}?{name}={value}: {}", reply.text()),
            }
            seen += 1;
        }
    }
    assert!(seen >= 4 * 18, "{seen}");
}
