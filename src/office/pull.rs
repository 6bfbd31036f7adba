//! `samverkan pull`: a folder that is kept a complete, exact copy of what a client may see.
//!
//! It begins with `/snapshot`, follows `/changes`, and checks itself with `/sync/digest`. What the service cannot tell
//! any more (410), and a copy that turns out to differ, is begun anew; until the new copy is whole, the old one stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::OfficeError;
use super::answers::{ChangesPage, Digest, Discovery};
use super::client::Service;
use super::folder::{Folder, Kind, State, remove_dir, share};
use super::rows::{self, Changes, line_of};
use super::snapshot;
use crate::clock;

/// Changes are written when there are no more, or when they take so much memory.
const BATCH: usize = 32 * 1024 * 1024;
/// How often the copy is checked while changes keep coming.
const CHECK_EVERY: Duration = Duration::from_mins(10);
/// So often we try to catch a moment in which nothing changes, to check the copy.
const TRIES: u32 = 20;
/// The kind whose rows hold a list that has a table of its own.
const WITH_PARTS: &str = "reports";
/// That list.
const PARTS: &str = "observations";

/// What is to be copied, and where to.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The folder.
    pub dir: PathBuf,
    /// The kinds of row; all that the client may read if none are named.
    pub types: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The copy as it is now.
    pub state: State,
    /// How many rows were written and removed, by kind; of a copy that was begun anew there is nothing to say.
    pub changed: BTreeMap<String, Changed>,
    /// Why it was begun anew, if it was.
    pub anew: Option<String>,
    /// Whether it was compared with the service and agrees. While changes keep coming there may be no moment to compare.
    pub checked: bool,
}

/// How many rows of a kind were written and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Written.
    pub written: u64,
    /// Removed.
    pub removed: u64,
}

/// A copy that is being kept.
#[derive(Debug)]
pub struct Copy<'a> {
    service: &'a mut Service,
    folder: Folder,
    types: Vec<String>,
    limit: String,
    max_wait: u64,
    state: Option<State>,
    changed: BTreeMap<String, Changed>,
    anew: Option<String>,
    /// When it was last compared with the service.
    compared: Instant,
}

/// What comparing with the service showed.
enum Compared {
    Agrees,
    /// There are changes that the copy does not have yet.
    Behind,
    /// These kinds differ.
    Differs(Vec<String>),
}

impl<'a> Copy<'a> {
    /// Opens the folder and asks the service what there is.
    ///
    /// # Errors
    /// When the folder is in use or is a copy of something else, or the service does not answer.
    pub async fn open(service: &'a mut Service, wanted: &Wanted) -> Result<Self, OfficeError> {
        let folder = Folder::open(&wanted.dir)?;
        let state = folder.state()?;
        if let Some(state) = &state
            && state.url != service.url()
        {
            return Err(OfficeError::NotOurs {
                path: wanted.dir.clone(),
                why: format!(
                    "it is a copy of {}; give another folder, or remove this one",
                    state.url
                ),
            });
        }
        let discovery: Discovery = service.get("/sync", &[]).await?;
        let readable = discovery.types.into_iter().filter(|kind| kind.readable);
        let mut types = wanted.types.clone();
        if types.is_empty() {
            types = readable.map(|kind| kind.of).collect();
        }
        types.sort();
        types.dedup();
        // They become names of files.
        let odd = types.iter().find(|of| {
            !of.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
        if types.is_empty() || odd.is_some() {
            return Err(OfficeError::Strange {
                url: service.url().to_owned(),
                why: odd.map_or_else(
                    || "there is no kind of row that the client may read".to_owned(),
                    |odd| format!("a kind of row is called {odd:?}"),
                ),
            });
        }
        Ok(Self {
            service,
            folder,
            types,
            limit: discovery.max_limit.min(1000).to_string(),
            max_wait: discovery.max_wait,
            state,
            changed: BTreeMap::new(),
            anew: None,
            compared: Instant::now(),
        })
    }

    /// Brings the copy up to date, and compares it with the service.
    ///
    /// # Errors
    /// When the service or the disk does not do its part. The folder then holds the last state that was whole.
    pub async fn update(&mut self) -> Result<Pulled, OfficeError> {
        let mut checked = false;
        self.compared = Instant::now();
        for _ in 0..TRIES {
            self.catch_up(0).await?;
            match self.compare().await? {
                Compared::Agrees => {
                    checked = true;
                    break;
                }
                Compared::Behind => {}
                Compared::Differs(types) => self.mend(types).await?,
            }
        }
        self.told(checked)
    }

    /// Waits for the next change, however long, and takes it in. The copy is compared with the service now and then.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn next(&mut self) -> Result<Pulled, OfficeError> {
        while self.changed.is_empty() && self.anew.is_none() {
            self.catch_up(self.max_wait).await?;
        }
        if self.compared.elapsed() >= CHECK_EVERY {
            return self.update().await;
        }
        self.told(false)
    }

    /// What was done since this was asked last.
    fn told(&mut self, checked: bool) -> Result<Pulled, OfficeError> {
        Ok(Pulled {
            state: self.held()?.clone(),
            changed: std::mem::take(&mut self.changed),
            anew: self.anew.take(),
            checked,
        })
    }

    fn held(&self) -> Result<&State, OfficeError> {
        self.state.as_ref().ok_or_else(|| OfficeError::Strange {
            url: self.service.url().to_owned(),
            why: "there is no copy".to_owned(),
        })
    }

    /// A copy that has no fault can only differ when somebody wrote into its folder, or the disk forgot.
    async fn mend(&mut self, types: Vec<String>) -> Result<(), OfficeError> {
        let types = types.join(", ");
        if self.anew.is_some() {
            return Err(OfficeError::Differs { types });
        }
        self.begin(format!("{types} differed from the service"))
            .await
    }

    /// Copies everything anew, in the place of what was there.
    async fn begin(&mut self, why: String) -> Result<(), OfficeError> {
        if self.state.is_some() {
            log::warn!("the copy is begun anew: {why}");
        }
        let beginning =
            snapshot::copy(self.service, &self.folder, &self.types, &self.limit).await?;
        let next = self.folder.next()?;
        let mut kinds = Vec::new();
        for of in &self.types {
            let kind = write_kind(&beginning.rows(of), &Changes::new(), &next, of)?;
            kinds.push(kind);
        }
        self.commit(beginning.cursor, kinds)?;
        remove_dir(&beginning.place)?;
        self.changed.clear();
        self.anew = Some(why);
        Ok(())
    }

    /// Takes in all changes that there are; waits for the first one for so many seconds.
    async fn catch_up(&mut self, wait: u64) -> Result<(), OfficeError> {
        match self
            .state
            .as_ref()
            .map(|state| state.names().eq(&self.types))
        {
            None => self.begin("there was no copy".to_owned()).await?,
            Some(false) => {
                self.begin("other kinds of row are wanted".to_owned())
                    .await?;
            }
            Some(true) => {}
        }
        match self.take_in(wait).await {
            Err(OfficeError::Refused {
                status: 410,
                code,
                why,
                ..
            }) => {
                self.begin(code.unwrap_or(why)).await?;
                self.take_in(0).await
            }
            Err(error) if error.is_damage() => {
                self.begin(error.to_string()).await?;
                self.take_in(0).await
            }
            done => done,
        }
    }

    async fn take_in(&mut self, wait: u64) -> Result<(), OfficeError> {
        let names = self.types.join(",");
        let mut cursor = self.held()?.cursor.clone();
        let mut wait = wait.to_string();
        loop {
            let mut batch: BTreeMap<String, Changes> = BTreeMap::new();
            let mut size = 0;
            let more = loop {
                let query = [
                    ("cursor", cursor.as_str()),
                    ("limit", &self.limit),
                    ("types", &names),
                    ("wait", &wait),
                ];
                let page: ChangesPage = self.service.get("/changes", &query).await?;
                "0".clone_into(&mut wait);
                for change in page.items {
                    let line = match (change.op.as_str(), change.data) {
                        ("upsert", Some(data)) => {
                            let line = line_of(&data, &change.key);
                            Some(line.map_err(|error| OfficeError::Strange {
                                url: format!("{}/changes", self.service.url()),
                                why: error.to_string(),
                            })?)
                        }
                        ("delete" | "leave", _) => None,
                        // Of a later version of the service. If it concerns us, the digest will tell.
                        _ => continue,
                    };
                    size += change.key.len() + line.as_ref().map_or(0, String::len);
                    batch.entry(change.of).or_default().insert(change.key, line);
                }
                cursor = page.next_cursor;
                if size >= BATCH || !page.has_more {
                    break page.has_more;
                }
            };
            self.save(&cursor, &batch)?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Makes the next state of the present one and the changes.
    fn save(&mut self, cursor: &str, batch: &BTreeMap<String, Changes>) -> Result<(), OfficeError> {
        let held = self.held()?;
        if held.cursor == cursor {
            return Ok(());
        }
        let next = self.folder.next()?;
        let mut kinds = Vec::new();
        for kind in &held.types {
            let Some(changes) = batch.get(&kind.of) else {
                for file in files_of(&kind.of) {
                    let to = next.join(&file);
                    share(&self.folder.current(&file), &to).map_err(OfficeError::file(&to))?;
                }
                kinds.push(kind.clone());
                continue;
            };
            let old = self.folder.current(&rows_file(&kind.of));
            kinds.push(write_kind(&old, changes, &next, &kind.of)?);
        }
        self.commit(cursor.to_owned(), kinds)?;
        for (of, changes) in batch.iter().filter(|(of, _)| self.types.contains(of)) {
            let changed = self.changed.entry(of.clone()).or_default();
            for line in changes.values() {
                match line {
                    Some(_) => changed.written += 1,
                    None => changed.removed += 1,
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self, cursor: String, kinds: Vec<Kind>) -> Result<(), OfficeError> {
        let state = State::new(self.service.url(), cursor, kinds, clock::now());
        self.folder.commit(&state)?;
        self.state = Some(state);
        Ok(())
    }

    /// Compares the files, as they lie on the disk, with what the service says that they must come to.
    async fn compare(&mut self) -> Result<Compared, OfficeError> {
        let held = self.held()?;
        let (cursor, names) = (held.cursor.clone(), self.types.join(","));
        let query = [("cursor", cursor.as_str()), ("types", &names)];
        let digest: Digest = match self.service.get("/sync/digest", &query).await {
            // The feed says so too, and what to do then is done there.
            Err(error) if error.is_gone() => return Ok(Compared::Behind),
            digest => digest?,
        };
        if digest.up_to_date != Some(true) {
            return Ok(Compared::Behind);
        }
        let mut differ = Vec::new();
        for theirs in digest.types {
            let path = self.folder.current(&rows_file(&theirs.of));
            // A file that cannot be read as rows is as wrong as one with the wrong rows.
            let agrees = rows::sum(&path)
                .is_ok_and(|own| own.rows == theirs.rows && own.digest() == theirs.digest);
            if !agrees {
                differ.push(theirs.of);
            }
        }
        Ok(if differ.is_empty() {
            Compared::Agrees
        } else {
            Compared::Differs(differ)
        })
    }
}

fn rows_file(of: &str) -> String {
    format!("{of}.ndjson")
}

fn table_file(of: &str) -> String {
    format!("{of}.csv")
}

/// The files of a kind.
fn files_of(of: &str) -> Vec<String> {
    let mut files = vec![rows_file(of), table_file(of)];
    if of == WITH_PARTS {
        files.push(table_file(PARTS));
    }
    files
}

/// Writes the files of a kind into a new state.
fn write_kind(old: &Path, changes: &Changes, next: &Path, of: &str) -> Result<Kind, OfficeError> {
    let lines = next.join(rows_file(of));
    let sum = rows::merge(old, changes, &lines).map_err(OfficeError::file(&lines))?;
    let table = next.join(table_file(of));
    let parts = (of == WITH_PARTS).then_some(PARTS);
    rows::table(&lines, parts, &table).map_err(OfficeError::file(&table))?;
    if let Some(parts) = parts {
        let table = next.join(table_file(parts));
        rows::table_of_parts(&lines, parts, &table).map_err(OfficeError::file(&table))?;
    }
    Ok(Kind::new(of, sum))
}
