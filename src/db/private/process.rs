//! Child processes: who they run as, how they are told to stop, and that they never outlive us.
//!
//! The only file of Samverkan with `unsafe` in it: three libc calls have no safe form in std.

#![expect(
    unsafe_code,
    reason = "geteuid, kill, and prctl between fork and exec exist only in libc"
)]

use std::{
    fs, io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{PrivateError, error::io};

/// Smart enough for a clean end, fast enough for a terminal: the postmaster's "fast shutdown".
pub(super) const FAST_SHUTDOWN: i32 = libc::SIGINT;
/// The postmaster's "immediate shutdown": recovery at the next start.
pub(super) const IMMEDIATE_SHUTDOWN: i32 = libc::SIGQUIT;
/// No choice left to the process.
pub(super) const KILL: i32 = libc::SIGKILL;

/// The user id that this process acts as.
pub(super) fn user_id() -> u32 {
    // SAFETY: geteuid takes nothing, cannot fail and touches no memory of ours.
    unsafe { libc::geteuid() }
}

/// Sends a signal to a child. The child is ours and not yet reaped (it is borrowed), so its id cannot have been reused.
pub(super) fn signal(child: &Child, signal: i32) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: kill takes two integers by value and touches no memory of ours.
        unsafe { libc::kill(pid, signal) };
    }
}

/// The user whom PostgreSQL runs as: ourselves, or for root (PostgreSQL refuses root) `postgres` or `nobody`.
#[derive(Debug, Clone)]
pub(super) struct ServerUser {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether we must become that user, that is: whether we are root.
    pub(super) other: bool,
}

impl ServerUser {
    /// Chooses the user.
    pub(super) fn choose() -> Result<Self, PrivateError> {
        let uid = user_id();
        if uid != 0 {
            return Ok(Self {
                name: format!("number {uid}"),
                uid,
                gid: 0,
                other: false,
            });
        }
        let passwd = Path::new("/etc/passwd");
        let users = fs::read_to_string(passwd).map_err(io("read", passwd))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Self::in_passwd(&users, name))
            .ok_or(PrivateError::NoServerUser)
    }

    /// One line of `/etc/passwd`: `name:password:uid:gid:…` (passwd(5)).
    fn in_passwd(users: &str, name: &str) -> Option<Self> {
        let mut fields = users
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
        let gid = fields.next()?.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            uid,
            gid,
            other: true,
        })
    }

    /// Makes an empty directory that only this user may enter.
    pub(super) fn make_dir(&self, dir: &Path) -> Result<(), PrivateError> {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(dir)
            .map_err(io("create", dir))?;
        if self.other {
            chown(dir, Some(self.uid), Some(self.gid)).map_err(io("change the owner of", dir))?;
        }
        Ok(())
    }

    /// Makes that directory, or accepts one that is already so. Others can write to `/tmp` and `/var/tmp`, so a directory
    /// found there is used only when it is a real one, this user's, and closed to everybody else.
    pub(super) fn make_or_accept_dir(&self, dir: &Path) -> Result<(), PrivateError> {
        match fs::symlink_metadata(dir) {
            Err(_) => self.make_dir(dir),
            Ok(found)
                if found.is_dir() && found.uid() == self.uid && found.mode() & 0o777 == 0o700 =>
            {
                Ok(())
            }
            Ok(_) => Err(PrivateError::NotOurs {
                dir: dir.to_path_buf(),
                uid: self.uid,
            }),
        }
    }

    /// Checks that this user can pass through a directory and all above it. Matters when we are root, whose own
    /// `/root` is closed to everybody else.
    pub(super) fn can_reach(&self, dir: &Path) -> Result<(), PrivateError> {
        for dir in dir.ancestors().filter(|_| self.other) {
            let found = fs::metadata(dir).map_err(io("look at", dir))?;
            let pass = match (found.uid() == self.uid, found.gid() == self.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            if found.mode() & pass == 0 {
                return Err(PrivateError::Unreachable {
                    user: self.name.clone(),
                    dir: dir.to_path_buf(),
                });
            }
        }
        Ok(())
    }

    /// A command that runs as this user, in a process group of its own (Ctrl-C in a terminal goes to the whole
    /// foreground group, and the database must outlive our own orderly shutdown), with a clean environment (a stray
    /// `PGPORT` or `PGDATA` must not reach it), and that ends when the thread that spawned it does.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The current directory may be closed to the user; messages are matched below, hence in English.
        command
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0);
        if self.other {
            // std drops the supplementary groups of root as well when it changes the user.
            command.uid(self.uid).gid(self.gid);
        }
        #[cfg(target_os = "linux")]
        end_with_parent(&mut command);
        command
    }
}

/// Runs a program to its end; its error output becomes the error.
pub(super) fn run(command: &mut Command) -> Result<(), PrivateError> {
    let program = Path::new(command.get_program()).to_path_buf();
    let output = command.output().map_err(io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(PrivateError::Program {
        program: program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        reason: said
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("; "),
    })
}

/// Asks the kernel to send the child a fast shutdown when the thread that spawned it ends, however it ends
/// (prctl(2), `PR_SET_PDEATHSIG`).
#[cfg(target_os = "linux")]
fn end_with_parent(command: &mut Command) {
    let us = libc::pid_t::try_from(std::process::id()).unwrap_or_default();
    let ask = move || {
        // SAFETY: both calls are async-signal-safe, take integers only and touch no memory.
        let orphan = unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, FAST_SHUTDOWN) != 0 || libc::getppid() != us
        };
        // The parent may have died before the request was made: then nobody would ever end this child.
        if orphan {
            Err(io::Error::from_raw_os_error(libc::ESRCH))
        } else {
            Ok(())
        }
    };
    // SAFETY: between fork and exec `ask` only makes the two system calls above; it neither allocates nor locks.
    // std runs it after setuid, which would have cleared the request.
    unsafe { command.pre_exec(ask) };
}

/// Whether a process is a living PostgreSQL. A zombie is dead, and so is a postmaster whose number was given to
/// another program.
pub(super) fn is_postgres(pid: u32) -> bool {
    if cfg!(target_os = "linux") {
        // proc(5): `pid (name) state …`; the name may itself contain parentheses and blanks.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let Some((before, after)) = stat.rsplit_once(") ") else {
            return false;
        };
        return before.ends_with("(postgres") && !after.starts_with(['Z', 'X']);
    }
    // SAFETY: signal 0 only asks whether the process exists.
    libc::pid_t::try_from(pid).is_ok_and(|pid| unsafe { libc::kill(pid, 0) } == 0)
}

/// The standard output of a short command that succeeded.
pub(super) fn say(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sets the permission bits of a path.
pub(super) fn set_mode(path: &Path, mode: u32) -> Result<(), PrivateError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(io("change the mode of", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_user_is_read_from_the_password_file() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        let user = ServerUser::in_passwd(users, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(ServerUser::in_passwd(users, "nobody").is_none());
        assert!(
            ServerUser::in_passwd(users, "root").is_none(),
            "root is no way to drop privileges"
        );
    }

    #[test]
    fn a_living_process_that_is_not_postgres_is_no_postmaster() {
        assert_eq!(
            is_postgres(std::process::id()),
            cfg!(not(target_os = "linux"))
        );
        assert!(!is_postgres(u32::MAX));
    }
}
