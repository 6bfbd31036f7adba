//! The committed document is the one that the code makes. `UPDATE=1 cargo test --test openapi` writes it anew.

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
