//! Mistakes in names, parameters, headers, problems and traces.

use serde_json::json;

use super::sample::{LIST, PROJECT, parameter, remove, set};
use super::{Mutation, mutation};

pub const MISTAKES: &[Mutation] = &[
    mutation(
        "one property in snake_case",
        |d| set(d, PROJECT, "end_note", json!({ "type": "string" })),
        &["camel_case_and_snake_case_are_not_mixed"],
    ),
    mutation(
        "a whole schema in snake_case",
        |d| {
            set(
                d,
                "/components/schemas",
                "Other",
                json!({ "properties": { "end_note": {}, "other_note": {} } }),
            );
        },
        &["camel_case_and_snake_case_are_not_mixed"],
    ),
    mutation(
        "a property with a hyphen",
        |d| {
            set(
                d,
                PROJECT,
                "official-statistics",
                json!({ "type": "boolean" }),
            );
        },
        &[
            "property_names_are_camel_case_or_snake_case",
            "property_names_are_alphanumeric",
        ],
    ),
    mutation(
        "a property with a digit",
        |d| set(d, PROJECT, "share6to19", json!({ "type": "number" })),
        &["property_names_are_camel_case_or_snake_case"],
    ),
    mutation(
        "a property in Swedish letters",
        |d| set(d, PROJECT, "årtal", json!({ "type": "integer" })),
        &[
            "property_names_are_camel_case_or_snake_case",
            "property_names_are_alphanumeric",
        ],
    ),
    mutation(
        "an answer as CSV only",
        |d| {
            remove(
                d,
                &format!("{LIST}/responses/200/content"),
                "application/json",
            );
        },
        &["bodies_and_answers_are_offered_as_json"],
    ),
    mutation(
        "a multipart body",
        |d| {
            set(
                d,
                "/paths/~1projects/post/requestBody",
                "content",
                json!({ "multipart/form-data": { "example": {} } }),
            );
        },
        &["bodies_and_answers_are_offered_as_json"],
    ),
    mutation(
        "an object in a header",
        |d| {
            parameter(
                d,
                json!({ "name": "X-Filter", "in": "header", "schema": { "type": "object" } }),
            );
        },
        &["headers_carry_no_payload"],
    ),
    mutation(
        "a date header as a number",
        |d| {
            parameter(
                d,
                json!({ "name": "Date", "in": "header", "schema": { "type": "integer" } }),
            );
        },
        &["standard_headers_are_declared_as_text"],
    ),
    mutation(
        "GET with a body",
        |d| {
            set(
                d,
                LIST,
                "requestBody",
                json!({ "content": { "application/json": { "schema": { "type": "object" }, "example": {} } } }),
            );
        },
        &["reading_takes_no_body"],
    ),
    mutation(
        "a personal identity number in the query",
        |d| {
            parameter(
                d,
                json!({ "name": "personalNumber", "in": "query", "schema": { "type": "string" } }),
            );
        },
        &["no_parameter_asks_for_a_personal_identity_number"],
    ),
    mutation(
        "a query name with a hyphen",
        |d| parameter(d, json!({ "name": "area-code", "in": "query" })),
        &["query_names_are_plain"],
    ),
    mutation(
        "a query name from a digit",
        |d| parameter(d, json!({ "name": "1st", "in": "query" })),
        &["query_names_are_plain"],
    ),
    mutation(
        "a required query parameter",
        |d| {
            parameter(
                d,
                json!({ "name": "measure", "in": "query", "required": true }),
            );
        },
        &["query_parameters_are_optional"],
    ),
    mutation(
        "page and per_page",
        |d| {
            set(
                d,
                &format!("{LIST}/parameters/2"),
                "name",
                json!("per_page"),
            );
        },
        &["paging_has_a_limit"],
    ),
    mutation(
        "pages from 0",
        |d| {
            set(
                d,
                &format!("{LIST}/parameters/1/schema"),
                "default",
                json!(0),
            );
        },
        &["pages_are_counted_from_one"],
    ),
    mutation(
        "fifty items a page",
        |d| {
            set(
                d,
                &format!("{LIST}/parameters/2/schema"),
                "default",
                json!(50),
            );
        },
        &["a_page_holds_twenty_items_by_default"],
    ),
    mutation(
        "a problem without instance",
        |d| remove(d, "/components/schemas/Problem/properties", "instance"),
        &["problems_are_plain_objects_with_the_five_members"],
    ),
    mutation(
        "a problem put together with allOf",
        |d| {
            let problem = d.pointer("/components/schemas/Problem").cloned();
            set(
                d,
                "/components/schemas",
                "Problem",
                json!({ "allOf": [problem] }),
            );
        },
        &["problems_are_plain_objects_with_the_five_members"],
    ),
    mutation(
        "an error as plain JSON",
        |d| {
            set(
                d,
                &format!("{LIST}/responses/4XX"),
                "content",
                json!({ "application/json": { "example": {} } }),
            );
        },
        &["errors_are_problem_json"],
    ),
    mutation(
        "an operation without a trace",
        |d| set(d, "/paths/~1projects/post", "parameters", json!([])),
        &["operations_accept_a_trace"],
    ),
    mutation(
        "a trace that has to be sent",
        |d| {
            set(
                d,
                "/paths/~1projects/post/parameters/0",
                "required",
                json!(true),
            );
        },
        &["operations_accept_a_trace"],
    ),
    mutation(
        "an answer without any header",
        |d| remove(d, &format!("{LIST}/responses/200"), "headers"),
        &["answers_tell_their_trace"],
    ),
    mutation(
        "an answer with a request id only",
        |d| remove(d, &format!("{LIST}/responses/200/headers"), "traceparent"),
        &[
            "answers_tell_their_trace",
            "a_request_id_does_not_stand_in_for_the_trace",
        ],
    ),
    mutation(
        "a request id asked for in place of a trace",
        |d| {
            set(
                d,
                &format!("{LIST}/parameters/0"),
                "name",
                json!("X-Request-Id"),
            );
        },
        &[
            "operations_accept_a_trace",
            "a_request_id_does_not_stand_in_for_the_trace",
        ],
    ),
];
