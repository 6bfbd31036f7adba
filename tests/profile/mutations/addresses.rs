//! Mistakes in servers, paths and resources.

use serde_json::json;

use super::sample::{remove, rename_path, server, set};
use super::{Mutation, mutation};

pub const MISTAKES: &[Mutation] = &[
    mutation(
        "no servers",
        |d| remove(d, "", "servers"),
        &["server_addresses_are_scheme_host_api_and_major_version"],
    ),
    mutation(
        "a server without a host",
        |d| server(d, "/"),
        &[
            "server_addresses_are_scheme_host_api_and_major_version",
            "servers_speak_https_on_its_own_port",
        ],
    ),
    mutation(
        "a server without TLS",
        |d| server(d, "http://localhost:8080/samverkan/v1"),
        &["servers_speak_https_on_its_own_port"],
    ),
    mutation(
        "a server on another port",
        |d| server(d, "https://api.example.se:8443/samverkan/v1"),
        &["servers_speak_https_on_its_own_port"],
    ),
    mutation(
        "a server with one part too many",
        |d| server(d, "https://api.example.se/api/samverkan/v1"),
        &["server_addresses_are_scheme_host_api_and_major_version"],
    ),
    mutation(
        "a server without the name of the API",
        |d| server(d, "https://api.example.se/v1"),
        &["server_addresses_are_scheme_host_api_and_major_version"],
    ),
    mutation(
        "a server without a major version",
        |d| server(d, "https://api.example.se/samverkan/latest"),
        &["server_addresses_are_scheme_host_api_and_major_version"],
    ),
    mutation(
        "a server with a capital letter",
        |d| server(d, "https://api.example.se/Samverkan/v1"),
        &["addresses_are_in_small_letters"],
    ),
    mutation(
        "an endless path",
        |d| rename_path(d, "/projects", &format!("/{}", "projects".repeat(256))),
        &["addresses_are_short"],
    ),
    mutation(
        "a path in camelCase",
        |d| rename_path(d, "/projects", "/cultureSchools"),
        &[
            "addresses_are_in_small_letters",
            "resources_are_plural_nouns",
        ],
    ),
    mutation(
        "a path in snake_case",
        |d| rename_path(d, "/projects", "/culture_schools"),
        &[
            "addresses_are_in_small_letters",
            "hyphens_separate_the_words_of_an_address",
            "addresses_and_path_parameters_have_no_blank_or_underscore",
            "resources_are_plural_nouns",
        ],
    ),
    mutation(
        "a file as a path",
        |d| rename_path(d, "/projects", "/openapi.json"),
        &[
            "hyphens_separate_the_words_of_an_address",
            "resources_are_plural_nouns",
        ],
    ),
    mutation(
        "a path parameter in snake_case",
        |d| {
            rename_path(d, "/projects/{projectId}", "/projects/{project_id}");
            set(
                d,
                "/paths/~1projects~1{project_id}/get/parameters/1",
                "name",
                json!("project_id"),
            );
        },
        &["addresses_and_path_parameters_have_no_blank_or_underscore"],
    ),
    mutation(
        "a verb as a resource",
        |d| rename_path(d, "/projects", "/get-projects"),
        &["resources_are_plural_nouns"],
    ),
    mutation(
        "a collection in the singular",
        |d| rename_path(d, "/projects/{projectId}", "/project/{projectId}"),
        &["resources_are_plural_nouns"],
    ),
    mutation(
        "a path without an operation",
        |d| set(d, "/paths", "/partners", json!({})),
        &["every_path_has_an_operation"],
    ),
    mutation(
        "no /api-info",
        |d| remove(d, "/paths", "/api-info"),
        &["the_api_tells_its_name_version_and_status"],
    ),
    mutation(
        "/api-info without a status",
        |d| remove(d, "/components/schemas/ApiInfo/properties", "apiStatus"),
        &["the_api_tells_its_name_version_and_status"],
    ),
    mutation(
        "a version of two parts",
        |d| set(d, "/info", "version", json!("1.0")),
        &["the_api_tells_its_name_version_and_status"],
    ),
];
