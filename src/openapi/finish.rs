//! What every operation has in common.

#![expect(
    clippy::indexing_slicing,
    reason = "assigning to a member of a JSON object makes it; the document is made at the start and by every test"
)]

use serde_json::{Map, Value, json};

use super::statistics;
use crate::formats::XLSX;
use crate::http::list::SELECTION;
use crate::problem::ProblemKind;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Completes every operation of the document. Observations are merged by their dimensions, which is no JSON Merge Patch.
pub fn operations(document: &mut Value) {
    shared(document);
    let mut patches = Vec::new();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                parameters(operation, path, method);
                if !path.ends_with("/observations") {
                    request(operation, method, &mut patches);
                }
                answers(operation, path, method);
                statistics::formats(operation);
                problems(operation, path, method);
                response_headers(operation, method);
            }
        }
    }
    for name in patches {
        patch_schema(document, &name);
    }
}

/// What operations refer to instead of repeating it: header parameters and problems.
fn shared(document: &mut Value) {
    let text = |name: &str, required: bool, description: &str, example: &str| json!({"name": name, "in": "header", "required": required, "schema": {"type": "string"}, "description": description, "example": example});
    document["components"]["parameters"] = json!({
        "Traceparent": text("traceparent", false, "W3C trace context; a valid one is continued, any other is replaced",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        "AcceptLanguage": text("Accept-Language", false, "Language of labels and error texts: sv (default) or en", "en"),
        "Lang": {"name": "lang", "in": "query", "required": false, "schema": {"$ref": "#/components/schemas/Lang"},
            "description": "The language, if the `Accept-Language` header cannot be set."},
        "IfNoneMatch": text("If-None-Match", false, "An ETag that the client holds; unchanged answers are 304 without a body", "\"1\""),
        "IdempotencyKey": text("Idempotency-Key", false, "Makes it safe to send the request again: with the same key (8–128 letters, digits, - and _, bare or quoted) it is carried out once, and answered as the first time. Kept for 7 days. 409 `idempotency_in_progress` while it is being carried out, 422 `idempotency_key_reused` with another path or body",
            "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"),
        "IfMatch": text("If-Match", true, "The ETag of the row as the client has seen it, or *; without it 428, with an old one 412", "\"1\""),
    });
    let mut responses = Map::new();
    for kind in ProblemKind::ALL {
        responses.insert(kind.slug().to_owned(), problem(*kind));
    }
    document["components"]["responses"] = Value::Object(responses);
}

/// Whether the operation changes an existing row, and so needs `If-Match`.
fn needs_if_match(path: &str, method: &str) -> bool {
    matches!(method, "patch" | "put")
        || (method == "delete" && !path.contains("/secrets/") && !path.starts_with("/imports/"))
}

/// Whether the operation makes a new row as well, at an address of the client's choice: it says of itself which of the two
/// conditions goes with what.
fn makes_or_replaces(path: &str, method: &str) -> bool {
    method == "put" && path.starts_with("/sync/checkpoints/")
}

/// Whether the operation writes something that a client could write twice by sending it again. Questions are asked by POST
/// as well.
fn takes_a_key(operation: &Value, method: &str) -> bool {
    method == "post" && !statistics::are_answered(operation)
}

/// Whether what it answers is followed by cursor, which can be lost.
fn is_followed(path: &str) -> bool {
    matches!(path, "/changes" | "/snapshot" | "/sync/digest")
}

/// Whether what it answers is made for this one time, and has no ETag.
fn is_made_anew(path: &str) -> bool {
    is_followed(path) || path.starts_with("/exports/")
}

fn parameters(operation: &mut Value, path: &str, method: &str) {
    let mut list = operation
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let asked = list.iter().any(|parameter| parameter["name"] == "lang");
    let mut add =
        |name: &str| list.push(json!({"$ref": format!("#/components/parameters/{name}")}));
    add("Traceparent");
    add("AcceptLanguage");
    if method != "get" && !asked {
        add("Lang");
    }
    if method == "get" && !is_made_anew(path) {
        add("IfNoneMatch");
    }
    if needs_if_match(path, method) && !makes_or_replaces(path, method) {
        add("IfMatch");
    }
    // An import says of itself that it must have one.
    if takes_a_key(operation, method) && path != "/imports" {
        add("IdempotencyKey");
    }
    operation["parameters"] = Value::Array(list);
}

fn request(operation: &mut Value, method: &str, patches: &mut Vec<String>) {
    if method != "patch" {
        return;
    }
    let Some(content) = operation
        .pointer_mut("/requestBody/content")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let Some(reference) = content
        .get("application/json")
        .and_then(|media| media.pointer("/schema/$ref"))
        .and_then(Value::as_str)
    else {
        return;
    };
    let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
    let Some(stem) = name.strip_suffix("In") else {
        return;
    };
    let schema = json!({"schema": {"$ref": format!("#/components/schemas/{stem}Patch")}});
    content.insert("application/json".to_owned(), schema.clone());
    content.insert("application/merge-patch+json".to_owned(), schema);
    patches.push(name);
}

/// `XPatch` from `XIn`: every member optional (RFC 7396). Null removes a member, so it fits where the member may be null.
fn patch_schema(document: &mut Value, name: &str) {
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let Some(mut schema) = schemas.get(name).cloned() else {
        return;
    };
    let stem = name.trim_end_matches("In");
    if let Some(object) = schema.as_object_mut() {
        object.remove("required");
        let example = object.remove("example");
        let first = example
            .as_ref()
            .and_then(Value::as_object)
            .and_then(|members| members.iter().next());
        if let Some((member, value)) = first {
            object.insert("example".to_owned(), json!({ member.as_str(): value }));
        }
        object.insert("description".to_owned(), json!("A JSON Merge Patch (RFC 7396): members that are absent stay, null removes, anything else replaces."));
    }
    schemas.insert(format!("{stem}Patch"), schema);
}

/// The other forms of an answer: selections, CSV, workbooks, 304.
fn answers(operation: &mut Value, path: &str, method: &str) {
    if method != "get" || is_made_anew(path) {
        return;
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let has = |name: &str| {
        parameters.is_some_and(|list| list.iter().any(|parameter| parameter["name"] == name))
    };
    let (selects, lists) = (has("fields"), has("format") && !has(statistics::MARK));
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    if let Some(content) = responses
        .get_mut("200")
        .and_then(|ok| ok.get_mut("content"))
        .and_then(Value::as_object_mut)
    {
        if selects {
            content.insert(SELECTION.to_owned(), json!({
                "schema": {"type": "object", "description": "With `fields=`: the same answer, its rows reduced to the chosen members."}
            }));
        }
        if lists {
            content.insert("text/csv".to_owned(), json!({
                "schema": {"type": "string", "description": "RFC 4180: comma, UTF-8 without BOM, a header row of member names."}
            }));
            content.insert(XLSX.to_owned(), json!({
                "schema": {"type": "string", "contentMediaType": XLSX, "contentEncoding": "binary", "description": "A workbook with one sheet: a header row of member names, codes as text."}
            }));
        }
    }
    responses.insert(
        "304".to_owned(),
        json!({"description": "Unchanged since the answer that If-None-Match names"}),
    );
}

/// Every problem that an operation can answer with.
fn problems(operation: &mut Value, path: &str, method: &str) {
    use ProblemKind as K;
    let secured = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty());
    let has_body = operation.get("requestBody").is_some();
    let mut kinds = vec![
        K::MalformedRequest,
        K::UriTooLong,
        K::Internal,
        K::Unavailable,
    ];
    if secured {
        kinds.extend([K::Unauthenticated, K::InsufficientPermission]);
    }
    if path.contains('{') {
        kinds.push(K::NotFound);
        if secured {
            kinds.push(K::Gone);
        }
    }
    if is_followed(path) {
        kinds.push(K::CursorGone);
    }
    if path.starts_with("/exports/") {
        kinds.push(K::TooManyRequests);
    }
    if method == "get" {
        kinds.push(K::NotAcceptable);
    } else {
        kinds.extend([K::Conflict, K::RequestTimeout]);
    }
    if has_body {
        kinds.extend([K::PayloadTooLarge, K::UnsupportedMediaType]);
    }
    if statistics::are_answered(operation) {
        // The publication that is asked for may be unknown or withdrawn.
        kinds.extend([K::NotAcceptable, K::NotFound, K::Gone]);
    }
    if has_body || statistics::are_answered(operation) || takes_a_key(operation, method) {
        kinds.push(K::ValidationFailed);
    }
    if needs_if_match(path, method) {
        kinds.extend([K::PreconditionFailed, K::PreconditionRequired]);
    }
    let answers_statistics = statistics::are_answered(operation);
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    if answers_statistics {
        responses.insert(K::Gone.status().as_u16().to_string(), unreadable());
    }
    for kind in kinds {
        let status = kind.status().as_u16().to_string();
        responses
            .entry(status)
            .or_insert_with(|| json!({"$ref": format!("#/components/responses/{}", kind.slug())}));
    }
    let mut sorted: Vec<(String, Value)> = std::mem::take(responses).into_iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    *responses = sorted.into_iter().collect::<Map<String, Value>>();
}

fn problem(kind: ProblemKind) -> Value {
    let title = kind.title();
    let english = title.get(crate::http::lang::Lang::En);
    let mut answer = json!({
        "description": english,
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": {
                "type": format!("{}/problems/{}", crate::http::BASE_PATH, kind.slug()),
                "title": english, "status": kind.status().as_u16(), "detail": english,
                "instance": "urn:uuid:019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b", "code": kind.slug(), "errors": []
            }
        }}
    });
    traced(&mut answer);
    match kind {
        ProblemKind::Unauthenticated => {
            answer["headers"]["WWW-Authenticate"] = header("How to authenticate (RFC 6750)", true);
        }
        ProblemKind::Conflict => {
            answer["headers"]["Retry-After"] = header(
                "Seconds to wait; only while the same request is being carried out",
                false,
            );
        }
        ProblemKind::Unavailable | ProblemKind::TooManyRequests => {
            answer["headers"]["Retry-After"] = header("Seconds to wait", true);
        }
        _ => {}
    }
    answer
}

/// Why statistics of a publication cannot be read any more: two kinds of problem with one status.
fn unreadable() -> Value {
    let [mut withdrawn, outdated] =
        [ProblemKind::Gone, ProblemKind::PublicationOutdated].map(problem);
    let content = |answer: &Value| answer["content"]["application/problem+json"]["example"].clone();
    let examples = json!({
        "withdrawn": {"summary": "It was withdrawn", "value": content(&withdrawn)},
        "outdated": {"summary": "Another version made it", "value": content(&outdated)},
    });
    withdrawn["description"] = json!(
        "The publication was withdrawn (`gone`: the reason and the successor are told), or another version of the service made it in a form that this one does not read (`publication-outdated`: it must be made anew)"
    );
    let content = &mut withdrawn["content"]["application/problem+json"];
    if let Some(content) = content.as_object_mut() {
        content.remove("example");
    }
    content["examples"] = examples;
    withdrawn
}

fn header(description: &str, required: bool) -> Value {
    json!({"description": description, "required": required, "schema": {"type": "string"}})
}

fn response_headers(operation: &mut Value, method: &str) {
    let replays = takes_a_key(operation, method);
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for (status, answer) in responses {
        if answer.get("$ref").is_some() {
            continue;
        }
        traced(answer);
        if matches!(status.as_str(), "201" | "202") {
            answer["headers"]["Location"] = header("Address of the new row", true);
            if replays {
                answer["headers"]["Idempotent-Replayed"] = header(
                    "`true` if the request was carried out before: this is the answer of that time",
                    false,
                );
            }
        }
        if matches!(status.as_str(), "304") {
            answer["headers"]["ETag"] = header("The ETag that still holds", true);
        }
        if matches!(status.as_str(), "200" | "201" | "202") {
            answer["headers"]["ETag"] = header(
                "Strong for a row (its version and a hash of the answer), weak for a list",
                false,
            );
        }
    }
}

fn traced(answer: &mut Value) {
    answer["headers"]["traceparent"] = header("W3C trace context of this answer", true);
    answer["headers"]["X-Request-Id"] =
        header("Id of the request, in every log line and problem", true);
}
