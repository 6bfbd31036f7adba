//! Looking into the schemas of the document.

use serde_json::Value;

/// What a schema says, through a reference.
pub fn resolved<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The schema of the rows: those of a page, or the answer itself.
pub fn row<'a>(answer: &'a Value, schemas: &'a Value) -> &'a Value {
    let answer = resolved(answer, schemas);
    match answer.pointer("/properties/items/items") {
        Some(row) => resolved(row, schemas),
        None => answer,
    }
}

/// The names of the members of an object, in the order of the document.
pub fn names(schema: &Value) -> Vec<String> {
    let members = schema["properties"].as_object();
    members
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}
