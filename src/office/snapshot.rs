//! The beginning of a copy: all rows, page by page, into files that a later process can go on with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::OfficeError;
use super::answers::SnapshotPage;
use super::client::Service;
use super::folder::{Folder, remove_dir, replace, sync_dir};
use super::rows::line_of;

/// How far it has come, and of what it is the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    url: String,
    types: Vec<String>,
    /// Where to follow the feed from at the end.
    feed_cursor: String,
    /// The next page; none when all are there.
    next_cursor: Option<String>,
    /// What the files hold, by kind.
    parts: BTreeMap<String, Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    /// So many bytes are whole; what comes after was being written when a process died.
    bytes: u64,
    rows: u64,
    last_key: String,
}

/// All rows, in files.
#[derive(Debug)]
pub struct Beginning {
    /// The place of the files.
    pub place: PathBuf,
    /// Where to follow the feed from.
    pub cursor: String,
}

impl Beginning {
    /// The rows of a kind; there is a file for every kind that was asked for.
    #[must_use]
    pub fn rows(&self, of: &str) -> PathBuf {
        part_file(&self.place, of)
    }
}

fn part_file(place: &Path, of: &str) -> PathBuf {
    place.join(format!("{of}.ndjson"))
}

fn progress_file(place: &Path) -> PathBuf {
    place.join("progress.json")
}

/// Copies all rows of these kinds, going on with what an earlier process has copied.
///
/// # Errors
/// When the service or the disk does not do its part.
pub async fn copy(
    service: &mut Service,
    folder: &Folder,
    types: &[String],
    limit: &str,
) -> Result<Beginning, OfficeError> {
    let place = folder.snapshot();
    match go_on(service, &place, types, limit).await {
        // The page that was to come is none any more, because the rows that we may see are others.
        Err(error) if error.is_gone() => {
            log::info!("the beginning of the copy is out of date ({error}); it begins anew");
            remove_dir(&place)?;
            go_on(service, &place, types, limit).await
        }
        done => done,
    }
}

async fn go_on(
    service: &mut Service,
    place: &Path,
    types: &[String],
    limit: &str,
) -> Result<Beginning, OfficeError> {
    let names = types.join(",");
    let mut progress = earlier(place, service.url(), types);
    if progress.is_none() {
        remove_dir(place)?;
        fs::create_dir(place).map_err(OfficeError::file(place))?;
    }
    loop {
        let cursor = match &progress {
            None => "",
            Some(Progress {
                next_cursor: Some(next),
                ..
            }) => next,
            Some(Progress { feed_cursor, .. }) => {
                return Ok(Beginning {
                    place: place.to_owned(),
                    cursor: feed_cursor.clone(),
                });
            }
        };
        let query = [("cursor", cursor), ("limit", limit), ("types", &names)];
        let page: SnapshotPage = service.get("/snapshot", &query).await?;
        let strange = |why: String| OfficeError::Strange {
            url: format!("{}/snapshot", service.url()),
            why,
        };
        let now = progress.take().unwrap_or_else(|| Progress {
            url: service.url().to_owned(),
            types: types.to_vec(),
            feed_cursor: page.feed_cursor.clone(),
            next_cursor: None,
            parts: types
                .iter()
                .map(|of| (of.clone(), Part::default()))
                .collect(),
        });
        progress = Some(store(place, now, page).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => strange(error.to_string()),
            _ => OfficeError::file(place)(error),
        })?);
    }
}

/// What an earlier process has copied of the same, cut where its last whole page ends.
fn earlier(place: &Path, url: &str, types: &[String]) -> Option<Progress> {
    let text = fs::read(progress_file(place)).ok()?;
    let progress: Progress = serde_json::from_slice(&text).ok()?;
    if progress.url != url || progress.types != types {
        return None;
    }
    for (of, part) in &progress.parts {
        let file = OpenOptions::new()
            .write(true)
            .open(part_file(place, of))
            .ok()?;
        if file.metadata().ok()?.len() < part.bytes {
            return None;
        }
        file.set_len(part.bytes).ok()?;
    }
    log::info!("the copy goes on where it was interrupted");
    Some(progress)
}

/// Brings a page to the disk, then how far that is.
fn store(place: &Path, mut progress: Progress, page: SnapshotPage) -> io::Result<Progress> {
    let mut files: BTreeMap<&str, BufWriter<File>> = BTreeMap::new();
    let mut begun = BTreeSet::new();
    for of in progress.parts.keys() {
        let path = part_file(place, of);
        if !path.exists() {
            File::create(&path)?;
            begun.insert(of.clone());
        }
    }
    for row in &page.items {
        let Some(part) = progress.parts.get_mut(&row.of) else {
            continue;
        };
        let line = line_of(&row.data, &row.key)?;
        if part.rows > 0 && part.last_key >= row.key {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} come out of order at {}", row.of, row.key),
            ));
        }
        if !files.contains_key(row.of.as_str()) {
            let path = part_file(place, &row.of);
            let file = OpenOptions::new().append(true).open(path)?;
            files.insert(&row.of, BufWriter::new(file));
        }
        if let Some(file) = files.get_mut(row.of.as_str()) {
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
        }
        part.bytes += line.len() as u64 + 1;
        part.rows += 1;
        part.last_key.clone_from(&row.key);
    }
    for (_, file) in files {
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
    }
    if !begun.is_empty() {
        sync_dir(place)?;
    }
    progress.next_cursor = page.next_cursor;
    let text = serde_json::to_vec(&progress)?;
    replace(&progress_file(place), &text)?;
    Ok(progress)
}
