//! The data directory: what lies where, who owns it, how an empty one becomes a cluster.
//!
//! ```text
//! <data dir>/            ours; other parts of Samverkan keep their own things here (`keys/`)
//!   postgres/            the cluster, the server user's
//!   postgres.log         what the server said, over all starts
//!   postgres.lock        locked while an instance lives; names its process
//!   socket/              the server's socket, unless the path is too long for one
//! ```

use std::{
    fs::{self, File, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::{
    Durability, PrivateError, SUPERUSER,
    binaries::Binaries,
    error::io,
    process::{self, ServerUser},
    within,
};

/// A socket's path may have 107 bytes on Linux, 103 on macOS (unix(7)); `/.s.PGSQL.5432` takes 14.
const LONGEST_SOCKET_DIR: usize = 103 - 14;
/// A log that has grown beyond this is begun anew, in bytes.
const LARGEST_LOG: u64 = 10 << 20;
/// What a service writes after its process id into the lock.
const SERVICE: &str = " serves";
/// How long a process that was killed may take until the kernel has closed its files.
const LOCK_RELEASED_WITHIN: Duration = Duration::from_secs(1);

/// A data directory that is ours alone as long as this lives.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) root: PathBuf,
    pub(super) user: ServerUser,
    /// Holds the lock; the kernel releases it when we end, however we end.
    lock: File,
}

impl Home {
    /// Makes the directory when missing, checks that it is ours, and locks it.
    pub(super) fn open(data_dir: &Path, user: ServerUser) -> Result<Self, PrivateError> {
        if let Some(parent) = data_dir.parent() {
            // What lies above is made as usual: only the data directory itself is closed to others.
            fs::create_dir_all(parent).map_err(io("create", parent))?;
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(io("create", data_dir))?;
        let root = fs::canonicalize(data_dir).map_err(io("find", data_dir))?;
        for path in [data_dir, &root] {
            let found = fs::symlink_metadata(path).map_err(io("look at", path))?;
            if found.uid() != process::user_id() {
                return Err(PrivateError::NotOurs {
                    dir: path.to_path_buf(),
                    uid: process::user_id(),
                });
            }
        }
        if user.other {
            // The server's user must pass through, but has no business to list or write here.
            process::set_mode(&root, 0o711)?;
        }
        user.can_reach(&root)?;
        let lock = lock(&root)?;
        Ok(Self { root, user, lock })
    }

    /// Adds to the process id in the lock that we are a service.
    pub(super) fn announce_service(&self) -> Result<(), PrivateError> {
        let mut file = &self.lock;
        write!(file, "{SERVICE}").map_err(io("write", &lock_path(&self.root)))
    }

    /// The cluster's directory.
    pub(super) fn cluster(&self) -> PathBuf {
        cluster(&self.root)
    }

    /// The file that the server's output is appended to.
    pub(super) fn log_path(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// Opens the log for the server.
    pub(super) fn open_log(&self) -> Result<File, PrivateError> {
        let path = self.log_path();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LARGEST_LOG) {
            fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        File::options()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("open", &path))
    }

    /// The directory of the server's socket, made when missing: the same for the same data directory.
    pub(super) fn socket_dir(&self) -> Result<PathBuf, PrivateError> {
        let dir = socket_dir(&self.root);
        self.user.make_or_accept_dir(&dir)?;
        Ok(dir)
    }

    /// The major version of the cluster; `None` when there is none yet.
    pub(super) fn major(&self) -> Option<u32> {
        fs::read_to_string(self.cluster().join("PG_VERSION"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Makes a cluster. It is built under another name and renamed, so that an interrupted start leaves nothing half made.
    pub(super) fn initialise(
        &self,
        binaries: &Binaries,
        durability: Durability,
    ) -> Result<(), PrivateError> {
        let new = self.root.join("postgres.new");
        self.renew(&new)?;
        match durability {
            Durability::Durable => self.initdb(binaries, &new, &[])?,
            Durability::Fast => {
                if let Err(error) = self.copy_template(binaries, &new) {
                    log::warn!("no template for the cluster: {error}");
                    self.renew(&new)?;
                    self.initdb(binaries, &new, &["--no-sync"])?;
                }
            }
        }
        fs::rename(&new, self.cluster()).map_err(io("create", &self.cluster()))
    }

    /// Runs `initdb`. Locale C: the same order on every machine; Swedish order is asked for by collation in the queries.
    fn initdb(&self, binaries: &Binaries, dir: &Path, more: &[&str]) -> Result<(), PrivateError> {
        let mut initdb = self.user.command(&binaries.path("initdb"));
        initdb.arg("-D").arg(dir).args([
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
            "-A",
            "trust",
            "-U",
            SUPERUSER,
        ]);
        process::run(
            initdb
                .args(["--data-checksums", "--no-instructions"])
                .args(more),
        )
    }

    /// Copies the cached cluster of this user and PostgreSQL version, which takes a tenth of the time of making one.
    fn copy_template(&self, binaries: &Binaries, to: &Path) -> Result<(), PrivateError> {
        let template = template_path(&binaries.version);
        if !template.exists() {
            self.build_template(binaries, &template)?;
        }
        self.user.make_or_accept_dir(&template)?;
        // `cp` as the server's user: nothing is read or written with the rights of root.
        process::run(
            self.user
                .command(Path::new("cp"))
                .arg("-a")
                .arg(template.join("."))
                .arg(to),
        )
    }

    /// Builds the template under a name of its own and renames it: of several builders one wins, and a reader
    /// sees a whole template or none.
    fn build_template(&self, binaries: &Binaries, template: &Path) -> Result<(), PrivateError> {
        static BUILT: AtomicU32 = AtomicU32::new(0);
        let number = BUILT.fetch_add(1, Ordering::Relaxed);
        let new = PathBuf::from(format!(
            "{}.{}.{number}",
            template.display(),
            std::process::id()
        ));
        self.renew(&new)?;
        let built = self
            .initdb(binaries, &new, &["--no-sync"])
            .and_then(|()| fs::rename(&new, template).map_err(io("create", template)));
        if built.is_err() {
            remove_tree(&new)?;
        }
        if template.exists() { Ok(()) } else { built }
    }

    /// An empty directory of the server's user, whatever was there before.
    fn renew(&self, dir: &Path) -> Result<(), PrivateError> {
        remove_tree(dir)?;
        self.user.make_dir(dir)
    }
}

/// The directory of the cluster in a data directory.
pub(super) fn cluster(root: &Path) -> PathBuf {
    root.join("postgres")
}

/// Where the socket goes: beside the cluster, or below `/tmp` when that path is too long for a socket or holds
/// characters that a list of directories in PostgreSQL's settings would need quoted.
fn socket_dir(root: &Path) -> PathBuf {
    let near = root.join("socket");
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-@+".contains(byte);
    let bytes = near.as_os_str().as_encoded_bytes();
    if bytes.len() <= LONGEST_SOCKET_DIR && bytes.iter().all(plain) {
        return near;
    }
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    PathBuf::from(format!(
        "/tmp/samverkan-{}-{:016x}",
        process::user_id(),
        hasher.finish()
    ))
}

/// Where the template lies: `/var/tmp` outlives a reboot and, unlike the home directory of root, is open to the
/// server's user.
pub(super) fn template_path(version: &str) -> PathBuf {
    let parent = ["/var/tmp", "/tmp"]
        .iter()
        .find(|dir| Path::new(dir).is_dir())
        .unwrap_or(&"/tmp");
    PathBuf::from(format!(
        "{parent}/samverkan-{}-template-{version}",
        process::user_id()
    ))
}

fn lock_path(root: &Path) -> PathBuf {
    root.join("postgres.lock")
}

/// Takes the lock of a data directory and writes our process id into it.
fn lock(root: &Path) -> Result<File, PrivateError> {
    let path = lock_path(root);
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options.open(&path).map_err(io("open", &path))?;
    let answer = within(LOCK_RELEASED_WITHIN, || match file.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::Error(source)) => Some(Err(io("lock", &path)(source))),
        Err(TryLockError::WouldBlock) => None,
    });
    answer.unwrap_or_else(|| {
        let said = fs::read_to_string(&path).unwrap_or_default();
        let pid = said.strip_suffix(SERVICE);
        let holder = match pid.unwrap_or(&said) {
            "" => "another process".to_owned(),
            pid => format!("process {pid}"),
        };
        Err(PrivateError::Running {
            dir: root.to_path_buf(),
            holder,
            serving: pid.is_some(),
        })
    })?;
    file.set_len(0).map_err(io("write", &path))?;
    write!(file, "{}", std::process::id()).map_err(io("write", &path))?;
    Ok(file)
}

/// Removes a directory and all in it, if there is one.
fn remove_tree(dir: &Path) -> Result<(), PrivateError> {
    if fs::symlink_metadata(dir).is_err() {
        return Ok(());
    }
    fs::remove_dir_all(dir).map_err(io("remove", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_lies_beside_its_cluster_unless_the_path_will_not_do() {
        assert_eq!(
            socket_dir(Path::new("/var/tmp/samverkan-0")),
            Path::new("/var/tmp/samverkan-0/socket")
        );
        let long = PathBuf::from(format!("/home/{}", "o".repeat(100)));
        assert!(socket_dir(&long).as_os_str().len() <= LONGEST_SOCKET_DIR);
        assert_eq!(socket_dir(&long), socket_dir(&long));
        assert!(socket_dir(Path::new("/home/å, ä och ö")).starts_with("/tmp"));
    }
}
