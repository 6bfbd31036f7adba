//! Following the feed: the next changes that one reader may see, with the rows as they are now.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::cursor::{Cursor, Lost, filter_of, scope_of};
use super::store::{self, Change, Standing};
use super::wake::Wake;
use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission};
use crate::db::{Conn, Db};
use crate::http::params::AnyOf;
use crate::http::resource::{View, plain};
use crate::participation::reports::store::observation_counts;
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use crate::sync::rows::{Batch, Part, light_enough, scopes};
use crate::sync::types::{ChangeOp, EntityType};

/// The most rows of one answer, each observation counted as one.
pub const MAX_WEIGHT: i64 = 20_000;

/// One change: what became of a row, at its newest.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Change)]
pub struct ChangeOut {
    /// Its number as text; rises, with gaps.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "1042")]
    pub seq: i64,
    /// Kind of row: the path of its resource.
    #[serde(rename = "type")]
    pub of: EntityType,
    /// Id or code of the row.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub key: String,
    /// What became of it.
    pub op: ChangeOp,
    /// The version of the row.
    #[schema(example = 7)]
    pub version: i64,
    /// When (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub changed_at: DateTime<Utc>,
    /// The client that changed it; null for the service itself.
    #[schema(example = "client_k3v7q2mzt5abcdef")]
    pub client: Option<String>,
    /// The request that changed it, its `X-Request-Id`; null for the service itself.
    pub request: Option<Uuid>,
    /// The row as its resource shows it to this client: a collaboration with its members, a partner with its contacts if
    /// the client may read them, a report with its `observations`. Null unless `op` is `upsert`.
    #[schema(value_type = Option<Object>, example = json!({"id": "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "name": "Örebro Idrottsförening", "version": 7}))]
    pub data: Option<Value>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn as_text<S: Serializer>(seq: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(seq)
}

/// The next changes, and where to go on.
#[derive(Clone, Debug)]
pub struct Next {
    /// In the order in which they became visible.
    pub changes: Vec<ChangeOut>,
    /// After the last position that was looked at, whether or not it is among the changes.
    pub cursor: Cursor,
    /// Whether there are more positions already.
    pub has_more: bool,
}

/// What one reader follows.
#[derive(Clone, Debug)]
pub struct Follower {
    types: Vec<EntityType>,
    view: View,
    filter: u32,
    scope: u32,
}

impl Follower {
    /// Of these types, or of all that the client may read.
    ///
    /// # Errors
    /// 403 for a type that it may not read, and if there is none that it may.
    pub fn new(
        db: &Db,
        grant: &Grant<SyncRead>,
        asked: Option<&AnyOf<EntityType>>,
    ) -> ApiResult<Self> {
        let may = |permission| grant.also(permission);
        let asked = asked.map(|AnyOf(types)| types.as_slice());
        let wanted = |of: &EntityType| asked.is_none_or(|types| types.contains(of));
        let (types, refused): (Vec<_>, Vec<_>) = EntityType::ALL
            .into_iter()
            .filter(wanted)
            .partition(|of| may(of.permission()));
        if let Some(refused) = refused.first()
            && (asked.is_some() || types.is_empty())
        {
            let needed = refused.permission();
            return Err(
                Problem::new(ProblemKind::InsufficientPermission).detail(text(
                    format!("{refused} kräver också behörigheten {needed}."),
                    format!("{refused} needs the permission {needed} as well."),
                )),
            );
        }
        let mut view = plain(db, grant);
        view.contacts = may(Permission::ContactsRead);
        Ok(Self {
            filter: filter_of(asked),
            scope: scope_of(grant.reach(), may),
            view,
            types,
        })
    }

    /// The types, in the order in which a copy can store them.
    #[must_use]
    pub fn types(&self) -> &[EntityType] {
        &self.types
    }

    /// The areas whose scopes it may see, for a query; none if that is the whole country.
    #[must_use]
    pub fn areas(&self) -> Option<Vec<String>> {
        scopes(&self.view.reach)
    }

    /// The cursor of somebody who has everything.
    #[must_use]
    pub fn newest(&self, standing: &Standing) -> Cursor {
        self.at(standing, standing.newest, standing.newest)
    }

    fn at(&self, standing: &Standing, seq: i64, began: i64) -> Cursor {
        Cursor {
            epoch: standing.epoch.id,
            seq,
            began,
            filter: self.filter,
            scope: self.scope,
        }
    }

    /// Whether it can go on from there.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, cursor: Cursor, standing: &Standing) -> Result<(), Lost> {
        cursor.check(self.filter, self.scope, standing)
    }

    /// Rows of a kind as it may see them.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn rows(&self, conn: &Conn, of: EntityType, part: Part<'_>) -> QueryResult<Batch> {
        of.read(conn, &self.view, part).await
    }

    /// The next changes after the cursor, or from the beginning, all of one state of the database.
    ///
    /// # Errors
    /// 410 for a cursor that cannot be followed.
    pub async fn next(&self, db: &Db, cursor: Option<Cursor>, limit: i64) -> ApiResult<Next> {
        db.snapshot(async |conn| self.read(conn, cursor, limit).await)
            .await?
    }

    /// As [`next`](Self::next); while there is nothing, it waits until the deadline without holding a connection.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_or_wait(
        &self,
        db: &Db,
        wake: &Wake,
        cursor: Option<Cursor>,
        limit: i64,
        deadline: Instant,
    ) -> ApiResult<Next> {
        let mut waiting = wake.waiting();
        let mut next = self.next(db, cursor, limit).await?;
        while next.changes.is_empty()
            && !next.has_more
            && !wake.is_closed()
            && Instant::now() < deadline
        {
            waiting.until(deadline).await;
            // Every commit of the country wakes everybody: most of them look once and sleep on.
            if self.something_after(db, next.cursor.seq).await? {
                next = self.next(db, Some(next.cursor), limit).await?;
            }
        }
        Ok(next)
    }

    async fn something_after(&self, db: &Db, seq: i64) -> ApiResult<bool> {
        let areas = self.areas();
        let found = db
            .read(async |conn| store::after(conn, seq, &self.types, areas.as_deref(), 1).await)
            .await?;
        Ok(!found.is_empty())
    }

    async fn read(
        &self,
        conn: &Conn,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> QueryResult<ApiResult<Next>> {
        let standing = store::standing(conn).await?;
        if let Some(cursor) = cursor
            && let Err(lost) = self.check(cursor, &standing)
        {
            return Ok(Err(lost.into()));
        }
        let (from, began) =
            cursor.map_or((0, standing.newest), |cursor| (cursor.seq, cursor.began));
        let areas = self.areas();
        let mut found = store::after(conn, from, &self.types, areas.as_deref(), limit + 1).await?;
        let fitting = fitting(conn, &found, limit).await?;
        let (seq, has_more) = if fitting < found.len() {
            found.truncate(fitting);
            (found.last().map_or(from, |change| change.seq), true)
        } else {
            match store::horizon(conn, from).await? {
                Some(far) => (far, far < standing.newest),
                None => (standing.newest, false),
            }
        };
        Ok(Ok(Next {
            changes: self.with_rows(conn, found).await?,
            cursor: self.at(&standing, seq, began),
            has_more,
        }))
    }

    async fn with_rows(&self, conn: &Conn, changes: Vec<Change>) -> QueryResult<Vec<ChangeOut>> {
        let mut rows = HashMap::new();
        for of in &self.types {
            let there =
                |change: &&Change| change.entity_type == *of && change.op == ChangeOp::Upsert;
            let keys = changes.iter().filter(there);
            let keys: Vec<String> = keys.map(|change| change.entity_key.clone()).collect();
            if keys.is_empty() {
                continue;
            }
            for row in self.rows(conn, *of, Part::Keys(&keys)).await?.rows {
                rows.insert((*of, row.key), (row.version, row.data));
            }
        }
        let told = changes.into_iter().map(|change| {
            let mut out = ChangeOut {
                seq: change.seq,
                of: change.entity_type,
                key: change.entity_key,
                op: change.op,
                version: change.version,
                changed_at: change.changed_at,
                client: change.client_id,
                request: change.request_id,
                data: None,
            };
            if out.op == ChangeOp::Upsert {
                if let Some((version, data)) = rows.remove(&(out.of, out.key.clone())) {
                    out.version = version;
                    out.data = Some(data);
                } else {
                    // The feed and the resource disagree on who may see it: the resource decides.
                    log::error!(seq = out.seq, kind = out.of.as_str(); "a row of the feed cannot be read");
                    out.op = ChangeOp::Leave;
                }
            }
            out
        });
        Ok(told.collect())
    }
}

/// How many of the changes fit into one answer: at least one, and no more than [`MAX_WEIGHT`] rows with them.
async fn fitting(conn: &Conn, found: &[Change], limit: i64) -> QueryResult<usize> {
    let limit = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .min(found.len());
    let is_report = |change: &&Change| {
        change.entity_type == EntityType::Reports && change.op == ChangeOp::Upsert
    };
    let key = |change: &Change| change.entity_key.parse::<Uuid>().ok();
    let ids: Vec<Uuid> = found.iter().filter(is_report).filter_map(key).collect();
    if ids.is_empty() {
        return Ok(limit);
    }
    let observations = observation_counts(conn, ids).await?;
    let weights = found.iter().take(limit).map(|change| {
        let own = key(change).and_then(|id| observations.get(&id));
        1 + own.copied().unwrap_or(0)
    });
    Ok(light_enough(weights, MAX_WEIGHT))
}
