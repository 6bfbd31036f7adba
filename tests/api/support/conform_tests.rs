//! The contract checker, held against a small document: what passes, and one answer for each fault.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rstest::rstest;
use serde_json::json;

use super::Contract;

fn contract() -> Contract {
    let json_body = |schema: &str| json!({ "application/json": { "schema": { "$ref": schema } } });
    Contract::new(json!({
        "openapi": "3.1.0",
        "paths": {
            "/projects": {
                "get": { "responses": {
                    "200": { "content": {
                        "application/json": { "schema": { "$ref": "#/components/schemas/ProjectPage" } },
                        "text/csv": {},
                        "image/*": {}
                    } },
                    "4XX": { "$ref": "#/components/responses/Problem" }
                } },
                "post": { "responses": { "201": {
                    "headers": {
                        "Location": { "required": true, "schema": { "type": "string" } },
                        "ETag": { "$ref": "#/components/headers/ETag" },
                        "X-Extra": { "schema": { "type": "string" } }
                    },
                    "content": json_body("#/components/schemas/Project")
                } } }
            },
            "/projects/{projectId}": {
                "get": { "responses": {
                    "200": { "content": json_body("#/components/schemas/Project") },
                    "304": { "description": "unchanged" },
                    "default": { "$ref": "#/components/responses/Problem" }
                } },
                "delete": { "responses": { "204": { "description": "gone" } } }
            },
            "/projects/summary": {
                "get": { "responses": { "200": { "content": { "application/json": { "schema": { "type": "integer" } } } } } }
            },
            "/{anything}/summary": {
                "get": { "responses": { "200": { "content": { "application/json": { "schema": { "type": "string" } } } } } }
            },
            "/projects/{projectId}/history": {
                "get": { "responses": { "200": { "content": { "application/json": { "schema": {
                    "type": "array", "items": { "$ref": "#/components/schemas/Change" }
                } } } } } }
            },
            "/exports/{exportId}.csv": { "get": { "responses": { "200": { "content": { "text/csv": {} } } } } },
            "/labels": {
                "get": { "responses": { "200": { "content": json_body("#/components/schemas/Labels") } } }
            }
        },
        "components": {
            "headers": { "ETag": { "required": true, "schema": { "type": "string" } } },
            "responses": { "Problem": { "content": { "application/problem+json": { "schema": {
                "$ref": "#/components/schemas/Problem"
            } } } } },
            "schemas": {
                "Problem": { "type": "object", "required": ["status"], "properties": { "status": { "type": "integer" } } },
                "Project": { "type": "object", "required": ["id", "name"], "properties": {
                    "id": { "type": "string", "format": "uuid" },
                    "name": { "type": "string" },
                    "startedOn": { "type": ["string", "null"], "format": "date" },
                    "parent": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Project" }] }
                } },
                "ProjectPage": { "type": "object", "required": ["items"], "properties": {
                    "items": { "type": "array", "items": { "$ref": "#/components/schemas/Project" } }
                } },
                "Named": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
                "Change": { "description": "a change", "allOf": [
                    { "$ref": "#/components/schemas/Named" },
                    { "type": "object", "required": ["version"], "properties": { "version": { "type": "integer" } } }
                ] },
                "Labels": { "type": "object", "additionalProperties": { "type": "string" } }
            }
        }
    }))
}

const ID: &str = "01900000-0000-7000-8000-000000000001";

fn headers(names: &[&'static str]) -> HeaderMap {
    let pair = |name: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static("x"));
    names.iter().map(pair).collect()
}

fn get(path: &str, status: u16, content_type: Option<&str>, body: &str) -> Result<(), String> {
    contract().check(
        "GET",
        path,
        status,
        content_type,
        body.as_bytes(),
        &headers(&[]),
    )
}

const JSON: Option<&str> = Some("application/json");
const PROBLEM: Option<&str> = Some("application/problem+json");

#[rstest]
#[case::a_list(
    "/projects",
    200,
    JSON,
    r#"{"items":[{"id":"01900000-0000-7000-8000-000000000001","name":"x"}]}"#
)]
#[case::with_a_query("/projects?limit=1", 200, JSON, r#"{"items":[]}"#)]
#[case::with_a_charset(
    "/projects",
    200,
    Some("Application/JSON; charset=utf-8"),
    r#"{"items":[]}"#
)]
#[case::another_media_type("/projects", 200, Some("text/csv; charset=utf-8"), "a,b")]
#[case::a_family_of_media_types("/projects", 200, Some("image/png"), "png")]
#[case::a_class_of_statuses("/projects", 429, PROBLEM, r#"{"status":429}"#)]
#[case::the_default_response("/projects/1", 503, PROBLEM, r#"{"status":503}"#)]
#[case::nothing_to_send("/projects/1", 304, None, "")]
#[case::concrete_before_parameter("/projects/summary", 200, JSON, "7")]
#[case::leftmost_concrete_segment("/partners/summary", 200, JSON, r#""text""#)]
#[case::all_of("/projects/1/history", 200, JSON, r#"[{"name":"x","version":1}]"#)]
#[case::a_parameter_inside_a_segment("/exports/1.csv", 200, Some("text/csv"), "")]
#[case::an_open_schema("/labels", 200, JSON, r#"{"sv":"projekt","en":"project"}"#)]
#[case::a_schema_in_itself(
    "/projects/1",
    200,
    JSON,
    r#"{"id":"01900000-0000-7000-8000-000000000001","name":"x","startedOn":null,
        "parent":{"id":"01900000-0000-7000-8000-000000000002","name":"y","parent":null}}"#
)]
fn what_is_documented_passes(
    #[case] path: &str,
    #[case] status: u16,
    #[case] content_type: Option<&str>,
    #[case] body: &str,
) {
    assert_eq!(get(path, status, content_type, body), Ok(()));
}

#[rstest]
#[case::path("/nowhere", 200, JSON, "{}", "no documented path fits")]
#[case::empty_parameter("/projects/", 200, JSON, "{}", "no documented path fits")]
#[case::path_suffix("/exports/1.xlsx", 200, JSON, "{}", "no documented path fits")]
#[case::status(
    "/projects",
    500,
    PROBLEM,
    r#"{"status":500}"#,
    "does not document this status"
)]
#[case::media_type(
    "/projects",
    200,
    Some("text/html"),
    "<p>",
    "text/html is not documented"
)]
#[case::problem_as_json(
    "/projects",
    400,
    JSON,
    r#"{"status":400}"#,
    "application/json is not documented"
)]
#[case::no_media_type("/projects", 200, None, "{}", "no content type is sent")]
#[case::a_body_with_304(
    "/projects/1",
    304,
    JSON,
    "{}",
    "a body is sent where none is documented"
)]
#[case::not_json("/projects", 200, JSON, "{", "the body is not JSON")]
#[case::empty_json("/projects", 200, JSON, "", "the body is not JSON")]
#[case::member_missing(
    "/projects/1",
    200,
    JSON,
    r#"{"name":"x"}"#,
    r#""id" is a required property"#
)]
#[case::wrong_type_deep(
    "/projects",
    200,
    JSON,
    r#"{"items":[{"id":"01900000-0000-7000-8000-000000000001","name":7}]}"#,
    "/items/0/name"
)]
#[case::bad_format("/projects/1", 200, JSON, r#"{"id":"17","name":"x"}"#, "uuid")]
#[case::bad_date(
    "/projects/1",
    200,
    JSON,
    r#"{"id":"01900000-0000-7000-8000-000000000001","name":"x","startedOn":"2026-02-30"}"#,
    "date"
)]
#[case::concrete_before_parameter("/projects/summary", 200, JSON, r#""text""#, "integer")]
#[case::undocumented_member(
    "/projects",
    200,
    JSON,
    r#"{"items":[],"total":0}"#,
    r#"at "/total": the member is not documented"#
)]
#[case::undocumented_member_deep(
    "/projects",
    200,
    JSON,
    r#"{"items":[{"id":"01900000-0000-7000-8000-000000000001","name":"x","secret":1}]}"#,
    r#"at "/items/0/secret""#
)]
#[case::undocumented_beside_all_of(
    "/projects/1/history",
    200,
    JSON,
    r#"[{"name":"x","version":1,"by":"y"}]"#,
    r#"at "/0/by""#
)]
#[case::undocumented_under_one_of(
    "/projects/1", 200, JSON,
    r#"{"id":"01900000-0000-7000-8000-000000000001","name":"x","parent":{"id":"01900000-0000-7000-8000-000000000002","name":"y","x":1}}"#,
    r#"at "/parent/x""#
)]
#[case::open_schema_still_typed("/labels", 200, JSON, r#"{"sv":1}"#, "at \"/sv\"")]
fn what_is_not_documented_is_told(
    #[case] path: &str,
    #[case] status: u16,
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] expected: &str,
) {
    let fault = get(path, status, content_type, body).unwrap_err();
    assert!(fault.contains(expected), "{fault}");
    assert!(
        fault.starts_with(&format!("GET {path} answered {status}: ")),
        "{fault}"
    );
}

#[test]
fn a_method_needs_an_operation() {
    let fault = contract()
        .check("PUT", "/projects", 200, JSON, b"{}", &headers(&[]))
        .unwrap_err();
    assert!(
        fault.contains("/projects documents no such method"),
        "{fault}"
    );
}

#[test]
fn required_headers_have_to_be_sent() {
    let body = format!(r#"{{"id":"{ID}","name":"x"}}"#);
    let post = |sent: &[&'static str]| {
        contract().check(
            "POST",
            "/projects",
            201,
            JSON,
            body.as_bytes(),
            &headers(sent),
        )
    };
    assert_eq!(post(&["location", "etag"]), Ok(()));
    let fault = post(&["x-extra"]).unwrap_err();
    assert!(
        fault.contains("required headers are missing: Location, ETag"),
        "{fault}"
    );
}

#[test]
fn a_deletion_has_no_body() {
    let delete =
        |body: &[u8]| contract().check("DELETE", "/projects/1", 204, None, body, &headers(&[]));
    assert_eq!(delete(b""), Ok(()));
    assert!(delete(b"{}").unwrap_err().contains("none is documented"));
}

#[test]
fn head_is_held_against_get_without_its_body() {
    let head =
        |path: &str, body: &[u8]| contract().check("HEAD", path, 200, JSON, body, &headers(&[]));
    assert_eq!(head("/projects", b""), Ok(()));
    assert!(
        head("/projects", b"{}")
            .unwrap_err()
            .contains("an answer to HEAD has a body")
    );
    assert!(head("/nowhere", b"").is_err());
}

#[test]
fn a_schema_is_compiled_once() {
    let contract = contract();
    for _ in 0..3 {
        let answer = contract.check(
            "GET",
            "/projects",
            200,
            JSON,
            br#"{"items":[]}"#,
            &headers(&[]),
        );
        assert_eq!(answer, Ok(()));
    }
    assert_eq!(contract.validators.lock().unwrap().len(), 1);
}
