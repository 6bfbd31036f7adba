//! The row of a collaboration, and the rows that belong to it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::registry::codes::{Audience, MemberRole, State};
use crate::schema::{
    collaboration_goals, collaboration_members, collaboration_regions, collaborations,
};

/// A collaboration as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = collaborations, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct CollaborationRow {
    pub id: Uuid,
    pub area_code: String,
    pub name: String,
    pub purpose: Option<String>,
    pub description: Option<String>,
    pub established: Option<String>,
    pub links: Value,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(CollaborationRow, id: Uuid, visible |row, reach| row.state == State::Published || reach.covers(&row.area_code));

impl Sortable for CollaborationRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("name", "name"),
        SortKey::code("established", "established"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "name" => Some(self.name.clone()),
            "established" => self.established.clone(),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written of the collaboration itself.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = collaborations, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct CollaborationChange<'a> {
    pub area_code: &'a str,
    pub name: &'a str,
    pub purpose: Option<&'a str>,
    pub description: Option<&'a str>,
    pub established: Option<&'a str>,
    pub links: Value,
    pub source_url: Option<&'a str>,
    pub state: State,
}

/// A county of a collaboration, to be written.
#[derive(Debug, Insertable)]
#[diesel(table_name = collaboration_regions)]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct NewRegion<'a> {
    pub collaboration_id: Uuid,
    pub region_code: &'a str,
}

/// A membership as stored, without the collaboration it belongs to.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = collaboration_members, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct MemberRow {
    pub municipality_code: String,
    pub role: MemberRole,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    pub agreement: Option<String>,
}

impl MemberRow {
    /// Whether the membership holds on `day`: both ends are part of it, a missing end is open.
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// A membership to be written.
#[derive(Debug, Insertable)]
#[diesel(table_name = collaboration_members, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct NewMember<'a> {
    pub collaboration_id: Uuid,
    pub position: i32,
    pub municipality_code: &'a str,
    pub role: MemberRole,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    pub agreement: Option<&'a str>,
}

/// A goal to be written.
#[derive(Debug, Insertable)]
#[diesel(table_name = collaboration_goals)]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct NewGoal<'a> {
    pub collaboration_id: Uuid,
    pub position: i32,
    pub audience: Audience,
    pub goal: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::open("", "", "2020-06-01", true)]
    #[case::first_day("2020-01-01", "2020-12-31", "2020-01-01", true)]
    #[case::last_day("2020-01-01", "2020-12-31", "2020-12-31", true)]
    #[case::before("2020-01-01", "", "2019-12-31", false)]
    #[case::after("", "2020-12-31", "2021-01-01", false)]
    fn a_membership_holds_from_its_first_to_its_last_day(
        #[case] from: &str,
        #[case] to: &str,
        #[case] day: &str,
        #[case] holds: bool,
    ) {
        let member = MemberRow {
            municipality_code: "1880".to_owned(),
            role: MemberRole::Member,
            valid_from: from.parse().ok(),
            valid_to: to.parse().ok(),
            agreement: None,
        };
        assert_eq!(member.holds_on(day.parse().unwrap()), holds);
    }
}
