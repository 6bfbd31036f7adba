//! The files of a copy: NDJSON, one row a line in the order of the keys, and CSV made of it.
//!
//! Because the lines are in order, a change is merged in while the old file is read and the new one written. Memory
//! holds the changes and one row, however large the copy is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::formats::csv;

/// What happened to rows of one kind, by key: the row's line, or none if it is gone.
pub type Changes = BTreeMap<String, Option<String>>;

/// How many rows there are, and what their keys and versions come to together; see `GET /sync/digest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// The hashes, joined by exclusive or.
    pub xor: u64,
}

impl Sum {
    /// Counts a row in.
    pub fn add(&mut self, key: &str, version: i64) {
        let hash = Sha256::digest(format!("{key}:{version}"));
        let first = hash.first_chunk().copied().unwrap_or_default();
        self.rows += 1;
        self.xor ^= u64::from_be_bytes(first);
    }

    /// The digest as the service writes it.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("{:016x}", self.xor)
    }
}

/// What names a row, read from its line without reading the rest.
#[derive(Debug, Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    version: i64,
}

/// The key of a line and its version.
///
/// # Errors
/// When the line is no row.
pub fn named(line: &[u8]) -> io::Result<(Cow<'_, str>, i64)> {
    let Named { id, code, version } = serde_json::from_slice(line)?;
    let key = id
        .or(code)
        .ok_or_else(|| invalid("a row has neither id nor code"))?;
    Ok((key, version))
}

/// The line of a row as the service told it; its key must be the one that it was told under.
///
/// # Errors
/// When it is no row with that key.
pub fn line_of(data: &RawValue, key: &str) -> io::Result<String> {
    let text = data.get();
    // One row, one line: the service's own JSON is one already, but something on the way may have spread it out.
    let line = if text.contains(['\n', '\r']) {
        serde_json::from_str::<Value>(text)?.to_string()
    } else {
        text.to_owned()
    };
    let (own, _) = named(line.as_bytes())?;
    if own != key {
        return Err(invalid(&format!("the row {own} was told as {key}")));
    }
    Ok(line)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The rows of a file, line by line.
struct Lines {
    from: BufReader<File>,
    line: Vec<u8>,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            from: BufReader::with_capacity(1 << 16, File::open(path)?),
            line: Vec::new(),
        })
    }

    /// The next line without its end.
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        if self.from.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        match self.line.split_last() {
            Some((b'\n', line)) => Ok(Some(line)),
            _ => Err(invalid("the last line has no end")),
        }
    }
}

/// What the rows of a file add up to.
///
/// # Errors
/// When it cannot be read, or holds something else than rows.
pub fn sum(path: &Path) -> io::Result<Sum> {
    let mut lines = Lines::open(path)?;
    let mut sum = Sum::default();
    while let Some(line) = lines.next()? {
        let (key, version) = named(line)?;
        sum.add(&key, version);
    }
    Ok(sum)
}

/// Writes the rows of `old` with the changes into `new`, and says what they add up to. `new` is on the disk afterwards.
///
/// # Errors
/// When a file cannot be read or written.
pub fn merge(old: &Path, changes: &Changes, new: &Path) -> io::Result<Sum> {
    let mut out = Output::create(new)?;
    let mut lines = Lines::open(old)?;
    let mut changes = changes.iter().peekable();
    let mut sum = Sum::default();
    let mut put = |line: &[u8]| -> io::Result<()> {
        let (key, version) = named(line)?;
        sum.add(&key, version);
        out.write_all(line)?;
        out.write_all(b"\n")
    };
    while let Some(line) = lines.next()? {
        let (key, _) = named(line)?;
        while let Some((_, changed)) = changes.next_if(|(changed, _)| changed.as_str() < &*key) {
            if let Some(changed) = changed {
                put(changed.as_bytes())?;
            }
        }
        match changes.next_if(|(changed, _)| changed.as_str() == &*key) {
            Some((_, Some(row))) => put(row.as_bytes())?,
            Some((_, None)) => {}
            None => put(line)?,
        }
    }
    for changed in changes.filter_map(|(_, changed)| changed.as_ref()) {
        put(changed.as_bytes())?;
    }
    out.finish()?;
    Ok(sum)
}

/// A file that is on the disk once it is finished.
pub struct Output(BufWriter<File>);

impl Output {
    /// A new file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        Ok(Self(BufWriter::with_capacity(1 << 16, file)))
    }

    /// Brings it to the disk, and makes it one that is not written to any more: the same file may be part of the next
    /// state.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let file = self
            .0
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions)?;
        file.sync_all()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes the table of a file of rows: the members of the rows in the order in which they first come are its columns, as
/// in the lists of the API. `without` is a member that is left out.
///
/// # Errors
/// When a file cannot be read or written.
pub fn table(rows: &Path, without: Option<&str>, table: &Path) -> io::Result<()> {
    let mut columns = Columns::default();
    let mut lines = Lines::open(rows)?;
    while let Some(line) = lines.next()? {
        columns.note(line)?;
    }
    columns.0.retain(|column| Some(column.as_str()) != without);
    let mut out = csv::writer(Output::create(table)?);
    columns.head(&mut out)?;
    let mut lines = Lines::open(rows)?;
    while let Some(line) = lines.next()? {
        let row: Value = serde_json::from_slice(line)?;
        out.write_record(csv::record(&columns.0, &row))?;
    }
    finished(out)
}

/// As [`table`], of the rows that lie in a list inside each row.
///
/// # Errors
/// As [`table`].
pub fn table_of_parts(rows: &Path, member: &str, table: &Path) -> io::Result<()> {
    let mut columns = Columns::default();
    each_part(rows, member, |part| columns.note(part.get().as_bytes()))?;
    let mut out = csv::writer(Output::create(table)?);
    columns.head(&mut out)?;
    each_part(rows, member, |part| {
        let row: Value = serde_json::from_str(part.get())?;
        Ok(out.write_record(csv::record(&columns.0, &row))?)
    })?;
    finished(out)
}

fn each_part(
    rows: &Path,
    member: &str,
    mut take: impl FnMut(&RawValue) -> io::Result<()>,
) -> io::Result<()> {
    let mut lines = Lines::open(rows)?;
    while let Some(line) = lines.next()? {
        let row: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(line)?;
        let Some(list) = row.get(member) else {
            continue;
        };
        for part in serde_json::from_str::<Vec<&RawValue>>(list.get())? {
            take(part)?;
        }
    }
    Ok(())
}

fn finished(out: ::csv::Writer<Output>) -> io::Result<()> {
    out.into_inner()
        .map_err(::csv::IntoInnerError::into_error)?
        .finish()
}

/// The members that rows have, in the order in which they first come.
#[derive(Debug, Default)]
struct Columns(Vec<String>);

impl Columns {
    /// Of no row nothing is known, not even its columns.
    fn head(&self, out: &mut ::csv::Writer<Output>) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Ok(out.write_record(&self.0)?)
    }

    fn note(&mut self, row: &[u8]) -> io::Result<()> {
        let mut row = serde_json::Deserializer::from_slice(row);
        Ok(row.deserialize_map(&mut *self)?)
    }
}

impl<'de> Visitor<'de> for &mut Columns {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Rows mostly have the same members in the same order, so the next one is where the last one was and one on.
        let mut place = 0;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if self.0.get(place).is_none_or(|column| *column != name) {
                let known = self.0.iter().position(|column| *column == name);
                place = known.unwrap_or_else(|| {
                    self.0.push(name.into_owned());
                    self.0.len() - 1
                });
            }
            place += 1;
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
