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
    pub name: crate::values::Line,
}

impl garde::Validate for PartnerRef {
    type Context = ();

    fn validate_into(
        &self,
        (): &(),
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        match self {
            Self::Id(_) => {}
            Self::OrgNumber(by) => {
                by.org_number
                    .validate_into(&(), &mut || parent().join("org_number"), report);
            }
            Self::Name(by) => by
                .name
                .validate_into(&(), &mut || parent().join("name"), report),
        }
    }
}

impl PartnerRef {
    /// The id of the partner; `pointer` is where the body names it.
    ///
    /// # Errors
    /// 422 when no live partner is meant, or more than one.
    pub async fn resolve(&self, conn: &Conn, pointer: &str) -> Result<Uuid, WriteError> {
        let found = match self {
            Self::Id(id) => return live(*id, store::is_live(conn, id).await?, pointer),
            Self::OrgNumber(by) => store::by_org_number(conn, &by.org_number.canonical()).await?,
            Self::Name(by) => store::by_name(conn, by.name.as_str()).await?,
        };
        exactly_one(&found, pointer)
    }
}

/// The id, if a live row has it.
///
/// # Errors
/// 422 `reference_unknown`
pub fn live(id: Uuid, live: bool, pointer: &str) -> Result<Uuid, WriteError> {
    exactly_one(if live { std::slice::from_ref(&id) } else { &[] }, pointer)
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
            text(
                "Ingen levande rad heter så eller har det id:t.",
                "No live row is called that or has that id.",
            ),
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
