//! How an export is made: one state of the database, read in small parts by a task of its own and handed to the answer
//! as fast as the client takes them. So the memory is the same for ten rows and for ten million.
//!
//! An export that ends is whole, and its last line says so. Whatever ends it before (the database, a client that takes
//! nothing any more, the time, a token that was revoked) breaks the answer off: the connection is closed in the middle of
//! it, and there is no last line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::{self, Display};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header;
use actix_web::rt;
use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use uuid::Uuid;

use super::export::ExportHead;
use super::snapshot::SnapshotRowOut;
use crate::access::Grant;
use crate::access::bearer::Revocations;
use crate::access::permission::SyncRead;
use crate::db::{DbError, LongSnapshot};
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use crate::sync::changes::follow::Follower;
use crate::sync::rows::{Batch, Part};
use crate::sync::types::EntityType;
use crate::telemetry;

/// The longest that an export may take. The state that it reads keeps the database from cleaning up behind newer ones.
pub const LONGEST: Duration = Duration::from_mins(30);
/// How long a request waits for a place.
const PLACE_WAIT: Duration = Duration::from_secs(2);
/// How long a client may take for one part.
const PART_WAIT: Duration = Duration::from_mins(1);
/// Rows of a part at the most: what a worker writes without keeping its other requests waiting.
const PART_ROWS: i64 = 200;
/// The same with the observations of reports, each counted as one.
const PART_WEIGHT: i64 = 2_000;

/// The places for exports of a process; clones share them. Each export has a connection of its own, so that none of the
/// connections for short work is ever taken by a long one.
#[derive(Clone, Debug)]
pub struct Exporter {
    places: Arc<Semaphore>,
    /// How many of them one client may hold: half, so that one that hangs does not keep all others waiting.
    share: usize,
    held: Arc<Mutex<HashMap<Uuid, usize>>>,
}

/// A place for an export, held by a client until this is dropped.
#[derive(Debug)]
pub struct Place {
    _place: OwnedSemaphorePermit,
    _claim: Claim,
}

/// A client's claim to one of the places that are its share.
#[derive(Debug)]
struct Claim {
    client: Uuid,
    held: Arc<Mutex<HashMap<Uuid, usize>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.entry(self.client) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

impl Exporter {
    /// With so many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            share: places.div_ceil(2),
            held: Arc::default(),
        }
    }

    fn claim(&self, client: Uuid) -> ApiResult<Claim> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.entry(client).or_default();
        if *own == self.share {
            let share = self.share;
            return Err(Problem::new(ProblemKind::TooManyRequests)
                .detail(text(
                    format!("Klienten har redan {share} exporter igång. Vänta tills en av dem är klar."),
                    format!("The client has {share} exports under way already. Wait until one of them has ended."),
                ))
                .with_header(header::RETRY_AFTER, "5"));
        }
        *own += 1;
        Ok(Claim {
            client,
            held: Arc::clone(&self.held),
        })
    }

    /// A place for a client, as soon as one is free.
    ///
    /// # Errors
    /// 429 when the client holds its share already; 503 when no place becomes free soon, or the service is about to stop.
    pub async fn place(&self, client: Uuid) -> ApiResult<Place> {
        let claim = self.claim(client)?;
        let place = timeout(PLACE_WAIT, Arc::clone(&self.places).acquire_owned()).await;
        match place {
            Ok(Ok(place)) => Ok(Place {
                _place: place,
                _claim: claim,
            }),
            Ok(Err(_)) => Err(Problem::unavailable("the service is about to stop")),
            Err(_) => Err(
                Problem::unavailable("all places for exports are taken").detail(text(
                    "Alla platser för exporter är upptagna. Försök igen om en stund.",
                    "All places for exports are taken. Try again in a moment.",
                )),
            ),
        }
    }

    /// Begins no export any more: the service is about to stop. Those under way have the time of all requests.
    pub fn close(&self) {
        self.places.close();
    }
}

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One object a line, and a last line with the digest of all lines before it.
    Ndjson,
    /// One object, whose end is the end.
    Json,
}

/// An export that has begun: its first rows are read, so that what can be refused has been.
pub(super) struct Export {
    pub(super) form: Form,
    pub(super) of: EntityType,
    pub(super) follower: Follower,
    pub(super) snapshot: LongSnapshot,
    pub(super) grant: Grant<SyncRead>,
    pub(super) revocations: Revocations,
    /// Held until the connection is closed.
    pub(super) place: Place,
}

/// What is handed to the answer.
struct Piece {
    bytes: Bytes,
    last: bool,
}

/// Why an export ended before its end.
enum Broken {
    Database(DbError),
    Writing(serde_json::Error),
    Revoked,
    Stalled,
    HungUp,
}

impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Writing(error) => error.fmt(f),
            Self::Revoked => f.write_str("its token was revoked"),
            Self::Stalled => write!(f, "the client took nothing for {PART_WAIT:?}"),
            Self::HungUp => f.write_str("the client hung up, or the service stopped"),
        }
    }
}

impl Export {
    /// Reads the next rows after this key.
    pub(super) async fn part(&self, after: Option<&str>) -> Result<Batch, DbError> {
        let part = Part::After {
            key: after,
            limit: PART_ROWS,
            weight: PART_WEIGHT,
        };
        self.snapshot
            .read(async |conn| self.follower.rows(conn, self.of, part).await)
            .await
    }

    /// The answer. A stream that was not whole ends with a failure.
    pub(super) fn stream(
        self,
        head: &ExportHead,
        first: Batch,
    ) -> ApiResult<impl Stream<Item = io::Result<Bytes>> + 'static> {
        let mut written = Written::new(self.form);
        written.head(head).map_err(Problem::internal)?;
        let (sender, receiver) = mpsc::channel(1);
        let context = telemetry::current();
        rt::spawn(async move {
            let making = self.make(written, first, sender);
            match context {
                // The id of the request goes on.
                Some(context) => telemetry::with_context(context, making).await,
                None => making.await,
            }
        });
        let pieces = stream::unfold(Some(receiver), async |receiver| {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Piece { bytes, last }) => Some((Ok(bytes), (!last).then_some(receiver))),
                None => Some((Err(io::Error::other("broken off")), None)),
            }
        });
        Ok(Box::pin(pieces))
    }

    async fn make(self, mut written: Written, first: Batch, pieces: mpsc::Sender<Piece>) {
        let of = self.of;
        let done = tokio::select! {
            done = timeout(LONGEST, self.write(&mut written, first, &pieces)) => done,
            // A query may be under way: nobody waits for it any more.
            () = pieces.closed() => Ok(Err(Broken::HungUp)),
        };
        let rows = written.rows;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(Broken::HungUp)) => {
                log::info!(kind = of.as_str(), rows; "an export broke off: {}", Broken::HungUp);
            }
            Ok(Err(why)) => {
                log::error!(kind = of.as_str(), rows; "an export broke off: {why}");
            }
            Err(_) => {
                log::error!(kind = of.as_str(), rows; "an export broke off: it took longer than {LONGEST:?}");
            }
        }
        drop(self.snapshot);
        drop(self.place);
    }

    async fn write(
        &self,
        written: &mut Written,
        first: Batch,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<(), Broken> {
        let mut batch = first;
        loop {
            let after = batch.rows.last().map(|row| row.key.clone());
            for row in batch.rows {
                let row = SnapshotRowOut::of(self.of, row);
                written.row(&row).map_err(Broken::Writing)?;
            }
            if !batch.more {
                written.tail();
            }
            let piece = Piece {
                bytes: written.take(),
                last: !batch.more,
            };
            let room = timeout(PART_WAIT, pieces.reserve()).await;
            let room = room.map_err(|_| Broken::Stalled)?;
            room.map_err(|_| Broken::HungUp)?.send(piece);
            if !batch.more {
                return Ok(());
            }
            if self.grant.is_revoked(&self.revocations) {
                return Err(Broken::Revoked);
            }
            batch = self
                .part(after.as_deref())
                .await
                .map_err(Broken::Database)?;
        }
    }
}

/// The text of an export as far as it is written.
struct Written {
    form: Form,
    bytes: Vec<u8>,
    hash: Sha256,
    rows: u64,
}

impl Written {
    fn new(form: Form) -> Self {
        Self {
            form,
            bytes: Vec::new(),
            hash: Sha256::new(),
            rows: 0,
        }
    }

    fn head(&mut self, head: &ExportHead) -> serde_json::Result<()> {
        serde_json::to_writer(&mut self.bytes, head)?;
        if self.form == Form::Json {
            // The rows are one more member.
            self.bytes.pop();
            self.bytes.extend_from_slice(b",\"items\":[");
        }
        self.bytes.push(b'\n');
        Ok(())
    }

    fn row(&mut self, row: &SnapshotRowOut) -> serde_json::Result<()> {
        if self.form == Form::Json && self.rows > 0 {
            self.bytes.push(b',');
        }
        serde_json::to_writer(&mut self.bytes, row)?;
        self.bytes.push(b'\n');
        self.rows += 1;
        Ok(())
    }

    fn tail(&mut self) {
        let rows = self.rows;
        let tail = match self.form {
            Form::Ndjson => {
                let mut hash = self.hash.clone();
                hash.update(&self.bytes);
                let hash = hash.finalize();
                json!({"end": true, "rows": rows, "sha256": format!("{hash:x}")}).to_string()
            }
            Form::Json => format!("],\"rows\":{rows}}}"),
        };
        self.bytes.extend_from_slice(tail.as_bytes());
        self.bytes.push(b'\n');
    }

    /// What has been written since the last time.
    fn take(&mut self) -> Bytes {
        self.hash.update(&self.bytes);
        std::mem::take(&mut self.bytes).into()
    }
}
