//! The rules of the house, read from the source text. No database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "sql")
            {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The part of a file that is not its unit tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn files_with<'a>(all: &'a [(PathBuf, String)], needle: &str) -> Vec<&'a Path> {
    all.iter()
        .filter(|(_, text)| code(text).contains(needle))
        .map(|(path, _)| path.as_path())
        .collect()
}

#[test]
fn rows_and_queries_know_nothing_of_http() {
    for (path, text) in sources("src") {
        let name = path.file_name().unwrap().to_string_lossy();
        if name == "store.rs" || name == "model.rs" {
            assert!(
                !text.contains("actix_web") && !text.contains("utoipa"),
                "{} speaks HTTP",
                path.display()
            );
        }
    }
}

#[test]
fn imports_run_downwards() {
    let ground = ["db", "access", "http", "telemetry", "formats", "values"];
    let above = [
        "crate::registry",
        "crate::participation",
        "crate::statistics",
        "crate::sync",
        "crate::office",
        "crate::demo",
        "crate::app",
    ];
    for floor in ground {
        for (path, text) in sources(&format!("src/{floor}")) {
            for upper in above {
                assert!(
                    !code(&text).contains(upper),
                    "{} imports {upper}",
                    path.display()
                );
            }
        }
    }
    // The office's own tool knows the service by its API alone.
    let inside = [
        "db",
        "registry",
        "participation",
        "statistics",
        "sync",
        "app",
    ];
    for (path, text) in sources("src/office") {
        for inner in inside {
            assert!(
                !code(&text).contains(&format!("crate::{inner}")),
                "{} looks into {inner}",
                path.display()
            );
        }
    }
    for (wing, upper) in [
        ("src/registry", "crate::participation"),
        ("src/registry", "crate::statistics"),
        ("src/participation", "crate::statistics"),
        ("src/registry", "crate::sync"),
        ("src/participation", "crate::sync"),
        ("src/statistics", "crate::sync"),
        ("src/sync", "crate::office"),
    ] {
        for (path, text) in sources(wing) {
            assert!(
                !code(&text).contains(upper),
                "{} imports {upper}",
                path.display()
            );
        }
    }
}

#[test]
fn the_api_of_one_resource_does_not_use_the_api_of_another() {
    for wing in ["src/registry", "src/participation", "src/statistics"] {
        for (path, text) in sources(wing) {
            let own = path
                .parent()
                .unwrap()
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            for line in code(&text)
                .lines()
                .filter(|line| line.starts_with("use crate::"))
            {
                let foreign = line.contains("::api::") && !line.contains(&format!("::{own}::"));
                assert!(!foreign, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn one_place_for_the_environment_the_time_and_unsafe_code() {
    let all = sources("src");
    assert_eq!(files_with(&all, "env::var"), [Path::new("src/config.rs")]);
    assert_eq!(files_with(&all, "Utc::now()"), [Path::new("src/clock.rs")]);
    assert_eq!(
        files_with(&all, "unsafe {"),
        [Path::new("src/db/private/process.rs")]
    );
}

#[test]
fn every_route_is_one_that_the_document_sees() {
    let all = sources("src");
    assert!(
        files_with(&all, ".route(").is_empty(),
        "a route added with .route( is invisible to OpenAPI"
    );
}

#[test]
fn every_sql_file_says_what_it_answers() {
    for (path, text) in sources("src") {
        if path.extension().is_some_and(|extension| extension == "sql") {
            for part in ["-- Question:", "-- Grain:", "-- Caveats:"] {
                assert!(text.contains(part), "{} lacks {part}", path.display());
            }
        }
    }
}

#[test]
fn nothing_is_left_for_later_and_no_query_is_put_together_from_text() {
    for (path, text) in sources("src") {
        assert!(
            !text.contains("TODO") && !text.contains("FIXME"),
            "{}",
            path.display()
        );
        assert!(
            !text.contains("sql_query(format!") && !text.contains("sql_query(&format!"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn files_are_about_one_thing() {
    for (path, text) in sources("src") {
        let lines = code(&text).lines().count();
        let generated_or_list = ["src/schema.rs", "src/db/catalogue.rs"]
            .iter()
            .any(|known| path == Path::new(known));
        assert!(
            lines <= 560 || generated_or_list,
            "{} has {lines} lines: split it by meaning",
            path.display()
        );
    }
}
