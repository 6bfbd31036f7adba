//! The place of a copy on the disk, which holds one whole state of it at any moment.
//!
//! ```text
//! partners.ndjson -> current/partners.ndjson
//! partners.csv    -> current/partners.csv
//! state.json      -> current/state.json
//! current         -> states/17
//! states/17/      the files of this state, never written to again
//! states/16/      the state before, for whoever still reads it
//! next/           a state that is being put together; worthless until it is whole
//! snapshot/       the pages of a beginning that goes on where it stopped
//! .lock           held by the process that works here
//! ```
//!
//! A new state is written beside the old one and brought to the disk. Then `current` is exchanged, in one step, for a
//! link to it. Whoever dies before that has changed nothing; what it left is swept away by the next one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::OfficeError;
use super::rows::Sum;

/// The shape of what this version writes; one that writes another begins anew.
const FORMAT: u32 = 1;
/// The file that says what the others are.
const STATE: &str = "state.json";
const CURRENT: &str = "current";
const STATES: &str = "states";
const NEXT: &str = "next";
const SNAPSHOT: &str = "snapshot";
/// Its being there also says that the folder is ours.
const LOCK: &str = ".lock";

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The shape of the files.
    format: u32,
    /// The service that it is a copy of.
    pub url: String,
    /// The position in the feed up to which it goes.
    pub cursor: String,
    /// When it was put together.
    pub saved_at: DateTime<Utc>,
    /// What it holds.
    pub types: Vec<Kind>,
}

/// The rows of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// The kind.
    #[serde(rename = "type")]
    pub of: String,
    /// How many.
    pub rows: u64,
    /// What their keys and versions come to; see `GET /sync/digest`.
    pub digest: String,
}

impl Kind {
    /// Of a kind, its rows.
    #[must_use]
    pub fn new(of: &str, sum: Sum) -> Self {
        Self {
            of: of.to_owned(),
            rows: sum.rows,
            digest: sum.digest(),
        }
    }
}

impl State {
    /// A state as it is now.
    #[must_use]
    pub fn new(url: &str, cursor: String, types: Vec<Kind>, saved_at: DateTime<Utc>) -> Self {
        Self {
            format: FORMAT,
            url: url.to_owned(),
            cursor,
            saved_at,
            types,
        }
    }

    /// The names of its kinds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|kind| kind.of.as_str())
    }
}

/// A folder that this process alone works in.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens a folder, which is made if there is none, and sweeps out what a process left that died.
    ///
    /// # Errors
    /// [`OfficeError::Busy`] while another process works in it, [`OfficeError::NotOurs`] if something else is in our
    /// places.
    pub fn open(root: &Path) -> Result<Self, OfficeError> {
        fs::create_dir_all(root).map_err(OfficeError::file(root))?;
        let path = root.join(LOCK);
        if !path.exists() && !names_in(root)?.is_empty() {
            return Err(OfficeError::NotOurs {
                path: root.to_owned(),
                why: "there are files in it that are none of a copy; give a folder of its own"
                    .to_owned(),
            });
        }
        let lock = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(OfficeError::file(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OfficeError::Busy {
                    path: root.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(OfficeError::file(&path)(error)),
        }
        let folder = Self {
            root: root.to_owned(),
            _lock: lock,
        };
        folder.sweep()?;
        Ok(folder)
    }

    /// What it holds, if it holds a copy.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn state(&self) -> Result<Option<State>, OfficeError> {
        let path = self.current(STATE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OfficeError::file(&path)(error)),
        };
        // Of another version of this program, or spoilt: to begin anew is right for both.
        let state = serde_json::from_slice::<State>(&text).ok();
        Ok(state.filter(|state| state.format == FORMAT))
    }

    /// A file of the present state.
    #[must_use]
    pub fn current(&self, name: &str) -> PathBuf {
        self.root.join(CURRENT).join(name)
    }

    /// Where the pages of a beginning are collected.
    #[must_use]
    pub fn snapshot(&self) -> PathBuf {
        self.root.join(SNAPSHOT)
    }

    /// An empty place for the next state.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn next(&self) -> Result<PathBuf, OfficeError> {
        let next = self.root.join(NEXT);
        remove_dir(&next)?;
        fs::create_dir(&next).map_err(OfficeError::file(&next))?;
        Ok(next)
    }

    /// Makes what lies in [`next`](Self::next) the present state. Its files are on the disk already.
    ///
    /// # Errors
    /// When the disk does not take it; then the present state is still the one before.
    pub fn commit(&self, state: &State) -> Result<(), OfficeError> {
        let next = self.root.join(NEXT);
        let path = next.join(STATE);
        let text = serde_json::to_vec_pretty(state).map_err(io::Error::from);
        text.and_then(|text| write_through(&path, &text))
            .and_then(|()| sync_dir(&next))
            .map_err(OfficeError::file(&path))?;
        let number = self.number().map_or(1, |number| number + 1);
        let states = self.root.join(STATES);
        let place = states.join(number.to_string());
        fs::create_dir_all(&states)
            .and_then(|()| fs::rename(&next, &place))
            .and_then(|()| sync_dir(&states))
            .map_err(OfficeError::file(&place))?;
        self.link(CURRENT, &Path::new(STATES).join(number.to_string()))?;
        self.sweep()
    }

    /// The number of the present state.
    fn number(&self) -> Option<u64> {
        let target = fs::read_link(self.root.join(CURRENT)).ok()?;
        target.strip_prefix(STATES).ok()?.to_str()?.parse().ok()
    }

    /// A link in the folder, exchanged in one step.
    fn link(&self, name: &str, target: &Path) -> Result<(), OfficeError> {
        let path = self.root.join(name);
        match fs::symlink_metadata(&path) {
            Ok(there) if !there.is_symlink() => {
                return Err(OfficeError::NotOurs {
                    path,
                    why: "this file is in the place of one of the copy; move it away".to_owned(),
                });
            }
            _ => {}
        }
        if fs::read_link(&path).is_ok_and(|now| now == target) {
            return Ok(());
        }
        let new = self.root.join(".link");
        remove_file(&new)?;
        symlink(target, &new)
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| sync_dir(&self.root))
            .map_err(OfficeError::file(&path))
    }

    /// Removes what belongs to no state, and brings the links into line with the present one.
    fn sweep(&self) -> Result<(), OfficeError> {
        let number = self.number();
        let states = self.root.join(STATES);
        for name in names_in(&states)? {
            let kept = number.is_some_and(|number| {
                name.parse::<u64>()
                    .is_ok_and(|old| old == number || old + 1 == number)
            });
            if !kept {
                remove_dir(&states.join(name))?;
            }
        }
        remove_dir(&self.root.join(NEXT))?;
        let Some(number) = number else {
            return Ok(());
        };
        let files = names_in(&states.join(number.to_string()))?;
        for file in &files {
            self.link(file, &Path::new(CURRENT).join(file))?;
        }
        for name in names_in(&self.root)? {
            let path = self.root.join(&name);
            let old = fs::read_link(&path).is_ok_and(|target| target.starts_with(CURRENT));
            if old && !files.contains(&name) {
                remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Writes a whole file and brings it to the disk.
///
/// # Errors
/// When the disk does not take it.
pub fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a whole file in the place of another one, so that there is always one of both.
///
/// # Errors
/// When the disk does not take it.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    write_through(&new, bytes)?;
    fs::rename(&new, path)?;
    match path.parent() {
        // A bare name lies in the working directory.
        Some(place) if place.as_os_str().is_empty() => sync_dir(Path::new(".")),
        Some(place) => sync_dir(place),
        None => Ok(()),
    }
}

/// Makes a file part of another state as well; a copy of it where the file system has no hard links.
///
/// # Errors
/// When the disk does not take it.
pub fn share(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

/// Brings the names in a directory to the disk.
///
/// # Errors
/// When the disk does not take them.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The names in a directory, none if there is no such directory.
fn names_in(path: &Path) -> Result<Vec<String>, OfficeError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(OfficeError::file(path)(error)),
    };
    // What has a name that is no text was not made here.
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect())
}

/// Removes a directory with all that is in it, if it is there.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_dir(path: &Path) -> Result<(), OfficeError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(OfficeError::file(path)(error))
        }
        _ => Ok(()),
    }
}

fn remove_file(path: &Path) -> Result<(), OfficeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(OfficeError::file(path)(error))
        }
        _ => Ok(()),
    }
}
