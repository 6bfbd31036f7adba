//! Lists and single rows as answers: envelope, links, chosen fields, CSV, workbooks, ETags.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::params::{Format, ListQuery};
use super::{accept, etag};
use crate::formats::{XLSX, csv, sheet};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};

/// The media type of an answer with `fields=`: the same members, not all of them.
pub const SELECTION: &str = "application/vnd.samverkan.selection+json";
const JSON: &str = "application/json";
/// What a file of rows is that begins with its headings.
pub const CSV: &str = "text/csv; charset=utf-8; header=present";

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the order asked for.
    pub items: Vec<T>,
    /// Where this page lies in the whole.
    #[serde(rename = "_meta")]
    pub meta: Meta,
    /// Ways to the other pages.
    #[serde(rename = "_links")]
    pub links: Links,
}

/// Where a page lies in the whole list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Rows in the whole list. Null when reading by cursor, which never counts.
    #[schema(example = 290)]
    pub total_records: Option<i64>,
    /// The page, from 1. Null when reading by cursor.
    #[schema(example = 1)]
    pub page: Option<i64>,
    /// The most rows a page may have.
    #[schema(example = 20)]
    pub limit: i64,
    /// Rows of this page.
    #[schema(example = 20)]
    pub count: usize,
}

/// Links between the pages; each keeps the other parameters.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PageLinks)]
pub struct Links {
    /// This page.
    #[serde(rename = "self")]
    pub this: Link,
    /// The first page.
    pub first: Option<Link>,
    /// The page before; null on the first.
    pub prev: Option<Link>,
    /// The page after; null on the last.
    pub next: Option<Link>,
    /// The last page; null when reading by cursor.
    pub last: Option<Link>,
}

/// A link description object, as the national profile wants it (HYP.11–HYP.19).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Link {
    /// Absolute address.
    #[schema(example = "https://samverkan.example/samverkan/v1/municipalities?page=2")]
    pub href: String,
    /// Relation (IANA).
    #[schema(example = "next")]
    pub rel: &'static str,
    /// HTTP method.
    #[schema(example = "GET")]
    pub method: &'static str,
}

impl Link {
    /// A GET link.
    #[must_use]
    pub fn get(href: String, rel: &'static str) -> Self {
        Self {
            href,
            rel,
            method: "GET",
        }
    }
}

/// Where this service is reached: set by the operator, or else as the client addressed it.
#[derive(Clone, Debug)]
pub struct PublicUrl(pub Option<String>);

impl PublicUrl {
    /// `https://host` without a slash at the end.
    #[must_use]
    pub fn origin(req: &HttpRequest) -> String {
        if let Some(Self(Some(url))) = req.app_data::<Self>() {
            return url.trim_end_matches('/').to_owned();
        }
        let host = req
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("localhost");
        format!("http://{host}")
    }
}

/// What the page needs besides its rows.
pub struct Extent {
    /// Rows in the whole list, if counted.
    pub total: Option<i64>,
    /// The cursor after the last row, if there are more.
    pub next_cursor: Option<String>,
}

impl Extent {
    /// The window of a list that is whole in memory. Its cursor is the number of rows already read.
    ///
    /// # Errors
    /// 400 for a cursor that is not of this list.
    pub fn of_all<T>(query: &ListQuery, all: Vec<T>) -> ApiResult<(Vec<T>, Self)> {
        let take = usize::try_from(query.limit()).unwrap_or(usize::MAX);
        let skip = match query.cursor.as_deref() {
            None => {
                usize::try_from((query.page.unwrap_or(1) - 1) * query.limit()).unwrap_or(usize::MAX)
            }
            Some("") => 0,
            Some(cursor) => cursor.parse().map_err(|_| Problem::invalid_cursor())?,
        };
        let end = skip.saturating_add(take);
        let extent = Self {
            total: if query.cursor.is_none() {
                i64::try_from(all.len()).ok()
            } else {
                None
            },
            next_cursor: (query.cursor.is_some() && end < all.len()).then(|| end.to_string()),
        };
        Ok((all.into_iter().skip(skip).take(take).collect(), extent))
    }
}

/// A list as an answer; `T` is what the document says of its rows.
pub struct Listing<T> {
    response: HttpResponse,
    rows: PhantomData<T>,
}

impl<T: Serialize + PartialSchema> Listing<T> {
    /// Shapes the rows as the request wants them.
    ///
    /// # Errors
    /// 400 for an unknown field, 406 for a format that does not exist.
    pub fn new(
        req: &HttpRequest,
        query: &ListQuery,
        items: Vec<T>,
        extent: &Extent,
    ) -> ApiResult<Self> {
        let fields = fields_asked_for::<T>(query.fields.as_deref())?;
        let format = negotiate(req, query.format)?;
        let count = items.len();
        let meta = Meta {
            total_records: extent.total,
            page: query.cursor.is_none().then(|| query.page.unwrap_or(1)),
            limit: query.limit(),
            count,
        };
        let links = links(req, query, extent);
        let next = links.next.as_ref().map(|link| link.href.clone());
        let (body, content_type) = match (format, fields) {
            (Format::Json, None) => (to_json(&Page { items, meta, links })?, JSON),
            (Format::Json, Some(fields)) => {
                let items = items
                    .iter()
                    .map(|item| select(item, &fields))
                    .collect::<ApiResult<Vec<Value>>>()?;
                (to_json(&Page { items, meta, links })?, SELECTION)
            }
            (Format::Csv, fields) => {
                let columns = fields.unwrap_or_else(known_fields::<T>);
                let rows = items
                    .iter()
                    .map(|item| select(item, &columns))
                    .collect::<ApiResult<Vec<Value>>>()?;
                (csv::write(&columns, &rows).map_err(Problem::internal)?, CSV)
            }
            (Format::Xlsx, fields) => {
                let columns = fields.unwrap_or_else(known_fields::<T>);
                let rows = items
                    .iter()
                    .map(|item| select(item, &columns))
                    .collect::<ApiResult<Vec<Value>>>()?;
                (workbook(req.path(), &columns, &rows)?, XLSX)
            }
        };
        let mut response = finish(req, body, content_type, None);
        if let Some(next) =
            next.and_then(|href| HeaderValue::from_str(&format!("<{href}>; rel=\"next\"")).ok())
        {
            response.headers_mut().insert(header::LINK, next);
        }
        if let Some(total) = extent.total {
            response.headers_mut().insert(
                header::HeaderName::from_static("x-total-count"),
                total.into(),
            );
        }
        Ok(Self {
            response,
            rows: PhantomData,
        })
    }
}

impl<T> Responder for Listing<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

/// A single row as an answer.
pub struct Item<T> {
    response: HttpResponse,
    row: PhantomData<T>,
}

impl<T: Serialize + PartialSchema> Item<T> {
    /// The row; with its version it has a strong ETag.
    ///
    /// # Errors
    /// 400 for an unknown field, 406 if JSON is not accepted.
    pub fn new(
        req: &HttpRequest,
        row: &T,
        fields: Option<&str>,
        version: Option<i64>,
    ) -> ApiResult<Self> {
        accept_json(req)?;
        let (body, content_type) = match fields_asked_for::<T>(fields)? {
            None => (to_json(row)?, JSON),
            Some(fields) => (to_json(&select(row, &fields)?)?, SELECTION),
        };
        Ok(Self {
            response: finish(req, body, content_type, version),
            row: PhantomData,
        })
    }
}

impl<T: PartialSchema> Item<T> {
    /// A row as it was, whose members are those of `T` in their order; with the strong `ETag` of its version.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn kept(
        req: &HttpRequest,
        row: &Value,
        fields: Option<&str>,
        version: i64,
    ) -> ApiResult<Self> {
        accept_json(req)?;
        let (body, content_type) = match fields_asked_for::<T>(fields)? {
            None => (to_json(row)?, JSON),
            Some(fields) => (to_json(&select(row, &fields)?)?, SELECTION),
        };
        Ok(Self {
            response: finish(req, body, content_type, Some(version)),
            row: PhantomData,
        })
    }
}

impl<T> Item<T> {
    /// Says where the row itself is, if it was asked for by another name.
    #[must_use]
    pub fn located(mut self, req: &HttpRequest, path: &str) -> Self {
        if let Ok(address) = HeaderValue::from_str(&address(req, path)) {
            self.response
                .headers_mut()
                .insert(header::CONTENT_LOCATION, address);
        }
        self
    }
}

impl<T> Responder for Item<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

/// 201: the new row, where it is, and its ETag.
pub struct Created<T> {
    /// The new row.
    pub row: T,
    /// Its path under [`super::BASE_PATH`].
    pub path: String,
    /// Its version.
    pub version: i64,
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;
    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let location = address(req, &self.path);
        let mut response = HttpResponse::Created();
        response.insert_header((header::LOCATION, location));
        written(response, &self.row, self.version)
    }
}

/// 202: what was begun, and where its progress is told.
pub struct Accepted<T> {
    /// The row.
    pub row: T,
    /// Its path under [`super::BASE_PATH`].
    pub path: String,
    /// Its version.
    pub version: i64,
}

impl<T: Serialize> Responder for Accepted<T> {
    type Body = BoxBody;
    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let location = address(req, &self.path);
        let mut response = HttpResponse::Accepted();
        response.insert_header((header::LOCATION, location));
        written(response, &self.row, self.version)
    }
}

/// The whole address of a path under [`super::BASE_PATH`].
fn address(req: &HttpRequest, path: &str) -> String {
    format!("{}{}{path}", PublicUrl::origin(req), super::BASE_PATH)
}

/// 200 after a change: the row as it is now, and its new ETag.
pub struct Changed<T> {
    /// The row.
    pub row: T,
    /// Its version.
    pub version: i64,
}

impl<T: Serialize> Responder for Changed<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        written(HttpResponse::Ok(), &self.row, self.version)
    }
}

/// 204 after a delete.
pub struct Deleted;

impl Responder for Deleted {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

/// A row's tag is strong and stands for these very bytes, so a row travels uncompressed; it is small.
fn finish(
    req: &HttpRequest,
    body: Vec<u8>,
    content_type: &'static str,
    version: Option<i64>,
) -> HttpResponse {
    let etag = version.map_or_else(
        || etag::of_bytes(&body),
        |version| etag::of_row(version, &body),
    );
    let unchanged = etag::is_unchanged(req, &etag);
    let mut response = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if unchanged {
        // No body at all, not an empty one: what follows the head of a 304 on the connection is the next answer
        // (RFC 9112 section 6.3), and an empty one would be compressed into ten bytes.
        return response
            .finish()
            .set_body(BoxBody::new(actix_web::body::None::new()));
    }
    if version.is_some() {
        response.insert_header((header::CONTENT_ENCODING, header::ContentEncoding::Identity));
    }
    response
        .insert_header((header::CONTENT_TYPE, content_type))
        .body(body)
}

/// A row just written, with its new tag.
fn written(
    mut response: actix_web::HttpResponseBuilder,
    row: &impl Serialize,
    version: i64,
) -> HttpResponse {
    match to_json(row) {
        Ok(body) => response
            .insert_header((header::ETAG, etag::of_row(version, &body)))
            .insert_header((header::CONTENT_ENCODING, header::ContentEncoding::Identity))
            .insert_header((header::CONTENT_TYPE, JSON))
            .body(body),
        Err(problem) => actix_web::ResponseError::error_response(&problem),
    }
}

fn to_json(value: &impl Serialize) -> ApiResult<Vec<u8>> {
    // Most single rows fit without being moved.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, value).map_err(Problem::internal)?;
    Ok(json)
}

/// The names of the members of `T`, in the order of the document.
#[must_use]
pub fn known_fields<T: PartialSchema>() -> Vec<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn fields_asked_for<T: PartialSchema>(fields: Option<&str>) -> ApiResult<Option<Vec<String>>> {
    let Some(fields) = fields else {
        return Ok(None);
    };
    let known = known_fields::<T>();
    let chosen: Vec<String> = fields
        .split(',')
        .map(|field| field.trim().to_owned())
        .collect();
    match chosen.iter().find(|field| !known.contains(field)) {
        None => Ok(Some(chosen)),
        Some(unknown) => Err(
            Problem::new(ProblemKind::InvalidParameter).fault(Fault::parameter(
                "fields",
                "unknown_field",
                super::params::did_you_mean(unknown, known.iter().map(String::as_str)),
            )),
        ),
    }
}

fn select(item: &impl Serialize, fields: &[String]) -> ApiResult<Value> {
    let mut value = serde_json::to_value(item).map_err(Problem::internal)?;
    let Some(members) = value.as_object_mut() else {
        return Ok(value);
    };
    Ok(Value::Object(
        fields
            .iter()
            .filter_map(|field| members.remove_entry(field))
            .collect(),
    ))
}

/// A sheet named after the resource, so that an import finds it.
fn workbook(path: &str, columns: &[String], rows: &[Value]) -> ApiResult<Vec<u8>> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let rows = rows.iter().map(|row| {
        let cell = |column: &String| sheet::cell(row.get(column).unwrap_or(&Value::Null));
        columns.iter().map(cell).collect()
    });
    sheet::write(name, columns, rows).map_err(|error| match error {
        // Nothing is cut off: a list that does not fit is to be had as CSV.
        rust_xlsxwriter::XlsxError::MaxStringLengthExceeded => {
            Problem::new(ProblemKind::NotAcceptable).detail(text(
                "En text i listan är längre än en cell i ett kalkylblad får vara; hämta listan som CSV.",
                "A text of the list is longer than a cell of a workbook can be; get the list as CSV.",
            ))
        }
        other => Problem::internal(other),
    })
}

/// The format: `format=` first, then `Accept`.
fn negotiate(req: &HttpRequest, asked: Option<Format>) -> ApiResult<Format> {
    const OFFERED: [&str; 3] = [JSON, "text/csv", XLSX];
    match (asked, accept::choose(req, &OFFERED)) {
        (Some(format), _) => Ok(format),
        (None, Some(0)) => Ok(Format::Json),
        (None, Some(1)) => Ok(Format::Csv),
        (None, Some(_)) => Ok(Format::Xlsx),
        (None, None) => Err(accept::not_acceptable(&OFFERED)),
    }
}

fn accept_json(req: &HttpRequest) -> ApiResult<()> {
    match accept::choose(req, &[JSON]) {
        Some(_) => Ok(()),
        None => Err(accept::not_acceptable(&[JSON])),
    }
}

fn links(req: &HttpRequest, query: &ListQuery, extent: &Extent) -> Links {
    let base = format!("{}{}", PublicUrl::origin(req), req.path());
    let with = |name: &str, value: &str| {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        for (key, old) in form_urlencoded::parse(req.query_string().as_bytes()) {
            if key != "page" && key != "cursor" {
                encoded.append_pair(&key, &old);
            }
        }
        encoded.append_pair(name, value);
        format!("{base}?{}", encoded.finish())
    };
    let this = match req.query_string() {
        "" => base.clone(),
        query => format!("{base}?{query}"),
    };
    let this = Link::get(this, "self");
    if query.cursor.is_some() {
        return Links {
            this,
            first: Some(Link::get(with("cursor", ""), "first")),
            prev: None,
            next: extent
                .next_cursor
                .as_deref()
                .map(|cursor| Link::get(with("cursor", cursor), "next")),
            last: None,
        };
    }
    let page = query.page.unwrap_or(1);
    let pages = (extent.total.unwrap_or(0) + query.limit() - 1)
        .div_euclid(query.limit())
        .max(1);
    let to = |page: i64, rel| Link::get(with("page", &page.to_string()), rel);
    Links {
        this,
        first: Some(to(1, "first")),
        prev: (page > 1).then(|| to((page - 1).min(pages), "prev")),
        next: (page < pages).then(|| to(page + 1, "next")),
        last: Some(to(pages, "last")),
    }
}
