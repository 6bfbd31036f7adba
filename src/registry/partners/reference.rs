//! Naming a partner in another row's body: by id, organisation number, or name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::db::{Conn, WriteError};
use crate::problem::{Fault, Problem, text};

/// A partner, named by its id, or by `{"orgNumber": …}`, or by `{"name": …}` if only one live partner has that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PartnerRef {
    /// The id.
    Id(Uuid),
    /// The organisation number.
    OrgNumber(ByOrgNumber),
    /// The name, exactly as in the registry.
    Name(ByName),
}

/// A partner by its organisation number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ByOrgNumber {
    /// With or without its hyphen.
    #[schema(example = "802000-0009")]
    pub org_number: crate::values::OrgNumber,
}

/// A row by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByName {
    /// Exactly as in the registry.
    #[schema(example = "Sveriges Kulturskoleråd")]
    pub name: String,
}

impl PartnerRef {
    /// The id of the partner; `pointer` is where the body names it.
    ///
    /// # Errors
    /// 422 when no live partner is meant, or more than one. An id is left to the foreign key.
    pub async fn resolve(&self, conn: &Conn, pointer: &str) -> Result<Uuid, WriteError> {
        let found = match self {
            Self::Id(id) => return Ok(*id),
            Self::OrgNumber(by) => store::by_org_number(conn, &by.org_number.canonical()).await?,
            Self::Name(by) => store::by_name(conn, &by.name).await?,
        };
        exactly_one(&found, pointer)
    }
}

/// The only one of the rows that a reference by name found.
///
/// # Errors
/// 422 `reference_unknown` or `reference_ambiguous`.
pub fn exactly_one(found: &[Uuid], pointer: &str) -> Result<Uuid, WriteError> {
    match found {
        [id] => Ok(*id),
        [] => Err(Problem::invalid(Fault::at(
            pointer,
            "reference_unknown",
            text("Ingen rad heter så.", "No row is called that."),
        ))
        .into()),
        _ => Err(Problem::invalid(Fault::at(
            pointer,
            "reference_ambiguous",
            text(
                "Flera rader heter så; ange id.",
                "Several rows are called that; give the id.",
            ),
        ))
        .into()),
    }
}
