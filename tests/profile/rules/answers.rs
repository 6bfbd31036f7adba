//! What lists, links and answers are made of.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reading::{
    Operation, example, has_type, members, operations, properties, resolve, server_urls, text,
};

const JSON: &str = "/content/application~1json/schema";

/// Plurals without an s, words without a plural, and what is no noun.
const PLURALS: [&str; 8] = [
    "children",
    "people",
    "funding",
    "coverage",
    "missing",
    "acknowledged",
    "include",
    "size", // JSON-stat's word for the lengths of the dimensions
];

/// FNS.10, FNS.11, FNS.13: a paged list says how long it is, which part this is, and where the other parts are.
pub fn pages(document: &Value) -> Vec<String> {
    const EXTENT: [&str; 4] = ["totalRecords", "page", "limit", "count"];
    const LINKS: [&str; 5] = ["self", "first", "prev", "next", "last"];
    let mut findings = Vec::new();
    for operation in operations(document) {
        let pages = operation
            .parameters_in("query")
            .any(|(name, _)| name == "page");
        // Whoever answers no JSON is told by another rule.
        let Some(answer) = answered(operation).filter(|_| pages) else {
            continue;
        };
        for (member, wanted) in [("_meta", EXTENT.as_slice()), ("_links", &LINKS)] {
            let schema = property(document, answer, member);
            let missing = wanted.iter().filter(|name| {
                schema.is_none_or(|schema| property(document, schema, name).is_none())
            });
            findings
                .extend(missing.map(|name| format!("{} has no {member}.{name}", operation.name())));
        }
    }
    findings
}

/// HYP.11 to HYP.17: a link is an object with an absolute address, a relation and a method.
pub fn links(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for (place, name, links) in properties(document) {
        if name != "_links" {
            continue;
        }
        for (relation, link) in members(resolve(document, links), "properties") {
            let part = |name| property(document, link, name);
            let absolute = part("href")
                .and_then(example)
                .and_then(Value::as_str)
                .is_some_and(|href| href.starts_with("https://"));
            if !absolute {
                findings.push(format!("{place}.{relation} shows no absolute href"));
            }
            let missing = ["rel", "method"]
                .into_iter()
                .filter(|name| part(name).is_none());
            findings.extend(missing.map(|name| format!("{place}.{relation} has no {name}")));
        }
    }
    findings
}

/// ARP.03, ARP.04: what was created or begun has an address.
pub fn location(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        for (status, response) in operation.responses() {
            let mut headers = members(response, "headers").map(|(name, _)| name);
            if matches!(status, "201" | "202")
                && !headers.any(|name| name.eq_ignore_ascii_case("location"))
            {
                findings.push(format!("{} {status} has no Location", operation.name()));
            }
        }
    }
    findings
}

/// AME.06: the name of a list is a plural.
pub fn plurals(document: &Value) -> Vec<String> {
    let is_plural = |name: &str| {
        let last = name
            .rfind(|letter: char| letter.is_ascii_uppercase())
            .and_then(|at| name.get(at..))
            .unwrap_or(name)
            .to_lowercase();
        last.ends_with('s') || PLURALS.contains(&last.as_str())
    };
    properties(document)
        .into_iter()
        .filter(|(_, name, schema)| has_type(schema, "array") && !is_plural(name))
        .map(|(place, ..)| format!("{place} is a list in the singular"))
        .collect()
}

/// DOK.16: bodies and answers have a form, and operations a name of their own, so that a client can be generated.
pub fn model(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for operation in operations(document) {
        let id = text(operation.value, "operationId");
        if id.is_empty() || !seen.insert(id) {
            findings.push(format!("{} has no name of its own", operation.name()));
        }
        let answers = operation
            .responses()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| response);
        for holder in answers.chain(operation.body()) {
            for (media_type, media) in members(holder, "content") {
                let schema = media.get("schema").map(|schema| resolve(document, schema));
                if media_type.ends_with("json") && schema.is_none_or(|schema| !has_form(schema)) {
                    findings.push(format!("{} {media_type} has no form", operation.name()));
                }
            }
        }
    }
    findings
}

fn has_form(schema: &Value) -> bool {
    ["type", "allOf", "oneOf", "anyOf", "enum", "const"]
        .iter()
        .any(|word| schema.get(word).is_some())
}

/// DOT.01: what is called a time is one of RFC 3339.
pub fn times(document: &Value) -> Vec<String> {
    properties(document)
        .into_iter()
        .filter(|(_, name, schema)| name.ends_with("At") && text(schema, "format") != "date-time")
        .map(|(place, ..)| format!("{place} is no date-time"))
        .collect()
}

/// RES.03: who can count cannot guess the next row.
pub fn counted_ids(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        for (name, parameter) in operation.parameters_in("path") {
            let schema = parameter
                .get("schema")
                .map(|schema| resolve(document, schema));
            if schema
                .is_some_and(|schema| has_type(schema, "integer") || has_type(schema, "number"))
            {
                findings.push(format!("{} counts its {name}", operation.name()));
            }
        }
    }
    findings
}

/// UFN.03: a query parameter is a value or a list of values, never a document.
pub fn query_payload(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        for (name, parameter) in operation.parameters_in("query") {
            let schema = parameter
                .get("schema")
                .map(|schema| resolve(document, schema));
            if parameter.get("content").is_some()
                || schema.is_some_and(|schema| has_type(schema, "object"))
            {
                findings.push(format!("{} ?{name} is a payload", operation.name()));
            }
        }
    }
    findings
}

/// MOG.03: a POST that only reads says what the address of the same question would be, and why it is not enough.
pub fn reading_by_post(document: &Value) -> Vec<String> {
    operations(document)
        .filter(|operation| operation.method == "post")
        .filter(|operation| {
            let mut good = operation
                .responses()
                .filter(|(status, _)| status.starts_with('2'));
            good.all(|(status, _)| status == "200")
        })
        .filter(|operation| !text(operation.value, "description").contains("GET"))
        .map(|operation| format!("{} reads by POST and does not say why", operation.name()))
        .collect()
}

/// DOK.22, VER.04: a new major version has a document of its own, under an address of its own.
pub fn major_version(document: &Value) -> Vec<String> {
    let version = document
        .get("info")
        .map_or("", |info| text(info, "version"));
    let major = version.split('.').next().unwrap_or_default();
    server_urls(document)
        .into_iter()
        .filter(|url| url.rsplit_once("/v").is_some_and(|(_, v)| v != major))
        .map(|url| format!("{url} is not the address of version {version}"))
        .collect()
}

/// SAK.29: a body of another type is refused.
pub fn other_types(document: &Value) -> Vec<String> {
    operations(document)
        .filter(|operation| operation.body().is_some())
        .filter(|operation| {
            !operation
                .responses()
                .any(|(status, _)| matches!(status, "415" | "4XX"))
        })
        .map(|operation| format!("{} does not say 415", operation.name()))
        .collect()
}

/// The schema of the JSON answer.
fn answered(operation: Operation<'_>) -> Option<&Value> {
    let (_, response) = operation.responses().find(|(status, _)| *status == "200")?;
    Some(resolve(operation.document, response.pointer(JSON)?))
}

/// A member of an object, or of that one of several that is no null.
fn property<'a>(document: &'a Value, schema: &'a Value, name: &str) -> Option<&'a Value> {
    let schema = resolve(document, schema);
    let choices = ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|word| schema.get(word)?.as_array());
    let parts = choices.flatten().map(|part| resolve(document, part));
    std::iter::once(schema)
        .chain(parts)
        .find_map(|part| part.get("properties")?.get(name))
        .map(|found| resolve(document, found))
}
