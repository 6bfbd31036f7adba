//! Mistakes in lists, links, answers and what they are called.

use serde_json::json;

use super::sample::{LIST, PROJECT, parameter, remove, server, set};
use super::{Mutation, mutation};

const LINKS: &str = "/components/schemas/Links/properties";
const LINK: &str = "/components/schemas/Link/properties";

pub const MISTAKES: &[Mutation] = &[
    mutation(
        "a list that does not say how long it is",
        |d| {
            remove(
                d,
                "/components/schemas/ProjectPage/properties/_meta/properties",
                "totalRecords",
            );
        },
        &["lists_tell_their_extent_and_link_to_their_pages"],
    ),
    mutation(
        "a list that does not link to itself",
        |d| remove(d, LINKS, "self"),
        &["lists_tell_their_extent_and_link_to_their_pages"],
    ),
    mutation(
        "a relative link",
        |d| set(d, &format!("{LINK}/href"), "example", json!("/projects")),
        &["links_have_an_absolute_address_a_relation_and_a_method"],
    ),
    mutation(
        "a link without a method",
        |d| remove(d, LINK, "method"),
        &["links_have_an_absolute_address_a_relation_and_a_method"],
    ),
    mutation(
        "a new row without its address",
        |d| {
            remove(
                d,
                "/paths/~1projects/post/responses/201/headers",
                "Location",
            );
        },
        &["what_is_made_says_where_it_is"],
    ),
    mutation(
        "a list in the singular",
        |d| set(d, PROJECT, "ownArea", json!({ "type": ["array", "null"] })),
        &["names_of_lists_are_plurals"],
    ),
    mutation(
        "two operations of one name",
        |d| set(d, LIST, "operationId", json!("get_project")),
        &["a_client_can_be_generated"],
    ),
    mutation(
        "an answer of any form",
        |d| {
            set(
                d,
                &format!("{LIST}/responses/200/content/application~1json/schema"),
                "$ref",
                json!("#/components/schemas"),
            );
        },
        &[
            "a_client_can_be_generated",
            "lists_tell_their_extent_and_link_to_their_pages",
        ],
    ),
    mutation(
        "a time in any form",
        |d| set(d, PROJECT, "createdAt", json!({ "type": "string" })),
        &["times_are_those_of_rfc_3339"],
    ),
    mutation(
        "rows that are counted",
        |d| {
            set(
                d,
                "/paths/~1projects~1{projectId}/get/parameters/1/schema",
                "type",
                json!("integer"),
            );
        },
        &["ids_are_not_counted"],
    ),
    mutation(
        "an object in the query",
        |d| {
            parameter(
                d,
                json!({ "name": "filter", "in": "query", "schema": { "type": "object" } }),
            );
        },
        &["query_parameters_carry_no_payload"],
    ),
    mutation(
        "a POST that reads and does not say why",
        |d| {
            let read = d.pointer(&format!("{LIST}/responses")).cloned();
            set(d, "/paths/~1projects/post", "responses", json!(read));
        },
        &["reading_by_post_is_explained"],
    ),
    mutation(
        "version 2 under the address of version 1",
        |d| set(d, "/info", "version", json!("2.0.0")),
        &["a_major_version_has_its_own_document_and_address"],
    ),
    mutation(
        "the address of another major version",
        |d| server(d, "https://api.example.se/samverkan/v2"),
        &["a_major_version_has_its_own_document_and_address"],
    ),
    mutation(
        "a body of any type",
        |d| {
            let problem = d.pointer(&format!("{LIST}/responses/4XX")).cloned();
            let responses = "/paths/~1projects/post/responses";
            remove(d, responses, "4XX");
            set(d, responses, "400", json!(problem));
        },
        &["bodies_of_another_type_are_refused"],
    ),
];
