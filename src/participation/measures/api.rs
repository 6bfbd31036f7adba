//! `/measures`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{BreakRow, MeasureChange, MeasureRow, NoteRow};
use super::remarks::{MeasureNote, SeriesBreak};
use super::store;
use crate::access::permission::{ParticipationWrite, RegistryRead};
use crate::access::{Grant, Permission, Reach};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, Params, RowQuery};
use crate::http::resource::{self, Resource, View, Writable};
use crate::participation::codes::{Denominator, MeasureKind, MeasureUnit};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::registry::codes::State;
use crate::schema::measures;
use crate::telemetry;
use crate::values::{AgeBand, Line, MeasureCode, Prose, WebAddress};

/// What a number means.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Measure)]
pub struct MeasureOut {
    /// The code, by which everything refers to the measure. Never changes.
    #[schema(example = "pupils_share")]
    pub code: String,
    /// What kind of number it is: decides which values are possible.
    pub kind: MeasureKind,
    /// What is counted.
    pub unit: MeasureUnit,
    /// Short name in the language of the answer.
    #[schema(example = "Andel elever av invånare 6–19 år")]
    pub label: String,
    /// Short name in Swedish.
    #[schema(example = "Andel elever av invånare 6–19 år")]
    pub label_sv: String,
    /// Short name in English.
    #[schema(example = "Pupils as a share of residents aged 6–19")]
    pub label_en: String,
    /// What exactly is counted, in the language of the answer.
    #[schema(example = "Unika personer som deltar, i procent av invånarna 6–19 år.")]
    pub definition: String,
    /// What exactly is counted, in Swedish.
    #[schema(example = "Unika personer som deltar, i procent av invånarna 6–19 år.")]
    pub definition_sv: String,
    /// What exactly is counted, in English.
    #[schema(example = "Unique persons who take part, in percent of the residents aged 6–19.")]
    pub definition_en: String,
    /// Of a share or change: the measure of what is counted.
    #[schema(example = "pupils")]
    pub numerator: Option<String>,
    /// Of a share or change: what it is a share of.
    pub denominator: Option<Denominator>,
    /// Ages of the denominator, where it is persons.
    #[schema(example = "6-19")]
    pub denominator_age_band: Option<String>,
    /// Where the definition, or the need of one, was read.
    #[schema(example = "https://www.kulturradet.se/")]
    pub source_url: Option<String>,
    /// Where the series starts anew, earliest first: numbers before and after are not comparable.
    pub series_breaks: Vec<SeriesBreak>,
    /// What a reader must or should know.
    pub notes: Vec<MeasureNote>,
    /// Whether the row is public.
    pub state: State,
    /// Counts the changes of the row; its `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the row was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the row was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
    /// When the row was deleted (UTC); only seen with `includeDeleted`.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A measure to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"code": "pupils_on_waiting_list", "kind": "count", "unit": "persons",
    "labelSv": "Barn i kö", "labelEn": "Children on the waiting list",
    "definitionSv": "Unika personer som väntar på en plats.", "definitionEn": "Unique persons who wait for a place."}))]
pub struct MeasureIn {
    /// The code. Cannot be changed later.
    #[garde(dive)]
    pub code: MeasureCode,
    /// What kind of number it is. Cannot be changed while something is observed in the measure.
    #[garde(skip)]
    pub kind: MeasureKind,
    /// What is counted; of a share or change always `percent`.
    #[garde(skip)]
    pub unit: MeasureUnit,
    /// Short name in Swedish.
    #[garde(dive)]
    pub label_sv: Line,
    /// Short name in English.
    #[garde(dive)]
    pub label_en: Line,
    /// What exactly is counted, in Swedish.
    #[garde(dive)]
    pub definition_sv: Prose,
    /// What exactly is counted, in English.
    #[garde(dive)]
    pub definition_en: Prose,
    /// Of a share or change, and only then: the measure of what is counted.
    #[garde(dive)]
    #[serde(default)]
    pub numerator: Option<MeasureCode>,
    /// Of a share or change, and only then: what it is a share of.
    #[garde(skip)]
    #[serde(default)]
    pub denominator: Option<Denominator>,
    /// Ages of the denominator, where it is residents or pupils.
    #[garde(dive)]
    #[serde(default)]
    pub denominator_age_band: Option<AgeBand>,
    /// Where the definition, or the need of one, was read.
    #[garde(dive)]
    #[serde(default)]
    pub source_url: Option<WebAddress>,
    /// Where the series starts anew.
    #[garde(dive)]
    #[serde(default)]
    pub series_breaks: Vec<SeriesBreak>,
    /// What a reader must or should know.
    #[garde(dive)]
    #[serde(default)]
    pub notes: Vec<MeasureNote>,
    /// Whether the row is public; a new one is, unless it says otherwise.
    #[garde(skip)]
    #[serde(default = "State::published")]
    #[schema(default = "published")]
    pub state: State,
}

/// Filters of `/measures`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MeasureFilter {
    /// Kinds, comma separated.
    #[param(value_type = Option<Vec<MeasureKind>>, style = Form, explode = false)]
    pub kind: Option<AnyOf<MeasureKind>>,
    /// Units, comma separated.
    #[param(value_type = Option<Vec<MeasureUnit>>, style = Form, explode = false)]
    pub unit: Option<AnyOf<MeasureUnit>>,
}

/// The resource.
pub struct Measures;

impl Resource for Measures {
    const PATH: &'static str = "/measures";
    type Row = MeasureRow;
    type Out = MeasureOut;
    type Filter = MeasureFilter;

    fn visible(reach: &Reach) -> Condition {
        Condition::sql(if reach.is_national() {
            "true"
        } else {
            "state = 'published'"
        })
    }

    async fn find(conn: &Conn, code: &String) -> QueryResult<Option<MeasureRow>> {
        store::find(conn, code).await
    }

    async fn list(
        conn: &Conn,
        filter: &MeasureFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<MeasureRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(conn: &Conn, _: &View, rows: Vec<MeasureRow>) -> QueryResult<Vec<MeasureOut>> {
        let codes: Vec<String> = rows.iter().map(|row| row.code.clone()).collect();
        let (mut breaks, mut notes) =
            futures_util::try_join!(store::breaks(conn, &codes), store::notes(conn, &codes))?;
        let shown = rows.into_iter().map(|row| {
            let breaks = breaks.remove(&row.code).unwrap_or_default();
            let notes = notes.remove(&row.code).unwrap_or_default();
            MeasureOut::from_row(row, breaks, notes)
        });
        Ok(shown.collect())
    }

    /// Label and definition are those of the language of the request.
    fn recall(row: &mut Value, _: DateTime<Utc>) {
        let lang = telemetry::lang();
        for (name, sv, en) in [
            ("label", "labelSv", "labelEn"),
            ("definition", "definitionSv", "definitionEn"),
        ] {
            let said = row.get(lang.pick(sv, en)).cloned();
            if let (Some(said), Some(row)) = (said, row.as_object_mut()) {
                row.insert(name.to_owned(), said);
            }
        }
    }
}

impl MeasureFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = measures::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(kinds)) = &self.kind {
            query = query.filter(measures::kind.eq_any(kinds.clone()));
        }
        if let Some(AnyOf(units)) = &self.unit {
            query = query.filter(measures::unit.eq_any(units.clone()));
        }
        query
    }
}

impl Writable for Measures {
    type In = MeasureIn;

    fn areas(_: &MeasureIn) -> Vec<(&'static str, String)> {
        vec![("", "SE".to_owned())]
    }
    async fn lock(conn: &Conn, code: &String) -> QueryResult<Option<MeasureRow>> {
        store::lock(conn, code).await
    }
    async fn draft(conn: &Conn, row: &MeasureRow) -> QueryResult<MeasureIn> {
        let codes = [row.code.clone()];
        let breaks = store::breaks(conn, &codes).await?;
        let notes = store::notes(conn, &codes).await?;
        Ok(MeasureIn::from_row(
            row.clone(),
            breaks.into_values().flatten(),
            notes.into_values().flatten(),
        ))
    }
    async fn insert(conn: &Conn, new: &MeasureIn) -> Result<String, WriteError> {
        store::insert(conn, new.code.as_str(), new.change()).await?;
        store::replace_remarks(conn, new.code.as_str(), new.breaks(), new.notes()).await?;
        Ok(new.code.to_string())
    }
    async fn update(conn: &Conn, row: &MeasureRow, new: &MeasureIn) -> Result<(), WriteError> {
        if new.code.as_str() != row.code {
            return Err(Problem::invalid(Fault::at(
                "/code",
                "measure_code_fixed",
                text(
                    "Koden ändras aldrig: allt hänvisar till måttet med den.",
                    "The code never changes: everything refers to the measure by it.",
                ),
            ))
            .into());
        }
        if new.kind != row.kind && store::is_observed(conn, &row.code).await? {
            return Err(Problem::new(ProblemKind::Conflict)
                .fault(Fault::at(
                    "/kind",
                    "measure_observed",
                    text(
                        "Det finns observationer av måttet; deras värden kan vara omöjliga för ett annat slag.",
                        "Something is observed in the measure; those values may be impossible for another kind.",
                    ),
                ))
                .into());
        }
        store::update(conn, &row.code, new.change()).await?;
        store::replace_remarks(conn, &row.code, new.breaks(), new.notes()).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, code: &String) -> QueryResult<usize> {
        store::bury(conn, code).await
    }
    async fn in_use(conn: &Conn, row: &MeasureRow) -> QueryResult<bool> {
        Ok(store::is_observed(conn, &row.code).await?
            || store::is_numerator(conn, &row.code).await?)
    }
}

impl MeasureOut {
    fn from_row(row: MeasureRow, breaks: Vec<BreakRow>, notes: Vec<NoteRow>) -> Self {
        let MeasureRow {
            code,
            kind,
            unit,
            label_sv,
            label_en,
            definition_sv,
            definition_en,
            numerator_code,
            denominator,
            denominator_age_band,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        let lang = telemetry::lang();
        Self {
            code,
            kind,
            unit,
            label: lang.pick(&label_sv, &label_en).clone(),
            label_sv,
            label_en,
            definition: lang.pick(&definition_sv, &definition_en).clone(),
            definition_sv,
            definition_en,
            numerator: numerator_code,
            denominator,
            denominator_age_band,
            source_url,
            series_breaks: breaks.into_iter().map(SeriesBreak::from_row).collect(),
            notes: notes.into_iter().map(MeasureNote::from_row).collect(),
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl MeasureIn {
    fn from_row(
        row: MeasureRow,
        breaks: impl Iterator<Item = BreakRow>,
        notes: impl Iterator<Item = NoteRow>,
    ) -> Self {
        Self {
            code: MeasureCode::trusted(row.code),
            kind: row.kind,
            unit: row.unit,
            label_sv: Line::trusted(row.label_sv),
            label_en: Line::trusted(row.label_en),
            definition_sv: Prose::trusted(row.definition_sv),
            definition_en: Prose::trusted(row.definition_en),
            numerator: row.numerator_code.map(MeasureCode::trusted),
            denominator: row.denominator,
            denominator_age_band: row.denominator_age_band.map(AgeBand::trusted),
            source_url: row.source_url.map(WebAddress::trusted),
            series_breaks: breaks.map(SeriesBreak::from_row).collect(),
            notes: notes.map(MeasureNote::from_row).collect(),
            state: row.state,
        }
    }

    fn change(&self) -> MeasureChange<'_> {
        MeasureChange {
            kind: self.kind,
            unit: self.unit,
            label_sv: self.label_sv.as_str(),
            label_en: self.label_en.as_str(),
            definition_sv: self.definition_sv.as_str(),
            definition_en: self.definition_en.as_str(),
            numerator_code: self.numerator.as_ref().map(MeasureCode::as_str),
            denominator: self.denominator,
            denominator_age_band: self.denominator_age_band.as_ref().map(AgeBand::as_str),
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        }
    }

    fn breaks(&self) -> Vec<BreakRow> {
        let entries = self.series_breaks.iter();
        entries.map(|entry| entry.row(self.code.as_str())).collect()
    }

    fn notes(&self) -> Vec<NoteRow> {
        let notes = (0..).zip(&self.notes);
        notes
            .map(|(position, note)| note.row(self.code.as_str(), position))
            .collect()
    }
}

/// The code in an address; one that cannot be a code belongs to no measure, and is not asked for.
fn known_form(code: &str) -> ApiResult<String> {
    let code: MeasureCode = code.parse().map_err(|_| Problem::not_found())?;
    Ok(code.into_string())
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_measures)
        .service(create_measure)
        .service(get_measure)
        .service(update_measure)
        .service(delete_measure);
}

/// List measures
///
/// What each number means, by code. Two numbers are comparable only if they have the same measure, and lie on the same
/// side of every one of its `seriesBreaks`. `label` and `definition` follow the language of the request.
#[utoipa::path(tag = "participation", operation_id = "list_measures", params(ListQuery, MeasureFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of measures", body = Page<MeasureOut>)))]
#[get("/measures")]
async fn list_measures(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<MeasureFilter>,
) -> ApiResult<Listing<MeasureOut>> {
    resource::list::<Measures, _>(&req, &db, &grant, &params).await
}

/// Create a measure
///
/// Measures belong to the whole country, so the client needs the area `SE`. A share names its numerator and its
/// denominator: without them it could be compared with anything.
#[utoipa::path(tag = "participation", operation_id = "create_measure", request_body = MeasureIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 201, description = "The new measure", body = MeasureOut)))]
#[post("/measures")]
async fn create_measure(
    db: Db,
    grant: Grant<ParticipationWrite>,
    once: Once,
    body: Valid<MeasureIn>,
) -> ApiResult<Answer<Created<MeasureOut>>> {
    resource::create::<Measures, _>(&db, &grant, &once, &body.0).await
}

/// Show a measure
///
/// With its `ETag`, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "participation", operation_id = "get_measure", params(("measureCode" = String, Path, description = "Code of the measure", example = "pupils_share"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The measure", body = MeasureOut)))]
#[get("/measures/{measureCode}")]
async fn get_measure(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    code: web::Path<String>,
    query: Params<RowQuery>,
) -> ApiResult<Item<MeasureOut>> {
    resource::show_as_of::<Measures, _>(&req, &db, &grant, &known_form(&code)?, &query.0).await
}

/// Change a measure
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces; `seriesBreaks` and `notes` are
/// replaced as whole lists. The code cannot change, and the kind only while nothing is observed in the measure.
#[utoipa::path(tag = "participation", operation_id = "update_measure", params(("measureCode" = String, Path, description = "Code of the measure", example = "pupils_share")), request_body = MeasureIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 200, description = "The measure as it is now", body = MeasureOut)))]
#[patch("/measures/{measureCode}")]
async fn update_measure(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    code: web::Path<String>,
    patch: MergePatch,
) -> ApiResult<Changed<MeasureOut>> {
    let expected = Expected::from_request(&req)?;
    resource::change::<Measures, _>(&db, &grant, &known_form(&code)?, &expected, &patch).await
}

/// Delete a measure
///
/// Leaves a tombstone. A measure that something is observed in, or that is the numerator of a share, is kept (409).
#[utoipa::path(tag = "participation", operation_id = "delete_measure", params(("measureCode" = String, Path, description = "Code of the measure", example = "pupils_share")),
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/measures/{measureCode}")]
async fn delete_measure(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    code: web::Path<String>,
) -> ApiResult<Deleted> {
    let expected = Expected::from_request(&req)?;
    resource::delete::<Measures, _>(&db, &grant, &known_form(&code)?, &expected).await
}
