//! JSON and NDJSON: objects, parsed as strictly as the body of a single write.

use std::collections::HashSet;
use std::fmt;
use std::io::{BufRead, Read};

use compact_str::CompactString;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::ahead::ahead;
use super::persons::{Suspicion, says_person, stops, suspicion};
use super::{
    Incoming, MAX_COLUMNS, MAX_JSON, MAX_ROW, MAX_ROWS, Members, Object, Objects, ReadFault,
    Source, faults,
};
use crate::http::body::{Strict, occurs_twice, strict};

/// Opens a JSON file: a list, or an object whose `items` is one, as our lists answer.
pub(super) fn open(source: &Source) -> Result<Incoming, ReadFault> {
    if source.size()? > MAX_JSON {
        return Err(faults::too_large("JSON", MAX_JSON));
    }
    let mut bytes = Vec::new();
    source.open()?.read_to_end(&mut bytes).map_err(faults::io)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if text.trim_ascii().is_empty() {
        return Err(faults::empty_file());
    }
    let mut parser = serde_json::Deserializer::from_slice(text);
    let items = Items
        .deserialize(&mut parser)
        .and_then(|items| parser.end().map(|()| items))
        .map_err(|error| faults::not_json(None, &error.to_string()))?;
    let mut persons = Persons::default();
    let mut objects = Vec::with_capacity(items.len());
    for (number, item) in (1..).zip(items) {
        let object = match item {
            Value::Object(members) => row_of(number, Ok(members.into()))?,
            other => row_of(number, Err(other))?,
        };
        persons.see(&object)?;
        objects.push(Ok(object));
    }
    persons.finish()?;
    Ok(Incoming::Objects(Box::new(objects.into_iter())))
}

/// Opens an NDJSON file: what speaks against it is seen while its lines are read.
pub(super) fn open_lines(source: &Source) -> Result<Incoming, ReadFault> {
    let mut watched = Watched {
        lines: Lines::new(source)?,
        persons: Persons::default(),
        rows: 0,
    };
    Ok(Incoming::Objects(ahead(until_fault(move || {
        watched.read()
    }))))
}

/// Opens an NDJSON file that was looked through before, and keeps its lines if they are wanted.
pub(super) fn reopen_lines(source: &Source, keeps: bool) -> Result<Incoming, ReadFault> {
    let mut lines = Lines::new(source)?;
    Ok(Incoming::Objects(ahead(until_fault(move || {
        let object = lines.read()?;
        Ok(object.map(|object| Object {
            line: keeps.then(|| lines.line.as_slice().into()),
            ..object
        }))
    }))))
}

/// What is read until there is no more. After a fault nothing more comes.
fn until_fault(
    mut read: impl FnMut() -> Result<Option<Object>, ReadFault> + Send + 'static,
) -> Objects {
    let mut ended = false;
    Box::new(std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let next = read().transpose();
        ended = !matches!(next, Some(Ok(_)));
        next
    }))
}

/// Lines that nobody has looked through yet. After the last one comes what speaks against all of them.
struct Watched {
    lines: Lines,
    persons: Persons,
    rows: usize,
}

impl Watched {
    fn read(&mut self) -> Result<Option<Object>, ReadFault> {
        let Some(object) = self.lines.read()? else {
            if self.rows == 0 {
                return Err(faults::empty_file());
            }
            self.persons.finish()?;
            return Ok(None);
        };
        self.persons.see(&object)?;
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(faults::too_many_rows());
        }
        Ok(Some(object))
    }
}

/// The lines of NDJSON. The first and the last line of our own exports, which say what is between them, are left out.
struct Lines {
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u32,
}

impl Lines {
    fn new(source: &Source) -> Result<Self, ReadFault> {
        Ok(Self {
            input: source.buffered()?,
            line: Vec::new(),
            number: 0,
        })
    }

    fn read(&mut self) -> Result<Option<Object>, ReadFault> {
        loop {
            self.line.clear();
            let most = MAX_ROW as u64 + 1;
            let read = (&mut self.input)
                .take(most)
                .read_until(b'\n', &mut self.line)
                .map_err(faults::io)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() > MAX_ROW {
                return Err(faults::row_too_long(self.number));
            }
            let text = bare(&self.line);
            if text.trim_ascii().is_empty() {
                continue;
            }
            let members = object(text)
                .map_err(|error| faults::not_json(Some(self.number), &error.to_string()))?;
            if !members.as_ref().is_ok_and(frames) {
                return row_of(self.number, members).map(Some);
            }
        }
    }
}

/// A line without the mark that some programs begin files with.
fn bare(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// A line as strictly as [`strict`] reads it: the members of an object, or what stands there.
fn object(text: &[u8]) -> serde_json::Result<Result<Members, Value>> {
    if !text.trim_ascii_start().starts_with(b"{") {
        return strict(text).map(Err);
    }
    let mut parser = serde_json::Deserializer::from_slice(text);
    let members = StrictMembers.deserialize(&mut parser)?;
    parser.end()?;
    Ok(Ok(members))
}

/// The row of a line that was read before, as it came.
#[must_use]
pub fn written(line: &[u8]) -> Value {
    match object(bare(line)) {
        Ok(Ok(members)) => Value::Object(unpacked(members).into()),
        Ok(Err(value)) => value,
        Err(_) => Value::Null,
    }
}

/// So many members are few.
const FEW: usize = 32;

/// The members of an object.
struct StrictMembers;

impl<'de> DeserializeSeed<'de> for StrictMembers {
    type Value = Members;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StrictMembers {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        // Room for most rows at once.
        let mut members = Members::with_capacity(12);
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<CompactString>()? {
            // To compare a few names with each other is sooner done than hashing them; of many it is not.
            let twice = match members.len() {
                ..FEW => members.contains(&name),
                FEW => {
                    names.extend(members.iter().map(|(name, _)| CompactString::from(name)));
                    !names.insert(name.clone())
                }
                _ => !names.insert(name.clone()),
            };
            if twice {
                return Err(occurs_twice(&name));
            }
            if members.len() == MAX_COLUMNS {
                return Err(A::Error::custom(too_many()));
            }
            let value = map.next_value_seed(Strict::inside())?;
            members.push(name, value);
        }
        Ok(members)
    }
}

/// Whether a line speaks of the file and is no row of it.
fn frames(members: &Members) -> bool {
    const ALONE: [&str; 4] = ["metadata", "export", "complete", "end"];
    let first = members.iter().next();
    first.is_some_and(|(name, _)| ALONE.contains(&name))
        || ["type", "schema", "feedCursor"]
            .iter()
            .all(|name| members.contains(name))
}

/// The row itself: in exports and snapshots it lies in `data`, with what it is beside it.
fn unpacked(members: Members) -> Members {
    const AROUND: [&str; 4] = ["type", "key", "version", "data"];
    let packed = members.len() == AROUND.len()
        && AROUND.iter().all(|name| members.contains(name))
        && members.get("data").is_some_and(Value::is_object);
    if !packed {
        return members;
    }
    let mut within = members.into_iter();
    let row = within.find_map(|(name, value)| match value {
        Value::Object(row) if name == "data" => Some(row),
        _ => None,
    });
    row.map(Members::from).unwrap_or_default()
}

/// What was read as a row.
fn row_of(number: u32, members: Result<Members, Value>) -> Result<Object, ReadFault> {
    let members = members.map(unpacked);
    if members.as_ref().is_ok_and(|row| row.len() > MAX_COLUMNS) {
        return Err(faults::not_json(Some(number), &too_many()));
    }
    Ok(Object {
        number,
        members,
        line: None,
    })
}

fn too_many() -> String {
    format!("an object of more than {MAX_COLUMNS} members")
}

/// The list of objects.
struct Items;

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Vec<Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects, or an object whose items is one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict::default())? {
            items.push(item);
        }
        Ok(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Value>, A::Error> {
        let mut items = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != "items" {
                map.next_value::<IgnoredAny>()?;
            } else if items.replace(map.next_value_seed(Items)?).is_some() {
                return Err(serde::de::Error::custom("member `items` occurs twice"));
            }
        }
        items.ok_or_else(|| serde::de::Error::missing_field("items"))
    }
}

/// Looks for persons in the members of objects, by name.
#[derive(Default)]
struct Persons {
    known: std::collections::BTreeMap<String, Known>,
}

#[derive(Default)]
struct Known {
    values: usize,
    suspect: usize,
    first: u32,
}

impl Persons {
    fn see(&mut self, object: &Object) -> Result<(), ReadFault> {
        for (name, value) in object.members.iter().flat_map(Members::iter) {
            self.look(object.number, name, value)?;
        }
        Ok(())
    }

    fn look(&mut self, position: u32, name: &str, value: &Value) -> Result<(), ReadFault> {
        let found = match value {
            Value::String(text) => suspicion(text.trim()),
            // Of fewer digits than a person has.
            Value::Number(number) if number.as_u64().is_some_and(|n| n < 10_000_000) => {
                Suspicion::No
            }
            Value::Number(number) => suspicion(&number.to_string()),
            Value::Array(items) => {
                return items
                    .iter()
                    .try_for_each(|item| self.look(position, name, item));
            }
            Value::Object(members) => {
                return members
                    .iter()
                    .try_for_each(|(_, value)| self.look(position, name, value));
            }
            Value::Null | Value::Bool(_) => return Ok(()),
        };
        if found == Suspicion::Certain {
            return Err(faults::personal_numbers(position, None, Some(name)));
        }
        let known = match self.known.get_mut(name) {
            Some(known) => known,
            None => self.known.entry(name.to_owned()).or_default(),
        };
        known.values += 1;
        if found == Suspicion::Perhaps {
            if known.suspect == 0 {
                known.first = position;
            }
            known.suspect += 1;
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), ReadFault> {
        for (name, known) in &self.known {
            if stops(known.suspect, known.values, says_person(name)) {
                return Err(faults::personal_numbers(known.first, None, Some(name)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// The rows of an open file, or the rule that it breaks.
    fn rows(incoming: Result<Incoming, ReadFault>) -> Result<Vec<Object>, &'static str> {
        let rows = match incoming.map_err(|fault| fault.code)? {
            Incoming::Objects(objects) => objects.collect::<Result<Vec<Object>, _>>(),
            Incoming::Table { .. } => panic!("a table"),
        };
        rows.map_err(|fault| fault.code)
    }

    fn wide(members: usize) -> String {
        let members: Vec<String> = (0..members).map(|n| format!("\"m{n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    }

    #[rstest]
    #[case::most(wide(MAX_COLUMNS), Ok(1))]
    #[case::too_many(wide(MAX_COLUMNS + 1), Err("json"))]
    #[case::too_many_within(
        format!(r#"{{"type":"a","key":"b","version":1,"data":{}}}"#, wide(MAX_COLUMNS + 1)),
        Err("json")
    )]
    #[case::twice(r#"{"a":1,"b":2,"a":3}"#.to_owned(), Err("json"))]
    #[case::tail(r#"{"a":1} {"a":1}"#.to_owned(), Err("json"))]
    #[case::no_object("[1]".to_owned(), Ok(1))]
    fn a_row_is_as_wide_as_a_table(
        #[case] row: String,
        #[case] expected: Result<usize, &'static str>,
    ) {
        let count = |incoming| rows(incoming).map(|rows| rows.len());
        let lines = Source::Memory(format!("\u{feff}{row}\n").into());
        assert_eq!(count(open_lines(&lines)), expected);
        let list = Source::Memory(format!("[{row}]").into());
        assert_eq!(count(open(&list)), expected);
    }

    #[test]
    fn a_line_is_kept_as_it_came() {
        let row = json!({"b": [1, {"c": null}], "a": "å"});
        let packed = json!({"type": "x", "key": "k", "version": 1, "data": row});
        let file = format!("\u{feff} {row}\n\n{packed} \r\n\"text\"\n");
        let lines = Source::Memory(file.into());
        let kept = rows(reopen_lines(&lines, true)).unwrap();
        let numbers: Vec<u32> = kept.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [1, 3, 4]);
        let came = kept.iter().map(|row| written(row.line.as_ref().unwrap()));
        let came: Vec<Value> = came.collect();
        assert_eq!(came, [row.clone(), row, json!("text")]);
        let unwanted = rows(reopen_lines(&lines, false)).unwrap();
        assert!(unwanted.iter().all(|row| row.line.is_none()));
    }

    #[test]
    fn persons_are_told_before_what_comes_later() {
        let rows_of = [
            json!({"note": "811228-9874"}).to_string(),
            wide(MAX_COLUMNS + 1),
        ];
        let lines = Source::Memory(rows_of.join("\n").into());
        let list = Source::Memory(format!("[{}]", rows_of.join(",")).into());
        for told in [rows(open_lines(&lines)), rows(open(&list))] {
            assert_eq!(told.unwrap_err(), "personal_identity_numbers");
        }
    }
}
