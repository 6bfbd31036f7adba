//! How things go wrong, and how a call is followed through: problems and traces.

use serde_json::Value;

use crate::reading::{Operation, members, operations, resolve};

const PROBLEM_JSON: &str = "application/problem+json";

/// FEL.01: one plain object with the members of RFC 9457; put together with `allOf` it is not plain.
pub fn problem_schema(document: &Value) -> Vec<String> {
    let mut schemas: Vec<&Value> = operations(document)
        .flat_map(Operation::responses)
        .filter_map(|(_, response)| response.get("content")?.get(PROBLEM_JSON)?.get("schema"))
        .collect();
    schemas.sort_by_key(ToString::to_string);
    schemas.dedup();
    if schemas.is_empty() {
        return vec!["no answer is a problem".to_owned()];
    }
    let mut findings = Vec::new();
    for schema in schemas {
        let resolved = resolve(document, schema);
        if resolved.get("type") != Some(&Value::from("object")) {
            findings.push(format!("the problem {schema} is no plain object"));
        }
        let missing = ["type", "title", "status", "detail", "instance"]
            .into_iter()
            .filter(|name| {
                resolved
                    .get("properties")
                    .and_then(|properties| properties.get(name))
                    .is_none()
            });
        findings.extend(missing.map(|name| format!("the problem {schema} has no {name}")));
    }
    findings
}

/// FEL.02: every error that has a body offers it as a problem.
pub fn media_type(document: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        for (status, response) in operation.responses() {
            let is_error = status.starts_with(['4', '5']) || status == "default";
            let mut media_types = members(response, "content")
                .map(|(media_type, _)| media_type)
                .peekable();
            if is_error
                && media_types.peek().is_some()
                && !media_types.any(|media_type| media_type == PROBLEM_JSON)
            {
                findings.push(format!(
                    "{} {status} is not {PROBLEM_JSON}",
                    operation.name()
                ));
            }
        }
    }
    findings
}

/// SPA.02: the header `traceparent` can be sent, and need not be.
pub fn trace_accepted(document: &Value) -> Vec<String> {
    operations(document)
        .filter(|operation| {
            !operation.parameters_in("header").any(|(name, parameter)| {
                is_trace(name) && parameter.get("required") != Some(&Value::Bool(true))
            })
        })
        .map(|operation| {
            format!(
                "{} has no optional header parameter traceparent",
                operation.name()
            )
        })
        .collect()
}

/// SPA.04: every answer has it.
pub fn trace_answered(document: &Value) -> Vec<String> {
    answers_without_trace(document, |_| true)
}

/// SPA.07: an answer or a request that has a request id has a trace as well.
pub fn trace_not_replaced(document: &Value) -> Vec<String> {
    let asked = operations(document)
        .filter(|operation| {
            let has = |wanted: fn(&str) -> bool| {
                operation
                    .parameters_in("header")
                    .any(|(name, _)| wanted(name))
            };
            has(is_request_id) && !has(is_trace)
        })
        .map(|operation| format!("{} takes a request id and no traceparent", operation.name()));
    let answered = answers_without_trace(document, |response| {
        members(response, "headers").any(|(name, _)| is_request_id(name))
    });
    asked.chain(answered).collect()
}

fn answers_without_trace(document: &Value, is_meant: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        for (status, response) in operation.responses() {
            if is_meant(response) && !members(response, "headers").any(|(name, _)| is_trace(name)) {
                findings.push(format!(
                    "{} {status} has no header traceparent",
                    operation.name()
                ));
            }
        }
    }
    findings
}

fn is_trace(name: &str) -> bool {
    name.eq_ignore_ascii_case("traceparent")
}

fn is_request_id(name: &str) -> bool {
    name.eq_ignore_ascii_case("x-request-id")
}
