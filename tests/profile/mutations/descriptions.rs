//! Mistakes in what the document tells of itself, of its operations and of its security.

use serde_json::json;

use super::sample::{LIST, PROJECT, remove, set};
use super::{Mutation, mutation};

pub const MISTAKES: &[Mutation] = &[
    mutation(
        "OpenAPI 2",
        |d| set(d, "", "openapi", json!("2.0")),
        &["the_document_is_openapi_3"],
    ),
    mutation(
        "no terms, SLA or external documentation",
        |d| {
            remove(d, "/info", "termsOfService");
            remove(d, "", "externalDocs");
        },
        &[
            "the_document_says_who_answers_for_it_and_under_which_licence",
            "the_service_level_is_documented",
        ],
    ),
    mutation(
        "a licence without an address",
        |d| remove(d, "/info/license", "url"),
        &["the_document_says_who_answers_for_it_and_under_which_licence"],
    ),
    mutation(
        "no contact",
        |d| remove(d, "/info", "contact"),
        &["the_document_says_who_answers_for_it_and_under_which_licence"],
    ),
    mutation(
        "a description in Swedish only",
        |d| {
            set(
                d,
                "/info",
                "description",
                json!("Uppgifter om kulturskolor och partner, med kända begränsningar."),
            );
        },
        &["the_description_is_in_swedish_and_english"],
    ),
    mutation(
        "a description in English only, without limitations",
        |d| {
            set(
                d,
                "/info",
                "description",
                json!("Data of the culture schools and their partners."),
            );
        },
        &[
            "the_description_is_in_swedish_and_english",
            "known_limitations_are_documented",
        ],
    ),
    mutation(
        "a blank description",
        |d| set(d, "/info", "description", json!(" ")),
        &[
            "the_document_says_who_answers_for_it_and_under_which_licence",
            "the_description_is_in_swedish_and_english",
            "known_limitations_are_documented",
        ],
    ),
    mutation(
        "external documentation without an address",
        |d| remove(d, "/externalDocs", "url"),
        &["external_documentation_is_described_and_linked"],
    ),
    mutation(
        "a JSON answer without an example",
        |d| {
            remove(
                d,
                "/paths/~1projects~1{projectId}/get/responses/200/content/application~1json",
                "example",
            );
        },
        &["bodies_and_json_answers_have_examples"],
    ),
    mutation(
        "a request body without an example",
        |d| {
            remove(
                d,
                "/paths/~1projects/post/requestBody/content/application~1json",
                "example",
            );
        },
        &["bodies_and_json_answers_have_examples"],
    ),
    mutation(
        "an operation with a summary only",
        |d| {
            remove(d, LIST, "description");
            set(d, LIST, "summary", json!("Lists"));
        },
        &["operations_are_described"],
    ),
    mutation(
        "parameters at the path",
        |d| set(d, "/paths/~1projects", "parameters", json!([])),
        &["operations_are_described"],
    ),
    mutation(
        "an answer without a description",
        |d| remove(d, "/paths/~1projects/post/responses/201", "description"),
        &["answers_are_described"],
    ),
    mutation(
        "no answers",
        |d| set(d, LIST, "responses", json!({})),
        &["answers_are_described"],
    ),
    mutation(
        "a date without an example",
        |d| remove(d, &format!("{PROJECT}/startDate"), "example"),
        &["dates_have_valid_examples"],
    ),
    mutation(
        "a date that is none",
        |d| {
            set(
                d,
                &format!("{PROJECT}/startDate"),
                "example",
                json!("2026-02-30"),
            );
        },
        &["dates_have_valid_examples"],
    ),
    mutation(
        "a point in time without an example",
        |d| remove(d, &format!("{PROJECT}/updatedAt"), "examples"),
        &[
            "dates_have_valid_examples",
            "points_in_time_have_examples_with_a_zone",
        ],
    ),
    mutation(
        "a point in time without a zone",
        |d| {
            set(
                d,
                &format!("{PROJECT}/updatedAt"),
                "example",
                json!("2026-01-15T10:00:00"),
            );
        },
        &["points_in_time_have_examples_with_a_zone"],
    ),
    mutation(
        "no security schemes",
        |d| set(d, "/components", "securitySchemes", json!({})),
        &["authentication_is_documented"],
    ),
    mutation(
        "nothing demands authentication",
        |d| remove(d, "", "security"),
        &["authentication_is_documented"],
    ),
    mutation(
        "basic authentication",
        |d| {
            set(
                d,
                "/components/securitySchemes/bearer",
                "scheme",
                json!("basic"),
            );
        },
        &["http_authentication_is_bearer_only"],
    ),
    mutation(
        "OAuth without TLS and without refreshing",
        |d| {
            let flows = json!({ "clientCredentials": { "tokenUrl": "http://api.example.se/oauth/token", "scopes": {} } });
            set(
                d,
                "/components/securitySchemes",
                "oauth",
                json!({ "type": "oauth2", "flows": flows }),
            );
        },
        &[
            "oauth_flows_offer_a_refresh_token",
            "oauth_addresses_are_https",
        ],
    ),
    mutation(
        "an API key in the query",
        |d| {
            set(
                d,
                "/components/securitySchemes",
                "key",
                json!({ "type": "apiKey", "in": "query", "name": "key" }),
            );
        },
        &["api_keys_travel_in_headers"],
    ),
];
