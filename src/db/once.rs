//! What requests were answered with, by the key that their client gave them.
//!
//! The key is claimed by the first statement of the transaction that carries the request out, and kept with it or not at
//! all. A rival with the same key waits for that transaction at the unique index.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::Conn;
use crate::schema::idempotency_keys;

/// How long an answer is kept: a job that fails on Friday evening is mended by Monday.
pub const KEPT: TimeDelta = TimeDelta::days(7);

/// A key and the request that it is for.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The client, by its public id. The same key of another client is another key.
    pub client: String,
    /// The key.
    pub key: String,
    /// What tells the request from others.
    pub fingerprint: Vec<u8>,
    /// When it came.
    pub now: DateTime<Utc>,
}

/// What a request was answered with.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys, check_for_backend(diesel::pg::Pg))]
pub struct KeptAnswer {
    /// What tells the request from others.
    pub fingerprint: Vec<u8>,
    /// The status.
    pub status: Option<i32>,
    /// The headers, by name.
    pub headers: Value,
    /// The body; none where it is not kept.
    pub body: Option<Vec<u8>>,
}

impl Claim {
    /// Claims the key. The answer is none if it now is this request's, otherwise what the request was answered with that
    /// had it before.
    ///
    /// # Errors
    /// When the rival's transaction does not end in time ([`is_held_up`]), and when a statement fails.
    pub async fn take(&self, conn: &Conn) -> QueryResult<Option<KeptAnswer>> {
        if self.insert(conn).await? > 0 {
            return Ok(None);
        }
        if let Some(kept) = self.find(conn).await? {
            return Ok(Some(kept));
        }
        // There is one, but its time is over.
        let mut clearing = conn;
        diesel::delete(idempotency_keys::table.find((&self.client, &self.key)))
            .execute(&mut clearing)
            .await?;
        self.insert(conn).await?;
        Ok(None)
    }

    async fn insert(&self, conn: &Conn) -> QueryResult<usize> {
        let mut conn = conn;
        diesel::insert_into(idempotency_keys::table)
            .values((
                idempotency_keys::client_id.eq(&self.client),
                idempotency_keys::key.eq(&self.key),
                idempotency_keys::fingerprint.eq(&self.fingerprint),
                idempotency_keys::created_at.eq(self.now),
            ))
            .on_conflict_do_nothing()
            .execute(&mut conn)
            .await
    }

    /// What the request with this key was answered with, if it was carried out.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn find(&self, conn: &Conn) -> QueryResult<Option<KeptAnswer>> {
        let mut conn = conn;
        idempotency_keys::table
            .find((&self.client, &self.key))
            .filter(idempotency_keys::created_at.ge(self.now - KEPT))
            .select(KeptAnswer::as_select())
            .first(&mut conn)
            .await
            .optional()
    }

    /// Keeps the answer under the key that was claimed.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn keep(
        &self,
        conn: &Conn,
        status: u16,
        headers: Value,
        body: Option<&[u8]>,
    ) -> QueryResult<usize> {
        let mut conn = conn;
        diesel::update(idempotency_keys::table.find((&self.client, &self.key)))
            .set((
                idempotency_keys::status.eq(i32::from(status)),
                idempotency_keys::headers.eq(headers),
                idempotency_keys::body.eq(body),
            ))
            .execute(&mut conn)
            .await
    }
}

/// Whether a claim was given up because the rival's transaction went on for too long.
#[must_use]
pub fn is_held_up(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(_, info) if info.message().contains("lock timeout"))
}

/// Forgets what is older than [`KEPT`]; says how many keys that were.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &Conn, now: DateTime<Utc>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(now - KEPT)))
        .execute(&mut conn)
        .await
}
