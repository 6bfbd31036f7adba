//! From JSON to a type: stricter than serde, and told in words that are not Rust's.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde_json::{Error, Value};

use super::params::did_you_mean;
use super::words::{no_code, plainly};
use crate::problem::{Fault, Text, text};

/// The typed form of a value.
///
/// # Errors
/// What is wrong with its shape, and where.
pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(Named(value)).map_err(|error| {
        let path = error.path().clone();
        fault(&path, &error.into_inner().to_string())
    })
}

/// The typed form of an object with these members; none if anything is wrong with their shape.
pub(super) fn of_members<'a, T: DeserializeOwned>(
    members: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Option<T> {
    let named = members.map(|(name, value)| (name, Named(value)));
    T::deserialize(MapDeserializer::<_, Error>::new(named)).ok()
}

/// A value whose objects have names: serde would take a list of values, in the order of the members, for one.
#[derive(Clone, Copy)]
struct Named<'a>(&'a Value);

impl<'de> Deserializer<'de> for Named<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(Named));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| (name.as_str(), Named(value)));
                let mut members = MapDeserializer::new(members);
                let value = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(value)
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Named<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

fn fault(path: &serde_path_to_error::Path, message: &str) -> Fault {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    let named = message.split('`').nth(1).unwrap_or_default();
    let expected = message
        .split_once("expected ")
        .map_or("", |(_, expected)| expected);
    if message.starts_with("unknown field") {
        if !pointer.ends_with(&format!("/{named}")) {
            pointer.push('/');
            pointer.push_str(named);
        }
        let known = expected.split('`').skip(1).step_by(2);
        return Fault::at(pointer, "unknown_member", did_you_mean(named, known));
    }
    if message.starts_with("missing field") {
        return Fault::at(
            format!("{pointer}/{named}"),
            "missing_member",
            text("Fältet måste finnas.", "The member must be present."),
        );
    }
    if message.starts_with("unknown variant") {
        return Fault::at(pointer, "unknown_code", no_code(named, expected));
    }
    if message.starts_with("invalid type: null") {
        return Fault::at(
            pointer,
            "not_nullable",
            text("Fältet får inte vara null.", "The member must not be null."),
        );
    }
    if message.starts_with("invalid type") {
        return Fault::at(pointer, "invalid_type", belongs(expected));
    }
    if message.starts_with("data did not match any variant") {
        let sv = "Värdet har ingen av de former som beskrivs i OpenAPI: ett id, eller ett objekt med det som namnger raden.";
        let en = "The value has none of the shapes that OpenAPI describes: an id, or an object with what names the row.";
        return Fault::at(pointer, "invalid_value", text(sv, en));
    }
    Fault::at(
        pointer,
        "invalid_value",
        plainly(message.split(" at line ").next().unwrap_or_default()),
    )
}

/// What kind of value belongs here, from serde's words for it.
fn belongs(expected: &str) -> Text {
    let expected = expected.split(" at line ").next().unwrap_or_default();
    let (sv, en) = match expected {
        "a string" | "a borrowed string" => ("en text", "a text"),
        "a boolean" => ("true eller false", "true or false"),
        "a sequence" => ("en lista", "a list"),
        "a map" => ("ett objekt", "an object"),
        "f32" | "f64" => ("ett tal", "a number"),
        integer if is_integer(integer) => ("ett heltal", "a whole number"),
        object if object.starts_with("struct ") => ("ett objekt", "an object"),
        code if code.starts_with("enum ") || code.starts_with("variant ") => {
            ("en kod, som text", "a code, as a text")
        }
        _ => ("ett annat slags värde", "another kind of value"),
    };
    text(
        format!("Fel slags värde: här ska stå {sv}."),
        format!("The wrong kind of value: {en} belongs here."),
    )
}

fn is_integer(word: &str) -> bool {
    let bits = word.strip_prefix(['i', 'u']).unwrap_or_default();
    matches!(bits, "8" | "16" | "32" | "64" | "128" | "size")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Row {
        name: String,
        #[serde(default)]
        parts: Vec<Part>,
        kind: Option<Kind>,
        count: Option<i32>,
        share: Option<f64>,
        given: Option<Given>,
        day: Option<crate::values::Day>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Part {
        id: u16,
        open: bool,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Other,
    }

    /// By number or by name, as references are.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Given {
        Number(u32),
        Named { name: String },
    }

    #[test]
    fn every_shape_that_is_right_is_read() {
        let row: Row = typed(
            &json!({"name": "a", "parts": [{"id": 1, "open": true}], "kind": "other", "count": -3,
            "share": 2, "given": {"name": "b"}}),
        )
        .unwrap();
        assert_eq!(
            row,
            Row {
                name: "a".to_owned(),
                parts: vec![Part { id: 1, open: true }],
                kind: Some(Kind::Other),
                count: Some(-3),
                share: Some(2.0),
                given: Some(Given::Named {
                    name: "b".to_owned()
                }),
                day: None,
            }
        );
        let value = json!({"name": "b", "parts": [{"id": 2, "open": false}]});
        let members = value.as_object().into_iter().flatten();
        let members = members.map(|(name, value)| (name.as_str(), value));
        assert_eq!(of_members::<Row>(members), typed(&value).ok());
        let bare: Row = typed(&json!({"name": "a", "kind": null, "given": 7})).unwrap();
        assert_eq!((bare.kind, bare.given), (None, Some(Given::Number(7))));
    }

    #[rstest]
    #[case(json!(["a", [], null, null, null, null]), "", "ett objekt")]
    #[case(json!([]), "", "ett objekt")]
    #[case(json!("a"), "", "ett objekt")]
    #[case(json!({"name": "a", "parts": [[1, true]]}), "/parts/0", "ett objekt")]
    #[case(json!({"name": "a", "parts": {}}), "/parts", "en lista")]
    #[case(json!({"name": 1}), "/name", "en text")]
    #[case(json!({"name": "a", "count": "1"}), "/count", "ett heltal")]
    #[case(json!({"name": "a", "share": "1"}), "/share", "ett tal")]
    #[case(json!({"name": "a", "parts": [{"id": 1, "open": 0}]}), "/parts/0/open", "true eller false")]
    #[case(json!({"name": "a", "kind": "third"}), "/kind", "third är ingen kod i listan. Tillåtna: one, other.")]
    #[case(json!({"name": "a", "kind": 1}), "/kind", "Fel slags värde")]
    #[case(json!({"name": null}), "/name", "inte vara null")]
    #[case(json!({"name": "a", "day": "2026-02-30"}), "/day", "En dag skrivs ÅÅÅÅ-MM-DD")]
    #[case(json!({"nmae": "a"}), "/nmae", "Menade du name?")]
    #[case(json!({}), "/name", "måste finnas")]
    fn a_wrong_shape_is_told_with_its_place_and_without_names_of_types(
        #[case] value: Value,
        #[case] pointer: &str,
        #[case] told: &str,
    ) {
        let members = value.as_object().into_iter().flatten();
        let members = members.map(|(name, value)| (name.as_str(), value));
        assert!(of_members::<Row>(members).is_none());
        let fault = format!("{:?}", typed::<Row>(&value).unwrap_err());
        assert!(fault.contains(&format!("\"{pointer}\"")), "{fault}");
        assert!(fault.contains(told), "{fault}");
        assert!(
            !fault.contains("struct Row") && !fault.contains("expected"),
            "{fault}"
        );
    }
}
