//! Examples for every JSON body, put together from the examples of its members.

use serde_json::{Map, Value, json};

/// Gives each JSON body without an example one that is valid for its schema.
pub fn fill(document: &mut Value) {
    let schemas = document
        .pointer("/components/schemas")
        .cloned()
        .unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (_, item) in paths.into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(content) = operation.pointer_mut("/requestBody/content") {
                media_types(content, &schemas);
            }
            for (_, answer) in operation
                .get_mut("responses")
                .and_then(Value::as_object_mut)
                .into_iter()
                .flatten()
            {
                if let Some(content) = answer.get_mut("content") {
                    media_types(content, &schemas);
                }
            }
        }
    }
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
            Value::Object(
                example
                    .map(|(name, member)| (name.clone(), of(member, schemas, depth + 1)))
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
