//! The manners that every resource has, shown on municipalities (which are there from the start) and partners.

use reqwest::Method;
use rstest::rstest;
use samverkan::db::WriteError;
use samverkan::problem::ProblemKind;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

async fn add(caller: &Caller, name: &str) -> String {
    let body = json!({"name": name, "category": "other", "area": "1880"});
    caller.post("/partners", &body).await.expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn a_page_says_where_it_lies_and_links_to_the_others() {
    let app = TestApp::start().await;
    let page = app
        .reader(&["SE"])
        .get("/municipalities?limit=100&page=2&region=14,12")
        .await
        .expect(200);
    assert_eq!(
        page["_meta"],
        json!({"totalRecords": 82, "page": 2, "limit": 100, "count": 0}),
        "beyond the last page is an empty list"
    );
    let page = app
        .reader(&["SE"])
        .get("/municipalities?limit=20&page=2&region=14,12")
        .await
        .expect(200);
    assert_eq!(
        page["_meta"],
        json!({"totalRecords": 82, "page": 2, "limit": 20, "count": 20})
    );
    let href = |rel: &str| {
        page["_links"][rel]["href"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        href("self"),
        format!(
            "{}/samverkan/v1/municipalities?limit=20&page=2&region=14,12",
            app.origin
        )
    );
    assert!(
        href("first").ends_with("limit=20&region=14%2C12&page=1")
            && href("prev").ends_with("page=1")
    );
    assert!(href("next").ends_with("page=3") && href("last").ends_with("page=5"));
    assert_eq!(page["_links"]["next"]["rel"], "next");
}

#[actix_web::test]
async fn all_pages_and_all_cursors_give_every_row_once_in_swedish_order() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    let whole = reader
        .get("/municipalities?limit=1000")
        .await
        .column("name");
    assert_eq!(whole.len(), 290);
    assert_eq!(whole.last().map(String::as_str), Some("Övertorneå"));
    let place = |name: &str| whole.iter().position(|given| given == name).unwrap();
    assert!(
        place("Ystad") < place("Åmål")
            && place("Åmål") < place("Älvsbyn")
            && place("Älvsbyn") < place("Örebro")
    );
    for sort in ["name", "-name", "code", "-updatedAt,name"] {
        let expected = reader
            .get(&format!("/municipalities?limit=1000&sort={sort}"))
            .await
            .column("code");
        let (mut by_cursor, mut next) = (
            Vec::new(),
            format!("/municipalities?limit=77&cursor=&sort={sort}"),
        );
        loop {
            let reply = reader.get(&next).await;
            by_cursor.extend(reply.column("code"));
            assert_eq!(reply.json()["_meta"]["totalRecords"], Value::Null);
            match reply.json()["_links"]["next"]["href"].as_str() {
                Some(href) => next = href.split("/samverkan/v1").nth(1).unwrap().to_owned(),
                None => break,
            }
        }
        assert_eq!(by_cursor, expected, "{sort}");
        let mut by_page = Vec::new();
        for page in 1..=4 {
            by_page.extend(
                reader
                    .get(&format!("/municipalities?limit=77&page={page}&sort={sort}"))
                    .await
                    .column("code"),
            );
        }
        assert_eq!(by_page, expected, "{sort}");
    }
}

#[actix_web::test]
async fn reading_by_cursor_loses_and_doubles_nothing_while_rows_come_and_go() {
    let app = TestApp::start().await;
    let admin = app.admin();
    for n in 0..10 {
        add(&admin, &format!("Förening {n}")).await;
    }
    let first = admin.get("/partners?limit=4&cursor=").await;
    let mut seen = first.column("name");
    add(&admin, "Aaa kommer före").await;
    let next = first.json()["_links"]["next"]["href"]
        .as_str()
        .unwrap()
        .split("/samverkan/v1")
        .nth(1)
        .unwrap()
        .to_owned();
    seen.extend(
        admin
            .get(&next.replace("limit=4", "limit=100"))
            .await
            .column("name"),
    );
    assert_eq!(
        seen,
        (0..10).map(|n| format!("Förening {n}")).collect::<Vec<_>>()
    );
}

#[rstest]
#[case("page=0", "out_of_range")]
#[case("limit=1001", "out_of_range")]
#[case("limit=-1", "out_of_range")]
#[case("limit=abc", "invalid_value")]
#[case("cursor=abc", "invalid_cursor")]
#[case("cursor=eyJvIjoiY29kZSIsInYiOlsiMTg4MCJdfQ", "invalid_cursor")]
#[case("page=1&cursor=", "page_or_cursor")]
#[case("sort=nme", "unknown_sort")]
#[case("fields=nme", "unknown_field")]
#[case("include=partners", "unknown_include")]
#[case("munipality=1880", "unknown_parameter")]
#[case("q=%FF", "not_text")]
#[case("q=a%00b", "not_text")]
#[case("q=a%E2%80%AEb", "not_text")]
#[case("q=%C3%B6", "text_too_short")]
#[case("q=+a+", "text_too_short")]
#[case("limit=1&limit=2", "duplicated")]
#[case("updatedSince=yesterday", "invalid_value")]
#[case("region=18';drop", "invalid_value")]
#[case("format=pdf", "invalid_value")]
#[case("validOn=2022-02-30", "invalid_value")]
#[actix_web::test]
async fn a_parameter_that_does_not_work_is_named(#[case] query: &str, #[case] code: &str) {
    let app = TestApp::start().await;
    let reply = app
        .reader(&["SE"])
        .get(&format!("/municipalities?{query}"))
        .await;
    assert_eq!(reply.problem(400).1, code, "{}", reply.text());
    assert!(reply.json()["errors"][0]["parameter"].is_string());
}

#[actix_web::test]
async fn problems_speak_both_languages() {
    let app = TestApp::start().await;
    let detail = async |headers: &[(&str, &str)], query: &str| {
        let reply = app
            .reader(&["SE"])
            .send(
                Method::GET,
                &format!("/municipalities?limitt=1{query}"),
                headers,
                None,
            )
            .await;
        (
            reply.header("content-language").to_owned(),
            reply.json()["errors"][0]["detail"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    };
    assert_eq!(
        detail(&[], "").await,
        ("sv".into(), "Okänt namn. Menade du limit?".into())
    );
    assert_eq!(
        detail(&[("Accept-Language", "en-GB,en;q=0.9")], "").await,
        ("en".into(), "Unknown name. Did you mean limit?".into())
    );
    assert_eq!(
        detail(&[("Accept-Language", "en")], "&lang=sv").await.0,
        "sv"
    );
}

#[rstest]
#[case("orebro", "Örebro")]
#[case("Vara", "Vara")]
#[case("Håbo", "Håbo")]
#[case("Habo", "Habo")]
#[case("gotebrog", "Göteborg")]
#[case("malmoe", "Malmö")]
#[case("1880", "Örebro")]
#[case("upplands v", "Upplands Väsby")]
#[actix_web::test]
async fn search_finds_what_was_meant_first(#[case] words: &str, #[case] first: &str) {
    let app = TestApp::start().await;
    let found = app
        .reader(&["SE"])
        .get(&format!("/municipalities?q={words}"))
        .await
        .column("name");
    assert_eq!(found.first().map(String::as_str), Some(first), "{found:?}");
}

#[actix_web::test]
async fn search_knows_swedish_forms_and_parts_of_compounds() {
    let app = TestApp::start().await;
    let admin = app.admin();
    admin.post("/partners", &json!({"name": "Kulturskolan i Nora", "category": "other", "area": "1884", "description": "Ungdomar dansar tillsammans"})).await.expect(201);
    add(&admin, "Örebro Roddklubb").await;
    for words in ["skola", "kulturskola", "dansa", "ungdom", "nora"] {
        assert_eq!(
            admin
                .get(&format!("/partners?q={words}"))
                .await
                .column("name"),
            ["Kulturskolan i Nora"],
            "{words}"
        );
    }
    assert!(
        admin
            .get("/partners?q=%25%25")
            .await
            .column("name")
            .is_empty(),
        "a wildcard is a character like any other"
    );
}

#[actix_web::test]
async fn fields_and_csv_give_the_same_rows_in_another_shape() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    let chosen = reader
        .get("/municipalities?region=18&fields=code,name&limit=2")
        .await;
    assert_eq!(
        chosen.expect(200)["items"][0],
        json!({"code": "1882", "name": "Askersund"})
    );
    assert_eq!(
        chosen.header("content-type"),
        "application/vnd.samverkan.selection+json"
    );
    let csv = reader
        .get("/municipalities?region=01&fields=code,name&limit=2&format=csv")
        .await;
    assert_eq!(
        csv.text(),
        "code,name\r\n0127,Botkyrka\r\n0162,Danderyd\r\n"
    );
    let accepted = reader
        .send(
            Method::GET,
            "/municipalities?limit=1",
            &[("Accept", "text/csv")],
            None,
        )
        .await;
    assert!(accepted.header("content-type").starts_with("text/csv"));
    let refused = reader
        .send(
            Method::GET,
            "/municipalities",
            &[("Accept", "text/html")],
            None,
        )
        .await;
    assert_eq!(refused.problem(406).0, "not-acceptable");
}

#[actix_web::test]
async fn what_has_not_changed_is_not_sent_again() {
    let app = TestApp::start().await;
    let reader = app.reader(&["SE"]);
    for path in [
        "/municipalities/1880",
        "/municipalities?region=18",
        "/municipalities/1880?fields=name",
    ] {
        let first = reader.get(path).await;
        let etag = first.header("etag").to_owned();
        let again = reader
            .send(Method::GET, path, &[("If-None-Match", &etag)], None)
            .await;
        assert_eq!(
            (again.status, again.body.len(), again.header("etag")),
            (304, 0, etag.as_str()),
            "{path}"
        );
        let other = reader
            .send(Method::GET, path, &[("If-None-Match", "\"nothing\"")], None)
            .await;
        assert_eq!(other.status, 200);
    }
}

#[actix_web::test]
async fn a_change_needs_the_version_it_was_made_from() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = format!("/partners/{}", add(&admin, "Ett").await);
    let bare = admin
        .send(
            Method::PATCH,
            &path,
            &[("Content-Type", "application/json")],
            Some(b"{\"name\":\"X\"}".to_vec()),
        )
        .await;
    assert_eq!(bare.problem(428).1, "if_match_required");
    admin
        .patch(&path, "\"1\"", &json!({"name": "Två"}))
        .await
        .expect(200);
    let late = admin.patch(&path, "\"1\"", &json!({"name": "Tre"})).await;
    assert_eq!(late.problem(412).0, "precondition-failed");
    assert_eq!(
        late.json()["current"]["name"],
        "Två",
        "the loser sees what is there now"
    );
    assert_eq!(
        admin
            .patch(&path, "W/\"2\"", &json!({"name": "Tre"}))
            .await
            .status,
        412,
        "weak tags are not for writing"
    );
    assert_eq!(admin.delete(&path, "\"1\"").await.status, 412);
    assert_eq!(admin.delete(&path, "*").await.status, 204);
}

#[actix_web::test]
async fn of_two_writers_at_once_one_wins_and_one_is_told() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = format!("/partners/{}", add(&admin, "Ett").await);
    let write = async |name: &str| {
        admin
            .patch(&path, "\"1\"", &json!({"name": name}))
            .await
            .status
    };
    let (a, b) = futures_util::join!(write("A"), write("B"));
    assert_eq!(a.min(b), 200);
    assert_eq!(a.max(b), 412);
}

#[rstest]
#[case::unknown_member(json!({"name": "A", "category": "other", "area": "SE", "colour": 1}), 422, "unknown_member")]
#[case::slip_of_the_pen(json!({"nmae": "A", "category": "other", "area": "SE"}), 422, "unknown_member")]
#[case::missing_member(json!({"name": "A", "category": "other"}), 422, "missing_member")]
#[case::server_member(json!({"name": "A", "category": "other", "area": "SE", "version": 7}), 422, "unknown_member")]
#[case::wrong_type(json!({"name": 1, "category": "other", "area": "SE"}), 422, "invalid_type")]
#[case::unknown_code(json!({"name": "A", "category": "choir", "area": "SE"}), 422, "unknown_code")]
#[case::nul(json!({"name": "a\u{0}b", "category": "other", "area": "SE"}), 422, "text_control_character")]
#[case::bidi(json!({"name": "a\u{202e}b", "category": "other", "area": "SE"}), 422, "text_control_character")]
#[case::long(json!({"name": "a".repeat(2001), "category": "other", "area": "SE"}), 422, "text_too_long")]
#[case::no_object(json!([1]), 422, "invalid_type")]
#[actix_web::test]
async fn a_body_that_does_not_fit_is_refused_with_the_place(
    #[case] body: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let reply = app.admin().post("/partners", &body).await;
    assert_eq!(reply.problem(status).1, code, "{}", reply.text());
}

#[rstest]
#[case::not_json(b"{".to_vec(), 400)]
#[case::doubled(b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(), 400)]
#[case::deep(format!("{{\"name\":{}1{}}}", "[".repeat(50), "]".repeat(50)).into_bytes(), 400)]
#[case::not_utf8(b"{\"name\":\"\xff\"}".to_vec(), 400)]
#[case::surrogate(b"{\"name\":\"\\ud800\"}".to_vec(), 400)]
#[case::huge(vec![b' '; 1024 * 1024 + 1], 413)]
#[actix_web::test]
async fn a_hostile_body_is_a_4xx(#[case] body: Vec<u8>, #[case] status: u16) {
    let app = TestApp::start().await;
    let reply = app
        .admin()
        .send(
            Method::POST,
            "/partners",
            &[("Content-Type", "application/json")],
            Some(body),
        )
        .await;
    assert_eq!(reply.status, status, "{}", reply.text());
}

#[rstest]
#[case(Method::POST, "application/json")]
#[case(Method::PATCH, "application/merge-patch+json")]
#[actix_web::test]
async fn a_compressed_body_is_415_with_the_rule(#[case] method: Method, #[case] media: &str) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let row = add(&admin, "Ett").await;
    let path = if method == Method::POST {
        "/partners".to_owned()
    } else {
        format!("/partners/{row}")
    };
    let send = async |coding: &str| {
        let headers = [
            ("Content-Type", media),
            ("Content-Encoding", coding),
            ("If-Match", "*"),
        ];
        let body = json!({"name": "Två", "category": "other", "area": "1880"});
        let body = Some(body.to_string().into_bytes());
        admin.send(method.clone(), &path, &headers, body).await
    };
    let refused = send("gzip").await;
    assert_eq!(refused.problem(415).1, "content_encoding");
    assert_eq!(refused.json()["errors"][0]["header"], "Content-Encoding");
    assert_eq!(refused.header("accept-encoding"), "identity");
    assert!(send("identity").await.status < 300);
}

#[rstest]
#[case(Method::POST, "/health/live", "GET, HEAD, OPTIONS")]
#[case(Method::DELETE, "/health/ready", "GET, HEAD, OPTIONS")]
#[case(Method::PUT, "/version", "GET, HEAD, OPTIONS")]
#[case(Method::GET, "/oauth/token", "POST, OPTIONS")]
#[case(Method::POST, "/.well-known/jwks.json", "GET, HEAD, OPTIONS")]
#[case(
    Method::POST,
    "/.well-known/oauth-authorization-server",
    "GET, HEAD, OPTIONS"
)]
#[case(Method::PATCH, "/samverkan/v1/openapi.json", "GET, HEAD, OPTIONS")]
#[actix_web::test]
async fn a_wrong_method_beside_the_api_is_405_with_allow(
    #[case] method: Method,
    #[case] path: &str,
    #[case] allow: &str,
) {
    let app = TestApp::start().await;
    let refused = app.anonymous().raw(method, path, &[], None).await;
    assert_eq!(refused.problem(405).0, "method-not-allowed");
    assert_eq!(refused.header("allow"), allow);
    let asked = app.anonymous().raw(Method::OPTIONS, path, &[], None).await;
    assert_eq!((asked.status, asked.header("allow")), (204, allow));
}

#[actix_web::test]
async fn where_nothing_can_be_included_the_refusal_says_so() {
    let app = TestApp::start().await;
    let reply = app
        .reader(&["SE"])
        .get("/municipalities?include=partners&lang=en")
        .await;
    reply.problem(400);
    assert_eq!(
        reply.json()["errors"][0]["detail"],
        "There is nothing here that include can add."
    );
}

#[actix_web::test]
async fn a_write_that_the_database_does_not_answer_ends_within_twelve_seconds() {
    let app = TestApp::start().await;
    let began = std::time::Instant::now();
    let frozen = app
        .state
        .db
        .write(async |_| std::future::pending::<Result<(), WriteError>>().await)
        .await;
    assert_eq!(frozen.unwrap_err().kind(), ProblemKind::Unavailable);
    assert!(
        began.elapsed() < std::time::Duration::from_secs(12),
        "{:?}",
        began.elapsed()
    );
}

#[actix_web::test]
async fn a_wrong_content_type_is_415_and_a_wrong_method_405_with_allow() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let typed = admin
        .send(
            Method::POST,
            "/partners",
            &[("Content-Type", "text/plain")],
            Some(b"{}".to_vec()),
        )
        .await;
    assert_eq!(typed.problem(415).0, "unsupported-media-type");
    let method = admin
        .raw(Method::PUT, "/samverkan/v1/partners", &[], None)
        .await;
    assert_eq!(method.problem(405).0, "method-not-allowed");
    assert_eq!(method.header("allow"), "GET, POST, HEAD, OPTIONS");
    assert_eq!(
        admin
            .raw(Method::GET, "/samverkan/v1/nothing", &[], None)
            .await
            .problem(404)
            .0,
        "not-found"
    );
    assert_eq!(
        admin
            .raw(Method::GET, "/samverkan/v1/partners/7", &[], None)
            .await
            .problem(404)
            .0,
        "not-found"
    );
    let head = admin
        .raw(Method::HEAD, "/samverkan/v1/municipalities/1880", &[], None)
        .await;
    assert_eq!((head.status, head.body.len(), head.version()), (200, 0, 1));
}

#[actix_web::test]
async fn every_answer_is_traced_and_guarded() {
    let app = TestApp::start().await;
    for path in [
        "/municipalities/1880",
        "/municipalities/0000",
        "/municipalities?x=1",
    ] {
        let reply = app
            .reader(&["SE"])
            .send(
                Method::GET,
                path,
                &[(
                    "traceparent",
                    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                )],
                None,
            )
            .await;
        assert!(
            reply
                .header("traceparent")
                .starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
            "{}",
            reply.header("traceparent")
        );
        assert_eq!(reply.header("x-request-id").len(), 36);
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert!(
            reply
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
        assert!(
            reply.header("vary").contains("Accept-Language"),
            "{}",
            reply.header("vary")
        );
        if reply.status >= 400 {
            assert_eq!(
                reply.json()["instance"],
                format!("urn:uuid:{}", reply.header("x-request-id"))
            );
        }
    }
}

#[actix_web::test]
async fn lists_are_compressed_and_single_rows_keep_their_strong_tag() {
    let app = TestApp::start().await;
    let gzip = [("Accept-Encoding", "gzip")];
    let list = app
        .reader(&["SE"])
        .raw(
            Method::GET,
            "/samverkan/v1/municipalities?limit=1000",
            &gzip,
            None,
        )
        .await;
    assert_eq!(list.header("content-encoding"), "gzip");
    assert!(list.header("etag").starts_with("W/"));
    let row = app
        .reader(&["SE"])
        .raw(
            Method::GET,
            "/samverkan/v1/municipalities/1880",
            &gzip,
            None,
        )
        .await;
    assert_eq!((row.header("content-encoding"), row.version()), ("", 1));
    assert_eq!(row.json()["name"], "Örebro");
}

#[actix_web::test]
async fn browsers_may_call_from_the_listed_origins_only() {
    let app = TestApp::start().await;
    let ask = async |origin: &str, method: &str, headers: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", headers),
        ];
        app.anonymous()
            .raw(Method::OPTIONS, "/samverkan/v1/partners", &headers, None)
            .await
    };
    let own = "https://front.example";
    let allowed = ask(own, "GET", "authorization").await;
    assert_eq!(
        (
            allowed.status,
            allowed.header("access-control-allow-origin")
        ),
        (200, own)
    );
    for (origin, method, headers, header, code) in [
        (
            "https://front.example.evil",
            "GET",
            "authorization",
            "Origin",
            "cors_origin",
        ),
        (
            "http://front.example",
            "GET",
            "authorization",
            "Origin",
            "cors_origin",
        ),
        ("null", "GET", "authorization", "Origin", "cors_origin"),
        (
            own,
            "TRACE",
            "authorization",
            "Access-Control-Request-Method",
            "cors_method",
        ),
        (
            own,
            "GET",
            "x-strange",
            "Access-Control-Request-Headers",
            "cors_headers",
        ),
    ] {
        let refused = ask(origin, method, headers).await;
        assert_eq!(
            refused.header("access-control-allow-origin"),
            "",
            "{origin}"
        );
        assert_eq!(refused.problem(400).1, code, "{}", refused.text());
        assert_eq!(refused.json()["errors"][0]["header"], header);
        assert_eq!(
            refused.json()["instance"],
            format!("urn:uuid:{}", refused.header("x-request-id"))
        );
    }
}

#[actix_web::test]
async fn updated_since_gives_what_changed_and_what_went() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let old = add(&admin, "Gammal").await;
    let row = admin.get(&format!("/partners/{old}")).await.expect(200);
    add(&admin, "Ny").await;
    let changed = admin
        .get(&format!(
            "/partners?updatedSince={}",
            row["updatedAt"].as_str().unwrap().replace('+', "%2B")
        ))
        .await
        .column("name");
    assert!(changed.contains(&"Ny".to_owned()), "{changed:?}");
    admin.delete(&format!("/partners/{old}"), "\"1\"").await;
    let gone = admin
        .get("/partners?updatedSince=2020-01-01T00:00:00%2B01:00&includeDeleted=true&sort=name")
        .await;
    assert_eq!(gone.column("name"), ["Gammal", "Ny"]);
    assert!(gone.json()["items"][0]["deletedAt"].is_string());
}

#[actix_web::test]
async fn a_304_leaves_the_connection_ready_for_the_next_request() {
    use std::io::{Read, Write};
    let app = TestApp::start().await;
    let address = app.origin.strip_prefix("http://").unwrap().to_owned();
    let head = "GET /samverkan/v1/api-info HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n";
    let both = format!("{head}If-None-Match: *\r\n\r\n{head}Connection: close\r\n\r\n");
    // An HTTP client throws away what follows a 304, so this looks at the bytes themselves.
    let answer = actix_web::web::block(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.write_all(both.as_bytes()).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap();
    let (first, rest) = answer.split_once("\r\n\r\n").unwrap();
    assert!(first.starts_with("HTTP/1.1 304"), "{first}");
    assert!(rest.starts_with("HTTP/1.1 200"), "{rest}");
}

#[rstest]
#[case("/observations?sort=value", "value,id", "1e999")]
#[case("/observations?sort=value", "value,id", "1e-999")]
#[case("/observations?sort=value", "value,id", "nan")]
#[case(
    "/partners?sort=updatedAt",
    "updatedAt,id",
    "2026-01-01T00:00:00+23:59"
)]
#[case("/partners?sort=updatedAt", "updatedAt,id", "2026-01-01")]
#[actix_web::test]
async fn a_cursor_that_was_made_by_hand_is_refused(
    #[case] list: &str,
    #[case] order: &str,
    #[case] value: &str,
) {
    use base64::Engine as _;
    let app = TestApp::start().await;
    let position = json!({"o": order, "v": [value, "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"]});
    let cursor = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(position.to_string());
    let reply = app.admin().get(&format!("{list}&cursor={cursor}")).await;
    assert_eq!(reply.problem(400).1, "invalid_cursor");
}

#[actix_web::test]
async fn a_parameter_that_a_write_does_not_take_is_refused_and_nothing_is_written() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let body = json!({"name": "Scoutkåren", "category": "other", "area": "1880"});
    let code = async |query: &str| {
        admin
            .post(&format!("/partners?{query}"), &body)
            .await
            .problem(400)
    };
    assert_eq!(code("dryRun=true").await.0, "unknown-parameter");
    assert_eq!(code("lnag=en").await.1, "unknown_parameter");
    assert_eq!(code("lang=en&lang=sv").await.1, "duplicated");
    assert_eq!(code("lang=%FF").await.1, "not_text");
    let etag = admin.get("/partners?q=scout").await;
    assert!(etag.column("name").is_empty());
    let made = admin.post("/partners?lang=en", &body).await;
    assert_eq!(made.header("content-language"), "en");
    let path = format!("/partners/{}", made.expect(201)["id"].as_str().unwrap());
    let etag = made.header("etag").to_owned();
    for method in [Method::PATCH, Method::DELETE] {
        let headers = [
            ("If-Match", etag.as_str()),
            ("Content-Type", "application/json"),
        ];
        let reply = admin
            .send(
                method,
                &format!("{path}?force=true"),
                &headers,
                Some(b"{}".to_vec()),
            )
            .await;
        assert_eq!(reply.problem(400).0, "unknown-parameter");
    }
    assert_eq!(admin.get(&path).await.version(), 1);
}

#[actix_web::test]
async fn a_row_is_an_object_with_names_and_no_list_of_values() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let list = json!([
        "Scoutkåren",
        null,
        "other",
        null,
        false,
        "1880",
        null,
        null,
        [],
        null,
        "published"
    ]);
    let reply = admin.post("/partners", &list).await;
    assert_eq!(reply.problem(422).1, "invalid_type");
    assert!(!reply.text().contains("PartnerIn"), "{}", reply.text());
    let inside = json!({"name": "Scoutkåren", "category": "other", "area": "1880", "contacts": [["Kansli", "info@example.se", null]]});
    let reply = admin.post("/partners", &inside).await;
    assert_eq!(reply.expect(422)["errors"][0]["pointer"], "/contacts/0");
}
