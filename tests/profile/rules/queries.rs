//! Query parameters and paging.

use serde_json::Value;

use crate::reading::{Operation, operations, resolve};

/// FNS.01, FNS.03, FNS.06: `camelCase` or `snake_case`, from a letter on, nothing that needs escaping.
pub fn names(document: &Value) -> Vec<String> {
    let is_good = |name: &str| {
        let camel = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let snake = name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        name.starts_with(|first: char| first.is_ascii_lowercase()) && (camel || snake)
    };
    each(document, |_, name, _| {
        (!is_good(name)).then_some("is neither camelCase nor snake_case")
    })
}

/// FNS.05: an address works without its query.
pub fn optional(document: &Value) -> Vec<String> {
    each(document, |_, _, parameter| {
        (parameter.get("required") == Some(&Value::Bool(true))).then_some("is required")
    })
}

/// FNS.07: whoever pages by `page` or `offset` takes a `limit`.
pub fn limit(document: &Value) -> Vec<String> {
    each(document, |operation, name, _| {
        let has_limit = || {
            operation
                .parameters_in("query")
                .any(|(other, _)| other == "limit")
        };
        (matches!(name, "page" | "offset") && !has_limit()).then_some("has no limit beside it")
    })
}

/// FNS.08: the first page is page 1.
pub fn first_page(document: &Value) -> Vec<String> {
    each(document, |_, name, parameter| {
        (name == "page" && default(document, parameter) != Some(1))
            .then_some("does not default to 1")
    })
}

/// FNS.09: 20 items unless asked otherwise.
pub fn page_size(document: &Value) -> Vec<String> {
    each(document, |_, name, parameter| {
        (name == "limit" && default(document, parameter) != Some(20))
            .then_some("does not default to 20")
    })
}

fn default(document: &Value, parameter: &Value) -> Option<u64> {
    resolve(document, parameter.get("schema")?)
        .get("default")?
        .as_u64()
}

/// Asks of every query parameter what is wrong with it.
fn each<'a>(
    document: &'a Value,
    fault: impl Fn(&Operation<'a>, &str, &Value) -> Option<&'static str>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for operation in operations(document) {
        for (name, parameter) in operation.parameters_in("query") {
            if let Some(fault) = fault(&operation, name, parameter) {
                findings.push(format!("{} ?{name} {fault}", operation.name()));
            }
        }
    }
    findings
}
