//! A PostgreSQL of our own: started with Samverkan, stopped with it, no port opened, nothing to configure.
//!
//! `samverkan serve --demo` and the tests use it. With `DATABASE_URL` set nothing here runs. The parts:
//!
//! * `binaries`: finds an installed PostgreSQL;
//! * `home`: the data directory, its owner, its lock, `initdb` and the template for tests;
//! * `launch`: the settings, the start, the wait until ready;
//! * `postmaster`: reads what a running server says of itself;
//! * `process`: child processes and users; the only `unsafe` of the project;
//! * this file: the life of one server.
//!
//! The server listens on a Unix socket in a directory that only its own user (and root) may enter, which is also why
//! it needs no passwords. It runs in a process group of its own and stops when this process ends, even by `SIGKILL`.

mod binaries;
mod error;
mod home;
mod launch;
mod postmaster;
mod process;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    process::Child,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use binaries::Binaries;
pub use error::PrivateError;
use home::Home;
use postmaster::Postmaster;
use process::ServerUser;

/// The role that owns a private cluster; it is a superuser there.
const SUPERUSER: &str = "samverkan";
/// Part of the socket's name only: no port is opened.
const PORT: u16 = 5432;
/// How long an orphaned server or its shared memory may still be around after its parent was killed.
const PREDECESSOR_GONE_WITHIN: Duration = Duration::from_secs(5);
/// How often a state is looked at while we wait for it.
const PAUSE: Duration = Duration::from_millis(5);

/// What a commit is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's promise: what was committed survives a crash.
    Durable,
    /// For tests only: nothing is forced to disk, and a new cluster is a copy of a cached one.
    Fast,
}

/// A PostgreSQL server that this process started. Dropping it stops the server.
#[derive(Debug)]
pub struct PrivateCluster {
    postmaster: Child,
    /// Ends the thread that the server was spawned from; see `launch`.
    _keeper: mpsc::Sender<()>,
    socket_dir: PathBuf,
    home: Home,
}

impl PrivateCluster {
    /// Starts a server on `data_dir`, which is made (and a cluster in `data_dir/postgres`) when missing, and returns when it
    /// takes connections, at most 30 seconds later. `bin_dir` (`PG_BIN_DIR`) replaces the search for the PostgreSQL programs.
    ///
    /// Blocks: call it before the async runtime, or from a thread that may wait.
    ///
    /// # Errors
    ///
    /// No usable PostgreSQL, another instance on the same directory, a directory that is not ours or not reachable by
    /// the server's user, or whatever the server itself objects to: see [`PrivateError`].
    pub fn start(
        data_dir: &Path,
        durability: Durability,
        bin_dir: Option<&Path>,
    ) -> Result<Self, PrivateError> {
        let began = Instant::now();
        let home = Home::open(data_dir, ServerUser::choose()?)?;
        let cluster = home.cluster();
        let binaries = Binaries::find(
            bin_dir,
            home.major().map(|major| (cluster.as_path(), major)),
        )?;
        if home.major().is_none() {
            home.initialise(&binaries, durability)?;
        }
        await_predecessor(&home)?;
        let socket_dir = home.socket_dir()?;
        let (postmaster, keeper) = launch::launch(&home, &binaries, durability, &socket_dir)?;
        log::info!(
            "PostgreSQL {} serves {} after {} ms",
            binaries.version,
            home.root.display(),
            began.elapsed().as_millis()
        );
        Ok(Self {
            postmaster,
            _keeper: keeper,
            socket_dir,
            home,
        })
    }

    /// The address of a database in this cluster, for `tokio-postgres` and for `psql`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    /// Tells other processes that a service uses this server: they need not wait for it to end.
    ///
    /// # Errors
    ///
    /// [`PrivateError::Io`] when the file that names this process cannot be written.
    pub fn announce_service(&self) -> Result<(), PrivateError> {
        self.home.announce_service()
    }

    /// Whether the server still runs: it may have been killed, by the kernel for want of memory or by hand.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        process::is_postgres(self.postmaster.id())
    }

    /// Stops the server: open transactions are rolled back, clients disconnected, everything is written out.
    ///
    /// # Errors
    ///
    /// [`PrivateError::NotStopped`] when even `SIGKILL` did not end it.
    pub fn stop(mut self) -> Result<(), PrivateError> {
        self.shut_down()
    }

    /// Firmer by steps; does nothing when the server has ended.
    fn shut_down(&mut self) -> Result<(), PrivateError> {
        let steps = [
            (process::FAST_SHUTDOWN, 20),
            (process::IMMEDIATE_SHUTDOWN, 5),
            (process::KILL, 2),
        ];
        for (signal, seconds) in steps {
            if !matches!(self.postmaster.try_wait(), Ok(None)) {
                return Ok(());
            }
            process::signal(&self.postmaster, signal);
            if within(Duration::from_secs(seconds), || {
                self.postmaster.try_wait().ok().flatten()
            })
            .is_some()
            {
                return Ok(());
            }
        }
        Err(PrivateError::NotStopped {
            pid: self.postmaster.id(),
        })
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            log::error!("{error}");
        }
    }
}

/// The address of a database in the cluster of a data directory, when a server runs there and is ready: how other
/// subcommands join a running `serve --demo`.
#[must_use]
pub fn running_url(data_dir: &Path, database: &str) -> Option<String> {
    let cluster = home::cluster(data_dir);
    let postmaster = Postmaster::read(&cluster)?;
    postmaster
        .serving(&cluster)
        .map(|socket_dir| url(socket_dir, database))
}

/// Where data lies when the operator names no place: `$XDG_DATA_HOME/samverkan` or `~/.local/share/samverkan`
/// (XDG Base Directory Specification, which ignores relative paths). For root, whose home is closed to the server's
/// user, and for users without a home: `/var/tmp/samverkan-<user id>`.
#[must_use]
pub fn default_data_dir(xdg_data_home: Option<&Path>, home: Option<&Path>) -> PathBuf {
    let user_id = process::user_id();
    let xdg = xdg_data_home
        .filter(|dir| dir.is_absolute())
        .map(Path::to_path_buf);
    let parent = xdg.or_else(|| {
        home.filter(|dir| dir.is_absolute())
            .map(|home| home.join(".local/share"))
    });
    match parent {
        Some(parent) if user_id != 0 => parent.join("samverkan"),
        _ => PathBuf::from(format!("/var/tmp/samverkan-{user_id}")),
    }
}

/// A socket's directory stands where a host would, so its slashes are percent-encoded (RFC 3986 section 2.1).
fn url(socket_dir: &Path, database: &str) -> String {
    let host = encode(socket_dir.as_os_str().as_encoded_bytes());
    format!(
        "postgres://{SUPERUSER}@{host}/{}",
        encode(database.as_bytes())
    )
}

/// Percent-encodes all but the unreserved characters (RFC 3986 section 2.3).
fn encode(bytes: &[u8]) -> String {
    let letter = |&byte: &u8| {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    bytes.iter().map(letter).collect()
}

/// Waits until the server of a parent that was killed is gone, and clears away what a dead one left. We hold the lock of
/// the data directory, so a server that stays was started by other means.
fn await_predecessor(home: &Home) -> Result<(), PrivateError> {
    let cluster = home.cluster();
    let gone = within(PREDECESSOR_GONE_WITHIN, || {
        match Postmaster::read(&cluster) {
            None => Some(Ok(())),
            Some(postmaster) if postmaster.is_alive() => None,
            Some(postmaster) => Some(postmaster.remove_files(&cluster)),
        }
    });
    gone.unwrap_or_else(|| {
        let pid = Postmaster::read(&cluster).map_or(0, |postmaster| postmaster.pid);
        Err(PrivateError::Running {
            dir: home.root.clone(),
            holder: format!("PostgreSQL, process {pid}"),
            serving: false,
        })
    })
}

/// Asks again and again until there is an answer or the time is over.
fn within<T>(time: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        match ask() {
            None if began.elapsed() < time => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}
