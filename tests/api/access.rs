//! Who gets in: every operation of the document, and tokens of every kind.

use base64::Engine as _;
use reqwest::Method;
use samverkan::access::Permission;
use serde_json::{Value, json};

use crate::support::TestApp;

/// Operations that need no token. This list may only shrink.
const PUBLIC: &[&str] = &["get_api_info", "get_limits", "list_problems", "get_problem"];

fn operations() -> Vec<(String, Method, Value)> {
    let document = samverkan::openapi::document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((
                path.clone(),
                method.to_uppercase().parse().unwrap(),
                operation.clone(),
            ));
        }
    }
    all
}

/// A path with something in each parameter.
fn concrete(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        parts.push(match part {
            "{municipalityCode}" | "{municipalityId}" => "1880",
            "{regionCode}" | "{regionId}" => "18",
            part if part.starts_with('{') && part.contains("ode") => "nothing_here",
            part if part.starts_with('{') => "01903e2a-7b4c-7d5e-8f60-718293a4b5c6",
            part => part,
        });
    }
    parts.join("/")
}

#[actix_web::test]
async fn every_operation_asks_for_a_token_and_for_its_permission() {
    let app = TestApp::start().await;
    let mut secured = 0;
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let security = operation["security"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if security.is_empty() {
            assert!(
                PUBLIC.contains(&id),
                "{id} has no security and is not on the list of public operations"
            );
            continue;
        }
        secured += 1;
        let example = operation
            .pointer("/requestBody/content/application~1json/example")
            .cloned();
        let body = example.map(|example| example.to_string().into_bytes());
        let headers = [("Content-Type", "application/json"), ("If-Match", "*")];
        let headers = if body.is_some() {
            &headers[..]
        } else {
            &headers[1..]
        };
        let nobody = app
            .anonymous()
            .send(method.clone(), &concrete(&path), headers, body.clone())
            .await;
        assert_eq!(nobody.problem(401).0, "unauthenticated", "{id}");
        assert!(
            nobody.header("www-authenticate").starts_with("Bearer"),
            "{id}"
        );

        let needed: Vec<&str> = security
            .iter()
            .flat_map(|one| one["bearer"].as_array().unwrap())
            .map(|scope| scope.as_str().unwrap())
            .collect();
        assert!(!needed.is_empty(), "{id} names no permission");
        let all_but: Vec<Permission> = Permission::ALL
            .iter()
            .copied()
            .filter(|permission| !needed.contains(&permission.as_str()))
            .collect();
        let without = app
            .caller(&all_but, &["SE"])
            .send(method.clone(), &concrete(&path), headers, body.clone())
            .await;
        let code = without.problem(403).0;
        assert_eq!(code, "insufficient-permission", "{id}");

        // With everything in the wrong place: never a success of a write, never a fault of ours.
        let elsewhere = app
            .caller(Permission::ALL, &["0980"])
            .send(method.clone(), &concrete(&path), headers, body)
            .await;
        assert!(elsewhere.status < 500, "{id}: {}", elsewhere.text());
        if method != Method::GET {
            assert!(
                elsewhere.status >= 400,
                "{id} wrote outside its area: {}",
                elsewhere.text()
            );
        }
    }
    assert!(secured > 50, "{secured}");
}

#[actix_web::test]
async fn every_example_of_a_body_is_accepted_as_a_body() {
    let app = TestApp::start().await;
    for (path, method, operation) in operations() {
        let Some(example) = operation.pointer("/requestBody/content/application~1json/example")
        else {
            continue;
        };
        if method != Method::POST {
            continue;
        }
        let reply = app.admin().post(&concrete(&path), example).await;
        let shape = [
            "unknown_member",
            "missing_member",
            "invalid_type",
            "unknown_code",
            "not_nullable",
            "invalid_value",
        ];
        if reply.status == 422 {
            let (_, fault) = reply.problem(422);
            assert!(!shape.contains(&fault.as_str()), "{path}: {}", reply.text());
        }
    }
}

#[actix_web::test]
async fn a_token_is_refused_once_it_is_over_and_never_taken_from_elsewhere() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    reader.get("/municipalities/1880").await.expect(200);
    let later = app.state.clock.now() + chrono::TimeDelta::minutes(11);
    app.state.clock.set(later);
    let over = reader.get("/municipalities/1880").await;
    assert_eq!(over.problem(401).0, "unauthenticated");
    assert!(over.header("www-authenticate").contains("invalid_token"));
    let token = app
        .state
        .issuer
        .issue(
            uuid::Uuid::now_v7(),
            "client_test",
            "registry:read",
            vec!["SE".into()],
            later,
        )
        .unwrap()
        .token;
    assert_eq!(
        app.anonymous()
            .with_token(&token)
            .get("/municipalities/1880")
            .await
            .status,
        200
    );
    let query = app
        .anonymous()
        .get(&format!("/municipalities/1880?access_token={token}"))
        .await;
    assert!(
        query.status == 400 || query.status == 401,
        "a token in the address is no token: {}",
        query.status
    );
    let basic = app
        .anonymous()
        .send(
            Method::GET,
            "/municipalities/1880",
            &[("Authorization", &format!("Basic {token}"))],
            None,
        )
        .await;
    assert_eq!(basic.status, 401);
    let public = app
        .anonymous()
        .with_token("nonsense")
        .get("/api-info")
        .await;
    assert_eq!(
        public.status, 200,
        "a public route works beside a stale token"
    );
}

async fn token(app: &TestApp, form: &str, headers: &[(&str, &str)]) -> crate::support::Reply {
    let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    app.anonymous()
        .raw(
            Method::POST,
            "/oauth/token",
            &all,
            Some(form.as_bytes().to_vec()),
        )
        .await
}

#[actix_web::test]
async fn a_client_is_made_gets_a_token_rotates_its_secret_and_is_revoked() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let body = json!({"name": "Region Örebro län", "permissions": ["registry:read", "registry:write"], "areas": ["18"]});
    let created = admin.post("/clients", &body).await;
    let client = created.expect(201);
    let (id, secret) = (
        client["clientId"].as_str().unwrap(),
        client["clientSecret"].as_str().unwrap(),
    );
    let path = format!("/clients/{}", client["id"].as_str().unwrap());
    assert!(
        admin
            .get(&path)
            .await
            .expect(200)
            .get("clientSecret")
            .is_none(),
        "a secret is shown once"
    );

    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let granted = token(&app, &form, &[]).await;
    let answer = granted.expect(200);
    assert_eq!(
        (answer["token_type"].as_str(), answer["expires_in"].as_i64()),
        (Some("Bearer"), Some(600))
    );
    assert_eq!(granted.header("cache-control"), "no-store");
    let caller = app
        .anonymous()
        .with_token(answer["access_token"].as_str().unwrap());
    caller.get("/municipalities/1880").await.expect(200);
    assert_eq!(
        caller
            .post(
                "/partners",
                &json!({"name": "A", "category": "other", "area": "22"})
            )
            .await
            .status,
        403
    );

    let basic = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"))
    );
    let narrowed = token(
        &app,
        "grant_type=client_credentials&scope=registry:read",
        &[("Authorization", &basic)],
    )
    .await
    .expect(200);
    assert_eq!(narrowed["scope"], "registry:read");
    let both = token(&app, &form, &[("Authorization", &basic)]).await;
    assert_eq!(both.expect(400)["error"], "invalid_request");
    let wide = token(&app, &format!("{form}&scope=clients:admin"), &[]).await;
    assert_eq!(wide.expect(400)["error"], "invalid_scope");
    let password = token(
        &app,
        "grant_type=password&username=a&password=b",
        &[("Authorization", &basic)],
    )
    .await;
    assert_eq!(password.expect(400)["error"], "unsupported_grant_type");
    let wrong = token(&app, &format!("{form}x"), &[]).await;
    assert_eq!(wrong.expect(401)["error"], "invalid_client");
    let unknown = token(
        &app,
        &format!("grant_type=client_credentials&client_id=client_nobody&client_secret={secret}"),
        &[],
    )
    .await;
    assert_eq!(
        unknown.body, wrong.body,
        "an unknown client looks like a wrong secret"
    );

    let second = admin
        .post(&format!("{path}/secrets"), &json!({}))
        .await
        .expect(201);
    let fresh = second["clientSecret"].as_str().unwrap();
    assert_eq!(
        admin
            .post(&format!("{path}/secrets"), &json!({}))
            .await
            .problem(409)
            .1,
        "client_two_secrets"
    );
    token(
        &app,
        &format!("grant_type=client_credentials&client_id={id}&client_secret={fresh}"),
        &[],
    )
    .await
    .expect(200);
    token(&app, &form, &[]).await.expect(200);

    let etag = admin.get(&path).await.header("etag").to_owned();
    assert_eq!(admin.delete(&path, &etag).await.status, 204);
    assert_eq!(token(&app, &form, &[]).await.status, 401);
}

#[actix_web::test]
async fn keys_are_published() {
    let app = TestApp::start().await;
    let keys = app
        .anonymous()
        .raw(Method::GET, "/.well-known/jwks.json", &[], None)
        .await
        .expect(200);
    assert_eq!(
        (
            keys["keys"][0]["kty"].as_str(),
            keys["keys"][0]["crv"].as_str()
        ),
        (Some("OKP"), Some("Ed25519"))
    );
    assert!(keys["keys"][0].get("d").is_none());
    let metadata = app
        .anonymous()
        .raw(
            Method::GET,
            "/.well-known/oauth-authorization-server",
            &[],
            None,
        )
        .await
        .expect(200);
    assert_eq!(
        metadata["token_endpoint"],
        format!("{}/oauth/token", app.origin)
    );
    assert_eq!(
        metadata["issuer"].as_str(),
        Some(app.state.issuer.name()),
        "whoever checks a token compares its iss with this"
    );
}

#[actix_web::test]
async fn an_administrator_gives_no_more_than_they_have() {
    let app = TestApp::start().await;
    let regional = app.caller(
        &[Permission::ClientsAdmin, Permission::RegistryRead],
        &["18"],
    );
    let body = |permission: &str, area: &str| json!({"name": "X", "permissions": [permission], "areas": [area]});
    assert_eq!(
        regional
            .post("/clients", &body("registry:write", "18"))
            .await
            .status,
        403
    );
    assert_eq!(
        regional
            .post("/clients", &body("registry:read", "22"))
            .await
            .status,
        403
    );
    regional
        .post("/clients", &body("registry:read", "1880"))
        .await
        .expect(201);
    let national = app
        .admin()
        .post("/clients", &body("registry:read", "SE"))
        .await
        .expect(201);
    assert_eq!(
        regional.get("/clients").await.expect(200)["_meta"]["totalRecords"],
        1
    );
    assert_eq!(
        regional
            .get(&format!("/clients/{}", national["id"].as_str().unwrap()))
            .await
            .status,
        404
    );
}
