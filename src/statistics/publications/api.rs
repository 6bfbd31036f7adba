//! `/publications`

use actix_web::{Either, HttpRequest, get, post, put, web};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::admission::unknown;
use super::findings::Rule;
use super::forms::{
    FindingOut, PublicationIn, PublicationOut, PublicationStateIn, QualityOut, TrialOut,
};
use super::make::CONTENTS;
use super::model::PublicationRow;
use super::store;
use super::thread::{Order, Workshop};
use crate::access::audit::{self, AuditAction};
use crate::access::permission::{Publish, StatisticsRead};
use crate::access::{Grant, Permission, Reach};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db};
use crate::http::body::Valid;
use crate::http::etag::Expected;
use crate::http::list::{Accepted, Changed, Extent, Item, Listing, Page};
use crate::http::once::{Answer, Once, same_request};
use crate::http::params::{AnyOf, ListParams, ListQuery, NoQuery, Params, RowQuery};
use crate::http::resource::{self, Kept, Resource, View};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::schema::publications;
use crate::statistics::codes::{PublicationState, Severity};
use crate::statistics::library::{Library, QUALITY, outdated};
use crate::statistics::quality;
use crate::telemetry;
use crate::values::Line;

/// Parameters of making a publication.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MakeQuery {
    /// Says what the publication would hold (200), and makes none.
    #[serde(default)]
    #[param(default = false, value_type = Option<bool>)]
    pub dry_run: bool,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<crate::http::lang::Lang>,
}

/// Filters of `/publications`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PublicationFilter {
    /// States, comma separated.
    #[param(value_type = Option<Vec<PublicationState>>, style = Form, explode = false)]
    pub state: Option<AnyOf<PublicationState>>,
    /// Made of invented data only, or only the others.
    pub synthetic: Option<bool>,
    /// Whether makings and failures are hidden.
    #[serde(skip)]
    #[param(ignore)]
    released_only: bool,
}

/// Filters of the findings.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindingFilter {
    /// Rules, comma separated.
    #[param(value_type = Option<Vec<Rule>>, style = Form, explode = false)]
    pub rule: Option<AnyOf<Rule>>,
    /// Severities, comma separated.
    #[param(value_type = Option<Vec<Severity>>, style = Form, explode = false)]
    pub severity: Option<AnyOf<Severity>>,
}

/// The resource.
pub struct Publications;

impl Resource for Publications {
    const PATH: &'static str = "/publications";
    type Row = PublicationRow;
    type Out = PublicationOut;
    type Filter = PublicationFilter;

    fn visible(_: &Reach) -> Condition {
        Condition::sql("true")
    }

    async fn find(conn: &Conn, name: &String) -> QueryResult<Option<PublicationRow>> {
        store::find(conn, name).await
    }

    async fn list(
        conn: &Conn,
        filter: &PublicationFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<PublicationRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(
        conn: &Conn,
        _: &View,
        rows: Vec<PublicationRow>,
    ) -> QueryResult<Vec<PublicationOut>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let (mut contents, mut sources) = futures_util::try_join!(
            store::documents(conn, ids.clone(), CONTENTS),
            store::sources(conn, ids)
        )?;
        let shown = rows.into_iter().map(|row| {
            let contents = contents
                .remove(&row.id)
                .and_then(|json| serde_json::from_value(json).ok());
            let sources = sources.remove(&row.id).unwrap_or_default();
            PublicationOut::of(row, contents, sources)
        });
        Ok(shown.collect())
    }
}

impl PublicationFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = publications::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if self.released_only {
            query = query.filter(
                publications::state
                    .eq_any([PublicationState::Published, PublicationState::Withdrawn]),
            );
        }
        if let Some(AnyOf(states)) = &self.state {
            query = query.filter(publications::state.eq_any(states.clone()));
        }
        if let Some(synthetic) = self.synthetic {
            query = query.filter(publications::synthetic.eq(synthetic));
        }
        query
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_publications)
        .service(create_publication)
        .service(get_publication)
        .service(list_publication_findings)
        .service(get_publication_quality)
        .service(update_publication_state);
}

/// Brings makings that fell silent into the state that they are in, before they are shown.
async fn settle(db: &Db) -> ApiResult<()> {
    db.write(async |conn| Ok(store::settle(conn).await?))
        .await?;
    Ok(())
}

/// The publication of a name, or the newest for `latest`, if the reader may see it.
///
/// # Errors
/// 404 for one that is not there, or not to be seen.
pub(crate) async fn seen<A: crate::access::Action>(
    db: &Db,
    library: &Library,
    grant: &Grant<A>,
    name: &str,
) -> ApiResult<PublicationRow> {
    let name = match name {
        "latest" => library.find(db, name).await?.name,
        name => name.to_owned(),
    };
    if grant.also(Permission::Publish) {
        settle(db).await?;
    }
    let row = db.read(async |conn| store::find(conn, &name).await).await?;
    let released = |row: &PublicationRow| {
        matches!(
            row.state,
            PublicationState::Published | PublicationState::Withdrawn
        )
    };
    row.filter(|row| released(row) || grant.also(Permission::Publish))
        .ok_or_else(no_publication)
}

fn no_publication() -> Problem {
    Problem::new(ProblemKind::NotFound).detail(text(
        "Det finns ingen publicering med det namnet.",
        "There is no publication of that name.",
    ))
}

/// List publications
///
/// In the order in which they were begun; `sort=-publishedAt` begins with the newest. Withdrawn ones stay on the list.
/// Those that are being made, or failed, are seen with the permission `publish` only.
#[utoipa::path(tag = "statistics", operation_id = "list_publications", params(ListQuery, PublicationFilter),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "A page of publications", body = Page<PublicationOut>)))]
#[get("/publications")]
async fn list_publications(
    req: HttpRequest,
    db: Db,
    grant: Grant<StatisticsRead>,
    mut params: ListParams<PublicationFilter>,
) -> ApiResult<Listing<PublicationOut>> {
    params.filter.released_only = !grant.also(Permission::Publish);
    if !params.filter.released_only {
        settle(&db).await?;
    }
    resource::list::<Publications, _>(&req, &db, &grant, &params).await
}

/// Make a publication
///
/// Freezes the approved reports of the chosen sources, protects small numbers, and releases the result under a name. The
/// answer (202) comes at once; `GET` at its `Location` tells the progress, and in the end `published` or `failed` with the
/// reason. Nothing but its findings is left of a failed one, and its name is free. One publication is made at a time (409). Sent again with
/// its `Idempotency-Key`, it answers with the publication as it now is.
///
/// With `dryRun=true` nothing is made: the answer (200) says what the publication would hold, what protection would change,
/// and what validation found. Errors block; warnings must be acknowledged with their numbers.
#[utoipa::path(tag = "statistics", operation_id = "create_publication", params(MakeQuery), request_body = PublicationIn,
    security(("bearer" = [Permission::Publish.as_str()])), responses(
        (status = 200, description = "With `dryRun=true`: what it would hold", body = TrialOut),
        (status = 202, description = "The publication, in the making", body = PublicationOut)))]
#[post("/publications")]
async fn create_publication(
    db: Db,
    workshop: web::Data<Workshop>,
    grant: Grant<Publish>,
    once: Once,
    query: Params<MakeQuery>,
    body: Valid<PublicationIn>,
) -> ApiResult<Either<web::Json<TrialOut>, Answer<Accepted<PublicationOut>>>> {
    grant.cover("SE", "")?;
    let wanted = body.0.wanted();
    if query.0.dry_run {
        let made = workshop.try_out(wanted).await?;
        return Ok(Either::Left(web::Json(TrialOut::of(made))));
    }
    let name = wanted.name.clone();
    let claim = once.claim(&db, &grant);
    let begun = match &claim {
        None => false,
        Some(claim) => {
            let kept = db.read(async |conn| claim.find(conn).await).await?;
            kept.map(|kept| same_request(claim, kept))
                .transpose()?
                .is_some()
        }
    };
    if !begun {
        let order = Order {
            client: grant.client_id().to_owned(),
            request: telemetry::request_id(),
            wanted,
            claim,
        };
        workshop.begin(order).await?;
    }
    let view = resource::plain(&db, &grant);
    let (version, row) = db
        .write(async |conn| resource::reread::<Publications>(conn, &view, &name).await)
        .await?;
    let path = format!("{}/{name}", Publications::PATH);
    let accepted = Accepted { row, path, version };
    Ok(Either::Right(if begun {
        Answer::again(accepted)
    } else {
        Answer::new(accepted)
    }))
}

/// Show a publication
///
/// By its name, or `latest`: the newest that is published and not made of invented data; then `Content-Location` says which
/// one it is. While it is being made, this is where its progress is told. A withdrawn one is gone: 410 with the reason and
/// the successor; the list still has it, and `asOf` a time before its withdrawal shows it as it was released.
#[utoipa::path(tag = "statistics", operation_id = "get_publication", params(("publicationName" = String, Path, description = "Name of the publication, or `latest`", example = "2025.1"), RowQuery),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The publication", body = PublicationOut)))]
#[get("/publications/{publicationName}")]
async fn get_publication(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<StatisticsRead>,
    name: web::Path<String>,
    query: Params<RowQuery>,
) -> ApiResult<Item<PublicationOut>> {
    let row = seen(&db, &library, &grant, &name).await?;
    if let Some(at) = query.0.as_of {
        if row.published_at.unwrap_or(row.created_at) > at {
            return Err(resource::not_yet(true, at));
        }
        let withdrawn = row.withdrawn_at.is_some_and(|withdrawn| withdrawn <= at);
        if let Some(released) = row.released().filter(|_| !withdrawn) {
            let include = query.0.include.as_deref();
            let view = resource::view::<Publications, _>(&db, &grant, include)?;
            let (version, released) = (released.version, vec![released]);
            let shown = db
                .read(async |conn| Publications::show(conn, &view, released.clone()).await)
                .await?;
            let shown = serde_json::to_value(shown.first()).map_err(Problem::internal)?;
            return Item::kept(&req, &shown, query.0.fields.as_deref(), version);
        }
    }
    let query = query.0.now();
    if row.state == PublicationState::Withdrawn {
        // Another process may have withdrawn it a moment ago, which the library does not know yet.
        db.read(async |conn| library.refresh(conn).await).await?;
        library.find(&db, &row.name).await?;
    }
    let item = resource::show::<Publications, _>(&req, &db, &grant, &row.name, &query).await?;
    Ok(match name.as_str() {
        "latest" => item.located(&req, &format!("{}/{}", Publications::PATH, row.name)),
        _ => item,
    })
}

/// List the findings of a publication
///
/// What validation found when it was made, or what it failed by: errors first, at most 1 000 of each rule. Their texts hold
/// unprotected numbers, so this needs the permission `publish`. The order is fixed: `sort`, `q`, `include` and
/// `updatedSince` do not work here (400).
#[utoipa::path(tag = "statistics", operation_id = "list_publication_findings", params(("publicationName" = String, Path, description = "Name of the publication, or `latest`", example = "2025.1"), ListQuery, FindingFilter),
    security(("bearer" = [Permission::Publish.as_str()])), responses((status = 200, description = "A page of findings", body = Page<FindingOut>)))]
#[get("/publications/{publicationName}/findings")]
async fn list_publication_findings(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<Publish>,
    name: web::Path<String>,
    params: ListParams<FindingFilter>,
) -> ApiResult<Listing<FindingOut>> {
    grant.cover("SE", "")?;
    params.list.refuse_order_and_search()?;
    let row = seen(&db, &library, &grant, &name).await?;
    let mut rows = db
        .read(async |conn| store::findings(conn, row.id).await)
        .await?;
    if let Some(AnyOf(rules)) = &params.filter.rule {
        rows.retain(|row| rules.contains(&row.rule));
    }
    if let Some(AnyOf(severities)) = &params.filter.severity {
        rows.retain(|row| severities.contains(&row.severity));
    }
    let findings = rows.into_iter().map(FindingOut::from_row).collect();
    let (rows, extent) = Extent::of_all(&params.list, findings)?;
    Listing::new(&req, &params.list, rows, &extent)
}

/// Show what protection costs a publication
///
/// How small numbers were protected, and how far the published totals lie from the true ones, by level of area: measured
/// when it was made.
#[utoipa::path(tag = "statistics", operation_id = "get_publication_quality", params(("publicationName" = String, Path, description = "Name of the publication, or `latest`", example = "2025.1"), NoQuery),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The measured information loss", body = QualityOut)))]
#[get("/publications/{publicationName}/quality")]
async fn get_publication_quality(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<StatisticsRead>,
    name: web::Path<String>,
    _: Params<NoQuery>,
) -> ApiResult<Item<QualityOut>> {
    let row = seen(&db, &library, &grant, &name).await?;
    let mut found = db
        .read(async |conn| store::documents(conn, vec![row.id], QUALITY).await)
        .await?;
    let document = found.remove(&row.id).ok_or_else(no_publication)?;
    let document: quality::Document =
        serde_json::from_value(document).map_err(|error| outdated(&row.name, &error))?;
    let out = QualityOut {
        publication: row.name,
        synthetic: row.synthetic,
        document,
    };
    Item::new(&req, &out, None, None)
}

/// Withdraw a publication
///
/// From then on it and its statistics answer 410 with the reason and the successor; the list of publications keeps what is
/// said of it. Only a published
/// one can be withdrawn (409 `state_transition`), and it stays so: a correction is a new publication.
#[utoipa::path(tag = "statistics", operation_id = "update_publication_state", params(("publicationName" = String, Path, description = "Name of the publication", example = "2025.1")), request_body = PublicationStateIn,
    security(("bearer" = [Permission::Publish.as_str()])), responses((status = 200, description = "The publication as it is now", body = PublicationOut)))]
#[put("/publications/{publicationName}/state")]
async fn update_publication_state(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<Publish>,
    name: web::Path<String>,
    body: Valid<PublicationStateIn>,
) -> ApiResult<Changed<PublicationOut>> {
    grant.cover("SE", "")?;
    let expected = Expected::from_request(&req)?;
    let view = resource::plain(&db, &grant);
    let PublicationStateIn {
        state,
        reason,
        successor,
    } = body.0;
    let successor = successor.as_ref().map(Line::as_str);
    let (version, row) = db
        .write(async |conn| {
            let row = store::lock(conn, &name).await?.ok_or_else(no_publication)?;
            if !expected.allows(row.version()) {
                let current = Publications::show(conn, &view, vec![row]).await?;
                let current = serde_json::to_value(current.first()).map_err(Problem::internal)?;
                return Err(Problem::new(ProblemKind::PreconditionFailed).current(current).into());
            }
            if (row.state, state) != (PublicationState::Published, PublicationState::Withdrawn) {
                return Err(not_so(row.state, state).into());
            }
            if let Some(successor) = successor
                && !store::is_released(conn, successor).await?
            {
                return Err(Problem::invalid(unknown("/successor")).into());
            }
            store::withdraw(conn, row.id, reason.as_str(), successor).await?;
            let detail = serde_json::json!({"publication": row.name, "reason": reason, "successor": successor});
            audit::note(conn, AuditAction::PublicationWithdrawn, &["SE"], detail).await?;
            resource::reread::<Publications>(conn, &view, &name).await
        })
        .await?;
    db.write(async |conn| Ok(library.refresh(conn).await?))
        .await?;
    Ok(Changed { row, version })
}

fn not_so(old: PublicationState, new: PublicationState) -> Problem {
    let (old, new) = (old.code(), new.code());
    Problem::new(ProblemKind::Conflict).fault(Fault::at(
        "/state",
        "state_transition",
        text(
            format!(
                "En publicering kan inte gå från ”{}” till ”{}”.",
                old.label_sv, new.label_sv
            ),
            format!(
                "A publication cannot go from “{}” to “{}”.",
                old.label_en, new.label_en
            ),
        ),
    ))
}
