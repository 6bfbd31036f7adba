//! Naming a collaboration in another row's body: by id or by name.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::db::{Conn, WriteError};
use crate::registry::partners::reference::{exactly_one, live};
use crate::values::Line;

/// A collaboration, named by its id, or by `{"name": …}`: no two live collaborations share a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CollaborationRef {
    /// The id.
    Id(Uuid),
    /// The name.
    Name(ByCollaborationName),
}

/// A collaboration by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ByCollaborationName {
    /// Exactly as in the registry.
    #[garde(dive)]
    #[schema(example = "Regional Kulturskola i Västmanland")]
    pub name: Line,
}

impl Validate for CollaborationRef {
    type Context = ();

    // By hand: the derived one would put the number of the variant's field into the path.
    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        if let Self::Name(by) = self {
            by.validate_into(&(), parent, report);
        }
    }
}

impl CollaborationRef {
    /// The id of the collaboration; `pointer` is where the body names it.
    ///
    /// # Errors
    /// 422 when no live collaboration is meant.
    pub async fn resolve(&self, conn: &Conn, pointer: &str) -> Result<Uuid, WriteError> {
        match self {
            Self::Id(id) => live(*id, store::is_live(conn, id).await?, pointer),
            Self::Name(by) => exactly_one(&store::by_name(conn, by.name.as_str()).await?, pointer),
        }
    }
}
