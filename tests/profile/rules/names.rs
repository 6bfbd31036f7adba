//! What messages are made of: property names, media types, headers, parameters.

use serde_json::Value;

use crate::reading::{has_type, members, operations, properties, resolve, text};

/// The two names that the profile's own paging (FNS.10) asks for against its own AME.04.
const PAGING: [&str; 2] = ["_meta", "_links"];

/// AME.04: `camelCase` or `snake_case`, of letters only.
pub fn cases(document: &Value) -> Vec<String> {
    properties(document)
        .into_iter()
        .filter(|(_, name, _)| !PAGING.contains(name) && !is_camel(name) && !is_snake(name))
        .map(|(place, ..)| format!("{place} is neither camelCase nor snake_case"))
        .collect()
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_snake(name: &str) -> bool {
    name.split('_')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// AME.05: one case in the whole document, which is stricter than in each schema.
pub fn mixed(document: &Value) -> Vec<String> {
    let properties: Vec<_> = properties(document)
        .into_iter()
        .filter(|(_, name, _)| !PAGING.contains(name))
        .collect();
    if !properties
        .iter()
        .any(|(_, name, _)| name.contains(|character: char| character.is_ascii_uppercase()))
    {
        return Vec::new();
    }
    properties
        .into_iter()
        .filter(|(_, name, _)| name.contains('_'))
        .map(|(place, ..)| format!("{place} is snake_case among camelCase"))
        .collect()
}

/// AME.07: ASCII letters, digits and underscores.
pub fn alphanumeric(document: &Value) -> Vec<String> {
    properties(document)
        .into_iter()
        .filter(|(_, name, _)| {
            !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
        .map(|(place, ..)| format!("{place} has other characters"))
        .collect()
}

/// AME.01, AME.02, ARQ.01: whatever else is offered, JSON is.
pub fn json(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        let answers = operation
            .responses()
            .filter(|(status, _)| status.starts_with('2'));
        let body = operation.body().map(|body| ("request body", body));
        for (part, holder) in answers.chain(body) {
            let mut media_types = members(holder, "content")
                .map(|(media_type, _)| media_type)
                .peekable();
            if media_types.peek().is_some()
                && !media_types.any(|media_type| media_type == "application/json")
            {
                findings.push(format!(
                    "{} {part} is not offered as application/json",
                    operation.name()
                ));
            }
        }
    }
    findings
}

/// ARQ.05: a header is no place for objects or bytes.
pub fn header_payload(document: &Value) -> Vec<String> {
    declared_headers(document)
        .into_iter()
        .filter(|(_, _, schema)| {
            has_type(schema, "object") || matches!(text(schema, "format"), "binary" | "byte")
        })
        .map(|(place, name, _)| format!("{place} {name} carries a payload"))
        .collect()
}

/// ARQ.03: the standard headers, where they are declared, are text.
pub fn standard_headers(document: &Value) -> Vec<String> {
    const STANDARD: [&str; 6] = [
        "accept",
        "date",
        "cache-control",
        "etag",
        "connection",
        "cookie",
    ];
    declared_headers(document)
        .into_iter()
        .filter(|(_, name, schema)| {
            STANDARD.contains(&name.to_lowercase().as_str()) && !has_type(schema, "string")
        })
        .map(|(place, name, _)| format!("{place} {name} is not text"))
        .collect()
}

/// Header parameters and answered headers: where, name, schema.
fn declared_headers(document: &Value) -> Vec<(String, &str, &Value)> {
    let mut found = Vec::new();
    for operation in operations(document) {
        let asked = operation.parameters_in("header");
        let answered = operation
            .responses()
            .flat_map(|(_, response)| members(response, "headers"))
            .map(|(name, header)| (name, resolve(document, header)));
        for (name, header) in asked.chain(answered) {
            let schema = header
                .get("schema")
                .map_or(&Value::Null, |schema| resolve(document, schema));
            found.push((operation.name(), name, schema));
        }
    }
    found
}

/// FOR.02: proxies drop the body of a GET.
pub fn get_body(document: &Value) -> Vec<String> {
    operations(document)
        .filter(|operation| {
            matches!(operation.method, "get" | "head") && operation.body().is_some()
        })
        .map(|operation| format!("{} takes a body", operation.name()))
        .collect()
}

/// RES.02: a personal identity number in an address ends up in logs.
pub fn personal_numbers(document: &Value) -> Vec<String> {
    const FORBIDDEN: [&str; 9] = [
        "pnr",
        "ssn",
        "personnummer",
        "personnr",
        "personalnumber",
        "personalidentitynumber",
        "socialsecuritynumber",
        "samordningsnummer",
        "personid",
    ];
    let mut findings = Vec::new();
    for operation in operations(document) {
        for parameter in operation.parameters() {
            let name = text(parameter, "name");
            let plain = name.to_lowercase().replace(['-', '_'], "");
            if FORBIDDEN.contains(&plain.as_str()) {
                findings.push(format!("{} asks for {name}", operation.name()));
            }
        }
    }
    findings
}
