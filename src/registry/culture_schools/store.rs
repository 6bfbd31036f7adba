//! Queries on culture schools.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{CultureSchoolChange, CultureSchoolRow};
use crate::db::Conn;
use crate::schema::{culture_schools, partnerships};
use crate::store_of;

store_of!(culture_schools, CultureSchoolRow, id: Uuid);

/// Writes a new culture school.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: CultureSchoolChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(culture_schools::table)
        .values((culture_schools::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a culture school anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: CultureSchoolChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(culture_schools::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Whether live partnerships name the culture school.
///
/// # Errors
/// When the query fails.
pub async fn in_use(conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let mut conn = conn;
    let works = partnerships::table
        .filter(partnerships::culture_school_id.eq(id))
        .filter(partnerships::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(works))
        .get_result(&mut conn)
        .await
}

/// The names of culture schools, for rows that refer to them.
///
/// # Errors
/// When the query fails.
pub async fn names(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut conn = conn;
    let rows: Vec<(Uuid, String)> = culture_schools::table
        .filter(culture_schools::id.eq_any(ids))
        .select((culture_schools::id, culture_schools::name))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The live culture school of a municipality with this name.
///
/// # Errors
/// When the query fails.
pub async fn by_name(conn: &Conn, municipality: &str, name: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    culture_schools::table
        .filter(culture_schools::area_code.eq(municipality))
        .filter(culture_schools::name.eq(name))
        .filter(culture_schools::deleted_at.is_null())
        .select(culture_schools::id)
        .limit(2)
        .load(&mut conn)
        .await
}
