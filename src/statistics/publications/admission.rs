//! Who may begin to make a publication: one at a time, under a name that is free, from sources that exist.

use std::time::Duration;

use tokio_postgres::Client;
use uuid::Uuid;

use super::freeze;
use super::make::Wanted;
use super::plain::Stopped;
use super::store::{self, Fallen};
use crate::db::Shared;
use crate::db::connect::{self, Work};
use crate::participation::rules::broken;
use crate::problem::{Fault, Problem, ProblemKind, text};
use crate::statistics::frozen::Source;

/// The lock that one making holds: the ASCII of "publish ".
pub const LOCK: i64 = 8_103_509_020_127_193_120;
/// How long the end of a transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Opens the connection that writes, lets one making at a time through, and checks what was asked for.
///
/// # Errors
/// 409 while another one is being made or if the name is taken, 422 for what does not exist.
pub async fn admitted(shared: &Shared, wanted: &Wanted) -> Result<(Client, Vec<Source>), Stopped> {
    if !is_name(&wanted.name) {
        return Err(Problem::invalid(broken("publication_name_format", "")).into());
    }
    let writer = connect::open_plain(shared.target(), Work::Publish).await?;
    writer.batch_execute("BEGIN").await?;
    if !locked(&writer).await? && !displaced(&writer).await? {
        return Err(Problem::new(ProblemKind::Conflict)
            .fault(Fault::at(
                "",
                "publication_in_the_making",
                text(
                    "En annan publicering görs eller provas just nu.",
                    "Another publication is being made or tried out just now.",
                ),
            ))
            .into());
    }
    match checked(shared, wanted, &writer).await {
        Ok(sources) => Ok((writer, sources)),
        Err(stopped) => {
            give_up(writer).await;
            Err(stopped)
        }
    }
}

/// Checks what was asked for, and finds its sources.
async fn checked(
    shared: &Shared,
    wanted: &Wanted,
    writer: &Client,
) -> Result<Vec<Source>, Stopped> {
    shared
        .write(async |conn| {
            // Whoever holds the lock is the only making there is.
            store::fail_where(conn, Fallen::All, store::SILENCE).await?;
            if store::is_taken(conn, &wanted.name).await? {
                let taken = broken("publication_name_once", "");
                return Err(Problem::new(ProblemKind::Conflict).fault(taken).into());
            }
            if let Some(corrects) = &wanted.corrects
                && !store::is_released(conn, corrects).await?
            {
                return Err(Problem::invalid(unknown("/corrects")).into());
            }
            Ok(())
        })
        .await?;
    freeze::sources(writer, wanted.sources.as_deref()).await
}

/// A name that no publication has.
#[must_use]
pub fn unknown(pointer: &str) -> Fault {
    Fault::at(
        pointer.to_owned(),
        "publication_exists",
        text(
            "Det finns ingen publicering med det namnet.",
            "There is no publication of that name.",
        ),
    )
}

/// The form of a name, as the database has it: a year and a number.
fn is_name(name: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    name.split_once('.').is_some_and(|(year, number)| {
        year.len() == 4
            && digits(year)
            && (1..=4).contains(&number.len())
            && digits(number)
            && !number.starts_with('0')
    })
}

async fn locked(writer: &Client) -> Result<bool, Stopped> {
    let row = writer
        .query_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    Ok(row.try_get(0)?)
}

/// Ends the connection of a making that fell silent but still holds the lock: its process is frozen, or the network to it is
/// gone. Says whether the lock is free now.
async fn displaced(writer: &Client) -> Result<bool, Stopped> {
    let ended = writer
        .execute(include_str!("sql/end_holder.sql"), &[&LOCK])
        .await?;
    if ended == 0 {
        return Ok(false);
    }
    log::warn!("ended the connection of a making that fell silent");
    for _ in 0..50 {
        if locked(writer).await? {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(false)
}

/// Ends the transaction, and with it whatever was written, and lets the next one through at once. On a connection that is
/// gone the server does the same.
pub async fn give_up(writer: Client) {
    if tokio::time::timeout(PATIENCE, writer.batch_execute("ROLLBACK"))
        .await
        .is_err()
    {
        log::warn!("the connection of a publication does not answer");
    }
}

/// Calls the connection after its publication, so that the next making can tell whose it is, should this one fall silent.
///
/// # Errors
/// When the connection is gone.
pub async fn name_after(writer: &Client, id: Uuid) -> Result<(), Stopped> {
    let name = format!("samverkan making {id}");
    writer
        .execute("SELECT set_config('application_name', $1, false)", &[&name])
        .await?;
    Ok(())
}
