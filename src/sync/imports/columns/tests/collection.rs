//! The broken spreadsheets of `tests/spreadsheets/`: the folder says what the rows are, the name what is broken. What
//! each gives stands in `tests/spreadsheets/gives/` and is only changed by a person who has read it
//! (`INSTA_UPDATE=always`).

use std::fs;
use std::path::Path;

use super::told;
use crate::formats::read::FileKind;
use crate::sync::imports::types::ImportType;

#[test]
fn every_file_of_the_collection_gives_what_it_should() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spreadsheets");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(home.join("gives"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut seen = 0;
    for resource in ImportType::ALL {
        let folder = home.join(resource.as_str());
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let ending = path.extension().unwrap().to_str().unwrap();
            let kind = FileKind::ALL
                .into_iter()
                .find(|kind| kind.extension() == ending)
                .unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let gives = told(resource, kind, fs::read(&path).unwrap());
            settings.bind(|| {
                insta::assert_json_snapshot!(format!("{}_{name}", resource.as_str()), gives);
            });
            seen += 1;
        }
    }
    assert!(seen >= 48, "only {seen} files were found");
}
