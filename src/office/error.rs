//! Why the tool stops.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the tool stops. Each is one line for a person who reads the mail of a nightly job.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The service knows no such client, or another secret.
    #[error("{url} does not accept the client: {why}")]
    Credentials {
        /// Where it was asked.
        url: String,
        /// In the words of the service.
        why: String,
    },
    /// The service refused the request; trying again would not help.
    #[error("{url} refused with {status}: {why}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// In the words of the service.
        why: String,
        /// The code of the first fault, if it named one.
        code: Option<String>,
    },
    /// The service is away, and has been for longer than we wait.
    #[error("{url} has been away for {} s, longer than the patience that was asked for: {why}", waited.as_secs())]
    Away {
        /// What was asked.
        url: String,
        /// For how long it was tried.
        waited: Duration,
        /// What happened the last time.
        why: String,
    },
    /// What answers is not Samverkan, or one that this program does not understand.
    #[error("{url} does not answer as Samverkan does: {why}")]
    Strange {
        /// What was asked.
        url: String,
        /// What was unexpected.
        why: String,
    },
    /// Another process works on the same folder.
    #[error("{} is being kept up to date by another process", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds something that is not ours, or is a copy of something else.
    #[error("{}: {why}", path.display())]
    NotOurs {
        /// The folder, or what is in the way.
        path: PathBuf,
        /// What is there.
        why: String,
    },
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The copy still differs from the service after it was begun anew.
    #[error("the copy of {types} differs from the service although it was just begun anew")]
    Differs {
        /// The kinds of row, separated with commas.
        types: String,
    },
}

impl OfficeError {
    /// Turns an error of the file system into one that names the file.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }

    /// Whether a file is not what it was when it was written.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
        matches!(self, Self::File { error, .. } if matches!(error.kind(), InvalidData | NotFound | UnexpectedEof))
    }

    /// Whether it says that a cursor cannot be followed any more (410).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Refused { status: 410, .. })
    }
}
