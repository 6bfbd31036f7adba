//! The committed document is the one that the code makes. `UPDATE=1 cargo test --test openapi` writes it anew. Its examples
//! are such as one could learn from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    let made = samverkan::openapi::json();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "openapi/openapi.json is not what the code makes: run UPDATE=1 cargo test --test openapi"
    );
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn references<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), member.as_str()) {
                        ("$ref", Some(target)) => found.push(target),
                        _ => references(member, found),
                    }
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    references(item, found);
                }
            }
            _ => {}
        }
    }
    let document = samverkan::openapi::document();
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for target in found {
        let pointer = target.strip_prefix('#').unwrap_or(target);
        assert!(document.pointer(pointer).is_some(), "{target} is nowhere");
    }
}

/// Every example of an answer with its schema: where, which media type, schema, example.
fn answers() -> Vec<(String, String, serde_json::Value, serde_json::Value)> {
    let document = samverkan::openapi::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                for (media, content) in answer["content"].as_object().into_iter().flatten() {
                    let place = format!("{method} {path} {status}");
                    let several = content["examples"].as_object();
                    let examples = match several {
                        Some(several) => several.values().map(|one| one["value"].clone()).collect(),
                        None => vec![content["example"].clone()],
                    };
                    for example in examples {
                        found.push((
                            place.clone(),
                            media.clone(),
                            content["schema"].clone(),
                            example,
                        ));
                    }
                }
            }
        }
    }
    assert!(found.len() > 200);
    found
}

#[test]
fn examples_of_answers_are_valid_under_their_schemas() {
    let components = samverkan::openapi::document()["components"].clone();
    let mut seen = std::collections::BTreeSet::new();
    for (place, media, schema, example) in answers() {
        if media.ends_with("json") && seen.insert(format!("{schema}{example}")) {
            let root = serde_json::json!({"allOf": [schema], "components": components});
            let validator = jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&root)
                .unwrap();
            let faults: Vec<String> = validator
                .iter_errors(&example)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{place} {media}: {faults:?}\n{example}");
        }
    }
}

#[test]
fn the_example_of_a_page_is_a_page_of_that_list() {
    let mut pages = 0;
    for (place, media, _, example) in answers() {
        let Some(items) = example["items"]
            .as_array()
            .filter(|_| example.get("_links").is_some())
        else {
            continue;
        };
        pages += 1;
        let link = &example["_links"]["self"];
        assert_eq!(link["rel"], "self", "{place} {media}");
        let path = place.split(' ').nth(1).unwrap();
        let begins = path.split('{').next().unwrap();
        let href = link["href"].as_str().unwrap();
        assert!(
            href.contains(begins) && !href.contains('{'),
            "{place} {media}: {href}"
        );
        assert_eq!(example["_meta"]["count"], items.len(), "{place} {media}");
    }
    assert!(pages > 40, "{pages}");
}

#[test]
fn examples_are_of_rows_as_one_meets_them() {
    fn check(place: &str, value: &serde_json::Value) {
        if let Some(members) = value.as_object() {
            let text = |name: &str| members.get(name).and_then(serde_json::Value::as_str);
            for gone in ["deletedAt", "revokedAt", "withdrawnAt"] {
                assert_eq!(text(gone), None, "{place}: {gone}");
            }
            assert_ne!(text("state"), Some("draft"), "{place}");
            assert_ne!(text("definition"), Some("text"), "{place}");
            assert!(
                text("project").is_none() || text("collaboration").is_none(),
                "{place}: a partnership is in one of the two"
            );
            members.values().for_each(|member| check(place, member));
        }
        value
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|item| check(place, item));
    }
    for (place, _, _, example) in answers() {
        check(&place, &example);
    }
}

#[test]
fn the_example_of_csv_has_the_columns_of_the_rows_and_no_others() {
    let (mut tables, mut pages) = (0, std::collections::BTreeSet::new());
    for (place, media, _, example) in answers() {
        if example.get("_links").is_some() {
            pages.insert(place.clone());
        }
        let of_page = media == "text/csv" && pages.contains(&place);
        let Some(text) = example.as_str().filter(|_| of_page) else {
            continue;
        };
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().clone();
        assert!(columns.len() > 2, "{place}: {text}");
        assert_eq!(reader.records().map(Result::unwrap).count(), 1, "{place}");
        tables += 1;
    }
    assert!(tables > 20, "{tables}");
}
