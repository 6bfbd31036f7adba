//! JSON and NDJSON: objects, parsed as strictly as the body of a single write.

use std::fmt;
use std::io::{BufRead, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::ahead::ahead;
use super::persons::{Suspicion, says_person, stops, suspicion};
use super::{Incoming, MAX_JSON, MAX_ROW, MAX_ROWS, Objects, ReadFault, Source, faults};
use crate::http::body::{Strict, strict};

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
    let items: Vec<Value> = items.into_iter().map(unpacked).collect();
    let mut persons = Members::default();
    for (position, item) in (1..).zip(&items) {
        persons.see(position, item)?;
    }
    persons.finish()?;
    let objects = (1..).zip(items).map(Ok);
    Ok(Incoming::Objects(Box::new(objects)))
}

/// Opens an NDJSON file: what speaks against it is seen while its lines are read.
pub(super) fn open_lines(source: &Source) -> Result<Incoming, ReadFault> {
    let mut watched = Watched {
        lines: Lines::new(source)?,
        persons: Members::default(),
        rows: 0,
    };
    Ok(Incoming::Objects(ahead(until_fault(move || {
        watched.read()
    }))))
}

/// Opens an NDJSON file that was looked through before.
pub(super) fn reopen_lines(source: &Source) -> Result<Incoming, ReadFault> {
    let mut lines = Lines::new(source)?;
    Ok(Incoming::Objects(ahead(until_fault(move || lines.read()))))
}

/// What is read until there is no more. After a fault nothing more comes.
fn until_fault(
    mut read: impl FnMut() -> Result<Option<(u32, Value)>, ReadFault> + Send + 'static,
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
    persons: Members,
    rows: usize,
}

impl Watched {
    fn read(&mut self) -> Result<Option<(u32, Value)>, ReadFault> {
        let Some((number, value)) = self.lines.read()? else {
            if self.rows == 0 {
                return Err(faults::empty_file());
            }
            self.persons.finish()?;
            return Ok(None);
        };
        self.persons.see(number, &value)?;
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(faults::too_many_rows());
        }
        Ok(Some((number, value)))
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

    fn read(&mut self) -> Result<Option<(u32, Value)>, ReadFault> {
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
            let text = self
                .line
                .strip_prefix(b"\xef\xbb\xbf")
                .unwrap_or(&self.line);
            if text.trim_ascii().is_empty() {
                continue;
            }
            let value = strict(text)
                .map_err(|error| faults::not_json(Some(self.number), &error.to_string()))?;
            if !frames(&value) {
                return Ok(Some((self.number, unpacked(value))));
            }
        }
    }
}

/// Whether a line speaks of the file and is no row of it.
fn frames(value: &Value) -> bool {
    const ALONE: [&str; 4] = ["metadata", "export", "complete", "end"];
    let Some(members) = value.as_object() else {
        return false;
    };
    let first = members.keys().next();
    first.is_some_and(|name| ALONE.contains(&name.as_str()))
        || ["type", "schema", "feedCursor"]
            .iter()
            .all(|name| members.contains_key(*name))
}

/// The row itself: in exports and snapshots it lies in `data`, with what it is beside it.
fn unpacked(value: Value) -> Value {
    const AROUND: [&str; 4] = ["type", "key", "version", "data"];
    match value {
        Value::Object(mut members)
            if members.len() == AROUND.len()
                && members.get("data").is_some_and(Value::is_object)
                && AROUND.iter().all(|name| members.contains_key(*name)) =>
        {
            members.get_mut("data").map(Value::take).unwrap_or_default()
        }
        row => row,
    }
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
struct Members {
    known: std::collections::BTreeMap<String, Known>,
}

#[derive(Default)]
struct Known {
    values: usize,
    suspect: usize,
    first: u32,
}

impl Members {
    fn see(&mut self, position: u32, object: &Value) -> Result<(), ReadFault> {
        for (name, value) in object.as_object().into_iter().flatten() {
            self.look(position, name, value)?;
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
