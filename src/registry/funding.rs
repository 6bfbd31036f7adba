//! Funding lines: what pays for a project or a collaboration, line by line, each for a period of its own kind.
//!
//! One table serves both, since a collaboration may live on a project's money one year and on its members' the next.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::store::each_row;
use crate::db::{Conn, WriteError};
use crate::registry::codes::{FundingKind, FundingPeriodKind};
use crate::registry::partners::reference::PartnerRef;
use crate::schema::{funding_lines, partners};
use crate::values::{Line, Prose, WebAddress};

/// What the money is for: decides the column that holds the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Funded {
    /// A project.
    Project,
    /// A collaboration.
    Collaboration,
}

/// A funding line to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"funder": {"name": "Allmänna arvsfonden"}, "kind": "project_grant", "periodKind": "project", "period": "2017-2021"}))]
pub struct FundingIn {
    /// The partner that pays; null if the source names none, or for the members' own money.
    #[garde(dive)]
    #[serde(default)]
    pub funder: Option<PartnerRef>,
    /// Where the money comes from.
    #[garde(skip)]
    pub kind: FundingKind,
    /// Whole Swedish crowns for the period, 0 or more; null if the source gives no amount.
    #[garde(inner(custom(not_negative)))]
    #[serde(default)]
    #[schema(minimum = 0, example = 1_500_000)]
    pub amount_sek: Option<i64>,
    /// What kind of time the line is for.
    #[garde(skip)]
    pub period_kind: FundingPeriodKind,
    /// The time, written as its kind demands: school year `2022/2023`, calendar year `2022`, project `2019-2022` or `2019`.
    #[garde(dive)]
    #[schema(example = "2017-2021")]
    pub period: Line,
    /// What must be known to read the line.
    #[garde(dive)]
    #[serde(default)]
    pub note: Option<Prose>,
    /// Where this was read.
    #[garde(dive)]
    #[serde(default)]
    pub source_url: Option<WebAddress>,
}

/// A funding line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Funding)]
pub struct FundingOut {
    /// The partner that pays.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub funder: Option<Uuid>,
    /// The name of that partner.
    #[schema(example = "Allmänna arvsfonden")]
    pub funder_name: Option<String>,
    /// Where the money comes from.
    pub kind: FundingKind,
    /// Whole Swedish crowns for the period; null if the source gives no amount.
    #[schema(example = 1_500_000)]
    pub amount_sek: Option<i64>,
    /// What kind of time the line is for.
    pub period_kind: FundingPeriodKind,
    /// The time, written as its kind demands.
    #[schema(example = "2017-2021")]
    pub period: String,
    /// What must be known to read the line.
    pub note: Option<String>,
    /// Where this was read.
    #[schema(example = "https://www.arvsfonden.se/")]
    pub source_url: Option<String>,
}

/// The lines of these projects or collaborations, in their order, with the names of the funders: one query.
/// What has no lines is not in the map.
///
/// # Errors
/// When the query fails.
pub async fn of(
    conn: &Conn,
    funded: Funded,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, Vec<FundingOut>>> {
    let mut lines: HashMap<Uuid, Vec<FundingOut>> = HashMap::new();
    if ids.is_empty() {
        return Ok(lines);
    }
    let mut conn = conn;
    let query = funding_lines::table
        .left_join(partners::table.on(funding_lines::funder_id.eq(partners::id.nullable())))
        .order_by(funding_lines::position)
        .select((LineRow::as_select(), partners::name.nullable()))
        .into_boxed();
    let query = match funded {
        Funded::Project => query.filter(funding_lines::project_id.eq_any(ids)),
        Funded::Collaboration => query.filter(funding_lines::collaboration_id.eq_any(ids)),
    };
    let rows: Vec<(LineRow, Option<String>)> = query.load(&mut conn).await?;
    for (row, funder_name) in rows {
        if let Some(id) = row.project_id.or(row.collaboration_id) {
            lines.entry(id).or_default().push(FundingOut {
                funder: row.funder_id,
                funder_name,
                kind: row.kind,
                amount_sek: row.amount_sek,
                period_kind: row.period_kind,
                period: row.period,
                note: row.note,
                source_url: row.source_url,
            });
        }
    }
    Ok(lines)
}

/// The lines of one project or collaboration as they would be written: what a merge patch is applied to.
///
/// # Errors
/// When the query fails.
pub async fn drafts(conn: &Conn, funded: Funded, id: Uuid) -> QueryResult<Vec<FundingIn>> {
    let lines = of(conn, funded, &[id]).await?.remove(&id);
    Ok(lines
        .unwrap_or_default()
        .into_iter()
        .map(FundingIn::from)
        .collect())
}

/// Writes the lines of a project or collaboration anew, in the order given.
///
/// # Errors
/// 422 for a funder that is unknown or ambiguous, at `/funding/0/funder` and so on, or when the database refuses.
pub async fn replace(
    conn: &Conn,
    funded: Funded,
    id: Uuid,
    lines: &[FundingIn],
) -> Result<(), WriteError> {
    let mut deleting = conn;
    let (project_id, collaboration_id) = match funded {
        Funded::Project => (Some(id), None),
        Funded::Collaboration => (None, Some(id)),
    };
    let mut rows = Vec::with_capacity(lines.len());
    for (position, line) in (0..).zip(lines) {
        let funder_id = match &line.funder {
            Some(partner) => {
                let pointer = format!("/funding/{position}/funder");
                Some(partner.resolve(conn, &pointer).await?)
            }
            None => None,
        };
        rows.push(NewLine {
            id: Uuid::now_v7(),
            position,
            row: LineRow {
                project_id,
                collaboration_id,
                funder_id,
                kind: line.kind,
                amount_sek: line.amount_sek,
                period_kind: line.period_kind,
                period: line.period.to_string(),
                note: line.note.as_ref().map(Prose::to_string),
                source_url: line.source_url.as_ref().map(WebAddress::to_string),
            },
        });
    }
    let old = diesel::delete(funding_lines::table);
    match funded {
        Funded::Project => {
            old.filter(funding_lines::project_id.eq(id))
                .execute(&mut deleting)
                .await?
        }
        Funded::Collaboration => {
            old.filter(funding_lines::collaboration_id.eq(id))
                .execute(&mut deleting)
                .await?
        }
    };
    each_row(conn, rows, async |mut conn, row: NewLine| {
        diesel::insert_into(funding_lines::table)
            .values(row)
            .execute(&mut conn)
            .await
    })
    .await
}

/// A line as stored, read and written.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = funding_lines, check_for_backend(diesel::pg::Pg), treat_none_as_default_value = false)]
struct LineRow {
    project_id: Option<Uuid>,
    collaboration_id: Option<Uuid>,
    funder_id: Option<Uuid>,
    kind: FundingKind,
    amount_sek: Option<i64>,
    period_kind: FundingPeriodKind,
    period: String,
    note: Option<String>,
    source_url: Option<String>,
}

/// A new line at its position.
#[derive(Debug, Insertable)]
#[diesel(table_name = funding_lines, treat_none_as_default_value = false)]
struct NewLine {
    id: Uuid,
    position: i32,
    #[diesel(embed)]
    row: LineRow,
}

impl From<FundingOut> for FundingIn {
    fn from(line: FundingOut) -> Self {
        Self {
            funder: line.funder.map(PartnerRef::Id),
            kind: line.kind,
            amount_sek: line.amount_sek,
            period_kind: line.period_kind,
            period: Line::trusted(line.period),
            note: line.note.map(Prose::trusted),
            source_url: line.source_url.map(WebAddress::trusted),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "garde hands the field over by reference"
)]
fn not_negative(amount: &i64, (): &()) -> garde::Result {
    if *amount < 0 {
        return Err(garde::Error::new("out_of_range"));
    }
    Ok(())
}
