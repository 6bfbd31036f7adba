//! Starting the server: its settings, the thread that it depends on, and the wait until it is ready.

use std::{
    fs,
    io::{Error, Read, Seek, SeekFrom},
    path::Path,
    process::{Child, Command, ExitStatus},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Durability, PAUSE, PREDECESSOR_GONE_WITHIN, PrivateError, binaries::Binaries, error::io,
    home::Home, postmaster::Postmaster, process, within,
};

/// How long a server may take until it is ready, recovery after a crash included.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Settings of every private server, whatever its `postgresql.conf` says.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=128MB",
    // Nobody follows this server's log. Then what is copied into a table that the same transaction has emptied, and
    // indexes that it makes, are written once and not logged as well; a crash loses as little as before.
    "wal_level=minimal",
    "max_wal_senders=0",
    // Short queries on small tables: compiling them costs more than it saves.
    "jit=off",
    // The data fits in memory or lies on an SSD: a random page costs about what the next one does.
    "random_page_cost=1.1",
    "timezone=UTC",
    "log_timezone=UTC",
    // Some of its messages are read.
    "lc_messages=C",
    "log_checkpoints=off",
    "logging_collector=off",
    "cluster_name=samverkan",
];

/// Settings that trade safety for speed: a crash of the machine may destroy the cluster.
const FAST_SETTINGS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

/// Starts the server and waits until it is ready. Tries again while backends of a killed predecessor, which
/// notice their postmaster's death a moment later, still hold its shared memory.
pub(super) fn launch(
    home: &Home,
    binaries: &Binaries,
    durability: Durability,
    socket_dir: &Path,
) -> Result<(Child, mpsc::Sender<()>), PrivateError> {
    let began = Instant::now();
    loop {
        let log = home.open_log()?;
        let log_start = log.metadata().map_or(0, |log| log.len());
        let mut command = home.user.command(&binaries.path("postgres"));
        command.arg("-D").arg(home.cluster());
        let fast = if durability == Durability::Fast {
            FAST_SETTINGS
        } else {
            &[]
        };
        for setting in SETTINGS.iter().chain(fast) {
            command.args(["-c", setting]);
        }
        command
            .arg("-c")
            .arg(format!("unix_socket_directories={}", socket_dir.display()));
        command
            .stdout(log.try_clone().map_err(io("open", &home.log_path()))?)
            .stderr(log);

        let (mut postmaster, keeper) = spawn_from_own_thread(command, &binaries.path("postgres"))?;
        match until_ready(&mut postmaster, &home.cluster()) {
            Some(Ok(())) => return Ok((postmaster, keeper)),
            None => {
                process::signal(&postmaster, process::IMMEDIATE_SHUTDOWN);
                let _ = postmaster.wait();
                return Err(PrivateError::NotReady {
                    seconds: READY_WITHIN.as_secs(),
                    log: home.log_path(),
                });
            }
            Some(Err(status)) => {
                let said = read_from(&home.log_path(), log_start);
                if !said.contains("is still in use") || began.elapsed() > PREDECESSOR_GONE_WITHIN {
                    return Err(PrivateError::NotStarted {
                        reason: reason(&said, status),
                        log: home.log_path(),
                    });
                }
                thread::sleep(PAUSE * 20);
            }
        }
    }
}

/// Spawns a process from a thread that lives until the returned sender is dropped. The kernel's "parent died" signal is sent
/// when the *thread* that spawned the child ends, and a caller's thread may be a short-lived one.
fn spawn_from_own_thread(
    mut command: Command,
    program: &Path,
) -> Result<(Child, mpsc::Sender<()>), PrivateError> {
    let (keeper, released) = mpsc::channel();
    let (report, spawned) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("postgres-keeper".to_owned())
        .spawn(move || {
            if report.send(command.spawn()).is_ok() {
                // Returns when the sender is dropped; nothing is ever sent.
                let _ = released.recv();
            }
        })
        .map_err(io("start a thread for", program))?;
    let child = spawned
        .recv()
        .map_err(|gone| io("run", program)(Error::other(gone)))?;
    Ok((child.map_err(io("run", program))?, keeper))
}

/// `Some(Ok)` when the server is ready, `Some(Err)` when it ended, `None` when neither happened in time. The file must name
/// our child: that of a dead predecessor may say "ready" too.
pub(super) fn until_ready(
    postmaster: &mut Child,
    cluster: &Path,
) -> Option<Result<(), ExitStatus>> {
    within(READY_WITHIN, || {
        if let Ok(Some(status)) = postmaster.try_wait() {
            return Some(Err(status));
        }
        let ready = Postmaster::read(cluster)
            .is_some_and(|file| file.pid == postmaster.id() && file.is_ready());
        ready.then_some(Ok(()))
    })
}

/// A file's text from an offset on, as far as it can be read.
fn read_from(path: &Path, start: u64) -> String {
    let read = || {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok::<_, Error>(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// The server's own reason in one line: what it called fatal, with its hints.
fn reason(said: &str, status: ExitStatus) -> String {
    let telling = said.lines().filter_map(|line| {
        ["FATAL:", "PANIC:", "HINT:", "DETAIL:"]
            .iter()
            .find_map(|mark| line.split_once(mark))
            .map(|(_, text)| text.trim())
    });
    let reason = telling.collect::<Vec<_>>().join(" ");
    if reason.is_empty() {
        format!(
            "{} ({status})",
            said.lines().last().unwrap_or("no output").trim()
        )
    } else {
        reason
    }
}
