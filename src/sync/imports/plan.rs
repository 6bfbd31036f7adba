//! What is to be done with a file, for whom.

use uuid::Uuid;

use super::codes::{ImportFormat, ImportMode, ImportStrategy};
use super::columns::{Demand, Kind, Measures, columns};
use super::types::ImportType;
use crate::access::{Permission, Reach};
use crate::db::Conn;
use crate::formats::read::FileKind;

/// An import that was asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its id.
    pub id: Uuid,
    /// Who asked, by its public id.
    pub client: String,
    /// In which request.
    pub request: Option<Uuid>,
    /// Where the client may write.
    pub areas: Vec<String>,
    /// What the rows are.
    pub resource: ImportType,
    /// What the file is.
    pub format: ImportFormat,
    /// All rows or those that are good.
    pub mode: ImportMode,
    /// What is done with rows that are there.
    pub strategy: ImportStrategy,
    /// Whether it is only tried.
    pub dry_run: bool,
    /// Whether reports are submitted.
    pub submit: bool,
    /// The areas that the file stands for, if they were named.
    pub scope: Option<Vec<String>>,
    /// How many rows `replace` may delete, if that is more than a fifth.
    pub confirm_delete: Option<i64>,
}

impl Plan {
    /// How much of a row the file must hold.
    #[must_use]
    pub const fn demand(&self) -> Demand {
        match self.strategy {
            ImportStrategy::Delete => Demand::Key,
            ImportStrategy::Update => Demand::Part,
            ImportStrategy::Upsert | ImportStrategy::Create | ImportStrategy::Replace => {
                Demand::Whole
            }
        }
    }

    /// The measures that its rows may name; none if they name none.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn measures(&self, conn: &Conn) -> diesel::QueryResult<Measures> {
        if !self.resource.names_measures() {
            return Ok(Measures::default());
        }
        Measures::load(conn, &Reach::of(self.areas.iter().cloned())).await
    }
}

impl ImportFormat {
    /// The kind of file that it is read as.
    #[must_use]
    pub const fn kind(self) -> FileKind {
        match self {
            Self::Json => FileKind::Json,
            Self::Ndjson => FileKind::Ndjson,
            Self::Csv => FileKind::Csv,
            Self::Xlsx => FileKind::Xlsx,
        }
    }

    /// The format of a kind of file.
    #[must_use]
    pub const fn of(kind: FileKind) -> Self {
        match kind {
            FileKind::Json => Self::Json,
            FileKind::Ndjson => Self::Ndjson,
            FileKind::Csv => Self::Csv,
            FileKind::Xlsx => Self::Xlsx,
        }
    }
}

impl ImportType {
    /// Whether such rows name measures.
    #[must_use]
    pub fn names_measures(self) -> bool {
        let mut columns = columns(self).iter();
        columns.any(|column| matches!(column.kind, Kind::Measure))
    }

    /// What a client must be permitted to write such rows.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::CultureSchools
            | Self::Partners
            | Self::Projects
            | Self::Collaborations
            | Self::Partnerships
            | Self::Districts => Permission::RegistryWrite,
            Self::Measures | Self::Sources | Self::Observations | Self::Populations => {
                Permission::ParticipationWrite
            }
        }
    }
}
