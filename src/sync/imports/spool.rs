//! A body that may be large: kept in memory while it is small, then in a file that goes away with it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use crate::formats::read::Source;
use crate::problem::{ApiResult, Problem, ProblemKind, text};

/// What is kept in memory.
const SMALL: usize = 1024 * 1024;
/// How long a body may pause.
const PAUSE: Duration = Duration::from_secs(15);
/// How long a whole body may take.
const WHOLE: Duration = Duration::from_mins(10);

/// Bytes in memory or in a file.
#[derive(Debug)]
pub enum Spooled {
    /// In memory.
    Memory(Bytes),
    /// In a file of this process, removed in the end.
    File(Temporary),
}

/// A file that is removed when nobody needs it any more.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            log::warn!("a spooled file stays behind: {error}");
        }
    }
}

impl Spooled {
    /// Where it is read from.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::Memory(bytes) => Source::Memory(bytes.clone()),
            Self::File(file) => Source::File(file.0.clone()),
        }
    }

    /// A part of it, from a byte on; empty at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn piece(&self, from: u64, length: usize) -> ApiResult<Vec<u8>> {
        match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                Ok(rest.get(..length).unwrap_or(rest).to_vec())
            }
            Self::File(file) => {
                let mut file = File::open(&file.0).map_err(Problem::internal)?;
                file.seek(SeekFrom::Start(from))
                    .map_err(Problem::internal)?;
                let mut piece = Vec::new();
                let length = u64::try_from(length).unwrap_or(u64::MAX);
                file.take(length)
                    .read_to_end(&mut piece)
                    .map_err(Problem::internal)?;
                Ok(piece)
            }
        }
    }
}

/// Takes bytes piece by piece.
#[derive(Default)]
pub struct Spool {
    memory: BytesMut,
    file: Option<(Temporary, File)>,
    size: u64,
    hash: Sha256,
}

impl Spool {
    /// Adds a piece.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, piece: &[u8]) -> ApiResult<()> {
        self.size += piece.len() as u64;
        self.hash.update(piece);
        if self.file.is_none() && self.memory.len() + piece.len() > SMALL {
            let path = std::env::temp_dir().join(format!("samverkan-import-{}", Uuid::now_v7()));
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .map_err(Problem::unavailable)?;
            let temporary = Temporary(path);
            file.write_all(&self.memory).map_err(Problem::unavailable)?;
            self.memory = BytesMut::new();
            self.file = Some((temporary, file));
        }
        if let Some((_, file)) = &mut self.file {
            return file.write_all(piece).map_err(Problem::unavailable);
        }
        self.memory.extend_from_slice(piece);
        Ok(())
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// All of it, with its SHA-256.
    #[must_use]
    pub fn done(self) -> (Spooled, Vec<u8>) {
        let hash = self.hash.finalize().to_vec();
        match self.file {
            Some((temporary, _)) => (Spooled::File(temporary), hash),
            None => (Spooled::Memory(self.memory.freeze()), hash),
        }
    }
}

/// Receives a body of at most `limit` bytes.
///
/// # Errors
/// 413, 408, or 400 for a body that breaks off.
pub async fn receive(mut payload: Payload, limit: u64) -> ApiResult<Spool> {
    let late = || Problem::new(ProblemKind::RequestTimeout);
    let deadline = Instant::now() + WHOLE;
    let mut spool = Spool::default();
    loop {
        let next = timeout_at(deadline, timeout(PAUSE, payload.next()));
        let Some(piece) = next.await.map_err(|_| late())?.map_err(|_| late())? else {
            return Ok(spool);
        };
        let piece = piece.map_err(|error| {
            Problem::new(ProblemKind::MalformedRequest)
                .detail(text(
                    "Kroppen kom inte fram hel.",
                    "The body did not arrive whole.",
                ))
                .because(error)
        })?;
        if spool.size() + piece.len() as u64 > limit {
            return Err(Problem::new(ProblemKind::PayloadTooLarge).detail(text(
                format!("Filen får ha högst {limit} byte; dela upp den."),
                format!("The file may have {limit} bytes at the most; divide it."),
            )));
        }
        spool.add(&piece)?;
    }
}
