//! The rows of clients and their secrets.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::access::Reach;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::schema::{client_secrets, clients};

/// A client as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = clients, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ClientRow {
    pub id: Uuid,
    pub client_id: String,
    pub name: String,
    pub permissions: Vec<String>,
    pub areas: Vec<String>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Kept for ClientRow {
    type Key = Uuid;
    fn key(&self) -> &Uuid {
        &self.id
    }
    /// No single area keeps a client; [`Kept::visible`] asks for all of them.
    fn area(&self) -> &str {
        self.areas.first().map_or("SE", String::as_str)
    }
    fn version(&self) -> i64 {
        self.version
    }
    /// A revoked client is still shown, so it never is a tombstone.
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        None
    }
    fn visible(&self, reach: &Reach) -> bool {
        self.areas.iter().all(|area| reach.covers(area))
    }
}

impl Sortable for ClientRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("name", "name"),
        SortKey::code("clientId", "client_id"),
        SortKey::typed("createdAt", "created_at", "::timestamptz"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "name" => Some(self.name.clone()),
            "clientId" => Some(self.client_id.clone()),
            "createdAt" => Some(self.created_at.to_rfc3339()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = clients)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ClientChange<'a> {
    pub name: &'a str,
    pub permissions: Vec<&'a str>,
    pub areas: Vec<&'a str>,
}

/// A secret as it may be shown: without its hash.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = client_secrets, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct SecretRow {
    pub id: Uuid,
    pub client_id: Uuid,
    pub public_id: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Everything that decides whether a secret earns a token, and which.
#[derive(Clone, Debug, Queryable)]
pub struct Credential {
    /// The secret's row.
    pub secret_id: Uuid,
    /// SHA-256 of the secret.
    pub secret_hash: Vec<u8>,
    /// When the secret was revoked.
    pub secret_revoked_at: Option<DateTime<Utc>>,
    /// When it last earned a token, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The client's row.
    pub subject: Uuid,
    /// The client's public id.
    pub client_id: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Where.
    pub areas: Vec<String>,
    /// When the client was revoked.
    pub client_revoked_at: Option<DateTime<Utc>>,
    /// Tokens up to and including this second are refused; 1970 if none ever were.
    pub tokens_valid_after: DateTime<Utc>,
}

impl Credential {
    /// The moment that a token issued now bears. It must be younger than the last refusal of this client's tokens, or
    /// it would be refused all its life; that lies a second or two ahead at the most, which the leeway of the check
    /// ([`crate::access::token::LEEWAY_SECONDS`]) allows.
    #[must_use]
    pub fn first_second(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.max(self.tokens_valid_after + TimeDelta::seconds(1))
    }
}
