//! The members of a row of JSON.

use compact_str::CompactString;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The members of an object, in their order. A row has a dozen of them, and comparing a few short names is sooner done than
/// hashing them: a map takes several times as long to be made and thrown away. Short names need no memory of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members(Vec<(CompactString, Value)>);

impl Members {
    /// None yet, with room for so many.
    #[must_use]
    pub fn with_capacity(members: usize) -> Self {
        Self(Vec::with_capacity(members))
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value)
    }

    /// Whether there is a value of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Puts a value in the place of what that name had, or behind all others.
    pub fn insert(&mut self, name: impl Into<CompactString>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, there)) => *there = value,
            None => self.push(name, value),
        }
    }

    /// Puts a value behind all others: that name has none yet.
    pub fn push(&mut self, name: impl Into<CompactString>, value: Value) {
        self.0.push((name.into(), value));
    }

    /// Keeps those of which it is true; their values may be changed.
    pub fn retain(&mut self, mut kept: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain_mut(|(name, value)| kept(name, value));
    }

    /// Puts a value behind all others, unless that name has one.
    pub fn insert_new(&mut self, name: &'static str, value: Value) {
        if !self.contains(name) {
            self.push(name, value);
        }
    }

    /// Changes the value of a name, which is null if there was none.
    pub fn change(&mut self, name: &'static str, change: impl FnOnce(&mut Value)) {
        if let Some((_, value)) = self.0.iter_mut().find(|(known, _)| known == name) {
            return change(value);
        }
        let mut value = Value::Null;
        change(&mut value);
        self.push(name, value);
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at a JSON pointer (RFC 6901). One to the whole object has none.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        let pointer = pointer.strip_prefix('/')?;
        let (name, rest) = match pointer.find('/') {
            Some(end) => pointer.split_at(end),
            None => (pointer, ""),
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        self.get(&name)?.pointer(rest)
    }
}

impl IntoIterator for Members {
    type Item = (CompactString, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Of names that are told apart already.
impl FromIterator<(CompactString, Value)> for Members {
    fn from_iter<T: IntoIterator<Item = (CompactString, Value)>>(named: T) -> Self {
        Self(named.into_iter().collect())
    }
}

impl From<Map<String, Value>> for Members {
    fn from(map: Map<String, Value>) -> Self {
        let named = map.into_iter();
        named.map(|(name, value)| (name.into(), value)).collect()
    }
}

impl From<Members> for Map<String, Value> {
    fn from(members: Members) -> Self {
        let named = members.into_iter();
        named
            .map(|(name, value)| (name.into_string(), value))
            .collect()
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Members {
        match value {
            Value::Object(map) => map.into(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_name_has_one_value_and_keeps_its_place() {
        let mut row = members(json!({"b": 1, "a": 2}));
        row.insert("b", json!(3));
        row.insert("c", json!(4));
        row.change("a", |value| *value = json!(5));
        row.change("d", |value| assert!(value.is_null()));
        row.insert_new("d", json!(6));
        row.retain(|name, value| {
            *value = json!([value.take()]);
            name != "c"
        });
        let written = serde_json::to_string(&row).unwrap();
        assert_eq!(written, r#"{"b":[3],"a":[5],"d":[null]}"#);
        assert_eq!((row.len(), row.get("c")), (3, None));
        let map = Map::from(row.clone());
        assert_eq!(Members::from(map), row);
    }

    #[test]
    fn a_pointer_means_what_it_means_in_json() {
        let value = json!({"a": {"b": [1, {"c": 2}]}, "x/y": 3, "m~n": 4, "": 5, "~1": 6});
        let row = members(value.clone());
        for pointer in [
            "/a", "/a/b/1/c", "/a/x", "/x~1y", "/m~0n", "/", "/~01", "/~1", "a", "/a/", "/b",
        ] {
            assert_eq!(row.pointer(pointer), value.pointer(pointer), "{pointer}");
        }
        assert_eq!(row.pointer(""), None);
    }
}
