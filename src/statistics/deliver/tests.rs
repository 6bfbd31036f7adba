//! A small service of one table: what it makes is counted, so that what it does not make shows.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::middleware::Compress;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, get};
use flate2::read::GzDecoder;
use rstest::rstest;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::formats::table::{Dimension, Metric, Role, Unit};
use crate::http::params::Params;
use crate::problem::ProblemKind;
use crate::statistics::codes::PublicationState;

/// How often something was made.
#[derive(Default)]
struct Made(AtomicUsize);

#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    publication: Option<String>,
    areas: Option<usize>,
    protection: Option<String>,
    format: Option<Format>,
    dialect: Option<Dialect>,
    #[expect(dead_code, reason = "read from the query by the form")]
    lang: Option<Lang>,
}

#[derive(Serialize, ToSchema)]
struct Body {
    title: String,
    areas: usize,
    address: String,
}

struct Numbers(usize);

impl Answer for Numbers {
    type Body = Body;

    fn body(&self, form: &Form) -> Body {
        Body {
            title: form.lang.pick("Tal", "Numbers").repeat(400),
            areas: self.0,
            address: form.permanent_url.clone(),
        }
    }

    fn table(&self, form: &Form) -> Table {
        let mut table = head(self.0, form);
        table.rows = rows(0, self.0);
        table
    }
}

fn head(areas: usize, form: &Form) -> Table {
    let unit = Unit {
        label: Label::new("procent", "percent"),
        decimals: 1,
    };
    Table {
        dimensions: vec![Dimension {
            code: "area",
            label: Label::new("Område", "Area"),
            role: Role::Geo,
            categories: (0..areas)
                .map(|area| Category::new(format!("{area:04}"), Label::same(format!("Ort {area}"))))
                .collect(),
        }],
        metrics: vec![Metric::new("value", Label::new("Värde", "Value")).of_unit(unit)],
        statuses: statuses(),
        href: form.permanent_url.clone(),
        publication: "2025.1".to_owned(),
        ..Table::empty("numbers-2025.1", Label::new("Tal", "Numbers"))
    }
}

fn rows(first: usize, count: usize) -> Vec<Row> {
    (first..first + count)
        .map(|place| Row {
            values: vec![
                u32::try_from(place)
                    .ok()
                    .map(|place| f64::from(place) / 2.0),
            ],
            status: CellStatus::Reported.as_str(),
            remark: None,
        })
        .collect()
}

fn listed(name: &str) -> Listed {
    Listed {
        id: Uuid::from_u128(name.bytes().map(u128::from).sum()),
        name: name.to_owned(),
        state: PublicationState::Published,
        title_sv: String::new(),
        title_en: String::new(),
        synthetic: false,
        published_at: None,
        withdrawn_reason: None,
        successor: None,
    }
}

fn wanted<'a>(req: &HttpRequest, query: &Query, listed: &'a Listed) -> Wanted<'a> {
    Wanted {
        listed,
        latest: query.publication.is_none(),
        format: query.format,
        dialect: query.dialect,
        path: "/numbers",
        question: question(req),
        raw: query.protection.is_some(),
    }
}

#[get("/numbers")]
async fn numbers(
    req: HttpRequest,
    made: web::Data<Made>,
    query: Params<Query>,
) -> ApiResult<Delivered<Body>> {
    let Params(query) = query;
    let listed = listed(query.publication.as_deref().unwrap_or("2025.1"));
    answer(&req, wanted(&req, &query, &listed), async |_: &Form| {
        made.0.fetch_add(1, Ordering::Relaxed);
        match query.areas {
            Some(0) => Err(Problem::new(ProblemKind::ValidationFailed)),
            areas => Ok(Numbers(areas.unwrap_or(3))),
        }
    })
    .await
}

/// Areas in batches of 1 000; `protection=broken` fails in the second one.
#[get("/stream")]
async fn streamed(req: HttpRequest, query: Params<Query>) -> ApiResult<Delivered<Body>> {
    let Params(query) = query;
    let listed = listed("2025.1");
    let wanted = wanted(&req, &query, &listed);
    let form = form(&req, &wanted)?;
    let areas = query.areas.unwrap_or(3);
    let head = head(areas, &form);
    let broken = query.protection.is_some();
    let batches = stream::iter((0..areas).step_by(1_000)).map(move |first| {
        if broken && first == 1_000 {
            return Err(Problem::unavailable("gone"));
        }
        Ok(rows(first, (areas - first).min(1_000)))
    });
    super::stream(&form, head, batches)
}

/// A service, the count of what it makes, and a way to ask it.
macro_rules! service {
    ($made:ident, $ask:ident) => {
        let $made = web::Data::new(Made::default());
        let app = App::new()
            .app_data($made.clone())
            .app_data(web::Data::new(AnswerCache::new(1024 * 1024)))
            .service(numbers)
            .service(streamed)
            .wrap(Compress::default());
        let app = init_service(app).await;
        let $ask = async |path: &str, headers: &[(&'static str, &str)]| {
            let mut request = TestRequest::get().uri(path);
            for header in headers {
                request = request.insert_header(*header);
            }
            Reply::of(call_service(&app, request.to_request()).await).await
        };
    };
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: header::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    async fn of(response: ServiceResponse<impl MessageBody>) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: read_body(response).await.to_vec(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn tag(&self) -> &str {
        let tag = self.header("etag");
        assert!(tag.len() == 34 && tag.starts_with('"'), "{tag} is strong");
        tag
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

fn count(made: &web::Data<Made>) -> usize {
    made.0.load(Ordering::Relaxed)
}

#[actix_web::test]
async fn what_is_kept_or_held_is_not_made_again() {
    service!(made, ask);
    let first = ask("/numbers?publication=2025.1&areas=3", &[]).await;
    assert_eq!((first.status, count(&made)), (200, 1));
    assert_eq!(
        first.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    // The same question in another order; then one that names what it means.
    let again = ask("/numbers?areas=3&publication=2025.1", &[]).await;
    let named = ask(
        "/numbers?areas=3&publication=2025.1&format=json&lang=sv",
        &[],
    )
    .await;
    assert_eq!(count(&made), 1);
    assert_eq!((first.tag(), &first.body), (again.tag(), &again.body));
    assert_eq!((first.tag(), &first.body), (named.tag(), &named.body));
    // Of another publication: another answer.
    ask("/numbers?areas=3&publication=2024.1", &[]).await;
    assert_eq!(count(&made), 2);

    service!(fresh, ask);
    let unchanged = ask(
        "/numbers?publication=2025.1&areas=3",
        &[("If-None-Match", first.tag())],
    )
    .await;
    assert_eq!((unchanged.status, count(&fresh)), (304, 0));
    assert_eq!(unchanged.tag(), first.tag());
    assert!(unchanged.body.is_empty() && unchanged.header("content-type").is_empty());
    let other = ask(
        "/numbers?publication=2025.1&areas=4",
        &[("If-None-Match", first.tag())],
    )
    .await;
    assert_eq!((other.status, count(&fresh)), (200, 1));
    // `*` asks whether there is an answer at all.
    let any = ask("/numbers?areas=3", &[("If-None-Match", "*")]).await;
    assert_eq!(any.status, 304);
    let none = ask("/numbers?areas=0", &[("If-None-Match", "*")]).await;
    assert_eq!(none.status, 422);
}

#[actix_web::test]
async fn a_failure_is_not_kept() {
    service!(made, ask);
    for asked in 1..=2 {
        assert_eq!(ask("/numbers?areas=0", &[]).await.status, 422);
        assert_eq!(count(&made), asked);
    }
}

#[actix_web::test]
async fn each_representation_has_a_tag_of_its_own() {
    service!(made, ask);
    let mut tags = Vec::new();
    for path in [
        "/numbers",
        "/numbers?areas=2",
        "/numbers?lang=en",
        "/numbers?publication=2024.1",
        "/numbers?format=json-cube",
        "/numbers?format=json-stat2",
        "/numbers?format=csv",
        "/numbers?format=csv&dialect=excel-sv",
        "/numbers?format=xlsx",
        "/numbers?format=ndjson",
    ] {
        let reply = ask(path, &[]).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        tags.push(reply.tag().to_owned());
    }
    tags.push(
        ask("/numbers", &[("Accept-Encoding", "gzip")])
            .await
            .tag()
            .to_owned(),
    );
    // Links hold the host, so another host is another answer.
    tags.push(
        ask("/numbers", &[("Host", "other.example")])
            .await
            .tag()
            .to_owned(),
    );
    let all = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!((tags.len(), count(&made)), (all, all));
}

#[rstest]
#[case("", "application/json", "")]
#[case("application/*", "application/json", "")]
#[case("application/vnd.json-stat+json", "application/vnd.json-stat+json", "")]
#[case(
    "application/vnd.samverkan.cube+json",
    "application/vnd.samverkan.cube+json",
    ""
)]
#[case(
    "text/csv",
    "text/csv; charset=utf-8; header=present",
    "attachment; filename=\"numbers-2025.1.csv\""
)]
#[case(
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "attachment; filename=\"numbers-2025.1.xlsx\""
)]
#[case("application/x-ndjson, text/html", "application/x-ndjson", "")]
#[actix_web::test]
async fn accept_chooses(
    #[case] accept: &str,
    #[case] content_type: &str,
    #[case] disposition: &str,
) {
    service!(made, ask);
    let headers = [("Accept", accept)];
    let reply = ask("/numbers", if accept.is_empty() { &[] } else { &headers }).await;
    assert_eq!((reply.status, count(&made)), (200, 1));
    assert_eq!(reply.header("content-type"), content_type);
    assert_eq!(reply.header("content-disposition"), disposition);
}

#[actix_web::test]
async fn what_cannot_be_written_is_refused_before_anything_is_made() {
    service!(made, ask);
    assert_eq!(
        ask("/numbers", &[("Accept", "text/html")]).await.status,
        406
    );
    assert_eq!(ask("/numbers?dialect=excel-sv", &[]).await.status, 400);
    assert_eq!(ask("/numbers?format=pdf", &[]).await.status, 400);
    // The parameter is stronger than the header.
    let csv = ask("/numbers?format=csv", &[("Accept", "text/html")]).await;
    assert_eq!((csv.status, count(&made)), (200, 1));
}

#[actix_web::test]
async fn latest_tells_where_the_answer_stays() {
    service!(made, ask);
    let latest = ask("/numbers?areas=3&lang=en", &[("Host", "api.example")]).await;
    let address = "http://api.example/samverkan/v1/numbers?areas=3&publication=2025.1";
    assert_eq!(latest.header("cache-control"), "private, max-age=60");
    assert_eq!(
        latest.header("content-location"),
        format!("{address}&format=json&lang=en")
    );
    let body: Value = serde_json::from_slice(&latest.body).unwrap();
    assert_eq!(body["address"], address);
    let there = address
        .strip_prefix("http://api.example/samverkan/v1")
        .unwrap();
    let named = ask(
        &format!("{there}&format=json&lang=en"),
        &[("Host", "api.example")],
    )
    .await;
    assert_eq!((named.tag(), &named.body), (latest.tag(), &latest.body));
    assert_eq!(count(&made), 1);
}

#[actix_web::test]
async fn gzip_is_a_representation_of_its_own_and_compressed_once() {
    service!(made, ask);
    let plain = ask("/numbers", &[]).await;
    assert_eq!(plain.header("content-encoding"), "identity");
    let packed = ask("/numbers", &[("Accept-Encoding", "br, gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() < plain.body.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed.body)
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.body);
    assert_ne!(plain.tag(), packed.tag());
    let refused = ask("/numbers", &[("Accept-Encoding", "gzip;q=0, br")]).await;
    assert_eq!(refused.body, plain.body);
    let workbook = ask("/numbers?format=xlsx", &[("Accept-Encoding", "gzip")]).await;
    assert_eq!(workbook.header("content-encoding"), "identity");
    assert_eq!(count(&made), 3);
}

#[actix_web::test]
async fn numbers_without_protection_are_kept_by_nobody() {
    service!(made, ask);
    for asked in 1..=2 {
        let raw = ask("/numbers?protection=none", &[("If-None-Match", "*")]).await;
        assert_eq!((raw.status, count(&made)), (200, asked));
        assert_eq!(raw.header("cache-control"), "private, no-store");
        assert_eq!(raw.header("etag"), "");
    }
}

#[actix_web::test]
async fn a_stream_is_whole_or_breaks_off() {
    service!(made, ask);
    let whole = ask("/stream?format=ndjson&areas=2500", &[]).await;
    let text = whole.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2 + 2_500);
    assert_eq!(
        lines[2_500],
        "{\"area\":\"2499\",\"value\":1249.5,\"status\":\"reported\"}"
    );
    assert_eq!(lines[2_501], "{\"complete\":true,\"rows\":2500}");
    let same = ask("/numbers?format=ndjson&areas=2500", &[]).await.text();
    let without_head = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(without_head(&same), without_head(&text));
    assert_eq!(whole.header("etag"), "");
    assert_eq!(count(&made), 1);
}

#[actix_web::test]
async fn a_broken_stream_has_no_last_line() {
    let app = init_service(App::new().service(streamed)).await;
    let request = TestRequest::get().uri("/stream?format=ndjson&areas=2500&protection=broken");
    let response = call_service(&app, request.to_request()).await;
    let body = actix_web::body::to_bytes(response.into_body()).await;
    assert!(body.is_err(), "the connection breaks off");
}

#[actix_web::test]
async fn a_question_too_long_for_an_address_has_none() {
    let long = "x".repeat(MAX_URI);
    let listed = listed("2025.1");
    let wanted = Wanted {
        listed: &listed,
        latest: false,
        format: None,
        dialect: None,
        path: "/numbers",
        question: vec![("areas".to_owned(), long)],
        raw: false,
    };
    let req = TestRequest::post().to_http_request();
    let form = form(&req, &wanted).unwrap();
    assert!(
        form.permanent_url
            .ends_with("/samverkan/v1/publications/2025.1")
    );
    assert_eq!(address(&form, form.format), None);
}

#[test]
fn every_format_has_a_name_and_is_read_by_it() {
    for format in Format::ALL {
        assert_eq!(serde_json::to_value(format).unwrap(), format.name());
    }
}
