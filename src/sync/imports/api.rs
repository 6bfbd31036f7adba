//! `/imports`

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use sha2::{Digest, Sha256};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::codes::{ImportFormat, ImportMode, ImportState, ImportStrategy};
use super::forms::{ImportFilter, ImportOut, ImportQuery, OutcomeFilter, OutcomeOut};
use super::job::Importer;
use super::model::ImportRow;
use super::payload::{self, AT_ONCE, File, Survey};
use super::plan::Plan;
use super::resources::{Imports, Outcomes};
use super::run;
use super::spool;
use super::store::{self, Request};
use super::types::ImportType;
use super::{events, files};
use crate::access::permission::ImportsWrite;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::formats::read::FileKind;
use crate::http::list::{Item, Listing, Page, PublicUrl};
use crate::http::params::{ItemQuery, ListParams, ListQuery, NoQuery, Params};
use crate::http::resource;
use crate::http::{BASE_PATH, accept, etag};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::telemetry;

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_imports)
        .service(create_import)
        .service(files::get_import_template)
        .service(get_import)
        .service(cancel_import)
        .service(list_import_rows)
        .service(files::get_rejected_rows)
        .service(follow_import);
}

/// Import a file
///
/// The body is the file: JSON (a list of objects, or `{"items": [...]}`), NDJSON, CSV or xlsx, by its `Content-Type`. Up to
/// 1 000 rows are answered at once, row by row in the order of the file; larger files, and with `Prefer: respond-async` any,
/// become a job (202): its `Location` tells the progress. A file that is refused as a whole is told at once (422).
///
/// Rows are written as their own operations write them: members that a row does not have stay as they are, an empty cell
/// clears. A row is found by its `id`, or else by what names it (organisation number, area and name, address, code);
/// `version` must then be the row's. Besides `imports:write` this needs the permission that writes such rows, in the area
/// of each row. `Idempotency-Key` makes a second request the same one: it gets the same answer, with
/// `Idempotent-Replayed: true`; dry runs use none up.
#[utoipa::path(tag = "imports", operation_id = "create_import",
    params(ImportQuery,
        ("Idempotency-Key" = String, Header, description = "8–128 letters, digits, hyphens and underscores, made anew for each import", example = "2025-orebro-partners-1"),
        ("Prefer" = Option<String>, Header, description = "`respond-async` makes a job of it, however small", example = "respond-async")),
    request_body(description = "The rows", content(
        (Vec<Object> = "application/json", example = json!([{"name": "Örebro Idrottsförening", "category": "sports_association", "area": "1880"}])),
        (String = "application/x-ndjson"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses(
        (status = 200, description = "All rows are written, or with `dryRun=true` would be", body = ImportOut),
        (status = 202, description = "The import, in the queue", body = ImportOut),
        (status = 207, description = "With `mode=partial`: what became of each row", body = ImportOut),
        (status = 422, description = "Nothing is written: what is wrong with the file, or with which rows. The key of another request is a problem",
            content((ImportOut = "application/json"), (crate::problem::ProblemBody = "application/problem+json")))))]
#[post("/imports")]
async fn create_import(
    req: HttpRequest,
    db: Db,
    importer: web::Data<Importer>,
    grant: Grant<ImportsWrite>,
    query: Params<ImportQuery>,
    body: web::Payload,
) -> ApiResult<HttpResponse> {
    let resource = query.0.resource.ok_or_else(|| {
        Problem::parameter(
            "type",
            "missing_parameter",
            text(
                "Ange vad raderna är: type=partners till exempel.",
                "Say what the rows are: type=partners for example.",
            ),
        )
    })?;
    let needed = resource.permission();
    if !grant.also(needed) {
        let needed = needed.as_str();
        return Err(
            Problem::new(ProblemKind::InsufficientPermission).detail(text(
                format!("Sådana rader kräver också behörigheten {needed}."),
                format!("Such rows need the permission {needed} as well."),
            )),
        );
    }
    let key = idempotency_key(&req)?;
    let kind = file_kind(&req)?;
    let plan = Arc::new(plan(&grant, query.0, resource, kind)?);
    let spool = spool::receive(body, importer.limit()).await?;
    let size = i64::try_from(spool.size()).unwrap_or(i64::MAX);
    let (spooled, hash) = spool.done();
    let request = Request {
        fingerprint: fingerprint(&req, kind, &hash),
        key,
        size,
    };
    if !plan.dry_run
        && let Some(answer) = replayed(&req, &db, &plan, &request).await?
    {
        return Ok(answer);
    }
    let measures = db.read(async |conn| plan.measures(conn).await).await?;
    let mut file = File {
        spooled: Arc::new(spooled),
        plan: Arc::clone(&plan),
        looked_through: false,
        measures: Arc::new(measures),
    };
    let reading = file.clone();
    let survey = web::block(move || payload::survey(&reading))
        .await
        .map_err(Problem::internal)?;
    file.looked_through = survey.is_ok();
    let later = |survey: &Survey| survey.total > AT_ONCE || prefers_async(&req);
    if let Some(survey) = survey.as_ref().ok().filter(|survey| later(survey)) {
        if importer.queue(&file, survey, &request).await? {
            return queued(&req, &db, plan.id, false).await;
        }
    // A file that is refused as a whole is told at once, and nothing of it is stored: it may be of persons.
    } else if let Some(answer) = run::at_once(db.shared(), &file, survey, &request).await? {
        if plan.dry_run {
            return Ok(answered(&req, &ImportOut::tried(&plan, answer), false));
        }
        return stored(&req, &db, plan.id, false).await;
    }
    // Somebody with the same key was faster.
    let answer = replayed(&req, &db, &plan, &request).await?;
    answer.ok_or_else(|| Problem::unavailable("an import vanished"))
}

/// 8–128 letters, digits, hyphens and underscores, in quotes or without.
fn idempotency_key(req: &HttpRequest) -> ApiResult<String> {
    let fault = |code, sv: &'static str, en: &'static str| {
        Problem::new(ProblemKind::MalformedRequest).fault(Fault::header(
            "Idempotency-Key",
            code,
            text(sv, en),
        ))
    };
    let Some(value) = req.headers().get("Idempotency-Key") else {
        return Err(fault(
            "idempotency_key_required",
            "Skicka en Idempotency-Key, ny för varje import: den gör att ett nytt försök aldrig skriver två gånger.",
            "Send an Idempotency-Key, new for each import: it keeps another try from writing twice.",
        ));
    };
    let value = value.to_str().unwrap_or_default().trim();
    let bare = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    let good = (8..=128).contains(&bare.len())
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if good {
        return Ok(bare.to_owned());
    }
    Err(fault(
        "idempotency_key_format",
        "Nyckeln har 8–128 tecken: bokstäverna a–z, siffror, bindestreck och understreck.",
        "The key has 8–128 characters: the letters a–z, digits, hyphens and underscores.",
    ))
}

fn file_kind(req: &HttpRequest) -> ApiResult<FileKind> {
    let media = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let coding = req.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(ProblemKind::UnsupportedMediaType)
            .fault(Fault::header(
                "Content-Encoding",
                "content_encoding",
                text(
                    "Skicka kroppen okomprimerad, utan Content-Encoding.",
                    "Send the body uncompressed, without Content-Encoding.",
                ),
            ))
            .with_header(header::ACCEPT_ENCODING, "identity"));
    }
    media.and_then(FileKind::of_media_type).ok_or_else(|| {
        let known = FileKind::ALL.map(FileKind::media_type).join(", ");
        Problem::new(ProblemKind::UnsupportedMediaType).fault(Fault::header(
            "Content-Type",
            "content_type",
            text(format!("Skicka {known}."), format!("Send {known}.")),
        ))
    })
}

fn plan(
    grant: &Grant<ImportsWrite>,
    query: ImportQuery,
    resource: ImportType,
    kind: FileKind,
) -> ApiResult<Plan> {
    let replaces = query.strategy == ImportStrategy::Replace;
    let refuse = |name: &'static str, code, sv: &'static str, en: &'static str| {
        Err(Problem::parameter(name, code, text(sv, en)))
    };
    if replaces && query.mode == ImportMode::Partial {
        return refuse(
            "mode",
            "import_replace_is_atomic",
            "Att ersätta görs helt eller inte alls: mode=atomic.",
            "Replacing is done as a whole or not at all: mode=atomic.",
        );
    }
    if query.submit && resource != ImportType::Observations {
        return refuse(
            "submit",
            "not_supported",
            "Bara rapporter lämnas in: type=observations.",
            "Only reports are submitted: type=observations.",
        );
    }
    let by_report = resource == ImportType::Observations;
    if query.scope.is_some() && (!replaces || by_report) {
        return refuse(
            "scope",
            "not_supported",
            "scope hör till strategy=replace; observationer ersätts per rapport.",
            "scope belongs to strategy=replace; observations are replaced by report.",
        );
    }
    if query.confirm_delete.is_some() && !replaces {
        return refuse(
            "confirmDelete",
            "not_supported",
            "confirmDelete hör till strategy=replace.",
            "confirmDelete belongs to strategy=replace.",
        );
    }
    let scope = query.scope.map(|areas| areas.texts());
    for area in scope.iter().flatten() {
        grant.cover(area, "")?;
    }
    Ok(Plan {
        id: Uuid::now_v7(),
        client: grant.client_id().to_owned(),
        request: telemetry::request_id(),
        areas: grant.reach().areas().to_vec(),
        resource,
        format: ImportFormat::of(kind),
        mode: query.mode,
        strategy: query.strategy,
        dry_run: query.dry_run,
        submit: query.submit,
        scope,
        confirm_delete: query.confirm_delete,
    })
}

/// Of the query in any order, the format and the bytes.
fn fingerprint(req: &HttpRequest, kind: FileKind, body: &[u8]) -> Vec<u8> {
    let mut query: Vec<&str> = req.query_string().split('&').collect();
    query.retain(|pair| !pair.is_empty() && !pair.starts_with("lang="));
    query.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(query.join("&"));
    hash.update(kind.media_type());
    hash.update(body);
    hash.finalize().to_vec()
}

fn prefers_async(req: &HttpRequest) -> bool {
    req.headers()
        .get_all("Prefer")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|wish| wish.trim().eq_ignore_ascii_case("respond-async"))
}

/// The answer that a request of this key got before.
async fn replayed(
    req: &HttpRequest,
    db: &Db,
    plan: &Plan,
    request: &Request,
) -> ApiResult<Option<HttpResponse>> {
    let row = db
        .read(async |conn| store::by_key(conn, &plan.client, &request.key).await)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.fingerprint != request.fingerprint {
        return Err(Problem::invalid(Fault::header(
            "Idempotency-Key",
            "idempotency_key_reused",
            text(
                "Nyckeln hör till en import av en annan fil eller med andra parametrar. Ta en ny nyckel.",
                "The key belongs to an import of another file or with other parameters. Take a new key.",
            ),
        )));
    }
    if row.queued {
        return Ok(Some(queued(req, db, row.id, true).await?));
    }
    Ok(Some(stored(req, db, row.id, true).await?))
}

/// 202
async fn queued(req: &HttpRequest, db: &Db, id: Uuid, replayed: bool) -> ApiResult<HttpResponse> {
    let row = db
        .read(async |conn| store::find(conn, &id).await)
        .await?
        .ok_or_else(|| Problem::internal("an import vanished"))?;
    let location = format!("{}{BASE_PATH}/imports/{id}", PublicUrl::origin(req));
    let version = row.version;
    let body = serde_json::to_vec(&ImportOut::from_row(row, None)).map_err(Problem::internal)?;
    let mut response = HttpResponse::Accepted();
    response
        .insert_header((header::LOCATION, location))
        .insert_header((header::ETAG, etag::of_row(version, &body)));
    mark(&mut response, replayed);
    Ok(response.body(body))
}

/// The answer to an import that was done at once, as it is kept.
async fn stored(req: &HttpRequest, db: &Db, id: Uuid, replayed: bool) -> ApiResult<HttpResponse> {
    let (row, rows) = db
        .read(async |conn| {
            let row = store::find(conn, &id).await?;
            Ok((row, store::rows::all(conn, id).await?))
        })
        .await?;
    let row = row.ok_or_else(|| Problem::internal("an import vanished"))?;
    Ok(answered(
        req,
        &ImportOut::from_row(row, Some(rows)),
        replayed,
    ))
}

/// 200, 207 or 422, as the import went.
fn answered(_: &HttpRequest, import: &ImportOut, replayed: bool) -> HttpResponse {
    let status = match (import.state, import.mode) {
        (ImportState::Done, ImportMode::Atomic) => StatusCode::OK,
        (ImportState::Done, ImportMode::Partial) => StatusCode::MULTI_STATUS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut response = HttpResponse::build(status);
    mark(&mut response, replayed);
    response.json(import)
}

fn mark(response: &mut actix_web::HttpResponseBuilder, replayed: bool) {
    response
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::CONTENT_TYPE, "application/json"));
    if replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
}

/// An import of the caller's.
///
/// # Errors
/// 404 for one that is not there or somebody else's.
pub(super) async fn own(db: &Db, grant: &Grant<ImportsWrite>, id: Uuid) -> ApiResult<ImportRow> {
    let row = db.read(async |conn| store::find(conn, &id).await).await?;
    row.filter(|row| row.client_id == grant.client_id())
        .ok_or_else(Problem::not_found)
}

/// List imports
///
/// The client's own, in the order in which they were asked for; `sort=-createdAt` begins with the newest. They are kept
/// for 90 days after their end.
#[utoipa::path(tag = "imports", operation_id = "list_imports", params(ListQuery, ImportFilter),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "A page of imports", body = Page<ImportOut>)))]
#[get("/imports")]
async fn list_imports(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    mut params: ListParams<ImportFilter>,
) -> ApiResult<Listing<ImportOut>> {
    grant.client_id().clone_into(&mut params.filter.client);
    resource::list::<Imports, _>(&req, &db, &grant, &params).await
}

/// Show an import
///
/// While it goes on, this is where its progress is told. What became of its rows is at `/rows`.
#[utoipa::path(tag = "imports", operation_id = "get_import", params(("importId" = Uuid, Path, description = "Id of the import", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ItemQuery),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "The import", body = ImportOut)))]
#[get("/imports/{importId}")]
async fn get_import(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    id: web::Path<Uuid>,
    query: Params<ItemQuery>,
) -> ApiResult<Item<ImportOut>> {
    own(&db, &grant, *id).await?;
    resource::show::<Imports, _>(&req, &db, &grant, &id, &query.0).await
}

/// Cancel an import
///
/// One that waits is cancelled at once. One that runs is asked to stop: an atomic one is taken back, of a partial one the
/// rows that are done stay, as its counts say. One that has ended stays as it is. The answer is the import as it is now.
#[utoipa::path(tag = "imports", operation_id = "cancel_import", params(("importId" = Uuid, Path, description = "Id of the import", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "The import as it is now", body = ImportOut)))]
#[delete("/imports/{importId}")]
async fn cancel_import(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Item<ImportOut>> {
    own(&db, &grant, *id).await?;
    db.write(async |conn| Ok(store::cancel(conn, *id).await?))
        .await?;
    let row = own(&db, &grant, *id).await?;
    let version = row.version;
    Item::new(&req, &ImportOut::from_row(row, None), None, Some(version))
}

/// List the rows of an import
///
/// What became of each row, in the order of the file. Of an atomic import they are shown once it has ended. The order is
/// fixed: `sort`, `q`, `include` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "imports", operation_id = "list_import_rows", params(("importId" = Uuid, Path, description = "Id of the import", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery, OutcomeFilter),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "A page of rows", body = Page<OutcomeOut>)))]
#[get("/imports/{importId}/rows")]
async fn list_import_rows(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    id: web::Path<Uuid>,
    mut params: ListParams<OutcomeFilter>,
) -> ApiResult<Listing<OutcomeOut>> {
    params.list.refuse_order_and_search()?;
    let import = own(&db, &grant, *id).await?;
    params.filter.import = (!import.is_provisional()).then_some(*id);
    resource::list::<Outcomes, _>(&req, &db, &grant, &params).await
}

/// What progress is told in.
const EVENTS: [&str; 2] = ["text/event-stream", "application/json"];

/// Follow an import
///
/// Its progress as server-sent events: each is the import as JSON, `event: progress` while it goes on and `event: end` when
/// it has ended, which ends the answer. Who accepts JSON only gets the import as it is now.
#[utoipa::path(tag = "imports", operation_id = "follow_import", params(("importId" = Uuid, Path, description = "Id of the import", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), NoQuery),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "Server-sent events",
        content((String = "text/event-stream", example = json!("event: end\ndata: {\"state\":\"done\"}\n\n")), (ImportOut = "application/json")))))]
#[get("/imports/{importId}/events")]
async fn follow_import(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    id: web::Path<Uuid>,
    _: Params<NoQuery>,
) -> ApiResult<HttpResponse> {
    let import = own(&db, &grant, *id).await?;
    match accept::choose(&req, &EVENTS) {
        Some(0) => {}
        Some(_) => {
            let answer = ImportOut::from_row(import, None);
            return Ok(HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(answer));
        }
        None => return Err(accept::not_acceptable(&EVENTS)),
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_ENCODING, header::ContentEncoding::Identity))
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .streaming(events::of(db, import.id)))
}
