//! Request bodies: limited, strict, and valid before a handler sees them.
//!
//! A body goes through the same gates in the same order: content type and coding (415), size (413), time (408), JSON without
//! doubled members, deep nesting or huge lists (400), the shape of the type (422), and the rules of its fields, all
//! faults at once (422).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use garde::Validate;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};

use super::{MAX_ARRAY, MAX_BODY, MAX_DEPTH, once, shape};
use crate::problem::{Fault, Problem, ProblemKind, text};
use crate::values::rule_text;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A body of type `T` that holds to every rule of `T`.
#[derive(Debug)]
pub struct Valid<T>(pub T);

impl<T: DeserializeOwned + Validate<Context = ()> + 'static> FromRequest for Valid<T> {
    type Error = Problem;
    type Future = Pending<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = read(req, payload, &["application/json"]);
        Box::pin(async move { valid(json(&reading.await?)?).map(Self) })
    }
}

/// A JSON Merge Patch (RFC 7396): a member that is absent stays, `null` removes, anything else replaces.
#[derive(Debug)]
pub struct MergePatch(pub Value);

impl FromRequest for MergePatch {
    type Error = Problem;
    type Future = Pending<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = read(
            req,
            payload,
            &["application/merge-patch+json", "application/json"],
        );
        Box::pin(async move {
            let patch = json(&reading.await?)?;
            if patch.is_object() {
                return Ok(Self(patch));
            }
            Err(Problem::invalid(Fault::at(
                "",
                "invalid_type",
                text(
                    "En ändring är ett JSON-objekt.",
                    "A patch is a JSON object.",
                ),
            )))
        })
    }
}

impl MergePatch {
    /// The target with the patch applied.
    #[must_use]
    pub fn apply(&self, mut target: Value) -> Value {
        merge(&mut target, &self.0);
        target
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(members) = target {
        for (name, value) in patch {
            if value.is_null() {
                // Kept as null rather than removed: the same for an optional member, and a required or unknown one
                // is then refused by name.
                members.insert(name.clone(), Value::Null);
            } else {
                merge(members.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// Reads the whole body, within its size and time.
pub(crate) fn read(
    req: &HttpRequest,
    payload: &mut Payload,
    types: &'static [&'static str],
) -> Pending<web::Bytes> {
    let declared = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = declared.map(|value| {
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    });
    if !media.as_deref().is_some_and(|media| types.contains(&media)) {
        let allowed = types.join(", ");
        let problem = Problem::new(ProblemKind::UnsupportedMediaType).fault(Fault::header(
            "Content-Type",
            "content_type",
            text(format!("Skicka {allowed}."), format!("Send {allowed}.")),
        ));
        return Box::pin(async { Err(problem) });
    }
    let coding = req.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let problem = Problem::new(ProblemKind::UnsupportedMediaType)
            .fault(Fault::header(
                "Content-Encoding",
                "content_encoding",
                text(
                    "Skicka kroppen okomprimerad, utan Content-Encoding.",
                    "Send the body uncompressed, without Content-Encoding.",
                ),
            ))
            // RFC 9110 section 12.5.3: what would have been accepted.
            .with_header(header::ACCEPT_ENCODING, "identity");
        return Box::pin(async { Err(problem) });
    }
    let length = req
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BODY) {
        return Box::pin(async { Err(too_large()) });
    }
    let mut payload = payload.take();
    let reading = async move {
        let mut body = web::BytesMut::with_capacity(length.unwrap_or(1024).min(MAX_BODY));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                Problem::new(ProblemKind::MalformedRequest)
                    .detail(text(
                        "Kroppen kom inte fram hel.",
                        "The body did not arrive whole.",
                    ))
                    .because(error)
            })?;
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let req = req.clone();
    Box::pin(async move {
        let body = tokio::time::timeout(BODY_TIME, reading)
            .await
            .unwrap_or_else(|_| Err(Problem::new(ProblemKind::RequestTimeout)))?;
        once::note_body(&req, &body);
        Ok(body)
    })
}

fn too_large() -> Problem {
    Problem::new(ProblemKind::PayloadTooLarge).detail(text(
        format!("Kroppen får ha högst {MAX_BODY} byte."),
        format!("The body may have {MAX_BODY} bytes at the most."),
    ))
}

/// Parses strictly; see [`Strict`].
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn strict(json: &[u8]) -> serde_json::Result<Value> {
    let mut parser = serde_json::Deserializer::from_slice(json);
    let value = Strict::default().deserialize(&mut parser)?;
    parser.end()?;
    Ok(value)
}

fn json(body: &[u8]) -> Result<Value, Problem> {
    strict(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        let named = said.split('`').nth(1).unwrap_or_default();
        let swedish = if said.ends_with("occurs twice") {
            format!("medlemmen {named} förekommer två gånger")
        } else if said.starts_with("nested") {
            format!("den är djupare än {MAX_DEPTH} nivåer")
        } else if said.starts_with("a list of more") {
            format!("en lista har fler än {MAX_ARRAY} poster")
        } else {
            "den följer inte JSON:s regler".to_owned()
        };
        Problem::new(ProblemKind::MalformedRequest).fault(Fault::at(
            "",
            "json",
            text(
                format!(
                    "Kroppen är inte JSON som godtas: {swedish} (rad {line}, tecken {column})."
                ),
                format!(
                    "The body is not JSON that is accepted: {said} (line {line}, column {column})."
                ),
            ),
        ))
    })
}

/// The typed form of a JSON value, after every rule.
///
/// # Errors
/// 422 with the fault of shape, or all faults of rules.
pub fn valid<T: DeserializeOwned + Validate<Context = ()>>(value: Value) -> Result<T, Problem> {
    let typed: T = shape::typed(&value).map_err(Problem::invalid)?;
    let Err(report) = typed.validate() else {
        return Ok(typed);
    };
    let faults = report
        .iter()
        .map(|(path, error)| {
            let code = error.message().to_owned();
            let detail = rule_text(&code);
            Fault::at(pointer_of(&path.to_string()), code, detail)
        })
        .collect();
    Err(Problem::new(ProblemKind::ValidationFailed).faults(faults))
}

/// As [`valid`] reads an object with these members; none if anything speaks against it. No object is made of them, which
/// takes longer than all the rest.
pub fn fitting<'a, T: DeserializeOwned + Validate<Context = ()>>(
    members: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Option<T> {
    let typed: T = shape::of_members(members)?;
    typed.validate().is_ok().then_some(typed)
}

/// `target_group.links[0].url` -> `/targetGroup/links/0/url`.
fn pointer_of(path: &str) -> String {
    let mut pointer = String::new();
    for part in path.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        let mut upper = false;
        for c in part.chars() {
            if c == '_' {
                upper = true;
            } else {
                pointer.push(if upper { c.to_ascii_uppercase() } else { c });
                upper = false;
            }
        }
    }
    pointer
}

/// JSON without doubled members, nested at most [`MAX_DEPTH`] deep, with lists of at most [`MAX_ARRAY`].
#[derive(Default)]
pub(crate) struct Strict {
    depth: usize,
}

impl Strict {
    /// For the value of a member of what is read.
    pub(crate) fn inside() -> Self {
        Self { depth: 1 }
    }

    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH {
            Ok(Self {
                depth: self.depth + 1,
            })
        } else {
            Err(E::custom(format!("nested more than {MAX_DEPTH} deep")))
        }
    }
}

/// The fault of a doubled member.
pub(crate) fn occurs_twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format!("member `{name}` occurs twice"))
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }
    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.deeper()?)? {
            if items.len() == MAX_ARRAY {
                return Err(A::Error::custom(format!("a list of more than {MAX_ARRAY}")));
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        // Room for most rows at once: growing to it member by member takes three times as many allocations.
        let room = if self.depth == 0 { 8 } else { 0 };
        let mut members = Map::with_capacity(room);
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(occurs_twice(&name));
            }
            let value = map.next_value_seed(self.deeper()?)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json as j;

    #[rstest]
    #[case::doubled_member(r#"{"a":1,"a":2}"#.to_owned())]
    #[case::deep(format!("{}{}", "[".repeat(40), "]".repeat(40)))]
    #[case::long_list(format!("[{}1]", "1,".repeat(1000)))]
    #[case::tail("{} {}".to_owned())]
    #[case::not_utf8("\u{0}".to_owned())]
    fn hostile_json_is_refused(#[case] body: String) {
        assert_eq!(
            json(body.as_bytes()).unwrap_err().kind(),
            ProblemKind::MalformedRequest
        );
    }

    #[test]
    fn a_list_of_the_allowed_length_passes() {
        assert!(json(format!("[{}1]", "1,".repeat(999)).as_bytes()).is_ok());
    }

    #[test]
    fn merge_patch_replaces_nested_members_and_nulls() {
        let patch = MergePatch(j!({"a": {"b": 2}, "c": null, "d": [1]}));
        assert_eq!(
            patch.apply(j!({"a": {"b": 1, "x": 1}, "c": 3, "d": [1, 2]})),
            j!({"a": {"b": 2, "x": 1}, "c": null, "d": [1]})
        );
    }

    #[test]
    fn pointers_follow_the_names_of_the_body() {
        assert_eq!(
            pointer_of("target_group.links[0].source_url"),
            "/targetGroup/links/0/sourceUrl"
        );
    }
}
