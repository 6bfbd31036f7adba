//! The contract, read back: does an answer agree with the OpenAPI document?
//!
//! The test client asks this of every answer it receives, so that a document that has drifted from
//! the code cannot pass one HTTP test. An answer agrees when its operation, status and media type are
//! documented, its body is valid under the documented schema (OpenAPI 3.1 schemas are JSON Schema
//! 2020-12; formats are checked too), no object in it has a member that the schema does not name, and
//! every header that is documented as required is there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// An OpenAPI document that answers can be held against.
#[derive(Debug)]
pub struct Contract {
    document: Value,
    /// Compiled once each; a test run asks for the same few hundred over and over.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// The contract that this document describes.
    pub fn new(document: Value) -> Self {
        Self {
            document,
            validators: Mutex::default(),
        }
    }

    /// Holds an answer against the document. `path` is without the prefix that `servers` names; a
    /// query is passed over. An answer to HEAD is held against GET, without its body.
    ///
    /// # Errors
    /// A sentence that says what was answered and which part of the document it breaks.
    pub fn check(
        &self,
        method: &str,
        path: &str,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
        headers: &HeaderMap,
    ) -> Result<(), String> {
        let method = method.to_ascii_lowercase();
        self.check_answer(&method, path, status, content_type, body, headers)
            .map_err(|fault| {
                format!(
                    "{} {path} answered {status}: {fault}",
                    method.to_ascii_uppercase()
                )
            })
    }

    fn check_answer(
        &self,
        method: &str,
        path: &str,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
        headers: &HeaderMap,
    ) -> Result<(), String> {
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let (template, item) = self.path_item(path).ok_or("no documented path fits")?;
        let head_only = method == "head" && item.get(method).is_none();
        let operation = item
            .get(if head_only { "get" } else { method })
            .ok_or_else(|| format!("{template} documents no such method"))?;
        let (documented_status, response) = self
            .response(operation, status)
            .ok_or_else(|| format!("{template} does not document this status"))?;
        self.check_headers(response, headers)?;
        if head_only {
            return if body.is_empty() {
                Ok(())
            } else {
                Err("an answer to HEAD has a body".to_owned())
            };
        }
        let Some(content) = response
            .get("content")
            .and_then(Value::as_object)
            .filter(|content| !content.is_empty())
        else {
            return if body.is_empty() {
                Ok(())
            } else {
                Err("a body is sent where none is documented".to_owned())
            };
        };
        let sent = content_type.ok_or("no content type is sent where a body is documented")?;
        let sent = essence(sent);
        let (media_type, described) = media_types(&sent)
            .find_map(|wanted| {
                content
                    .iter()
                    .find(|(documented, _)| essence(documented) == wanted)
            })
            .ok_or_else(|| format!("the media type {sent} is not documented"))?;
        let Some(schema) = described.get("schema").filter(|_| is_json(&sent)) else {
            return Ok(());
        };
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| format!("the body is not JSON: {error}"))?;
        let key = format!("{method} {template} {documented_status} {media_type}");
        let validator = self.validator(key, schema)?;
        let mut faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("at \"{}\": {error}", error.instance_path()))
            .collect();
        self.find_undocumented(&[schema], &value, "", &mut faults);
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.join("; "))
        }
    }

    /// The path item whose template fits. Where several do, the one that has a concrete segment where
    /// the others have a parameter, read from the left (OpenAPI 3.1, "Path Templating Matching").
    fn path_item(&self, path: &str) -> Option<(&str, &Value)> {
        let paths = self.document.get("paths")?.as_object()?;
        paths
            .iter()
            .filter_map(|(template, item)| Some((fit(template, path)?, template.as_str(), item)))
            .min_by(|(one, ..), (other, ..)| one.cmp(other))
            .map(|(_, template, item)| (template, self.resolve(item)))
    }

    /// The documented response for a status: the exact one, its class (`4XX`), or `default`.
    fn response<'a>(&'a self, operation: &'a Value, status: u16) -> Option<(String, &'a Value)> {
        let responses = operation.get("responses")?;
        [
            status.to_string(),
            format!("{}XX", status / 100),
            "default".to_owned(),
        ]
        .into_iter()
        .find_map(|key| {
            responses
                .get(&key)
                .map(|response| (key, self.resolve(response)))
        })
    }

    fn check_headers(&self, response: &Value, headers: &HeaderMap) -> Result<(), String> {
        let documented = response.get("headers").and_then(Value::as_object);
        let missing: Vec<&str> = documented
            .into_iter()
            .flatten()
            .filter(|(_, header)| self.resolve(header).get("required") == Some(&Value::Bool(true)))
            .map(|(name, _)| name.as_str())
            .filter(|name| !headers.contains_key(*name))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "required headers are missing: {}",
                missing.join(", ")
            ))
        }
    }

    /// What a `$ref` points at; anything else is what it is.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        reference(value)
            .and_then(|pointer| self.document.pointer(pointer))
            .unwrap_or(value)
    }

    fn validator(&self, key: String, schema: &Value) -> Result<Arc<Validator>, String> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = validators.get(&key) {
            return Ok(Arc::clone(validator));
        }
        let mut components = BTreeMap::new();
        self.collect_components(schema, &mut components);
        let root = json!({ "allOf": [schema], "components": { "schemas": components } });
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&root)
            .map_err(|error| format!("its documented schema cannot be used: {error}"))?;
        let validator = Arc::new(validator);
        validators.insert(key, Arc::clone(&validator));
        Ok(validator)
    }

    /// The component schemas that a schema needs: compiling the whole document each time is too slow.
    fn collect_components<'a>(
        &'a self,
        schema: &'a Value,
        found: &mut BTreeMap<&'a str, &'a Value>,
    ) {
        if let Some(pointer) = reference(schema)
            && let Some(name) = pointer.strip_prefix("/components/schemas/")
            && let Some(target) = self.document.pointer(pointer)
            && found.insert(name, target).is_none()
        {
            self.collect_components(target, found);
        }
        match schema {
            Value::Object(members) => members
                .values()
                .for_each(|inner| self.collect_components(inner, found)),
            Value::Array(items) => items
                .iter()
                .for_each(|inner| self.collect_components(inner, found)),
            _ => {}
        }
    }

    /// Finds members that no schema names, here and in everything below. JSON Schema lets them pass
    /// unless the document closes the schema, but a member that nobody documented is drift.
    fn find_undocumented(
        &self,
        schemas: &[&Value],
        value: &Value,
        place: &str,
        faults: &mut Vec<String>,
    ) {
        let mut parts = Vec::new();
        for schema in schemas {
            self.flatten(schema, &mut BTreeSet::new(), &mut parts);
        }
        match value {
            Value::Array(values) => {
                let items: Vec<&Value> =
                    parts.iter().filter_map(|part| part.get("items")).collect();
                for (index, value) in values.iter().enumerate() {
                    self.find_undocumented(&items, value, &format!("{place}/{index}"), faults);
                }
            }
            Value::Object(members)
                if !parts.is_empty() && !parts.iter().any(|part| is_open(part)) =>
            {
                for (name, value) in members {
                    let place = format!("{place}/{name}");
                    let named: Vec<&Value> = parts
                        .iter()
                        .filter_map(|part| part.get("properties")?.get(name))
                        .collect();
                    if named.is_empty() {
                        faults.push(format!("at \"{place}\": the member is not documented"));
                    } else {
                        self.find_undocumented(&named, value, &place, faults);
                    }
                }
            }
            _ => {}
        }
    }

    /// The plain schemas that a schema is put together of, through `$ref`, `allOf`, `oneOf`, `anyOf`.
    fn flatten<'a>(
        &'a self,
        schema: &'a Value,
        seen: &mut BTreeSet<&'a str>,
        parts: &mut Vec<&'a Value>,
    ) {
        let mut is_wrapper = false;
        if let Some(pointer) = reference(schema) {
            is_wrapper = true;
            if seen.insert(pointer)
                && let Some(target) = self.document.pointer(pointer)
            {
                self.flatten(target, seen, parts);
            }
        }
        for combiner in ["allOf", "oneOf", "anyOf"] {
            if let Some(inner) = schema.get(combiner).and_then(Value::as_array) {
                is_wrapper = true;
                for inner in inner {
                    self.flatten(inner, seen, parts);
                }
            }
        }
        if !is_wrapper || schema.get("properties").is_some() {
            parts.push(schema);
        }
    }
}

/// The JSON pointer of a local `$ref`.
fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix('#')
}

/// Whether objects may have members that this schema does not name, by its own words.
fn is_open(schema: &Value) -> bool {
    let allows_objects = match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|name| name == "object"),
        Some(name) => name == "object",
    };
    let more = schema.get("additionalProperties");
    allows_objects
        && (schema.get("properties").is_none() && more != Some(&Value::Bool(false))
            || more.is_some_and(|more| *more != Value::Bool(false))
            || schema.get("patternProperties").is_some())
}

/// For each segment whether a parameter took it; `None` when the path does not fit the template.
fn fit(template: &str, path: &str) -> Option<Vec<bool>> {
    let (templates, segments) = (template.split('/'), path.split('/'));
    if templates.clone().count() != segments.clone().count() {
        return None;
    }
    templates
        .zip(segments)
        .map(
            |(template, segment)| match (template.split_once('{'), template.rsplit_once('}')) {
                (Some((before, _)), Some((_, after))) => {
                    let taken = segment.strip_prefix(before)?.strip_suffix(after)?;
                    (!taken.is_empty()).then_some(true)
                }
                _ => (template == segment).then_some(false),
            },
        )
        .collect()
}

/// A media type in lower case, without its parameters.
fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// What a document can call a media type, the narrowest first.
fn media_types(essence: &str) -> impl Iterator<Item = String> {
    let family = essence.split('/').next().unwrap_or_default();
    [essence.to_owned(), format!("{family}/*"), "*/*".to_owned()].into_iter()
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}

#[cfg(test)]
#[path = "conform_tests.rs"]
mod tests;
