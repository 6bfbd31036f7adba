//! The Swedish national REST API profile (Digg, version 1.2.0, with the trace rules of 2.0.0), held
//! against the committed OpenAPI document.
//!
//! Each line of the table below is one test: a sentence, the requirements that it stands for, and the
//! rule that decides. A rule reads a document and returns what it finds wrong, so that [`mutations`]
//! can show of every rule that it bites. What no document can show (certificates, logs, life cycles)
//! is not here.

mod mutations;
mod reading;
mod rules;

use std::fs;
use std::path::Path;

use rules::{addresses, answers, documentation, errors, names, queries, security};
use serde_json::Value;

/// Reads a document and tells, one sentence each, what breaks the requirement.
type Rule = fn(&Value) -> Vec<String>;

macro_rules! profile {
    ($($sentence:ident, $requirements:literal, $rule:path;)*) => {
        $(
            #[test]
            fn $sentence() {
                hold($requirements, $rule);
            }
        )*

        /// Every rule under the name of its test.
        const RULES: &[(&str, Rule)] = &[$((stringify!($sentence), $rule)),*];
    };
}

profile! {
    the_document_is_openapi_3, "DOK.17 BÖR", documentation::openapi_3;
    the_document_says_who_answers_for_it_and_under_which_licence, "DOK.03 SKALL", documentation::identity;
    the_service_level_is_documented, "DOK.08 SKALL", documentation::service_level;
    known_limitations_are_documented, "DOK.09 SKALL", documentation::limitations;
    the_description_is_in_swedish_and_english, "DOK.06, DOK.07 BÖR, DOK.11 SKALL", documentation::description;
    external_documentation_is_described_and_linked, "DOK.01 BÖR", documentation::external_docs;
    bodies_and_json_answers_have_examples, "DOK.15 SKALL", documentation::examples;
    operations_are_described, "DOK.12, DOK.19 SKALL", documentation::operations_described;
    answers_are_described, "DOK.13, DOK.20 SKALL", documentation::responses_described;
    dates_have_valid_examples, "DOT.02 SKALL", documentation::date_examples;
    points_in_time_have_examples_with_a_zone, "DOT.04 BÖR", documentation::zoned_examples;

    server_addresses_are_scheme_host_api_and_major_version, "UFN.01, VER.05 BÖR", addresses::server_form;
    servers_speak_https_on_its_own_port, "UFN.02, SAK.01 SKALL", addresses::server_https;
    addresses_are_short, "UFN.05 BÖR INTE", addresses::length;
    addresses_are_in_small_letters, "UFN.07 SKALL", addresses::characters;
    hyphens_separate_the_words_of_an_address, "UFN.08 SKALL", addresses::separators;
    addresses_and_path_parameters_have_no_blank_or_underscore, "UFN.09 SKALL INTE", addresses::underscores;
    resources_are_plural_nouns, "RES.06 SKALL", addresses::resources;
    every_path_has_an_operation, "MOG.01 SKALL", addresses::methods;
    the_api_tells_its_name_version_and_status, "VER.04, VER.06, VER.07 SKALL", addresses::api_info;

    authentication_is_documented, "DOK.21, SAK.08 SKALL", security::documented;
    http_authentication_is_bearer_only, "SAK.09 SKALL INTE, SAK.10 SKALL", security::bearer;
    oauth_flows_offer_a_refresh_token, "SAK.11 SKALL", security::refresh;
    oauth_addresses_are_https, "SAK.18 BÖR", security::oauth_https;
    api_keys_travel_in_headers, "SAK.15 SKALL INTE, SAK.16 SKALL", security::api_keys;

    property_names_are_camel_case_or_snake_case, "AME.04 BÖR", names::cases;
    camel_case_and_snake_case_are_not_mixed, "AME.05 SKALL", names::mixed;
    property_names_are_alphanumeric, "AME.07 BÖR", names::alphanumeric;
    bodies_and_answers_are_offered_as_json, "AME.01, AME.02, ARQ.01 BÖR", names::json;
    headers_carry_no_payload, "ARQ.05 SKALL INTE", names::header_payload;
    standard_headers_are_declared_as_text, "ARQ.03 BÖR", names::standard_headers;
    reading_takes_no_body, "FOR.02", names::get_body;
    no_parameter_asks_for_a_personal_identity_number, "RES.02 BÖR INTE", names::personal_numbers;

    query_names_are_plain, "FNS.01, FNS.03 SKALL, FNS.06 BÖR", queries::names;
    query_parameters_are_optional, "FNS.05 BÖR", queries::optional;
    paging_has_a_limit, "FNS.07 SKALL", queries::limit;
    pages_are_counted_from_one, "FNS.08 SKALL", queries::first_page;
    a_page_holds_twenty_items_by_default, "FNS.09 BÖR", queries::page_size;

    lists_tell_their_extent_and_link_to_their_pages, "FNS.10, FNS.11, FNS.13 BÖR, HYP.05 SKALL", answers::pages;
    links_have_an_absolute_address_a_relation_and_a_method, "HYP.11 to HYP.17 SKALL", answers::links;
    what_is_made_says_where_it_is, "ARP.03, ARP.04 BÖR", answers::location;
    names_of_lists_are_plurals, "AME.06 SKALL", answers::plurals;
    a_client_can_be_generated, "DOK.16 SKALL", answers::model;
    times_are_those_of_rfc_3339, "DOT.01 SKALL", answers::times;
    ids_are_not_counted, "RES.03 BÖR INTE", answers::counted_ids;
    query_parameters_carry_no_payload, "UFN.03 SKALL INTE", answers::query_payload;
    reading_by_post_is_explained, "MOG.03 SKALL", answers::reading_by_post;
    a_major_version_has_its_own_document_and_address, "DOK.22, VER.04 SKALL", answers::major_version;
    bodies_of_another_type_are_refused, "SAK.29 BÖR", answers::other_types;

    problems_are_plain_objects_with_the_five_members, "FEL.01 SKALL", errors::problem_schema;
    errors_are_problem_json, "FEL.02 BÖR", errors::media_type;
    operations_accept_a_trace, "SPA.02 SKALL", errors::trace_accepted;
    answers_tell_their_trace, "SPA.04 BÖR", errors::trace_answered;
    a_request_id_does_not_stand_in_for_the_trace, "SPA.07 SKALL INTE", errors::trace_not_replaced;
}

fn hold(requirements: &str, rule: Rule) {
    let findings = rule(&document());
    assert!(
        findings.is_empty(),
        "{requirements}: {} finding(s) in openapi/openapi.json\n{}",
        findings.len(),
        findings.join("\n")
    );
}

/// The committed document.
fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("openapi/openapi.json cannot be read ({error}): export it with `samverkan openapi` and commit it")
    });
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("openapi/openapi.json is not JSON: {error}"))
}
