//! Examples for every body, put together from the examples of its members.

#![expect(
    clippy::indexing_slicing,
    reason = "assigning to a member of a JSON object makes it"
)]

use serde_json::{Map, Value, json};

use super::schemas::{names, row};
use crate::formats::{XLSX, csv};
use crate::http::list::SELECTION;

/// Gives each body without an example one that is valid for its schema.
pub fn fill(document: &mut Value) {
    let schemas = document
        .pointer("/components/schemas")
        .cloned()
        .unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(content) = operation.pointer_mut("/requestBody/content") {
                media_types(content, &schemas);
            }
            let address = address(path, operation);
            let responses = operation
                .get_mut("responses")
                .and_then(Value::as_object_mut);
            for (_, answer) in responses.into_iter().flatten() {
                if let Some(content) = answer.get_mut("content") {
                    answers(content, &schemas, &address);
                    media_types(content, &schemas);
                }
            }
        }
    }
}

/// The path with the examples of its parameters.
fn address(path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array();
    let mut address = path.to_owned();
    for parameter in parameters.into_iter().flatten() {
        if let (Some(name), Some(example)) =
            (parameter["name"].as_str(), parameter["example"].as_str())
        {
            address = address.replace(&format!("{{{name}}}"), example);
        }
    }
    address
}

fn media_types(content: &mut Value, schemas: &Value) {
    for (_, media) in content.as_object_mut().into_iter().flatten() {
        if media.get("example").is_none()
            && media.get("examples").is_none()
            && let Some(schema) = media.get("schema")
        {
            let example = of(schema, schemas, 0);
            media["example"] = example;
        }
    }
}

/// The same row in each form of an answer: JSON, with `fields=`, CSV; and a page links to itself.
fn answers(content: &mut Value, schemas: &Value, path: &str) {
    let Some(schema) = content.pointer("/application~1json/schema") else {
        return;
    };
    let mut whole = of(schema, schemas, 0);
    let kind = ["region", "district"]
        .into_iter()
        .find(|kind| path.starts_with(&format!("/{kind}s")));
    for place in ["/items/0/kind", "/kind"] {
        if let (Some(kind), Some(value)) = (kind, whole.pointer_mut(place)) {
            *value = json!(kind);
        }
    }
    let columns = names(row(schema, schemas));
    let lists = whole.get("items").is_some() && whole.get("_links").is_some();
    if lists {
        link(&mut whole, path, "");
    }
    let first = whole.pointer("/items/0").unwrap_or(&whole);
    let chosen: Vec<&String> = columns
        .iter()
        .filter(|name| first.get(name).is_some())
        .take(2)
        .collect();
    let query = format!(
        "?fields={}",
        chosen
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(",")
    );
    let select = |row: &Value| {
        let members = chosen
            .iter()
            .filter_map(|name| Some(((*name).clone(), row.get(name)?.clone())));
        Value::Object(members.collect())
    };
    let mut selection = whole.clone();
    if lists {
        let rows = selection.get_mut("items").and_then(Value::as_array_mut);
        for row in rows.into_iter().flatten() {
            *row = select(row);
        }
        link(&mut selection, path, &query);
    } else {
        selection = select(&whole);
    }
    let rows = whole["items"].as_array().filter(|_| lists);
    let table = rows.and_then(|rows| String::from_utf8(csv::write(&columns, rows).ok()?).ok());
    let examples = [
        ("application/json", Some(whole.clone())),
        (SELECTION, Some(selection)),
        ("text/csv", table.map(Value::String)),
        (XLSX, lists.then(|| json!("(a workbook)"))),
    ];
    for (media, example) in examples {
        if let (Some(media), Some(example)) = (content.get_mut(media), example)
            && media.get("example").is_none()
            && media.get("examples").is_none()
        {
            media["example"] = example;
        }
    }
}

/// Says of a page that it is the only one of its list.
fn link(page: &mut Value, path: &str, query: &str) {
    let count = page["items"].as_array().map_or(0, Vec::len);
    let link = |query: &str, rel: &str| json!({"href": format!("https://samverkan.example.org/samverkan/v1{path}{query}"), "rel": rel, "method": "GET"});
    let separator = if query.is_empty() { "?" } else { "&" };
    let first = format!("{query}{separator}page=1");
    page["_meta"] = json!({"totalRecords": count, "page": 1, "limit": 20, "count": count});
    page["_links"] = json!({"self": link(query, "self"), "first": link(&first, "first"), "prev": null, "next": null, "last": link(&first, "last")});
}

/// What a row usually holds, by vocabulary: the first code of one is seldom a good example.
const USUAL: [(&str, &str); 13] = [
    ("AreaKind", "municipality"),
    ("ImportState", "done"),
    ("MeasureKind", "share"),
    ("MeasureUnit", "percent"),
    ("PartnerCategory", "regional_institution"),
    ("PartnershipRole", "partner"),
    ("ProjectStatus", "ended"),
    ("PublicationPhase", "done"),
    ("PublicationState", "published"),
    ("Relation", "partner"),
    ("ReportState", "approved"),
    ("State", "published"),
    ("VersionOp", "update"),
];

/// An example of a schema: its own, or one made of its parts.
fn of(schema: &Value, schemas: &Value, depth: usize) -> Value {
    if let Some(example) = schema
        .get("example")
        .or_else(|| schema.pointer("/examples/0"))
        .or_else(|| schema.pointer("/enum/0"))
    {
        return example.clone();
    }
    if depth > 12 {
        return Value::Null;
    }
    if let Some(name) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.rsplit('/').next())
    {
        if let Some((_, usual)) = USUAL.iter().find(|(vocabulary, _)| *vocabulary == name) {
            return json!(usual);
        }
        return schemas
            .get(name)
            .map_or(Value::Null, |target| of(target, schemas, depth + 1));
    }
    if let Some(choice) = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Value::as_array)
    {
        let real = choice.iter().find(|option| option["type"] != "null");
        return real.map_or(Value::Null, |option| of(option, schemas, depth + 1));
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let mut all = Map::new();
        for part in parts {
            if let Value::Object(members) = of(part, schemas, depth + 1) {
                all.extend(members);
            }
        }
        return Value::Object(all);
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        _ => "object",
    };
    match kind {
        "object" => {
            let members = schema.get("properties").and_then(Value::as_object);
            // What is not required may be absent: optional lists are left out, so that examples stay readable.
            let required = schema.get("required").and_then(Value::as_array);
            let needed =
                |name: &str| required.is_some_and(|list| list.iter().any(|given| given == name));
            let example = members
                .into_iter()
                .flatten()
                .filter(|(name, member)| needed(name) || member.get("example").is_some());
            let value = |name: &String, member: &Value| match name.as_str() {
                // The time has an example of its own, since the national profile wants one of every time; but most rows live.
                "deletedAt" | "revokedAt" | "withdrawnAt" => Value::Null,
                _ => of(member, schemas, depth + 1),
            };
            Value::Object(
                example
                    .map(|(name, member)| (name.clone(), value(name, member)))
                    .collect(),
            )
        }
        "array" => {
            json!([schema
                .get("items")
                .map_or(Value::Null, |items| of(items, schemas, depth + 1))])
        }
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => json!("01903e2a-7b4c-7d5e-8f60-718293a4b5c6"),
            Some("date-time") => json!("2026-01-15T08:00:00Z"),
            Some("date") => json!("2026-01-15"),
            _ => json!("text"),
        },
        "integer" => schema.get("default").cloned().unwrap_or_else(|| json!(1)),
        "number" => json!(1.0),
        "boolean" => schema.get("default").cloned().unwrap_or(json!(false)),
        _ => Value::Null,
    }
}
