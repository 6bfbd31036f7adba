//! How an answer of statistics travels: format, language, content coding, validators, and from memory if it can.
//!
//! What is asked decides everything: publication, path, parameters, format, dialect, language and coding make the key.
//! A publication never changes, so that key, with the version of the program, is an honest strong ETag before the
//! answer exists, and a client that holds it is answered without any query. Numbers without protection are never kept.

use std::fmt::Write as _;
use std::io::Write as _;
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::cache::{AnswerCache, Encoded};
use super::codes::CellStatus;
use super::library::Listed;
use crate::formats::table::{Category, Label, Row, Table};
use crate::formats::{
    CSV, CSVW, CUBE, JSON_STAT, NDJSON, XLSX, csvw, cube_json, json_stat, ndjson, table_csv, xlsx,
};
use crate::http::lang::{self, Lang};
use crate::http::list::PublicUrl;
use crate::http::{BASE_PATH, MAX_URI, accept, etag};
use crate::problem::{ApiResult, Problem, text};

/// Counts up when the same table is written in another way by the same version of the program.
const REVISION: &str = "2";

/// An answer shorter than this travels as it is.
const WORTH_COMPRESSING: usize = 1_024;

/// The parameters that say how an answer is written, and which publication answers; the rest is the question.
const NOT_THE_QUESTION: [&str; 4] = ["publication", "format", "dialect", "lang"];

/// The formats of statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = StatisticsFormat)]
pub enum Format {
    /// `application/json`: a row for each cell, with everything that is known of it
    Json,
    /// `application/vnd.samverkan.cube+json`: dimensions and dense arrays
    JsonCube,
    /// `application/vnd.json-stat+json`: JSON-stat 2.0
    JsonStat2,
    /// `text/csv`
    Csv,
    /// `application/csvm+json`: what the CSV is, by the W3C's CSV on the Web
    Csvw,
    /// An Excel workbook
    Xlsx,
    /// `application/x-ndjson`: an object a line, for very large answers
    Ndjson,
}

impl Format {
    const ALL: [Self; 7] = [
        Self::Json,
        Self::JsonCube,
        Self::JsonStat2,
        Self::Csv,
        Self::Csvw,
        Self::Xlsx,
        Self::Ndjson,
    ];

    /// Its media type.
    #[must_use]
    pub const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonCube => CUBE,
            Self::JsonStat2 => JSON_STAT,
            Self::Csv => CSV,
            Self::Csvw => CSVW,
            Self::Xlsx => XLSX,
            Self::Ndjson => NDJSON,
        }
    }

    /// Its name as a parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonCube => "json-cube",
            Self::JsonStat2 => "json-stat2",
            Self::Csv => "csv",
            Self::Csvw => "csvw",
            Self::Xlsx => "xlsx",
            Self::Ndjson => "ndjson",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => crate::http::list::CSV,
            other => other.media(),
        }
    }

    /// The ending of the file, for formats that people save.
    const fn ending(self) -> Option<&'static str> {
        match self {
            Self::Csv => Some("csv"),
            Self::Xlsx => Some("xlsx"),
            _ => None,
        }
    }
}

/// Who reads the CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = CsvDialect)]
pub enum Dialect {
    /// A Swedish Excel: semicolon, decimal comma, byte order mark.
    ExcelSv,
}

/// What a request wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The publication that answers.
    pub listed: &'a Listed,
    /// Whether the request named none, or `latest`: the answer may be another one tomorrow.
    pub latest: bool,
    /// The format, if a parameter says so.
    pub format: Option<Format>,
    /// The dialect, if a parameter says so.
    pub dialect: Option<Dialect>,
    /// Path of the GET that asks the same, without the base path.
    pub path: &'static str,
    /// The parameters of that GET, sorted, without those of the form; see [`question`].
    pub question: Vec<(String, String)>,
    /// Whether the numbers are without protection: neither kept here nor by anyone on the way.
    pub raw: bool,
}

impl<'a> Wanted<'a> {
    /// What a GET of protected numbers wants; `name` is the publication as it was asked for.
    #[must_use]
    pub fn of_get(
        req: &HttpRequest,
        listed: &'a Listed,
        name: &str,
        path: &'static str,
        (format, dialect): (Option<Format>, Option<Dialect>),
    ) -> Self {
        Self {
            listed,
            latest: name == "latest",
            format,
            dialect,
            path,
            question: question(req),
            raw: false,
        }
    }
}

/// How the answer is written.
#[derive(Clone, Debug)]
pub struct Form {
    /// The language of its texts.
    pub lang: Lang,
    /// The format.
    pub format: Format,
    /// The address that gives the same numbers for ever: it names the publication.
    pub permanent_url: String,
    dialect: table_csv::Dialect,
}

/// An answer that can be written in every format.
pub trait Answer: Send + 'static {
    /// What the document says of the JSON.
    type Body: Serialize + ToSchema + 'static;
    /// The JSON; called for that format alone.
    fn body(&self, form: &Form) -> Self::Body;
    /// The table; called for every other format.
    fn table(&self, form: &Form) -> Table;
}

/// An answer on its way; `T` is what the document says of its JSON.
pub struct Delivered<T> {
    response: HttpResponse,
    body: PhantomData<T>,
}

impl<T> Responder for Delivered<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

impl<T> From<HttpResponse> for Delivered<T> {
    fn from(response: HttpResponse) -> Self {
        Self {
            response,
            body: PhantomData,
        }
    }
}

/// All statuses that a cell can have, for [`Table::statuses`].
#[must_use]
pub fn statuses() -> Vec<Category> {
    CellStatus::LIST
        .codes
        .iter()
        .map(|code| Category::new(code.code, Label::new(code.label_sv, code.label_en)))
        .collect()
}

/// The question of a GET: its parameters without those of the form, sorted by name, each list without blanks. The order
/// of a list is the order of the rows, and so a part of the question.
#[must_use]
pub fn question(req: &HttpRequest) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(req.query_string().as_bytes())
        .filter(|(name, _)| !NOT_THE_QUESTION.contains(&name.as_ref()))
        .map(|(name, value)| {
            let entries: Vec<&str> = value.split(',').map(str::trim).collect();
            (name.into_owned(), entries.join(","))
        })
        .collect();
    pairs.sort();
    pairs
}

/// The format that a request wants: the parameter first, then `Accept`.
///
/// # Errors
/// 406 if no format is accepted, 400 for a dialect of something that is no CSV.
pub fn requested(
    req: &HttpRequest,
    format: Option<Format>,
    dialect: Option<Dialect>,
) -> ApiResult<Format> {
    let offered = Format::ALL.map(Format::media);
    let format = match format {
        Some(format) => format,
        None => accept::choose(req, &offered)
            .and_then(|place| Format::ALL.get(place).copied())
            .ok_or_else(|| accept::not_acceptable(&offered))?,
    };
    if dialect.is_some() && !matches!(format, Format::Csv | Format::Csvw) {
        return Err(Problem::parameter(
            "dialect",
            "dialect_needs_csv",
            text(
                "dialect gäller CSV: ange format=csv eller csvw.",
                "dialect is for CSV: give format=csv or csvw.",
            ),
        ));
    }
    Ok(format)
}

/// The form of what a request wants.
///
/// # Errors
/// As [`requested`].
pub fn form(req: &HttpRequest, wanted: &Wanted<'_>) -> ApiResult<Form> {
    Ok(Form {
        lang: lang::negotiate(req.headers(), req.query_string()),
        format: requested(req, wanted.format, wanted.dialect)?,
        permanent_url: permanent_url(req, wanted),
        dialect: match wanted.dialect {
            None => table_csv::Dialect::Plain,
            Some(Dialect::ExcelSv) => table_csv::Dialect::ExcelSv,
        },
    })
}

/// Answers: 304 if the client holds it, from memory if it is there, and otherwise what `make` makes.
///
/// # Errors
/// 400 and 406 for the form, and what `make` fails with.
pub async fn answer<A: Answer>(
    req: &HttpRequest,
    wanted: Wanted<'_>,
    make: impl AsyncFnOnce(&Form) -> ApiResult<A>,
) -> ApiResult<Delivered<A::Body>> {
    let form = form(req, &wanted)?;
    let gzip = form.format != Format::Xlsx && wants_gzip(req);
    if wanted.raw {
        let encoded = encode(make(&form).await?, form.clone(), gzip).await?;
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CACHE_CONTROL, "private, no-store"));
        return Ok(send(response, &form, encoded).into());
    }
    let tag = tag(req, &wanted, &form, gzip);
    let conditional = matches!(*req.method(), Method::GET | Method::HEAD);
    // `*` asks whether there is an answer at all, which only making it can tell.
    let any = |value: &HeaderValue| value.as_bytes().trim_ascii() == b"*";
    let named = !req.headers().get_all(header::IF_NONE_MATCH).any(any);
    if conditional && named && etag::is_unchanged(req, &tag) {
        return Ok(unchanged(&wanted, &form, &tag).into());
    }
    let making = async { encode(make(&form).await?, form.clone(), gzip).await };
    let encoded = match req.app_data::<web::Data<AnswerCache>>() {
        Some(cache) => cache.get_or_make(&tag, making).await?,
        None => making.await?,
    };
    if conditional && etag::is_unchanged(req, &tag) {
        return Ok(unchanged(&wanted, &form, &tag).into());
    }
    let mut response = HttpResponse::Ok();
    validators(&mut response, &wanted, &form, &tag);
    Ok(send(response, &form, encoded).into())
}

/// Answers with NDJSON as it is made, for tables too large to be held. `head` is the table without its rows; the
/// batches come in their order. Nothing of it is kept, and it has no ETag.
///
/// # Errors
/// When the first line cannot be written. What fails later breaks the answer off before its last line.
pub fn stream<T>(
    form: &Form,
    head: Table,
    batches: impl Stream<Item = ApiResult<Vec<Row>>> + 'static,
) -> ApiResult<Delivered<T>> {
    let lang = form.lang;
    let first = ndjson::head(&head, lang).map_err(Problem::internal)?;
    let whole = head.combinations();
    let written = stream::once(async { Some(Ok(Bytes::from(first))) });
    let mut done = 0;
    let lines = batches.map(move |batch| {
        let batch = batch?;
        let lines = ndjson::rows(&head, done, &batch, lang).map_err(Problem::internal)?;
        done += batch.len();
        let mut lines = Bytes::from(lines);
        if done == whole {
            lines = [lines.as_ref(), &ndjson::tail(done)].concat().into();
        }
        Ok(lines)
    });
    // The first failure is the last item: what follows would pass a hole over.
    let mut failed = false;
    let lines = lines.map(move |lines: ApiResult<Bytes>| {
        if failed {
            return None;
        }
        failed = lines.is_err();
        Some(lines.map_err(|problem| {
            log::error!("a streamed answer broke off: {problem:?}");
            std::io::Error::other("broken off")
        }))
    });
    let body = written
        .chain(lines)
        .take_while(|item| std::future::ready(item.is_some()))
        .filter_map(std::future::ready);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::CONTENT_TYPE, form.format.content_type()));
    told_where(&mut response, form);
    Ok(response.streaming(Box::pin(body)).into())
}

fn permanent_url(req: &HttpRequest, wanted: &Wanted<'_>) -> String {
    let Wanted { listed, path, .. } = wanted;
    let origin = PublicUrl::origin(req);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&wanted.question);
    query.append_pair("publication", &listed.name);
    let query = query.finish();
    if query.len() > MAX_URI {
        // A question that only a body can hold: the publication is where it can be put again.
        return format!("{origin}{BASE_PATH}/publications/{}", listed.name);
    }
    format!("{origin}{BASE_PATH}{path}?{query}")
}

/// The strong ETag of one representation, which is also its key in the cache.
fn tag(req: &HttpRequest, wanted: &Wanted<'_>, form: &Form, gzip: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&wanted.question);
    let id = wanted.listed.id.to_string();
    // Links hold the origin, so it belongs to the answer. None of the parts can hold a line break.
    let parts = [
        REVISION,
        env!("CARGO_PKG_VERSION"),
        &id,
        &PublicUrl::origin(req),
        wanted.path,
        &query.finish(),
        form.format.name(),
        match form.dialect {
            table_csv::Dialect::Plain => "",
            table_csv::Dialect::ExcelSv => "excel-sv",
        },
        form.lang.as_str(),
        if gzip { "gzip" } else { "identity" },
    ];
    let digest = Sha256::digest(parts.join("\n"));
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest.iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn wants_gzip(req: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(req).ok();
    req.headers().contains_key(header::ACCEPT_ENCODING)
        && accepted.and_then(|accepted| accepted.negotiate(offered.iter()))
            == Some(Encoding::gzip())
}

/// Writes an answer, away from the worker that has other requests to serve.
async fn encode<A: Answer>(answer: A, form: Form, gzip: bool) -> ApiResult<Encoded> {
    web::block(move || written(&answer, &form, gzip))
        .await
        .map_err(Problem::internal)?
}

fn written<A: Answer>(answer: &A, form: &Form, gzip: bool) -> ApiResult<Encoded> {
    let mut file = None;
    let bytes = if form.format == Format::Json {
        serde_json::to_vec(&answer.body(form)).map_err(Problem::internal)?
    } else {
        let table = answer.table(form);
        file = form
            .format
            .ending()
            .map(|ending| Arc::from(format!("{}.{ending}", table.file_name())));
        in_format(&table, form)?
    };
    let gzip = gzip && bytes.len() >= WORTH_COMPRESSING;
    let bytes = if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes).map_err(Problem::internal)?;
        encoder.finish().map_err(Problem::internal)?
    } else {
        bytes
    };
    Ok(Encoded {
        bytes: bytes.into(),
        gzip,
        file,
    })
}

fn in_format(table: &Table, form: &Form) -> ApiResult<Vec<u8>> {
    let lang = form.lang;
    match form.format {
        Format::Json | Format::JsonCube => cube_json::write(table, lang).map_err(Problem::internal),
        Format::JsonStat2 => json_stat::write(table, lang).map_err(Problem::internal),
        Format::Csv => table_csv::write(table, form.dialect, lang).map_err(Problem::internal),
        Format::Csvw => {
            let address = address(form, Format::Csv).unwrap_or_else(|| form.permanent_url.clone());
            csvw::write(table, &address, form.dialect, lang).map_err(Problem::internal)
        }
        Format::Xlsx => xlsx::write(table, lang).map_err(Problem::internal),
        Format::Ndjson => ndjson::write(table, lang).map_err(Problem::internal),
    }
}

/// Says where exactly this answer is had again, what to cite it by (RFC 8574), and for CSV, which has no place for that
/// itself, where it is told what the file is (CSV on the Web, section 5.2).
fn told_where(response: &mut HttpResponseBuilder, form: &Form) {
    if let Some(address) = address(form, form.format) {
        response.insert_header((header::CONTENT_LOCATION, address));
    }
    let cited = format!("<{}>; rel=\"cite-as\"", form.permanent_url);
    response.append_header((header::LINK, cited));
    if form.format == Format::Csv
        && let Some(address) = address(form, Format::Csvw)
    {
        let described = format!("<{address}>; rel=\"describedby\"; type=\"{CSVW}\"");
        response.append_header((header::LINK, described));
    }
}

/// Where exactly this answer is: the permanent address, in a format and this language. None if no address is as long.
fn address(form: &Form, format: Format) -> Option<String> {
    if !form.permanent_url.contains('?') {
        return None;
    }
    let dialect = match form.dialect {
        table_csv::Dialect::Plain => "",
        table_csv::Dialect::ExcelSv => "&dialect=excel-sv",
    };
    Some(format!(
        "{}&format={}{dialect}&lang={}",
        form.permanent_url,
        format.name(),
        form.lang.as_str()
    ))
}

fn validators(response: &mut HttpResponseBuilder, wanted: &Wanted<'_>, form: &Form, tag: &str) {
    let caching = if wanted.latest {
        "private, max-age=60"
    } else {
        "private, max-age=31536000, immutable"
    };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, caching));
    told_where(response, form);
}

fn unchanged(wanted: &Wanted<'_>, form: &Form, tag: &str) -> HttpResponse {
    let mut response = HttpResponse::NotModified();
    validators(&mut response, wanted, form, tag);
    // No body at all: see http/list.rs.
    response
        .finish()
        .set_body(BoxBody::new(actix_web::body::None::new()))
}

/// The coding is ours to choose: the tag stands for these very bytes, and the middleware must leave them alone.
fn send(mut response: HttpResponseBuilder, form: &Form, encoded: Encoded) -> HttpResponse {
    let coding = if encoded.gzip {
        ContentEncoding::Gzip
    } else {
        ContentEncoding::Identity
    };
    response
        .insert_header((header::CONTENT_TYPE, form.format.content_type()))
        .insert_header((header::CONTENT_ENCODING, coding));
    if let Some(name) = &encoded.file {
        let value = format!("attachment; filename=\"{name}\"");
        response.insert_header((header::CONTENT_DISPOSITION, value));
    }
    response.body(encoded.bytes)
}

#[cfg(test)]
mod tests;
