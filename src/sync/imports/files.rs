//! Files that imports give back: templates, and the rows that were refused.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::api::own;
use super::columns::{Measures, Rejected, RejectedRow, rejected, template};
use super::forms::TemplateOut;
use super::outcome::RowError;
use super::store;
use super::types::ImportType;
use crate::access::permission::ImportsWrite;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::formats::read::FileKind;
use crate::http::etag;
use crate::http::params::{NoQuery, Params};
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use crate::telemetry;

/// Download the refused rows of an import
///
/// A file in the format that they came in, with the reasons in a column of their own (`_fel` or `_errors`, by language). It
/// can be mended and sent as it is: that column is passed over.
#[utoipa::path(tag = "imports", operation_id = "get_rejected_rows", params(("importId" = Uuid, Path, description = "Id of the import", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), NoQuery),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "The refused rows",
        content((Vec<Object> = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/imports/{importId}/rejected")]
pub(super) async fn get_rejected_rows(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    id: web::Path<Uuid>,
    _: Params<NoQuery>,
) -> ApiResult<HttpResponse> {
    let import = own(&db, &grant, *id).await?;
    let kept = db
        .read(async |conn| store::rows::refused(conn, *id).await)
        .await?;
    let lang = telemetry::lang();
    let kind = import.format.kind();
    let rows: Vec<RejectedRow> = kept
        .into_iter()
        .map(|(given, errors)| {
            let errors: Vec<RowError> = errors
                .and_then(|errors| serde_json::from_value(errors).ok())
                .unwrap_or_default();
            let content = match serde_json::from_value(given.clone()) {
                Ok(cells) if matches!(kind, FileKind::Csv | FileKind::Xlsx) => {
                    Rejected::Cells(cells)
                }
                _ => Rejected::Object(given),
            };
            let reasons = errors.into_iter().map(|error| {
                let said = error.message;
                let sentence = lang.pick(&said.sv, &said.en);
                match &error.heading {
                    Some(heading) => format!("{heading}: {sentence}"),
                    None => sentence.clone(),
                }
            });
            RejectedRow {
                reasons: reasons.collect(),
                content,
            }
        })
        .collect();
    let head = import.head();
    let (headings, separator) =
        head.map_or((Vec::new(), None), |head| (head.headings, head.separator));
    let bytes = rejected(kind, &headings, separator, &rows, lang)?;
    let name = format!("{}-rejected.{}", import.resource, kind.extension());
    Ok(download(&req, bytes, kind, &name))
}

/// A file to be saved.
fn download(req: &HttpRequest, bytes: Vec<u8>, kind: FileKind, name: &str) -> HttpResponse {
    let tag = etag::of_bytes(&bytes);
    if etag::is_unchanged(req, &tag) {
        return HttpResponse::NotModified()
            .insert_header((header::ETAG, tag))
            .finish()
            .set_body(actix_web::body::BoxBody::new(actix_web::body::None::new()));
    }
    let media = match kind {
        FileKind::Csv => crate::http::list::CSV,
        other => other.media_type(),
    };
    HttpResponse::Ok()
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((header::CONTENT_TYPE, media))
        .body(bytes)
}

/// The name of a template.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplatePath {
    /// The kind of rows, and `.xlsx` for a sheet or `.json` for a description.
    #[param(example = "partners.xlsx")]
    template_name: String,
}

/// Download a template
///
/// `partners.xlsx` is a sheet with the columns of a kind of rows, in the language of the request, with the allowed codes to
/// choose from, those of the measures that there are now among them. `partners.json` describes the same columns in both
/// languages.
#[utoipa::path(tag = "imports", operation_id = "get_import_template", params(TemplatePath, NoQuery),
    security(("bearer" = [Permission::ImportsWrite.as_str()])), responses((status = 200, description = "The template",
        content((TemplateOut = "application/json"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/imports/templates/{templateName}")]
pub(super) async fn get_import_template(
    req: HttpRequest,
    db: Db,
    grant: Grant<ImportsWrite>,
    path: web::Path<TemplatePath>,
    _: Params<NoQuery>,
) -> ApiResult<HttpResponse> {
    let (name, ending) = path.template_name.rsplit_once('.').unwrap_or_default();
    let kind = [FileKind::Xlsx, FileKind::Json]
        .into_iter()
        .find(|kind| kind.extension() == ending);
    let (Some(kind), Ok(resource)) = (kind, name.parse::<ImportType>()) else {
        let known = ImportType::ALL
            .map(|known| format!("{known}.xlsx"))
            .join(", ");
        return Err(Problem::new(ProblemKind::NotFound).detail(text(
            format!("Mallarna heter {known}."),
            format!("The templates are called {known}."),
        )));
    };
    let bytes = match kind {
        FileKind::Json => {
            serde_json::to_vec(&TemplateOut::of(resource)).map_err(Problem::internal)?
        }
        _ if resource.names_measures() => {
            let measures = db
                .read(async |conn| Measures::load(conn, grant.reach()).await)
                .await?;
            template(resource, telemetry::lang(), &measures)?
        }
        _ => template(resource, telemetry::lang(), &Measures::default())?,
    };
    Ok(download(&req, bytes, kind, &path.template_name))
}
