//! What the document tells people: itself, its operations, its examples.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::reading::{example, is_blank, members, operations, properties, text};

/// DOK.17: OpenAPI 3.x.
pub fn openapi_3(document: &Value) -> Vec<String> {
    let version = text(document, "openapi");
    let other = !version.starts_with("3.");
    other
        .then(|| format!("openapi is {version:?}"))
        .into_iter()
        .collect()
}

/// DOK.03: title, version, description, terms, a contact and a licence with their parts.
pub fn identity(document: &Value) -> Vec<String> {
    let needed = [
        (
            "/info",
            ["title", "version", "description", "termsOfService"].as_slice(),
        ),
        ("/info/contact", &["name", "url", "email"]),
        ("/info/license", &["name", "url"]),
    ];
    needed
        .into_iter()
        .flat_map(|(pointer, names)| names.iter().map(move |name| (pointer, *name)))
        .filter(|(pointer, name)| {
            document
                .pointer(pointer)
                .is_none_or(|holder| is_blank(holder, name))
        })
        .map(|(pointer, name)| format!("{pointer}/{name} is missing"))
        .collect()
}

/// DOK.08: terms of service, `x-sla` in full, or external documentation of the SLA.
pub fn service_level(document: &Value) -> Vec<String> {
    let has_terms = document
        .pointer("/info")
        .is_some_and(|info| !is_blank(info, "termsOfService"));
    let has_sla = document.pointer("/info/x-sla").is_some_and(|sla| {
        ["availability", "responseTime", "support"]
            .iter()
            .all(|name| sla.get(name).is_some())
    });
    let has_docs = external_description(document).contains("sla");
    let silent = !(has_terms || has_sla || has_docs);
    silent
        .then(|| {
            "neither info.termsOfService, info.x-sla nor externalDocs tells the service level"
                .to_owned()
        })
        .into_iter()
        .collect()
}

/// DOK.09: known limitations.
pub fn limitations(document: &Value) -> Vec<String> {
    let description = document
        .pointer("/info/description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let told = format!(
        "{} {}",
        description.to_lowercase(),
        external_description(document)
    );
    let silent = document.pointer("/info/x-limitations").is_none()
        && !["limit", "begränsning", "problem"]
            .iter()
            .any(|word| told.contains(word));
    silent
        .then(|| "neither info nor externalDocs tells the known limitations".to_owned())
        .into_iter()
        .collect()
}

fn external_description(document: &Value) -> String {
    document
        .get("externalDocs")
        .map_or_else(String::new, |docs| text(docs, "description").to_lowercase())
}

/// DOK.06, DOK.07, DOK.11: there is a description, and it can be read in both languages.
pub fn description(document: &Value) -> Vec<String> {
    const SWEDISH: [&str; 8] = ["och", "att", "för", "är", "som", "av", "med", "på"];
    const ENGLISH: [&str; 8] = ["the", "and", "of", "for", "with", "is", "are", "to"];
    let description = document
        .pointer("/info/description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let lower = description.to_lowercase();
    let words: Vec<&str> = lower
        .split(|character: char| !character.is_alphabetic())
        .collect();
    // Two words of each list: one alone can be a name or an abbreviation.
    [("Swedish", SWEDISH), ("English", ENGLISH)]
        .into_iter()
        .filter(|(_, list)| list.iter().filter(|word| words.contains(word)).count() < 2)
        .map(|(language, _)| format!("info.description has no {language} sentence"))
        .collect()
}

/// DOK.01: external documentation, where it is named, has a description and an address.
pub fn external_docs(document: &Value) -> Vec<String> {
    let Some(docs) = document.get("externalDocs") else {
        return Vec::new();
    };
    let missing = ["description", "url"]
        .into_iter()
        .filter(|name| is_blank(docs, name));
    missing
        .map(|name| format!("externalDocs.{name} is missing"))
        .collect()
}

/// DOK.15: JSON answers and all request bodies show an example, at the media type or in its schema.
pub fn examples(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        let answers = operation.responses().flat_map(|(status, response)| {
            members(response, "content")
                .filter(|(media_type, _)| *media_type == "application/json")
                .map(move |(media_type, content)| (status, media_type, content))
        });
        let bodies = operation
            .body()
            .into_iter()
            .flat_map(|body| members(body, "content"))
            .map(|(media_type, content)| ("request body", media_type, content));
        for (part, media_type, content) in answers.chain(bodies) {
            if example(content)
                .or_else(|| example(content.get("schema")?))
                .is_none()
            {
                findings.push(format!(
                    "{} {part} {media_type} has no example",
                    operation.name()
                ));
            }
        }
    }
    findings
}

/// DOK.12, DOK.19: a description for each operation, and no parameters or summary at the path.
pub fn operations_described(document: &Value) -> Vec<String> {
    let bare = operations(document)
        .filter(|operation| is_blank(operation.value, "description"))
        .map(|operation| format!("{} has no description", operation.name()));
    let shared = members(document, "paths").flat_map(|(path, item)| {
        ["parameters", "summary"]
            .into_iter()
            .filter(|name| item.get(name).is_some())
            .map(move |name| format!("{path} has {name} of its own"))
    });
    bare.chain(shared).collect()
}

/// DOK.13, DOK.20: a description for each answer.
pub fn responses_described(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        if operation.responses().next().is_none() {
            findings.push(format!("{} documents no answer", operation.name()));
        }
        for (status, _) in operation
            .responses()
            .filter(|(_, response)| is_blank(response, "description"))
        {
            findings.push(format!("{} {status} has no description", operation.name()));
        }
    }
    findings
}

/// DOT.02: every date and every point in time has an example that is one.
pub fn date_examples(document: &Value) -> Vec<String> {
    properties(document)
        .into_iter()
        .filter_map(|(place, _, schema)| {
            let sample = example(schema).and_then(Value::as_str).unwrap_or_default();
            let is_valid = match text(schema, "format") {
                "date" => NaiveDate::parse_from_str(sample, "%Y-%m-%d").is_ok(),
                "date-time" => {
                    is_zoned(sample)
                        || NaiveDateTime::parse_from_str(sample, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
                }
                _ => return None,
            };
            (!is_valid).then(|| format!("{place} has no valid example: {sample:?}"))
        })
        .collect()
}

/// DOT.04: the example of a point in time tells its zone, as `Z` or an offset.
pub fn zoned_examples(document: &Value) -> Vec<String> {
    properties(document)
        .into_iter()
        .filter(|(_, _, schema)| text(schema, "format") == "date-time")
        .filter(|(_, _, schema)| {
            !example(schema)
                .and_then(Value::as_str)
                .is_some_and(is_zoned)
        })
        .map(|(place, ..)| format!("{place} has no example with a zone"))
        .collect()
}

fn is_zoned(sample: &str) -> bool {
    DateTime::parse_from_rfc3339(sample).is_ok()
}
