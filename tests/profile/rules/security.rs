//! How callers prove who they are.

use serde_json::Value;

use crate::reading::{list, members, operations, text};

/// DOK.21, SAK.08: there are schemes, something demands one of them, and nothing demands another.
pub fn documented(document: &Value) -> Vec<String> {
    let names: Vec<&str> = schemes(document).map(|(name, _)| name).collect();
    let mut demanded: Vec<(String, &str)> = demands("the document", document);
    for operation in operations(document) {
        demanded.extend(demands(&operation.name(), operation.value));
    }
    let mut findings = Vec::new();
    if names.is_empty() {
        findings.push("there is no security scheme".to_owned());
    }
    if demanded.is_empty() {
        findings.push("nothing demands authentication".to_owned());
    }
    let unknown = demanded
        .into_iter()
        .filter(|(_, scheme)| !names.contains(scheme));
    findings.extend(
        unknown.map(|(place, scheme)| format!("{place} demands the unknown scheme {scheme}")),
    );
    findings
}

fn demands<'a>(place: &str, holder: &'a Value) -> Vec<(String, &'a str)> {
    list(holder, "security")
        .filter_map(Value::as_object)
        .flat_map(|alternative| alternative.keys())
        .map(|scheme| (place.to_owned(), scheme.as_str()))
        .collect()
}

/// SAK.09, SAK.10: of the HTTP schemes only bearer; basic and digest send secrets each time.
pub fn bearer(document: &Value) -> Vec<String> {
    schemes(document)
        .filter(|(_, scheme)| {
            text(scheme, "type") == "http" && !text(scheme, "scheme").eq_ignore_ascii_case("bearer")
        })
        .map(|(name, scheme)| format!("{name} is {}", text(scheme, "scheme")))
        .collect()
}

/// SAK.11: whoever offers OAuth flows offers refreshing.
pub fn refresh(document: &Value) -> Vec<String> {
    flows(document)
        .filter(|(_, flow)| flow.get("refreshUrl").is_none())
        .map(|(name, _)| format!("{name} has no refreshUrl"))
        .collect()
}

/// SAK.18: OAuth over TLS only.
pub fn oauth_https(document: &Value) -> Vec<String> {
    flows(document)
        .flat_map(|(name, flow)| {
            ["authorizationUrl", "tokenUrl", "refreshUrl"]
                .into_iter()
                .filter(|url| flow.get(url).is_some() && !text(flow, url).starts_with("https://"))
                .map(move |url| format!("{name} {url} is not https"))
        })
        .collect()
}

/// SAK.15, SAK.16: an API key in a query ends up in logs.
pub fn api_keys(document: &Value) -> Vec<String> {
    schemes(document)
        .filter(|(_, scheme)| text(scheme, "type") == "apiKey" && text(scheme, "in") != "header")
        .map(|(name, scheme)| format!("{name} travels in {}", text(scheme, "in")))
        .collect()
}

fn schemes(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    document
        .get("components")
        .into_iter()
        .flat_map(|components| members(components, "securitySchemes"))
}

fn flows(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    schemes(document).flat_map(|(scheme, value)| {
        members(value, "flows").map(move |(flow, value)| (format!("{scheme} {flow}"), value))
    })
}
