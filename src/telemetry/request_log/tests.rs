//! The middleware, seen from both sides: through a small app, and in what it logs and counts.

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{App, HttpMessage, HttpResponseBuilder, get};
use log::{LevelFilter, Log, Metadata};
use rstest::rstest;
use serde_json::Value as Json;

use super::*;
use crate::telemetry::{self, logging::write_json};

thread_local! {
    /// One test is one thread, so tests that run side by side do not see each other's lines.
    static LINES: RefCell<Vec<Json>> = const { RefCell::new(Vec::new()) };
}

struct Captured;

impl Log for Captured {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &Record<'_>) {
        if record.target() == "access" {
            let mut line = Vec::new();
            write_json(
                &mut line,
                record,
                chrono::DateTime::UNIX_EPOCH,
                telemetry::request_id(),
            )
            .unwrap();
            LINES.with_borrow_mut(|lines| lines.push(serde_json::from_slice(&line).unwrap()));
        }
    }
    fn flush(&self) {}
}

#[get("/things/{thingId}")]
async fn thing() -> String {
    telemetry::note_caller("client-7");
    telemetry::lang().as_str().to_owned()
}

#[get("/own-headers")]
async fn own_headers() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=60"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'self'"))
        .insert_header((CONTENT_LANGUAGE, "sv, en"))
        .append_header((VARY, "origin, X-Own"))
        .finish()
}

#[get("/panics")]
async fn panics() -> HttpResponse {
    panic!("the handler broke:\n{}", 42)
}

async fn refuse_teapots<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if req.headers().contains_key("teapot") {
        note_cause("a teapot".to_owned());
        let answer = HttpResponseBuilder::new(StatusCode::IM_A_TEAPOT).body("short and stout");
        return Err(InternalError::from_response("a teapot", answer).into());
    }
    req.extensions_mut().insert(());
    next.call(req).await
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
    lines: Vec<Json>,
    metrics: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends the requests to one app and tells of the last answer, and of everything logged and counted.
async fn answers(requests: Vec<TestRequest>) -> Answer {
    // Every test wants the same logger, and the first one installs it.
    let _ = log::set_logger(&Captured);
    log::set_max_level(LevelFilter::Info);
    LINES.with_borrow_mut(Vec::clear);
    let metrics = Data::new(Metrics::new("test").unwrap());
    let app = App::new()
        .app_data(metrics.clone())
        .service(thing)
        .service(own_headers)
        .service(panics)
        .wrap(from_fn(refuse_teapots))
        .wrap(from_fn(request_context));
    let service = init_service(app).await;
    let mut last = None;
    for request in requests {
        let (head, body) = match try_call_service(&service, request.to_request()).await {
            Ok(res) => res.into_parts().1.into_parts(),
            Err(error) => {
                let (head, body) = error.error_response().into_parts();
                (head, body)
            }
        };
        let body = actix_web::body::to_bytes(body).await.ok().unwrap();
        last = Some((head, body));
    }
    let (head, body) = last.unwrap();
    Answer {
        status: head.status().as_u16(),
        headers: head.headers().clone(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        lines: LINES.with_borrow(Clone::clone),
        metrics: metrics.render().unwrap(),
    }
}

async fn answer(request: TestRequest) -> Answer {
    answers(vec![request]).await
}

fn get(uri: &str) -> TestRequest {
    TestRequest::get().uri(uri)
}

#[actix_web::test]
async fn a_request_leaves_one_line_without_its_query() {
    let answer =
        answer(get("/things/%C3%A5%0A1?secret=hunter2").insert_header(("x-secret", "hunter2")))
            .await;
    assert_eq!(answer.status, 200);
    let [line] = answer.lines.as_slice() else {
        panic!("{:?}", answer.lines)
    };
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "access");
    assert_eq!(line["message"], "GET /things/{thingId} 200");
    assert_eq!(line["requestId"], answer.header("x-request-id"));
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/things/{thingId}");
    assert_eq!(line["path"], "/things/%C3%A5%0A1");
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes"], 2);
    assert_eq!(line["caller"], "client-7");
    assert_eq!(line.get("cause"), None);
    assert!(line["ms"].as_f64().unwrap() >= 0.0);
    assert!(!line.to_string().contains("hunter2"));
    assert!(answer.metrics.contains(
        "http_requests_total{method=\"GET\",route=\"/things/{thingId}\",status=\"200\"} 1\n"
    ));
}

#[actix_web::test]
async fn every_answer_has_the_common_headers() {
    for request in [
        get("/things/1"),
        get("/nowhere"),
        get("/panics"),
        get("/things/1").insert_header(("teapot", "1")),
    ] {
        let answer = answer(request).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-language"), "sv");
        assert_eq!(
            answer.header("vary"),
            "Accept-Language, Accept-Encoding, Accept, Authorization, Origin"
        );
        assert_eq!(
            Uuid::parse_str(answer.header("x-request-id"))
                .unwrap()
                .get_version_num(),
            7
        );
        assert_eq!(answer.header("traceparent").len(), 55);
    }
}

#[actix_web::test]
async fn what_a_handler_decided_stands() {
    let answer = answer(get("/own-headers")).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'self'"
    );
    assert_eq!(answer.header("content-language"), "sv, en");
    let vary: Vec<_> = answer.headers.get_all("vary").collect();
    assert_eq!(
        vary,
        ["origin, X-Own, Accept-Language, Accept-Encoding, Accept"]
    );
    assert_eq!(answer.lines[0]["bytes"], 0);
}

#[rstest]
#[case("no-store", &["*"], None)]
#[case("private, PUBLIC", &["accept", "Accept"], Some("accept, Accept-Language, Accept-Encoding, Origin"))]
#[case("no-store", &[" ,Authorization,"], Some("Authorization, Accept-Language, Accept-Encoding, Accept, Origin"))]
#[case("public", &["Authorization"], Some("Authorization, Accept-Language, Accept-Encoding, Accept, Origin"))]
fn vary_names_each_header_once(
    #[case] cache: &'static str,
    #[case] named: &[&'static str],
    #[case] expected: Option<&'static str>,
) {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    for name in named {
        headers.append(VARY, HeaderValue::from_static(name));
    }
    // What is remembered of one answer must not become another's.
    let other = HeaderMap::from_iter([(VARY, HeaderValue::from_static("X-Other"))]);
    for _ in 0..2 {
        assert_eq!(vary(&headers), expected.map(HeaderValue::from_static));
        let other = vary(&other).unwrap();
        assert!(
            other
                .to_str()
                .unwrap()
                .starts_with("X-Other, Accept-Language, ")
        );
    }
}

#[actix_web::test]
async fn the_language_is_negotiated_and_told() {
    let english = answer(get("/things/1?lang=en").insert_header(("accept-language", "sv"))).await;
    assert_eq!(
        (english.body.as_str(), english.header("content-language")),
        ("en", "en")
    );
    let swedish = answer(get("/things/1")).await;
    assert_eq!(swedish.body, "sv");
}

#[actix_web::test]
async fn a_callers_trace_goes_on_unless_it_is_doubled() {
    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = |answer: Answer| answer.header("traceparent").starts_with(&SENT[..36]);
    assert!(traced(
        answer(get("/things/1").insert_header((TRACEPARENT, SENT))).await
    ));
    let doubled = get("/things/1")
        .append_header((TRACEPARENT, SENT))
        .append_header((TRACEPARENT, SENT));
    assert!(!traced(answer(doubled).await));
}

#[actix_web::test]
async fn an_unknown_path_has_no_route_of_its_own() {
    let answer = answer(get("/nowhere/at/all")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.lines[0]["route"], "-");
    assert_eq!(answer.lines[0]["path"], "/nowhere/at/all");
    assert!(
        answer
            .metrics
            .contains("http_requests_total{method=\"GET\",route=\"-\",status=\"404\"} 1\n")
    );
}

#[actix_web::test]
async fn an_endless_path_is_cut() {
    let answer = answer(get(&format!("/{}", "a".repeat(5000)))).await;
    assert_eq!(
        answer.lines[0]["path"].as_str().unwrap().len(),
        LONGEST_PATH
    );
}

#[actix_web::test]
async fn a_panic_is_a_500_and_the_worker_lives_on() {
    let answer = answers(vec![get("/panics"), get("/things/1")]).await;
    assert_eq!(answer.status, 200);
    let [panicked, next] = answer.lines.as_slice() else {
        panic!("{:?}", answer.lines)
    };
    assert_eq!(panicked["status"], 500);
    assert_eq!(panicked["cause"], "panic: the handler broke:\n42");
    assert_eq!(panicked["path"], "/panics");
    assert_eq!(next["status"], 200);
    assert_eq!(next.get("cause"), None);
    assert!(answer.metrics.contains("panics_total 1\n"));
    assert!(answer.metrics.contains("route=\"-\",status=\"500\"} 1\n"));
}

#[actix_web::test]
async fn the_answer_to_a_panic_tells_nothing_of_it() {
    let answer = answer(get("/panics")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.body.contains("broke"), "{}", answer.body);
}

#[actix_web::test]
async fn an_inner_middlewares_refusal_keeps_its_answer() {
    let answer = answer(get("/things/1").insert_header(("teapot", "1"))).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (418, "short and stout")
    );
    assert_eq!(answer.lines[0]["status"], 418);
    assert_eq!(answer.lines[0]["cause"], "a teapot");
    assert_eq!(answer.lines[0]["bytes"], 15);
}
