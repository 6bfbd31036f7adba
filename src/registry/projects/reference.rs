//! Naming a project in another row's body: by id or title.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::db::{Conn, WriteError};
use crate::registry::partners::reference::{exactly_one, live};

/// A project, named by its id, or by `{"title": …}` if only one live project has that title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ProjectRef {
    /// The id.
    Id(Uuid),
    /// The title, exactly as in the registry.
    Title(ByTitle),
}

/// A row by its title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByTitle {
    /// Exactly as in the registry.
    #[schema(example = "Kulturskola i hela landet")]
    pub title: crate::values::Line,
}

impl garde::Validate for ProjectRef {
    type Context = ();

    fn validate_into(
        &self,
        (): &(),
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        if let Self::Title(by) = self {
            by.title
                .validate_into(&(), &mut || parent().join("title"), report);
        }
    }
}

impl ProjectRef {
    /// The id of the project; `pointer` is where the body names it.
    ///
    /// # Errors
    /// 422 when no live project is meant, or more than one.
    pub async fn resolve(&self, conn: &Conn, pointer: &str) -> Result<Uuid, WriteError> {
        match self {
            Self::Id(id) => live(*id, store::is_live(conn, id).await?, pointer),
            Self::Title(by) => {
                exactly_one(&store::by_title(conn, by.title.as_str()).await?, pointer)
            }
        }
    }
}
