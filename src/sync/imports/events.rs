//! The progress of an import as server-sent events.

use std::time::Duration;

use actix_web::Error;
use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::forms::ImportOut;
use super::store;
use crate::db::Db;

/// How often the database is asked.
const LOOK: Duration = Duration::from_millis(300);
/// How often something is said, so that nobody between takes the connection for dead.
const BREATH: Duration = Duration::from_secs(15);
/// How long one answer lasts; the client asks again.
const WHOLE: Duration = Duration::from_mins(10);

struct Follower {
    db: Db,
    id: Uuid,
    seen: i64,
    until: Instant,
    ended: bool,
}

/// The events of an import, until it has ended.
pub fn of(db: Db, id: Uuid) -> impl Stream<Item = Result<Bytes, Error>> {
    let follower = Follower {
        db,
        id,
        seen: 0,
        until: Instant::now() + WHOLE,
        ended: false,
    };
    unfold(follower, async |mut follower| {
        let said = follower.next().await?;
        Some((Ok(Bytes::from(said)), follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<String> {
        let quiet = Instant::now() + BREATH;
        while !self.ended && Instant::now() < self.until {
            let id = self.id;
            let found = self
                .db
                .read(async |conn| store::find(conn, &id).await)
                .await;
            match found {
                Ok(Some(row)) if row.version != self.seen => {
                    self.seen = row.version;
                    self.ended = row.state.is_final();
                    let event = if self.ended { "end" } else { "progress" };
                    let data = serde_json::to_string(&ImportOut::from_row(row, None)).ok()?;
                    return Some(format!("event: {event}\ndata: {data}\n\n"));
                }
                Ok(Some(_)) => {}
                Ok(None) => return None,
                // The database may be back in a moment; the client is told nothing that is not so.
                Err(error) => log::info!("the progress of an import cannot be read: {error}"),
            }
            if Instant::now() >= quiet {
                return Some(": goes on\n\n".to_owned());
            }
            sleep(LOOK).await;
        }
        None
    }
}
