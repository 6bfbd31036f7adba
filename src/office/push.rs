//! `samverkan push`: a file of rows is imported, and what became of each row is told.
//!
//! The `Idempotency-Key` comes of the file's bytes and of what is to be done with them. So the same command may be given
//! again, by a person or by a job that lost the answer: it gets the answer of the first time, and nothing is written twice.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, RequestBuilder, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;
use uuid::Uuid;

use super::OfficeError;
use super::answers::{Import, ImportRow, ImportRows};
use super::client::{Access, Answer, Service};
use super::folder::replace;
use crate::formats::read::FileKind;

/// How long the service may be silent while it takes a file in: a large one takes its time on a thin line.
const SILENCE: Duration = Duration::from_mins(30);
/// How often the service is asked how far a job is.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// What is read and sent at a time.
const PIECE: usize = 64 * 1024;
/// The outcomes of rows that were refused.
const REFUSED: &str = "conflict,invalid,forbidden,gone";

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The file.
    pub file: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// What is to be done with it: the parameters of `POST /imports`, `type` among them.
    pub query: Vec<(&'static str, String)>,
    /// Whether it is an import of its own even though the same was sent before.
    pub again: bool,
    /// Where the refused rows are saved, if they are.
    pub rejected: Option<PathBuf>,
    /// How many refused rows are to be told of.
    pub most: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes of the file are sent.
    Sent(u64, u64),
    /// So many rows are done, if it is known of how many.
    Done(u64, Option<u64>),
}

/// Hears how far it is.
pub type Tell = Arc<dyn Fn(Step) + Send + Sync>;

/// What came of it.
#[derive(Debug)]
pub struct Pushed {
    /// The import.
    pub import: Import,
    /// The first rows that were refused.
    pub refused: Vec<ImportRow>,
    /// Whether this is the answer to the same import, sent before.
    pub replayed: bool,
    /// Where the refused rows were saved, or why they could not be: what became of the rows must be told all the same.
    pub saved: Option<Result<PathBuf, OfficeError>>,
}

impl Pushed {
    /// Whether everything in the file was taken, and what was to be saved is.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.import.state == "done" && self.import.refused() == 0
    }
}

/// Sends a file and waits until every row of it has its outcome.
///
/// # Errors
/// When the file cannot be read, or the service is away for too long, or refuses the request itself.
pub async fn push(access: Access, wanted: &Wanted, tell: &Tell) -> Result<Pushed, OfficeError> {
    let (size, hash) = read_through(wanted).map_err(OfficeError::file(&wanted.file))?;
    let key = if wanted.again {
        Uuid::now_v7().to_string()
    } else {
        key(wanted, &hash)
    };
    let answer = send(access.clone(), wanted, size, &key, tell).await?;
    let replayed = answer.headers.contains_key("idempotent-replayed");
    let mut import: Import = answer.json()?;
    let mut service = Service::new(access, None)?;
    if answer.status == StatusCode::ACCEPTED {
        import = wait(&mut service, import, tell).await?;
    }
    let mut refused = import.rows.take().map_or_else(Vec::new, |rows| {
        rows.into_iter().filter(ImportRow::is_refused).collect()
    });
    if let Some(id) = &import.id
        && import.refused() > 0
        && refused.is_empty()
    {
        let path = format!("/imports/{id}/rows");
        let limit = wanted.most.clamp(1, 1000).to_string();
        let rows: ImportRows = service
            .get(&path, &[("outcome", REFUSED), ("limit", &limit)])
            .await?;
        refused = rows.items;
    }
    refused.truncate(usize::try_from(wanted.most).unwrap_or(usize::MAX));
    let saved = save_rejected(&mut service, wanted, &import)
        .await
        .transpose();
    Ok(Pushed {
        import,
        refused,
        replayed,
        saved,
    })
}

/// The size of the file, and its hash.
fn read_through(wanted: &Wanted) -> io::Result<(u64, Sha256)> {
    let mut file = File::open(&wanted.file)?;
    let mut hash = Sha256::new();
    let size = io::copy(&mut file, &mut hash)?;
    Ok((size, hash))
}

/// Of the bytes, of what they are, and of what is to be done with them.
fn key(wanted: &Wanted, hash: &Sha256) -> String {
    let mut query = wanted.query.clone();
    query.sort_unstable();
    let mut all = Sha256::new();
    all.update(hash.clone().finalize());
    all.update(wanted.kind.media_type());
    for (name, value) in query {
        all.update(format!("\n{name}={value}"));
    }
    format!("push-{:x}", all.finalize())
}

async fn send(
    access: Access,
    wanted: &Wanted,
    size: u64,
    key: &str,
    tell: &Tell,
) -> Result<Answer, OfficeError> {
    let mut service = Service::new(access, Some(SILENCE))?;
    service
        .send(Method::POST, "/imports", async |request: RequestBuilder| {
            let file = File::open(&wanted.file).map_err(OfficeError::file(&wanted.file))?;
            Ok(request
                .query(&wanted.query)
                .header("Idempotency-Key", key)
                .header(CONTENT_TYPE, wanted.kind.media_type())
                .header(CONTENT_LENGTH, size)
                .body(body(file, size, Arc::clone(tell))))
        })
        .await
}

/// The file piece by piece, so that its size does not matter.
fn body(file: File, size: u64, tell: Tell) -> Body {
    let pieces = stream::try_unfold((file, 0), move |(mut file, sent)| {
        let tell = Arc::clone(&tell);
        async move {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece)?;
            if read == 0 {
                return io::Result::Ok(None);
            }
            piece.truncate(read);
            let sent = sent + read as u64;
            tell(Step::Sent(sent, size));
            Ok(Some((piece, (file, sent))))
        }
    });
    Body::wrap_stream(pieces)
}

/// Waits until a job has ended.
async fn wait(
    service: &mut Service,
    mut import: Import,
    tell: &Tell,
) -> Result<Import, OfficeError> {
    let Some(id) = import.id.clone() else {
        return Ok(import);
    };
    let path = format!("/imports/{id}");
    while import.is_going_on() {
        tell(Step::Done(import.done, import.total));
        sleep(ASK_EVERY).await;
        import = service.get(&path, &[]).await?;
    }
    tell(Step::Done(import.done, import.total));
    Ok(import)
}

/// Saves the refused rows as a file like the one that was sent, with the reasons beside them.
async fn save_rejected(
    service: &mut Service,
    wanted: &Wanted,
    import: &Import,
) -> Result<Option<PathBuf>, OfficeError> {
    let (Some(place), Some(id)) = (&wanted.rejected, &import.id) else {
        return Ok(None);
    };
    if import.refused() == 0 {
        return Ok(None);
    }
    let path = format!("/imports/{id}/rejected");
    let answer = service
        .send(Method::GET, &path, async |request: RequestBuilder| {
            Ok(request)
        })
        .await?;
    replace(place, &answer.body).map_err(OfficeError::file(place))?;
    Ok(Some(place.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_tells_files_formats_and_errands_apart_and_not_the_order_of_what_is_asked() {
        let wanted = |kind, query: &[(&'static str, &str)]| Wanted {
            file: PathBuf::new(),
            kind,
            query: query
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            again: false,
            rejected: None,
            most: 0,
        };
        let hash = |text: &str| Sha256::new_with_prefix(text);
        let csv = wanted(FileKind::Csv, &[("type", "partners"), ("mode", "atomic")]);
        let one = key(&csv, &hash("a"));
        let turned = wanted(FileKind::Csv, &[("mode", "atomic"), ("type", "partners")]);
        assert_eq!(one, key(&turned, &hash("a")));
        assert!((8..=128).contains(&one.len()), "{one}");
        for other in [
            key(&csv, &hash("b")),
            key(
                &wanted(
                    FileKind::Ndjson,
                    &csv.query
                        .iter()
                        .map(|(n, v)| (*n, v.as_str()))
                        .collect::<Vec<_>>(),
                ),
                &hash("a"),
            ),
            key(&wanted(FileKind::Csv, &[("type", "partners")]), &hash("a")),
        ] {
            assert_ne!(one, other);
        }
    }
}
