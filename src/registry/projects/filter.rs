//! The filters of `/projects`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{status, store};
use crate::access::inside;
use crate::db::fragment::Condition;
use crate::http::params::{AnyOf, One};
use crate::registry::codes::{Continuation, ProjectScope, ProjectStatus, State, Theme};
use crate::schema::{funding_lines, partnerships, project_areas, projects};
use crate::values::{AreaCode, Month};

/// Filters of `/projects`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectFilter {
    /// Where the project stands in time today, comma separated.
    #[param(value_type = Option<Vec<ProjectStatus>>, style = Form, explode = false)]
    pub status: Option<AnyOf<ProjectStatus>>,
    /// Owned by one of these partners: ids, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub owner: Option<AnyOf<Uuid>>,
    /// Paid for by this partner: the id stands in a funding line.
    pub funder: Option<Uuid>,
    /// With this partner as owner, as funder, or at work in a published partnership.
    pub partner: Option<Uuid>,
    /// About one of these themes, comma separated.
    #[param(value_type = Option<Vec<Theme>>, style = Form, explode = false)]
    pub theme: Option<AnyOf<Theme>>,
    /// At work in this county or a part of it.
    #[param(value_type = Option<String>, example = "18")]
    pub region: Option<One<AreaCode>>,
    /// At work in this municipality or a part of it.
    #[param(value_type = Option<String>, example = "1880")]
    pub municipality: Option<One<AreaCode>>,
    /// Parts of this project.
    pub parent: Option<Uuid>,
    /// Only projects that are no part of another, or only those that are.
    pub top_level: Option<bool>,
    /// How far the project reaches, comma separated.
    #[param(value_type = Option<Vec<ProjectScope>>, style = Form, explode = false)]
    pub scope: Option<AnyOf<ProjectScope>>,
    /// What goes on after the project, comma separated.
    #[param(value_type = Option<Vec<Continuation>>, style = Form, explode = false)]
    pub continuation: Option<AnyOf<Continuation>>,
    /// Starts in this month or later.
    #[param(value_type = Option<String>, example = "2017-01")]
    pub start_from: Option<One<Month>>,
    /// Starts in this month or earlier.
    #[param(value_type = Option<String>, example = "2019-12")]
    pub start_to: Option<One<Month>>,
    /// Ends in this month or later.
    #[param(value_type = Option<String>, example = "2021-01")]
    pub end_from: Option<One<Month>>,
    /// Ends in this month or earlier.
    #[param(value_type = Option<String>, example = "2022-12")]
    pub end_to: Option<One<Month>>,
    /// Some of the target group are this old or older, in years. A target group without an upper age is open upwards;
    /// projects without any target age are left out.
    #[param(example = 6)]
    pub age_from: Option<i32>,
    /// Some of the target group are this old or younger, in years. A target group without a lower age is open
    /// downwards; projects without any target age are left out.
    #[param(example = 19)]
    pub age_to: Option<i32>,
    /// When the list is read; no parameter. The handler sets it from the clock of the service.
    #[serde(skip, default = "crate::clock::now")]
    pub now: DateTime<Utc>,
}

impl ProjectFilter {
    /// The query of the rows that pass the filter and the conditions.
    pub(super) fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = projects::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        query = self.by_time(query);
        query = self.by_people(query);
        if let Some(AnyOf(themes)) = &self.theme {
            query = query.filter(projects::themes.overlaps_with(themes.clone()));
        }
        for One(area) in self.region.iter().chain(&self.municipality) {
            let at_work = project_areas::table
                .filter(inside(area.as_str()))
                .select(project_areas::project_id);
            query = query.filter(projects::id.eq_any(at_work));
        }
        if let Some(parent) = self.parent {
            query = query.filter(projects::parent_id.eq(parent));
        }
        if let Some(top_level) = self.top_level {
            query = query.filter(projects::parent_id.is_null().eq(top_level));
        }
        if let Some(AnyOf(scopes)) = &self.scope {
            query = query.filter(projects::scope.eq_any(scopes.clone()));
        }
        if let Some(AnyOf(continuations)) = &self.continuation {
            query = query.filter(projects::continuation.eq_any(continuations.clone()));
        }
        query
    }

    /// Status and months.
    fn by_time(&self, mut query: store::Query) -> store::Query {
        if let Some(AnyOf(statuses)) = &self.status {
            query = query.filter(status::condition(statuses, &status::month_of(self.now)));
        }
        if let Some(One(month)) = &self.start_from {
            query = query.filter(projects::start_month.ge(month.to_string()));
        }
        if let Some(One(month)) = &self.start_to {
            query = query.filter(projects::start_month.le(month.to_string()));
        }
        if let Some(One(month)) = &self.end_from {
            query = query.filter(projects::end_month.ge(month.to_string()));
        }
        if let Some(One(month)) = &self.end_to {
            query = query.filter(projects::end_month.le(month.to_string()));
        }
        query
    }

    /// Partners and target ages.
    fn by_people(&self, mut query: store::Query) -> store::Query {
        let funded_by = |partner: Uuid| {
            funding_lines::table
                .filter(funding_lines::funder_id.eq(partner))
                .filter(funding_lines::project_id.is_not_null())
                .select(funding_lines::project_id.assume_not_null())
        };
        if let Some(AnyOf(owners)) = &self.owner {
            query = query.filter(projects::owner_id.eq_any(owners.clone()));
        }
        if let Some(funder) = self.funder {
            query = query.filter(projects::id.eq_any(funded_by(funder)));
        }
        if let Some(partner) = self.partner {
            // Only published partnerships: a draft would otherwise show itself by what the filter lets through.
            let worked_in_by = partnerships::table
                .filter(partnerships::partner_id.eq(partner))
                .filter(partnerships::deleted_at.is_null())
                .filter(partnerships::state.eq(State::Published))
                .filter(partnerships::project_id.is_not_null())
                .select(partnerships::project_id.assume_not_null());
            query = query.filter(
                (projects::owner_id.is_not_distinct_from(partner))
                    .or(projects::id.eq_any(funded_by(partner)))
                    .or(projects::id.eq_any(worked_in_by)),
            );
        }
        if let Some(age) = self.age_from {
            let open = projects::target_age_to
                .is_null()
                .and(projects::target_age_from.is_not_null());
            query = query.filter(projects::target_age_to.ge(age).or(open.nullable()));
        }
        if let Some(age) = self.age_to {
            let open = projects::target_age_from
                .is_null()
                .and(projects::target_age_to.is_not_null());
            query = query.filter(projects::target_age_from.le(age).or(open.nullable()));
        }
        query
    }
}
