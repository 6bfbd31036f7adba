//! A small document that keeps every rule, and the ways to break it.

use serde_json::{Map, Value, json};

pub const LIST: &str = "/paths/~1projects/get";
pub const PROJECT: &str = "/components/schemas/Project/properties";

/// A document without a finding.
pub fn clean() -> Value {
    let headers = json!({ "traceparent": { "schema": { "type": "string" } }, "X-Request-Id": { "schema": { "type": "string" } } });
    let trace = json!({ "name": "traceparent", "in": "header", "required": false, "schema": { "type": "string" } });
    let problem = json!({
        "description": "What went wrong",
        "headers": headers,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    });
    let project = json!({ "projectId": "0190", "startDate": "2026-01-15", "updatedAt": "2026-01-15T10:00:00Z" });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Samverkan",
            "version": "1.0.0",
            "description": "Uppgifter om kulturskolor och deras partner, med kända begränsningar. Data of the culture schools and their partners, with known limitations.",
            "termsOfService": "https://example.se/terms",
            "contact": { "name": "Support", "url": "https://example.se", "email": "support@example.se" },
            "license": { "name": "EUPL-1.2", "url": "https://example.se/licence" }
        },
        "externalDocs": { "description": "The SLA", "url": "https://example.se/docs" },
        "servers": [{ "url": "https://{host}/samverkan/v1", "variables": { "host": { "default": "api.example.se" } } }],
        "security": [{ "bearer": [] }],
        "paths": {
            "/api-info": { "get": {
                "description": "What this is", "operationId": "get_api_info",
                "security": [],
                "parameters": [trace],
                "responses": { "200": {
                    "description": "Name and version",
                    "headers": headers,
                    "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/ApiInfo" },
                        "example": { "apiName": "Samverkan" }
                    } }
                }, "default": problem }
            } },
            "/projects": {
                "get": {
                    "description": "Lists", "operationId": "list_projects",
                    "parameters": [
                        trace,
                        { "name": "page", "in": "query", "schema": { "type": "integer", "default": 1 } },
                        { "name": "limit", "in": "query", "schema": { "type": "integer", "default": 20 } },
                        { "name": "Accept", "in": "header", "schema": { "type": "string" } }
                    ],
                    "responses": { "200": {
                        "description": "A page",
                        "headers": headers,
                        "content": {
                            "application/json": {
                                "schema": { "$ref": "#/components/schemas/ProjectPage" },
                                "examples": { "one": { "value": { "items": [] } } }
                            },
                            "text/csv": {}
                        }
                    }, "4XX": problem }
                },
                "post": {
                    "description": "Creates", "operationId": "create_project",
                    "parameters": [trace],
                    "requestBody": { "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Project" }, "example": project
                    } } },
                    "responses": { "201": { "description": "Created", "headers": {"traceparent": headers.get("traceparent"), "X-Request-Id": headers.get("X-Request-Id"), "Location": {}} }, "4XX": problem }
                }
            },
            "/projects/{projectId}": { "get": {
                "description": "Reads", "operationId": "get_project",
                "parameters": [trace, { "name": "projectId", "in": "path", "required": true, "schema": { "type": "string" } }],
                "responses": { "200": {
                    "description": "A project",
                    "headers": headers,
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Project" }, "example": project } }
                }, "404": problem }
            } }
        },
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "schemas": schemas()
        }
    })
}

fn schemas() -> Value {
    json!({
        "ApiInfo": { "type": "object", "properties": {
            "apiName": { "type": "string" },
            "apiVersion": { "type": "string" },
            "apiReleased": { "type": "string", "format": "date", "example": "2026-01-15" },
            "apiDocumentation": { "type": "string" },
            "apiStatus": { "type": "string" }
        } },
        "Project": { "type": "object", "properties": {
            "projectId": { "type": "string" },
            "startDate": { "type": ["string", "null"], "format": "date", "example": "2026-01-15" },
            "updatedAt": { "type": "string", "format": "date-time", "examples": ["2026-01-15T10:00:00Z"] }
        } },
        "ProjectPage": { "type": "object", "properties": {
            "items": { "type": "array", "items": { "$ref": "#/components/schemas/Project" } },
            "_meta": { "type": "object", "properties": { "totalRecords": {}, "page": {}, "limit": {}, "count": {} } },
            "_links": { "$ref": "#/components/schemas/Links" }
        } },
        "Links": { "type": "object", "properties": {
            "self": { "$ref": "#/components/schemas/Link" },
            "first": { "$ref": "#/components/schemas/Link" },
            "prev": { "oneOf": [{ "$ref": "#/components/schemas/Link" }, { "type": "null" }] },
            "next": { "oneOf": [{ "$ref": "#/components/schemas/Link" }, { "type": "null" }] },
            "last": { "$ref": "#/components/schemas/Link" }
        } },
        "Link": { "type": "object", "properties": {
            "href": { "type": "string", "example": "https://api.example.se/samverkan/v1/projects" },
            "rel": { "type": "string" },
            "method": { "type": "string" }
        } },
        "Problem": { "type": "object", "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string" }
        } }
    })
}

/// Sets a member of the object at `pointer`.
pub fn set(document: &mut Value, pointer: &str, name: &str, value: Value) {
    object(document, pointer).insert(name.to_owned(), value);
}

/// Removes a member of the object at `pointer`.
pub fn remove(document: &mut Value, pointer: &str, name: &str) {
    let removed = object(document, pointer).shift_remove(name);
    assert!(
        removed.is_some(),
        "the clean document has no {pointer}/{name}"
    );
}

/// Gives a path another name.
pub fn rename_path(document: &mut Value, from: &str, to: &str) {
    let paths = object(document, "/paths");
    let item = paths
        .shift_remove(from)
        .unwrap_or_else(|| panic!("the clean document has no {from}"));
    paths.insert(to.to_owned(), item);
}

pub fn server(document: &mut Value, url: &str) {
    set(document, "", "servers", json!([{ "url": url }]));
}

/// Adds a parameter to the list of projects.
pub fn parameter(document: &mut Value, parameter: Value) {
    let parameters = document
        .pointer_mut(LIST)
        .and_then(|list| list.get_mut("parameters")?.as_array_mut());
    parameters
        .unwrap_or_else(|| panic!("the clean document has no parameters"))
        .push(parameter);
}

fn object<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    document
        .pointer_mut(pointer)
        .and_then(Value::as_object_mut)
        .unwrap_or_else(|| panic!("the clean document has no {pointer}"))
}
