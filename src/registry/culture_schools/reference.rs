//! Naming a culture school in another row's body: by id, or by municipality and name.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::db::{Conn, WriteError};
use crate::registry::partners::reference::{exactly_one, live};
use crate::values::{AreaCode, Line};

/// A culture school, named by its id, or by `{"municipality": …, "name": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CultureSchoolRef {
    /// The id.
    Id(Uuid),
    /// The municipality and the name.
    Name(ByMunicipality),
}

/// A culture school by its municipality and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ByMunicipality {
    /// The municipality of the school.
    #[garde(dive)]
    pub municipality: AreaCode,
    /// Exactly as in the registry.
    #[garde(dive)]
    #[schema(example = "Örebro kulturskola")]
    pub name: Line,
}

impl Validate for CultureSchoolRef {
    type Context = ();

    // By hand: the derived one would put the number of the variant's field into the path.
    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        if let Self::Name(by) = self {
            by.validate_into(&(), parent, report);
        }
    }
}

impl CultureSchoolRef {
    /// The id of the culture school; `pointer` is where the body names it.
    ///
    /// # Errors
    /// 422 when no live culture school is meant.
    pub async fn resolve(&self, conn: &Conn, pointer: &str) -> Result<Uuid, WriteError> {
        match self {
            Self::Id(id) => live(*id, store::is_live(conn, id).await?, pointer),
            Self::Name(by) => {
                let found =
                    store::by_name(conn, by.municipality.as_str(), by.name.as_str()).await?;
                exactly_one(&found, pointer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(reference: serde_json::Value) -> Vec<String> {
        let reference: CultureSchoolRef = serde_json::from_value(reference).unwrap();
        match reference.validate() {
            Ok(()) => Vec::new(),
            Err(report) => report
                .iter()
                .map(|(path, error)| format!("{path}: {}", error.message()))
                .collect(),
        }
    }

    #[test]
    fn a_school_is_named_by_id_or_by_municipality_and_name() {
        let id = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6";
        assert!(faults(json!(id)).is_empty());
        assert!(faults(json!({"municipality": "1880", "name": "Örebro kulturskola"})).is_empty());
        assert_eq!(
            faults(json!({"municipality": "x", "name": "a\u{0}"})),
            [
                "municipality: area_code_format",
                "name: text_control_character"
            ]
        );
        assert!(
            serde_json::from_value::<CultureSchoolRef>(json!({"name": "Örebro kulturskola"}))
                .is_err()
        );
    }
}
