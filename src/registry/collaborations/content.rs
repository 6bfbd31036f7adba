//! What goes in and out of `/collaborations`.

use chrono::{DateTime, NaiveDate, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::{
    CollaborationChange, CollaborationRow, MemberRow, NewGoal, NewMember, NewRegion,
};
use super::store;
use crate::db::{Conn, WriteError};
use crate::http::resource::View;
use crate::problem::Problem;
use crate::registry::codes::{Audience, MemberRole, State};
use crate::registry::funding::{self, Funded, FundingIn, FundingOut};
use crate::values::{AreaCode, Day, Line, PartialDate, Prose, WebAddress};

/// A regional collaboration of municipal culture schools.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Collaboration)]
pub struct CollaborationOut {
    /// Id, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// Name; no other collaboration has it.
    #[schema(example = "Kulturskolesamverkan i Örebro län")]
    pub name: String,
    /// What it is for.
    #[schema(example = "Att barn och unga lättare ska kunna utöva kultur, var i länet de än bor.")]
    pub purpose: Option<String>,
    /// What it does, in our words.
    pub description: Option<String>,
    /// When it was founded, as precise as the source: a year, a month or a day.
    #[schema(example = "2015")]
    pub established: Option<String>,
    /// The office of this area keeps the row.
    #[schema(example = "18")]
    pub area: String,
    /// The counties it works in, by code; every member lies in one of them.
    pub regions: Vec<CollaborationRegion>,
    /// How many municipalities are members on the day asked for with `validOn`, otherwise today (UTC).
    #[schema(example = 11)]
    pub member_count: usize,
    /// The municipality that carries the administration, on the day asked for with `validOn`, otherwise today (UTC).
    #[schema(example = "1883")]
    pub administrative_host: Option<String>,
    /// The name of that municipality.
    #[schema(example = "Karlskoga")]
    pub administrative_host_name: Option<String>,
    /// The memberships: all there ever were, or those of the day asked for with `validOn`. Only with
    /// `include=members`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MembershipOut>>,
    /// What it wants to reach, and for whom.
    pub goals: Vec<Goal>,
    /// What pays for it.
    pub funding: Vec<FundingOut>,
    /// Where to read more.
    pub links: Vec<WebLink>,
    /// Where this was read.
    #[schema(example = "https://www.kulturskolesamverkan.se/om-oss/")]
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

/// A county of a collaboration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollaborationRegion {
    /// Two-digit county code.
    #[schema(example = "18")]
    pub code: String,
    /// Name of the county.
    #[schema(example = "Örebro län")]
    pub name: String,
}

/// A municipality's membership for a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Membership)]
pub struct MembershipOut {
    /// Four-digit municipality code.
    #[schema(example = "1883")]
    pub municipality: String,
    /// Name of the municipality.
    #[schema(example = "Karlskoga")]
    pub municipality_name: String,
    /// What the municipality is in the collaboration.
    pub role: MemberRole,
    /// The first day; null if it is not known.
    #[schema(example = "2018-07-01")]
    pub valid_from: Option<NaiveDate>,
    /// The last day; null while the membership goes on, or if it is not known.
    #[schema(example = "2022-06-30")]
    pub valid_to: Option<NaiveDate>,
    /// What the membership rests on.
    #[schema(example = "Avtal med de deltagande kommunerna")]
    pub agreement: Option<String>,
}

/// A membership to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"municipality": "1883", "role": "administrative_host", "validFrom": "2018-07-01"}))]
pub struct MembershipIn {
    /// Four-digit municipality code, in one of the counties of the collaboration.
    #[garde(dive)]
    #[schema(example = "1883")]
    pub municipality: AreaCode,
    /// What the municipality is in the collaboration; one host at a time.
    #[garde(skip)]
    #[serde(default = "MemberRole::member")]
    #[schema(default = "member")]
    pub role: MemberRole,
    /// The first day, if it is known. Memberships of one municipality must not overlap.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2018-07-01")]
    pub valid_from: Option<Day>,
    /// The last day, if there is one.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2022-06-30")]
    pub valid_to: Option<Day>,
    /// What the membership rests on.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "Avtal med de deltagande kommunerna")]
    pub agreement: Option<Line>,
}

/// Something a collaboration wants to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Whom it is for.
    #[garde(skip)]
    pub audience: Audience,
    /// The goal, in our words.
    #[garde(dive)]
    #[schema(
        example = "Pedagoger och chefer i länet byter erfarenheter och fortbildas tillsammans."
    )]
    pub goal: Prose,
}

/// A page to read more at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebLink {
    /// What it leads to.
    #[garde(dive)]
    #[schema(example = "Allmänna arvsfonden")]
    pub title: Line,
    /// The address.
    #[garde(dive)]
    #[schema(example = "https://www.arvsfonden.se/")]
    pub url: WebAddress,
}

/// A collaboration to be written: with its members, goals and funding, each list as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Kulturskolor i samverkan", "area": "18", "regions": ["18"],
    "members": [{"municipality": "1880"}, {"municipality": "1883", "role": "administrative_host"}]}))]
pub struct CollaborationIn {
    /// Name; no other collaboration may have it.
    #[garde(dive)]
    pub name: Line,
    /// What it is for.
    #[garde(dive)]
    #[serde(default)]
    pub purpose: Option<Prose>,
    /// What it does.
    #[garde(dive)]
    #[serde(default)]
    pub description: Option<Prose>,
    /// When it was founded, as precise as the source.
    #[garde(dive)]
    #[serde(default)]
    pub established: Option<PartialDate>,
    /// The office of this area keeps the row: a municipality, a county, or `SE`.
    #[garde(dive)]
    pub area: AreaCode,
    /// The counties it works in, two digits each. The writer must hold them all.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = json!(["18"]))]
    pub regions: Vec<AreaCode>,
    /// The memberships, past and present.
    #[garde(dive)]
    #[serde(default)]
    pub members: Vec<MembershipIn>,
    /// What it wants to reach.
    #[garde(dive)]
    #[serde(default)]
    pub goals: Vec<Goal>,
    /// What pays for it.
    #[garde(dive)]
    #[serde(default)]
    pub funding: Vec<FundingIn>,
    /// Where to read more.
    #[garde(dive)]
    #[serde(default)]
    pub links: Vec<WebLink>,
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

impl CollaborationOut {
    /// The answer without regions, goals and funding, which are added afterwards.
    pub(super) fn new(
        row: CollaborationRow,
        members: Vec<(MemberRow, String)>,
        view: &View,
    ) -> Self {
        let CollaborationRow {
            id,
            area_code,
            name,
            purpose,
            description,
            established,
            links,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        let day = view.valid_on.unwrap_or_else(|| view.now.date_naive());
        let on_the_day = || members.iter().filter(|(member, _)| member.holds_on(day));
        let member_count = on_the_day().count();
        let host = on_the_day().find(|(member, _)| member.role == MemberRole::AdministrativeHost);
        let (administrative_host, administrative_host_name) = host
            .map(|(member, name)| (member.municipality_code.clone(), name.clone()))
            .unzip();
        let members = view.includes("members").then(|| {
            members
                .into_iter()
                .filter(|(member, _)| view.valid_on.is_none_or(|day| member.holds_on(day)))
                .map(MembershipOut::from_row)
                .collect()
        });
        Self {
            id,
            name,
            purpose,
            description,
            established,
            area: area_code,
            regions: Vec::new(),
            member_count,
            administrative_host,
            administrative_host_name,
            members,
            goals: Vec::new(),
            funding: Vec::new(),
            links: serde_json::from_value(links).unwrap_or_default(),
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

/// Counts the members of a kept answer, and finds their host, as of a day.
pub(super) fn recall(row: &mut Value, day: NaiveDate) {
    let day = day.to_string();
    let text =
        |member: &Value, name: &str| member.get(name).and_then(Value::as_str).map(str::to_owned);
    let members = row.get("members").and_then(Value::as_array);
    let present: Vec<&Value> = members
        .into_iter()
        .flatten()
        .filter(|member| {
            // Days are written so that their texts are ordered as they are.
            text(member, "validFrom").is_none_or(|from| from <= day)
                && text(member, "validTo").is_none_or(|to| day <= to)
        })
        .collect();
    let host = present.iter().find(|member| {
        text(member, "role").as_deref() == Some(MemberRole::AdministrativeHost.as_str())
    });
    let of_host = |name| host.and_then(|host| text(host, name));
    let (count, code, name) = (
        present.len(),
        of_host("municipality"),
        of_host("municipalityName"),
    );
    if let Some(row) = row.as_object_mut() {
        row.insert("memberCount".to_owned(), count.into());
        row.insert("administrativeHost".to_owned(), code.into());
        row.insert("administrativeHostName".to_owned(), name.into());
    }
}

impl MembershipOut {
    pub(super) fn from_row((row, municipality_name): (MemberRow, String)) -> Self {
        Self {
            municipality: row.municipality_code,
            municipality_name,
            role: row.role,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            agreement: row.agreement,
        }
    }
}

impl MembershipIn {
    pub(super) fn from_row(row: MemberRow) -> Self {
        Self {
            municipality: AreaCode::trusted(row.municipality_code),
            role: row.role,
            valid_from: row.valid_from.map(Day::trusted),
            valid_to: row.valid_to.map(Day::trusted),
            agreement: row.agreement.map(Line::trusted),
        }
    }
}

impl Goal {
    pub(super) fn from_row((audience, goal): (Audience, String)) -> Self {
        Self {
            audience,
            goal: Prose::trusted(goal),
        }
    }
}

impl MemberRole {
    /// What a municipality is, unless it says otherwise.
    fn member() -> Self {
        Self::Member
    }
}

impl CollaborationIn {
    /// The content without regions, members, goals and funding, which are added afterwards.
    pub(super) fn from_row(row: CollaborationRow) -> Self {
        Self {
            name: Line::trusted(row.name),
            purpose: row.purpose.map(Prose::trusted),
            description: row.description.map(Prose::trusted),
            established: row.established.map(PartialDate::trusted),
            area: AreaCode::trusted(row.area_code),
            regions: Vec::new(),
            members: Vec::new(),
            goals: Vec::new(),
            funding: Vec::new(),
            links: serde_json::from_value(row.links).unwrap_or_default(),
            source_url: row.source_url.map(WebAddress::trusted),
            state: row.state,
        }
    }

    pub(super) fn change(&self) -> Result<CollaborationChange<'_>, Problem> {
        Ok(CollaborationChange {
            area_code: self.area.as_str(),
            name: self.name.as_str(),
            purpose: self.purpose.as_ref().map(Prose::as_str),
            description: self.description.as_ref().map(Prose::as_str),
            established: self.established.as_ref().map(PartialDate::as_str),
            links: serde_json::to_value(&self.links).map_err(Problem::internal)?,
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        })
    }

    /// Writes what belongs to the collaboration.
    pub(super) async fn fill(&self, conn: &Conn, id: Uuid) -> Result<(), WriteError> {
        let regions = self
            .regions
            .iter()
            .map(|region| NewRegion {
                collaboration_id: id,
                region_code: region.as_str(),
            })
            .collect();
        let members = (0..)
            .zip(&self.members)
            .map(|(position, member)| NewMember {
                collaboration_id: id,
                position,
                municipality_code: member.municipality.as_str(),
                role: member.role,
                valid_from: member.valid_from.map(Day::date),
                valid_to: member.valid_to.map(Day::date),
                agreement: member.agreement.as_ref().map(Line::as_str),
            })
            .collect();
        let goals = (0..)
            .zip(&self.goals)
            .map(|(position, goal)| NewGoal {
                collaboration_id: id,
                position,
                audience: goal.audience,
                goal: goal.goal.as_str(),
            })
            .collect();
        store::fill(conn, regions, members, goals).await?;
        funding::replace(conn, Funded::Collaboration, id, &self.funding).await
    }
}
