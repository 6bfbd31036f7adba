//! The rows of a file that was looked through, handed out in parts to be written.
//!
//! Reading is work for the processor and may wait for the disk, so it has threads of its own; what is not yet written is
//! four parts at the most, two of them under way, however large the file is.

use tokio::sync::mpsc;

use super::payload::{File, Given, Rows, Survey};
use super::types::ImportType;
use crate::formats::read::ReadFault;
use crate::problem::Problem;

/// How many rows are handed out, and written in one transaction: of the first part, and of each one behind it. Observations
/// are written with a few statements for all of them and their reports, other rows one by one. While a first part is read
/// nothing is written, so that is a small one.
const fn sizes(resource: ImportType) -> (usize, usize) {
    match resource {
        ImportType::Observations => (2_000, 8_000),
        _ => (1_000, 1_000),
    }
}

/// Why a part cannot be had.
#[derive(Debug)]
pub enum Unread {
    /// Something speaks against the file.
    Faults(Vec<ReadFault>),
    /// The reading broke down: our own fault.
    Broken(Problem),
}

/// The rows of a file in parts.
pub struct Parts {
    taken: mpsc::Receiver<Result<Vec<Given>, Vec<ReadFault>>>,
    /// How many rows are to come.
    left: i64,
}

impl Parts {
    /// Those of a file that was surveyed, from a position on. Reading stops when nobody takes them any more.
    #[must_use]
    pub fn of(file: &File, survey: &Survey, from: i64) -> Self {
        let (give, taken) = mpsc::channel(1);
        let left = survey.total - from;
        let file = File {
            looked_through: true,
            ..file.clone()
        };
        let head = survey.head.clone();
        tokio::task::spawn_blocking(move || {
            let rows = match Rows::open(&file, head.as_ref(), true) {
                Ok((rows, _)) => rows,
                Err(faults) => return drop(give.blocking_send(Err(faults))),
            };
            let (first, whole) = sizes(file.plan.resource);
            // Whoever goes on parts the rest as it would have been: how often a report changes does not tell of accidents.
            let mut size = if from == 0 { first } else { whole };
            let room = |size| most(size).min(usize::try_from(left).unwrap_or_default());
            let mut part: Vec<Given> = Vec::with_capacity(room(size));
            for given in rows {
                let given = match given {
                    Err(fault) => return drop(give.blocking_send(Err(vec![fault]))),
                    Ok(given) if given.position < from => continue,
                    Ok(given) => given,
                };
                if ends(&part, &given, size) {
                    size = whole;
                    let full = std::mem::replace(&mut part, Vec::with_capacity(room(size)));
                    if give.blocking_send(Ok(full)).is_err() {
                        return;
                    }
                }
                part.push(given);
            }
            if !part.is_empty() {
                drop(give.blocking_send(Ok(part)));
            }
        });
        Self { taken, left }
    }

    /// The next part; none after the last row. A reading that ended before it is no end.
    pub async fn next(&mut self) -> Option<Result<Vec<Given>, Unread>> {
        match self.taken.recv().await {
            Some(Ok(part)) => {
                self.left -= i64::try_from(part.len()).unwrap_or(i64::MAX);
                Some(Ok(part))
            }
            Some(Err(faults)) => {
                self.left = 0;
                Some(Err(Unread::Faults(faults)))
            }
            None if self.left == 0 => None,
            None => {
                self.left = 0;
                let broken = Problem::internal("a file was not read to its end");
                Some(Err(Unread::Broken(broken)))
            }
        }
    }
}

/// Whether a part of this size ends before this row. One of observations goes on for up to half as many, so that the rows of
/// a report stay together if they stand together: then it changes once, and two parts seldom wait for each other.
fn ends(part: &[Given], next: &Given, size: usize) -> bool {
    if part.len() < size {
        return false;
    }
    let together = match (part.last().and_then(Given::apart), next.apart()) {
        (Some(last), Some(next)) => last.report() == next.report(),
        _ => false,
    };
    !together || part.len() >= most(size)
}

/// The most rows of a part of this size.
const fn most(size: usize) -> usize {
    size + size / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read::Members;
    use crate::sync::imports::codes::ImportStrategy;
    use crate::sync::imports::observations;

    #[test]
    fn a_part_ends_where_a_report_does() {
        let row = |report: &str| {
            let mut members = Members::default();
            members.push("source", serde_json::json!({"title": report}));
            for (name, text) in [("area", "1880"), ("period", "2025"), ("measure", "pupils")] {
                members.push(name, text.into());
            }
            let observed = observations::Reader::new(ImportStrategy::Upsert).read(&members);
            Given {
                position: 0,
                line: 1,
                members: Ok(members),
                notes: Vec::new(),
                observed: Some(observed.map(Box::new)),
                came: None,
            }
        };
        let rows = |n: usize| -> Vec<Given> { (0..n).map(|_| row("a")).collect() };
        assert!(!ends(&rows(3), &row("b"), 4));
        assert!(ends(&rows(4), &row("b"), 4));
        assert!(!ends(&rows(4), &row("a"), 4));
        assert!(!ends(&rows(5), &row("a"), 4));
        assert!(ends(&rows(6), &row("a"), 4));
        let unread = Given {
            observed: None,
            ..row("a")
        };
        assert!(ends(&rows(4), &unread, 4));
        assert!(ends(&[unread], &row("a"), 1));
    }

    #[actix_web::test]
    async fn a_reading_that_ends_too_soon_is_no_end() {
        let (give, taken) = mpsc::channel(1);
        let mut parts = Parts { taken, left: 1 };
        drop(give);
        assert!(matches!(parts.next().await, Some(Err(Unread::Broken(_)))));
        assert!(parts.next().await.is_none());
    }
}
