//! What goes in and out of `/projects`.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use futures_util::try_join;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::children::{self, DateClaim, ProjectArea};
use super::includes::{ProjectPartner, Subproject};
use super::model::{ProjectChange, ProjectRow};
use super::reference::ProjectRef;
use super::store;
use crate::db::{Conn, WriteError};
use crate::registry::codes::{Continuation, ProjectScope, ProjectStatus, State, Theme};
use crate::registry::funding::{self, Funded, FundingIn, FundingOut};
use crate::registry::partners::reference::PartnerRef;
use crate::values::{AreaCode, Line, Month, Prose, WebAddress};

/// Something that is tried together for a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Project)]
pub struct ProjectOut {
    /// Id, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// Title as its owner writes it. Not unique.
    #[schema(example = "Kulturskola i hela landet")]
    pub title: String,
    /// The partner that answers for the project.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub owner: Option<Uuid>,
    /// The name of the owner.
    #[schema(example = "Sveriges Kulturskoleråd")]
    pub owner_name: Option<String>,
    /// The project that this one is a part of.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c7")]
    pub parent: Option<Uuid>,
    /// The title of that project.
    pub parent_title: Option<String>,
    /// Why it is done.
    pub purpose: Option<String>,
    /// What is to be reached.
    pub goal: Option<String>,
    /// What is done.
    pub description: Option<String>,
    /// For whom.
    pub target_group: Option<TargetGroup>,
    /// How it is done.
    pub method: Option<String>,
    /// How the results are spread.
    pub dissemination: Option<String>,
    /// What remains after the project, in our words.
    pub after_project: Option<String>,
    /// What remains after the project, as a code.
    pub continuation: Continuation,
    /// First month.
    #[schema(example = "2019-03")]
    pub start_month: Option<String>,
    /// Last month; it belongs to the project.
    #[schema(example = "2022-03")]
    pub end_month: Option<String>,
    /// Where the project stands in time today: `ended` after its last month, `planned` before its first, else `ongoing`;
    /// `undated` if it has no first month and has not ended.
    pub status: ProjectStatus,
    /// The share of its months that have started, today, in percent (0–100). Null if a missing month hides it.
    /// 2019-03 to 2022-03 is 37 months; in April 2020 the 14th has started: 38.
    #[schema(example = 100, minimum = 0, maximum = 100)]
    pub time_status_percent: Option<i32>,
    /// The time status that a source publishes, in percent; kept apart from the one computed.
    #[schema(example = 100)]
    pub time_status_percent_published: Option<i32>,
    /// The town where its contact sits.
    #[schema(example = "Stockholm")]
    pub contact_town: Option<String>,
    /// How far it reaches.
    pub scope: ProjectScope,
    /// The office of this area keeps the row.
    #[schema(example = "SE")]
    pub area: String,
    /// The areas it works in, by code.
    pub areas: Vec<ProjectArea>,
    /// What it is about.
    pub themes: Vec<Theme>,
    /// What pays for it.
    pub funding: Vec<FundingOut>,
    /// When it began and ended, as each source states it.
    pub date_claims: Vec<DateClaim>,
    /// The live partnerships in it, by the partner's name. Only with `include=partners`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partners: Option<Vec<ProjectPartner>>,
    /// Its live parts, by title. Only with `include=subprojects`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprojects: Option<Vec<Subproject>>,
    /// Where this was read.
    #[schema(example = "https://www.kulturskoleradet.se/projekt/")]
    pub source_url: Option<String>,
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

/// Whom a project is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetGroup {
    /// In words.
    #[garde(dive)]
    #[schema(example = "Barn och unga 6–19 år i Örebro län.")]
    pub text: Prose,
    /// The lowest age, in years (0–120); null if none is stated.
    #[garde(skip)]
    #[serde(default)]
    #[schema(example = 6)]
    pub age_from: Option<i32>,
    /// The highest age, in years (0–120), included; null if none is stated.
    #[garde(skip)]
    #[serde(default)]
    #[schema(example = 19)]
    pub age_to: Option<i32>,
}

/// A project to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "title": "Dans för alla i Örebro",
    "purpose": "Att fler barn provar att dansa.",
    "targetGroup": {"text": "Barn 6–12 år.", "ageFrom": 6, "ageTo": 12},
    "startMonth": "2026-01",
    "endMonth": "2027-12",
    "scope": "local",
    "area": "1880",
    "areas": ["1880"],
    "themes": ["broadened_participation"],
    "funding": [{"kind": "own_funds", "amountSek": 150_000, "periodKind": "calendar_year", "period": "2026"}],
    "dateClaims": [{"startsOn": "2026-01", "endsOn": "2027-12", "sourceUrl": "https://www.orebro.se/", "chosen": true}]
}))]
pub struct ProjectIn {
    /// Title as its owner writes it.
    #[garde(dive)]
    pub title: Line,
    /// The partner that answers for the project.
    #[garde(dive)]
    #[serde(default)]
    pub owner: Option<PartnerRef>,
    /// The project that this one is a part of.
    #[garde(dive)]
    #[serde(default)]
    pub parent: Option<ProjectRef>,
    /// Why it is done.
    #[garde(dive)]
    #[serde(default)]
    pub purpose: Option<Prose>,
    /// What is to be reached.
    #[garde(dive)]
    #[serde(default)]
    pub goal: Option<Prose>,
    /// What is done.
    #[garde(dive)]
    #[serde(default)]
    pub description: Option<Prose>,
    /// For whom.
    #[garde(dive)]
    #[serde(default)]
    pub target_group: Option<TargetGroup>,
    /// How it is done.
    #[garde(dive)]
    #[serde(default)]
    pub method: Option<Prose>,
    /// How the results are spread.
    #[garde(dive)]
    #[serde(default)]
    pub dissemination: Option<Prose>,
    /// What remains after the project, in words.
    #[garde(dive)]
    #[serde(default)]
    pub after_project: Option<Prose>,
    /// What remains after the project, as a code.
    #[garde(skip)]
    #[serde(default = "not_known")]
    #[schema(default = "unknown")]
    pub continuation: Continuation,
    /// First month.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "2019-03")]
    pub start_month: Option<Month>,
    /// Last month; it belongs to the project.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "2022-03")]
    pub end_month: Option<Month>,
    /// The time status that a source publishes, in percent.
    #[garde(skip)]
    #[serde(default)]
    #[schema(example = 100, minimum = 0, maximum = 100)]
    pub time_status_percent_published: Option<i32>,
    /// The town where its contact sits.
    #[garde(dive)]
    #[serde(default)]
    pub contact_town: Option<Line>,
    /// How far it reaches.
    #[garde(skip)]
    pub scope: ProjectScope,
    /// The area whose office keeps the row; must be one of the client's.
    #[garde(dive)]
    pub area: AreaCode,
    /// The areas it works in; each must be one of the client's.
    #[garde(dive)]
    #[serde(default)]
    pub areas: Vec<AreaCode>,
    /// What it is about.
    #[garde(skip)]
    #[serde(default)]
    pub themes: Vec<Theme>,
    /// What pays for it.
    #[garde(dive)]
    #[serde(default)]
    pub funding: Vec<FundingIn>,
    /// When it began and ended, as each source states it.
    #[garde(dive)]
    #[serde(default)]
    pub date_claims: Vec<DateClaim>,
    /// Where this was read.
    #[garde(dive)]
    #[serde(default)]
    pub source_url: Option<WebAddress>,
    /// Whether the row is public; a new one is, unless it says otherwise.
    #[garde(skip)]
    #[serde(default = "State::published")]
    #[schema(default = "published")]
    pub state: State,
}

fn not_known() -> Continuation {
    Continuation::Unknown
}

impl TargetGroup {
    /// From the columns: ages stand with a text only.
    pub(super) fn of(
        text: Option<String>,
        age_from: Option<i32>,
        age_to: Option<i32>,
    ) -> Option<Self> {
        text.map(|text| Self {
            text: Prose::trusted(text),
            age_from,
            age_to,
        })
    }
}

/// The project as it would be written: what a merge patch is applied to.
pub(super) async fn draft(conn: &Conn, row: ProjectRow) -> QueryResult<ProjectIn> {
    let ids = [row.id];
    let (mut areas, mut claims, funding) = try_join!(
        children::areas(conn, &ids),
        children::date_claims(conn, &ids),
        funding::drafts(conn, Funded::Project, row.id),
    )?;
    let areas = areas.remove(&row.id).unwrap_or_default();
    Ok(ProjectIn {
        title: Line::trusted(row.title),
        owner: row.owner_id.map(PartnerRef::Id),
        parent: row.parent_id.map(ProjectRef::Id),
        purpose: row.purpose.map(Prose::trusted),
        goal: row.goal.map(Prose::trusted),
        description: row.description.map(Prose::trusted),
        target_group: TargetGroup::of(row.target_group, row.target_age_from, row.target_age_to),
        method: row.method.map(Prose::trusted),
        dissemination: row.dissemination.map(Prose::trusted),
        after_project: row.after_project.map(Prose::trusted),
        continuation: row.continuation,
        start_month: row.start_month.map(Month::trusted),
        end_month: row.end_month.map(Month::trusted),
        time_status_percent_published: row.time_status_percent_published,
        contact_town: row.contact_town.map(Line::trusted),
        scope: row.scope,
        area: AreaCode::trusted(row.area_code),
        areas: areas
            .into_iter()
            .map(|area| AreaCode::trusted(area.code))
            .collect(),
        themes: row.themes,
        funding,
        date_claims: claims.remove(&row.id).unwrap_or_default(),
        source_url: row.source_url.map(WebAddress::trusted),
        state: row.state,
    })
}

impl ProjectIn {
    /// What is written to the row of `id`, with owner and parent looked up.
    pub(super) async fn change(
        &self,
        conn: &Conn,
        id: Uuid,
    ) -> Result<ProjectChange<'_>, WriteError> {
        let owner_id = match &self.owner {
            Some(owner) => Some(owner.resolve(conn, "/owner").await?),
            None => None,
        };
        let parent_id = match &self.parent {
            Some(parent) => {
                let parent = parent.resolve(conn, "/parent").await?;
                store::check_parent(conn, id, parent).await?;
                Some(parent)
            }
            None => None,
        };
        let target = self.target_group.as_ref();
        Ok(ProjectChange {
            area_code: self.area.as_str(),
            title: self.title.as_str(),
            owner_id,
            parent_id,
            purpose: self.purpose.as_ref().map(Prose::as_str),
            goal: self.goal.as_ref().map(Prose::as_str),
            description: self.description.as_ref().map(Prose::as_str),
            target_group: target.map(|group| group.text.as_str()),
            target_age_from: target.and_then(|group| group.age_from),
            target_age_to: target.and_then(|group| group.age_to),
            method: self.method.as_ref().map(Prose::as_str),
            dissemination: self.dissemination.as_ref().map(Prose::as_str),
            after_project: self.after_project.as_ref().map(Prose::as_str),
            continuation: self.continuation,
            start_month: self.start_month.as_ref().map(Month::as_str),
            end_month: self.end_month.as_ref().map(Month::as_str),
            time_status_percent_published: self.time_status_percent_published,
            contact_town: self.contact_town.as_ref().map(Line::as_str),
            scope: self.scope,
            themes: &self.themes,
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        })
    }

    /// Writes what belongs to the row of `id`: areas, date claims, funding.
    pub(super) async fn write_children(&self, conn: &Conn, id: Uuid) -> Result<(), WriteError> {
        children::replace_areas(conn, id, &self.areas).await?;
        children::replace_date_claims(conn, id, &self.date_claims).await?;
        funding::replace(conn, Funded::Project, id, &self.funding).await
    }
}
