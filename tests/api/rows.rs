//! The rows that tests write: the least that is accepted, with what matters to the test laid over it.

use serde_json::{Value, json};

use crate::support::{Caller, Reply};

/// `base` with the members of `more` in place of its own.
pub fn with(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

pub fn partner(name: &str, more: Value) -> Value {
    with(
        json!({"name": name, "category": "other", "area": "1880"}),
        &more,
    )
}

pub fn school(name: &str, more: Value) -> Value {
    with(
        json!({"name": name, "municipality": "1880", "kind": "culture_school"}),
        &more,
    )
}

pub fn district(code: &str, more: Value) -> Value {
    with(
        json!({"code": code, "name": code, "parent": &code[..4], "scheme": "city:1880"}),
        &more,
    )
}

pub fn project(title: &str, more: Value) -> Value {
    with(
        json!({"title": title, "scope": "local", "area": "1880"}),
        &more,
    )
}

pub fn collaboration(name: &str, more: Value) -> Value {
    with(
        json!({"name": name, "area": "18", "regions": ["18"]}),
        &more,
    )
}

/// Partner and project are named as the registry knows them: by name and title.
pub fn partnership(partner: &str, project: &str, more: Value) -> Value {
    let base = json!({"partner": {"name": partner}, "project": {"title": project}, "area": "1880", "role": "partner"});
    with(base, &more)
}

/// Writes a new row and gives its path.
pub async fn add(caller: &Caller, path: &str, body: Value) -> String {
    let row = caller.post(path, &body).await.expect(201);
    format!("{path}/{}", key(&row))
}

/// What the row is found by.
pub fn key(row: &Value) -> &str {
    row["id"].as_str().or(row["code"].as_str()).unwrap()
}

/// The last part of a path.
pub fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Where the first fault lies, and its code.
#[track_caller]
pub fn fault(reply: &Reply, status: u16) -> (String, String) {
    let (_, code) = reply.problem(status);
    let pointer = reply.json()["errors"][0]["pointer"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (pointer, code)
}

/// The values of some members, in their order.
pub fn members<'a>(row: &'a Value, names: &[&str]) -> Vec<&'a Value> {
    names.iter().map(|name| &row[name]).collect()
}
