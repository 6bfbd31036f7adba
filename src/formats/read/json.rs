//! JSON and NDJSON: objects, parsed as strictly as the body of a single write.

use std::fmt;
use std::io::{BufRead, Read};

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
    let items = (1..).zip(items).map(|(number, item)| match item {
        Value::Object(members) => row_of(number, Ok(members.into())),
        other => row_of(number, Err(other)),
    });
    let items: Vec<Object> = items.collect::<Result<_, _>>()?;
    let mut persons = Persons::default();
    items.iter().try_for_each(|item| persons.see(item))?;
    persons.finish()?;
    Ok(Incoming::Objects(Box::new(items.into_iter().map(Ok))))
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

/// Opens an NDJSON file that was looked through before.
pub(super) fn reopen_lines(source: &Source) -> Result<Incoming, ReadFault> {
    let mut lines = Lines::new(source)?;
    Ok(Incoming::Objects(ahead(until_fault(move || {
        let object = lines.read()?;
        Ok(object.map(|object| Object {
            line: Some(lines.line.as_slice().into()),
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
        while let Some(name) = map.next_key::<String>()? {
            if members.contains(&name) {
                return Err(occurs_twice(&name));
            }
            if members.len() == MAX_COLUMNS {
                return Err(A::Error::custom(TOO_MANY));
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
        return Err(faults::not_json(Some(number), TOO_MANY));
    }
    Ok(Object {
        number,
        members,
        line: None,
    })
}

const TOO_MANY: &str = "an object of more than 500 members";

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
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), Known::default());
        }
        if let Some(known) = self.known.get_mut(name) {
            known.values += 1;
            if found == Suspicion::Perhaps {
                if known.suspect == 0 {
                    known.first = position;
                }
                known.suspect += 1;
            }
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
