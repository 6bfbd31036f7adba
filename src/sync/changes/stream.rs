//! The feed as server-sent events (HTML Living Standard, section 9.2): each event carries its cursor as its id, so a
//! client that comes back with `Last-Event-ID` goes on where it was.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use tokio::time::Instant;

use super::cursor::Cursor;
use super::follow::{Follower, Next};
use super::wake::Wake;
use crate::access::Grant;
use crate::access::bearer::Revocations;
use crate::access::permission::SyncRead;
use crate::clock::Clock;
use crate::db::Db;
use crate::telemetry::{self, RequestContext};

/// How often something is said when nothing happens, so that nobody between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it comes back, in milliseconds.
const RETRY: u32 = 3_000;

/// A stream under way.
pub(super) struct Events {
    pub(super) follower: Follower,
    pub(super) db: Db,
    pub(super) wake: Wake,
    pub(super) grant: Grant<SyncRead>,
    pub(super) revocations: Revocations,
    pub(super) clock: Clock,
    pub(super) limit: i64,
}

/// What the stream stands at between two turns.
struct Turn {
    events: Events,
    context: Option<Rc<RequestContext>>,
    cursor: Cursor,
    /// What was read before the answer began, so that a cursor that cannot be followed is a problem and no stream.
    first: Option<Next>,
}

impl Events {
    /// The events from these first changes on. The stream ends when the service stops, when the token it was asked for
    /// with is over, and at the first failure: the client comes back, and is told what is the matter.
    pub(super) fn from(self, first: Next) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let turn = Turn {
            events: self,
            // The language and the id of the request go on.
            context: telemetry::current(),
            cursor: first.cursor,
            first: Some(first),
        };
        stream::unfold(turn, async |turn| match turn.context.clone() {
            Some(context) => telemetry::with_context(context, turn.go_on()).await,
            None => turn.go_on().await,
        })
    }
}

impl Turn {
    async fn go_on(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let mut said = String::new();
        let next = if let Some(first) = self.first.take() {
            let _ = write!(said, "retry: {RETRY}\n\n");
            first
        } else {
            let Events {
                follower,
                db,
                wake,
                grant,
                revocations,
                clock,
                limit,
            } = &self.events;
            if wake.is_closed() || !grant.holds(revocations, clock.now()) {
                return None;
            }
            let deadline = Instant::now() + HEARTBEAT;
            let next = follower.next_or_wait(db, wake, Some(self.cursor), *limit, deadline);
            match next.await {
                // The token may be over by now; what changed meanwhile is not for it.
                Ok(_) if !grant.holds(revocations, clock.now()) => return None,
                Ok(next) => next,
                Err(problem) => {
                    log::info!("a stream of changes ends: {problem}");
                    return None;
                }
            }
        };
        say(&mut said, self.cursor, &next);
        self.cursor = next.cursor;
        Some((Ok(said.into()), self))
    }
}

/// Writes the changes as events, and the position after them as an id alone, which is no event; or a comment, when there
/// is nothing to say.
fn say(said: &mut String, before: Cursor, next: &Next) {
    let mut at = before;
    for change in &next.changes {
        at = Cursor {
            seq: change.seq,
            ..next.cursor
        };
        let data = serde_json::to_string(change).unwrap_or_default();
        let id = at.encode();
        let _ = write!(said, "id: {id}\nevent: change\ndata: {data}\n\n");
    }
    if at != next.cursor {
        let _ = write!(said, "id: {}\n\n", next.cursor.encode());
    } else if next.changes.is_empty() {
        said.push_str(":\n\n");
    }
}
