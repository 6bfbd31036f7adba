//! Naming a source in another row's body: by id, address, or title.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::db::{Conn, WriteError};
use crate::problem::{Fault, Problem, text};
use crate::registry::partners::reference::exactly_one;
use crate::values::{Line, WebAddress};

/// A source, named by its id, or by `{"url": …}`, or by `{"title": …}` if only one live source has that title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SourceRef {
    /// The id.
    Id(Uuid),
    /// The address.
    Url(ByUrl),
    /// The title, exactly as stored.
    Title(ByTitle),
}

/// A source by its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceByUrl)]
pub struct ByUrl {
    /// Exactly as stored.
    #[garde(dive)]
    #[schema(example = "https://www.kulturradet.se/")]
    pub url: WebAddress,
}

/// A source by its title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceByTitle)]
pub struct ByTitle {
    /// Exactly as stored.
    #[garde(dive)]
    #[schema(example = "Statistik och forskning")]
    pub title: Line,
}

// By hand: the derived one would put the variant into the pointer of a fault (`/source/0/url`).
impl Validate for SourceRef {
    type Context = ();
    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        match self {
            Self::Id(_) => {}
            Self::Url(by) => by.validate_into(&(), parent, report),
            Self::Title(by) => by.validate_into(&(), parent, report),
        }
    }
}

impl SourceRef {
    /// The id of the source; `pointer` is where the body names it.
    ///
    /// # Errors
    /// 422 when no live source is meant, or more than one. An id that never was is left to the foreign key.
    pub async fn resolve(&self, conn: &Conn, pointer: &str) -> Result<Uuid, WriteError> {
        let found = match self {
            Self::Id(id) if store::is_buried(conn, *id).await? => {
                return Err(Problem::invalid(Fault::at(
                    pointer,
                    "reference_deleted",
                    text("Källan är borttagen.", "The source is deleted."),
                ))
                .into());
            }
            Self::Id(id) => return Ok(*id),
            Self::Url(by) => store::by_url(conn, by.url.as_str()).await?,
            Self::Title(by) => store::by_title(conn, by.title.as_str()).await?,
        };
        exactly_one(&found, pointer)
    }
}
