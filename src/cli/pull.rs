//! `samverkan pull`: a folder is kept up to date.

use std::fmt::Write;

use super::{Failure, print};
use crate::config::{Office, Pull};
use crate::office::client::{Access, Service};
use crate::office::pull::{Copy, Pulled, Wanted};

pub(super) async fn run(asked: &Pull) -> Result<(), Failure> {
    let mut service = Service::new(access(&asked.office)?, None)?;
    let wanted = Wanted {
        dir: asked.dir.clone(),
        types: asked.types.iter().map(ToString::to_string).collect(),
    };
    let mut copy = Copy::open(&mut service, &wanted).await?;
    print(&report(&copy.update().await?))?;
    if asked.follow {
        loop {
            let pulled = copy.next().await?;
            print(&report(&pulled))?;
        }
    }
    Ok(())
}

/// Who asks, and where.
pub(super) fn access(office: &Office) -> Result<Access, Failure> {
    Ok(Access {
        url: office.url.clone(),
        client_id: office.client_id.clone(),
        secret: office.secret()?,
        patience: office.patience(),
        lang: office.lang,
    })
}

/// What was done, kind by kind, and whether the copy agrees with the service.
fn report(pulled: &Pulled) -> String {
    let mut text = String::new();
    // A String takes everything.
    if let Some(why) = &pulled.anew {
        let _ = writeln!(text, "copied as a whole: {why}");
    }
    for kind in &pulled.state.types {
        let changed = pulled.changed.get(&kind.of).copied().unwrap_or_default();
        let mut line = format!("{:<17} {:>9} rows", kind.of, kind.rows);
        if changed.written > 0 {
            let _ = write!(line, "  {} written", changed.written);
        }
        if changed.removed > 0 {
            let _ = write!(line, "  {} removed", changed.removed);
        }
        let _ = writeln!(text, "{line}");
    }
    let agrees = if pulled.checked {
        "the copy agrees with the service"
    } else {
        "not compared with the service, where changes keep coming"
    };
    let at = pulled.state.saved_at.format("%Y-%m-%d %H:%M:%S UTC");
    let _ = writeln!(text, "state of {at}: {agrees}");
    text
}
