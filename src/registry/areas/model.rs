//! The row of an area.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use crate::access::Reach;
use crate::code_list;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::registry::codes::State;
use crate::schema::areas;

/// The code of the country.
pub const COUNTRY: &str = "SE";

code_list! {
    /// What kind of area it is.
    AreaKind = "area-kind", "Slag av område", "Kind of area", check Some("area_kind_known");
    Country = "country", "Land", "Country";
    Region = "region", "Län", "County";
    Municipality = "municipality", "Kommun", "Municipality";
    District = "district", "Distrikt", "District";
}

/// An area as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = areas, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct AreaRow {
    pub code: String,
    pub kind: AreaKind,
    pub name: String,
    pub parent_code: Option<String>,
    pub scheme: String,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    pub successor_code: Option<String>,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Kept for AreaRow {
    type Key = String;
    fn key(&self) -> &String {
        &self.code
    }
    /// An area lies in itself: there is no other column that says who keeps it.
    fn area(&self) -> &str {
        &self.code
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.deleted_at
    }
    fn visible(&self, reach: &Reach) -> bool {
        self.state == State::Published || reach.covers(&self.code)
    }
}

impl Sortable for AreaRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("name", "name"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::code("code", "code");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "name" => Some(self.name.clone()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.code.clone()),
        }
    }
}

/// What is written of a district. The code is written once: an update leaves it as it is.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = areas, primary_key(code), treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct DistrictChange<'a> {
    pub code: &'a str,
    pub kind: AreaKind,
    pub name: &'a str,
    pub parent_code: &'a str,
    pub scheme: &'a str,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    pub successor_code: Option<&'a str>,
    pub source_url: Option<&'a str>,
    pub state: State,
}
