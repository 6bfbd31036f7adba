//! The observations of a report as they were: what they said before they were changed or removed is kept by triggers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::api::{ObservationOut, Observations};
use super::model::{ObservationRow, Observed};
use super::of_report::ReportObservationFilter;
use super::store;
use crate::access::Reach;
use crate::db::Conn;
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::http::params::AnyOf;
use crate::http::resource::{Resource, View};

diesel::table! {
    /// The view on every state of every observation.
    observation_states (id) {
        /// The observation, through all its states.
        id -> Uuid,
        /// Its report.
        report_id -> Uuid,
        /// As in `observations`, and so on.
        measure_code -> Text,
        /// The area that the number is about.
        area_code -> Text,
        /// Where people are counted.
        basis -> Text,
        /// Of whom.
        gender -> Text,
        /// Of which ages.
        age_band -> Text,
        /// In which art form.
        subject -> Text,
        /// In which form of activity.
        activity_form -> Text,
        /// The value.
        value -> Nullable<Double>,
        /// Whether there is one.
        status -> Text,
        /// How exact it is.
        precision -> Text,
        /// What a reader should know.
        note -> Nullable<Text>,
        /// Since when it says so.
        updated_at -> Timestamptz,
        /// Until when it said so.
        until -> Timestamptz,
    }
}

type Query = observation_states::BoxedQuery<'static, diesel::pg::Pg>;

/// The observations of one report at a time. That the report may be seen is known before they are asked for.
pub struct EarlierObservations;

/// Which of them.
pub struct Then {
    /// Of this report.
    pub report: Uuid,
    /// At the time of one of its versions: what that version was made of was written before it, and what the next one
    /// changed was changed after it.
    pub at: DateTime<Utc>,
    /// And of these only.
    pub only: ReportObservationFilter,
}

impl Resource for EarlierObservations {
    const PATH: &'static str = Observations::PATH;
    type Row = Observed;
    type Out = ObservationOut;
    type Filter = Then;

    fn visible(_: &Reach) -> Condition {
        Condition::sql("true")
    }

    fn live() -> Condition {
        Condition::sql("true")
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<Observed>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        then: &Then,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<Observed>, Option<i64>)> {
        let (mut reading, mut counting) = (conn, conn);
        let mut rows = then.apply(conditions);
        if let Some(after) = window.after() {
            rows = rows.filter(after);
        }
        let rows = rows
            .order_by(window.order_by())
            .limit(window.limit + i64::from(!window.counts()))
            .offset(window.offset())
            .select((
                observation_states::id,
                observation_states::report_id,
                observation_states::measure_code,
                observation_states::area_code,
                observation_states::basis,
                observation_states::gender,
                observation_states::age_band,
                observation_states::subject,
                observation_states::activity_form,
                observation_states::value,
                observation_states::status,
                observation_states::precision,
                observation_states::note,
                observation_states::updated_at,
            ))
            .load::<ObservationRow>(&mut reading);
        let (rows, total) = if window.counts() {
            let total = then.apply(conditions).count().get_result(&mut counting);
            let (rows, total) = futures_util::try_join!(rows, total)?;
            (rows, Some(total))
        } else {
            (rows.await?, None)
        };
        Ok((store::with_reports(conn, rows).await?, total))
    }

    async fn show(
        conn: &Conn,
        view: &View,
        rows: Vec<Observed>,
    ) -> QueryResult<Vec<ObservationOut>> {
        Observations::show(conn, view, rows).await
    }
}

impl Then {
    fn apply(&self, conditions: &[Condition]) -> Query {
        let mut query = observation_states::table
            .filter(observation_states::report_id.eq(self.report))
            .filter(observation_states::updated_at.le(self.at))
            .filter(observation_states::until.gt(self.at))
            .into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(codes)) = &self.only.measure {
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            query = query.filter(observation_states::measure_code.eq_any(codes));
        }
        if let Some(AnyOf(codes)) = &self.only.area {
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            query = query.filter(observation_states::area_code.eq_any(codes));
        }
        if let Some(AnyOf(statuses)) = &self.only.status {
            query = query.filter(observation_states::status.eq_any(statuses.clone()));
        }
        query
    }
}
