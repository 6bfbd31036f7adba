//! `postmaster.pid`: what a running server says of itself.
//!
//! Lines (PostgreSQL's `miscadmin.h`): 1 process id, 2 data directory, 3 start time, 4 port, 5 socket directory,
//! 6 listen address, 7 shared memory key, 8 status. The file grows line by line while the server starts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{PORT, PrivateError, error::io, process};

/// A server that was started on a cluster; it may be dead, for a killed one leaves its file behind.
#[derive(Debug)]
pub(super) struct Postmaster {
    pub(super) pid: u32,
    cluster: PathBuf,
    socket_dir: String,
    status: String,
}

impl Postmaster {
    /// Reads the file of a cluster directory.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let mut lines = text.lines().map(str::trim);
        // A single-user backend writes its id with a minus sign.
        let pid = lines.next()?.parse::<i32>().ok()?.unsigned_abs();
        let cluster = PathBuf::from(lines.next().unwrap_or_default());
        let socket_dir = lines.nth(2).unwrap_or_default().to_owned();
        let status = lines.nth(2).unwrap_or_default().to_owned();
        Some(Self {
            pid,
            cluster,
            socket_dir,
            status,
        })
    }

    /// Whether the server takes connections.
    pub(super) fn is_ready(&self) -> bool {
        self.status == "ready"
    }

    /// Whether the process lives.
    pub(super) fn is_alive(&self) -> bool {
        process::is_postgres(self.pid)
    }

    /// The directory of its socket, when it is ready, alive, and really serves this cluster: the file of a cluster
    /// that was copied while it ran names another directory.
    pub(super) fn serving(&self, cluster: &Path) -> Option<&Path> {
        let same = fs::canonicalize(&self.cluster).ok()? == fs::canonicalize(cluster).ok()?;
        (same && self.is_ready() && self.is_alive() && !self.socket_dir.is_empty())
            .then(|| Path::new(&self.socket_dir))
    }

    /// Removes the lock files of a dead server. PostgreSQL itself goes by the process id alone and would refuse to start
    /// while that is a zombie's or another program's; its second lock, the shared memory of the cluster, still guards
    /// against backends that outlived their postmaster.
    pub(super) fn remove_files(&self, cluster: &Path) -> Result<(), PrivateError> {
        let socket_lock = Path::new(&self.socket_dir).join(format!(".s.PGSQL.{PORT}.lock"));
        for file in [cluster.join("postmaster.pid"), socket_lock] {
            if file.is_absolute() && file.exists() {
                fs::remove_file(&file).map_err(io("remove", &file))?;
            }
        }
        Ok(())
    }
}
