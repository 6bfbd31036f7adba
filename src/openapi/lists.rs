//! What each list can be sorted by, and what `include=` and `fields=` may name: from the resources and the schemas, so
//! that nobody has to find it out by trying. What a list cannot do is not in the document.

#![expect(
    clippy::indexing_slicing,
    reason = "assigning to a member of a JSON object makes it"
)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::schemas::{names, row};
use crate::access::clients::api::Clients;
use crate::db::window::Sortable;
use crate::http::resource::{CONTACTS, Resource};
use crate::participation::measures::api::Measures;
use crate::participation::populations::api::Populations;
use crate::participation::reports::api::Reports;
use crate::participation::reports::observations::api::Observations;
use crate::participation::sources::api::Sources;
use crate::registry::areas::api::{Areas, MunicipalityOut, RegionOut};
use crate::registry::areas::districts::Districts;
use crate::registry::collaborations::api::Collaborations;
use crate::registry::culture_schools::api::CultureSchools;
use crate::registry::partners::api::Partners;
use crate::registry::partnerships::api::Partnerships;
use crate::registry::projects::api::Projects;
use crate::statistics::publications::api::Publications;
use crate::sync::checkpoints::administration::ClientCheckpoints;
use crate::sync::checkpoints::api::Checkpoints;
use crate::sync::imports::resources::Imports;

/// What a resource can do.
struct Abilities {
    sorts: Vec<&'static str>,
    includes: &'static [&'static str],
    searches: bool,
    /// What its versions can include.
    past_includes: &'static [&'static str],
}

fn of<R: Resource>() -> (&'static str, Abilities) {
    let unique = R::Row::UNIQUE;
    let keys = R::Row::KEYS.iter().filter(|key| **key != unique);
    let abilities = Abilities {
        sorts: keys.map(|key| key.name).chain([unique.name]).collect(),
        includes: R::INCLUDES,
        searches: R::SEARCH.is_some(),
        past_includes: if R::OWN.contains(&CONTACTS) {
            &[CONTACTS]
        } else {
            &[]
        },
    };
    (R::PATH, abilities)
}

/// By path. A list that is not here has a fixed order.
fn all() -> BTreeMap<&'static str, Abilities> {
    BTreeMap::from([
        of::<Areas<RegionOut>>(),
        of::<Areas<MunicipalityOut>>(),
        of::<Districts>(),
        of::<CultureSchools>(),
        of::<Partners>(),
        of::<Projects>(),
        of::<Collaborations>(),
        of::<Partnerships>(),
        of::<Measures>(),
        of::<Sources>(),
        of::<Reports>(),
        of::<Observations>(),
        of::<Populations>(),
        of::<Publications>(),
        of::<Imports>(),
        of::<Checkpoints>(),
        of::<ClientCheckpoints>(),
        of::<Clients>(),
    ])
}

/// Gives the parameters of every list and row the names that they may hold, and takes away those that never work.
pub fn complete(document: &mut Value) {
    let (all, schemas) = (all(), document["components"]["schemas"].clone());
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        let Some(operation) = item.get_mut("get") else {
            continue;
        };
        let answer = operation.pointer("/responses/200/content/application~1json/schema");
        let fields = answer.map_or_else(Vec::new, |answer| names(row(answer, &schemas)));
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        let Some(parameters) = parameters.filter(|list| list.iter().any(|p| p["name"] == "fields"))
        else {
            continue;
        };
        let abilities = match path.as_str() {
            "/reports/{reportId}/observations" => all.get("/observations"),
            path => all.get(path.split("/{").next().unwrap_or(path)),
        };
        let below = path.contains('}') && !path.ends_with('}');
        let past = path.ends_with("/history");
        let none: &[&str] = &[];
        let (sorts, includes, searches) = match abilities {
            Some(can) if past => (none, can.past_includes, false),
            Some(can) if !below || path.ends_with("/observations") => {
                (can.sorts.as_slice(), can.includes, can.searches)
            }
            _ => (none, none, false),
        };
        parameters.retain(|parameter| match parameter["name"].as_str() {
            Some("sort" | "updatedSince") => !sorts.is_empty(),
            Some("include") => !includes.is_empty(),
            Some("q") => searches,
            _ => true,
        });
        for parameter in parameters {
            match parameter["name"].as_str() {
                Some("sort") => {
                    let names = sorts
                        .iter()
                        .flat_map(|name| [(*name).to_owned(), format!("-{name}")]);
                    let first = sorts.iter().take(2).rev().enumerate();
                    let example = first.map(|(n, name)| {
                        if n == 0 {
                            format!("-{name}")
                        } else {
                            (*name).to_owned()
                        }
                    });
                    choices(
                        parameter,
                        &names.collect::<Vec<_>>(),
                        &example.collect::<Vec<_>>(),
                    );
                }
                Some("include") => choices(parameter, includes, includes),
                Some("fields") => choices(parameter, &fields, fields.get(..2).unwrap_or(&fields)),
                _ => {}
            }
        }
    }
}

/// Makes a parameter a comma-separated list of some of these names.
fn choices(parameter: &mut Value, names: &[impl AsRef<str>], example: &[impl AsRef<str>]) {
    parameter["schema"] =
        json!({"type": "array", "items": {"type": "string", "enum": texts(names)}});
    parameter["style"] = json!("form");
    parameter["explode"] = json!(false);
    parameter["example"] = texts(example);
}

fn texts(names: &[impl AsRef<str>]) -> Value {
    names.iter().map(AsRef::as_ref).collect()
}
