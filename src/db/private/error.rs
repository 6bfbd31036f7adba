//! What can go wrong with a private cluster: one clear line each, for the person at the terminal.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a private PostgreSQL could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// No directory with usable PostgreSQL binaries; carries what was looked at.
    #[error(
        "no PostgreSQL server {} or newer found (looked in {searched}): run `apt-get install postgresql`, or set PG_BIN_DIR to the directory of `initdb` and `postgres`, or set DATABASE_URL to a database of your own",
        super::binaries::OLDEST
    )]
    NoBinaries {
        /// The places that were searched, in order.
        searched: String,
    },
    /// The cluster was made by another major version than the binaries that were found.
    #[error(
        "the cluster in {} was made by PostgreSQL {cluster}, but only {found} was found: set PG_BIN_DIR to the binaries of PostgreSQL {cluster}, or move the directory away",
        dir.display()
    )]
    WrongVersion {
        /// The cluster's directory.
        dir: PathBuf,
        /// Its major version, from `PG_VERSION`.
        cluster: u32,
        /// The version of the best binaries that were found.
        found: String,
    },
    /// Someone else serves this data directory.
    #[error("another instance runs on {}: {holder}; stop it or choose another data directory", dir.display())]
    Running {
        /// The data directory.
        dir: PathBuf,
        /// Who has it, with the process id where known.
        holder: String,
        /// Whether that is a service, which stays, and not a short command.
        serving: bool,
    },
    /// We are root, but PostgreSQL refuses to run as root and there is nobody to become.
    #[error(
        "PostgreSQL does not run as root, and neither a user `postgres` nor `nobody` exists: create one or start as an ordinary user"
    )]
    NoServerUser,
    /// The server's user cannot pass through a directory on the way to the data.
    #[error(
        "the user `{user}`, who runs PostgreSQL, may not enter {}: choose a data directory elsewhere, such as one below /var/tmp",
        dir.display()
    )]
    Unreachable {
        /// Name of the server's user.
        user: String,
        /// The first directory that is closed to it.
        dir: PathBuf,
    },
    /// A directory that must be ours belongs to another user: nothing is put into it.
    #[error("{} is not a directory that belongs to the expected user (id {uid}): move it away", dir.display())]
    NotOurs {
        /// The directory.
        dir: PathBuf,
        /// The user id that it should belong to.
        uid: u32,
    },
    /// The server ended before it was ready; carries its own words.
    #[error("PostgreSQL did not start: {reason} (log: {})", log.display())]
    NotStarted {
        /// What the server wrote last.
        reason: String,
        /// The server's log file.
        log: PathBuf,
    },
    /// The server lives but was not ready in time.
    #[error("PostgreSQL was not ready within {seconds} s (log: {})", log.display())]
    NotReady {
        /// How long we waited, in seconds.
        seconds: u64,
        /// The server's log file.
        log: PathBuf,
    },
    /// The server is still there after every signal, the last one `SIGKILL`.
    #[error("PostgreSQL (process {pid}) could not be stopped")]
    NotStopped {
        /// The postmaster's process id.
        pid: u32,
    },
    /// A program of the PostgreSQL distribution failed; carries its own words.
    #[error("{program} failed: {reason}")]
    Program {
        /// Name of the program.
        program: String,
        /// What it wrote to standard error.
        reason: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

/// For `map_err`: says what was tried and on which path.
pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PrivateError {
    move |source| PrivateError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}
