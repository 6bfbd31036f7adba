//! The closed vocabularies of imports.

use crate::code_list;
use crate::values::CodeList;

/// All of them, for `/code-lists`.
pub const LISTS: &[CodeList] = &[
    super::types::ImportType::LIST,
    ImportMode::LIST,
    ImportStrategy::LIST,
    ImportFormat::LIST,
    ImportState::LIST,
    RowOutcome::LIST,
];

code_list! {
    /// What becomes of the good rows of a file that has bad ones.
    ImportMode = "import-mode", "Importläge", "Mode of an import", check Some("import_mode_known");
    /// All rows are written, or none.
    Atomic = "atomic", "Allt eller inget", "All or nothing";
    /// The good rows are written, the others told.
    Partial = "partial", "De rader som går", "The rows that are good";
}

code_list! {
    /// What is done with a row that is there already, or is not.
    ImportStrategy = "import-strategy", "Importstrategi", "Strategy of an import", check Some("import_strategy_known");
    Upsert = "upsert", "Skapa eller ändra", "Create or change";
    /// A row that is there already is a conflict.
    Create = "create", "Bara skapa", "Create only";
    /// A row that is not there is invalid.
    Update = "update", "Bara ändra", "Change only";
    /// Rows need only what names them.
    Delete = "delete", "Ta bort", "Delete";
    /// What is in the scope of the file and not in the file is deleted.
    Replace = "replace", "Ersätt allt i omfånget", "Replace all in the scope";
}

code_list! {
    /// The format that a file came in.
    ImportFormat = "import-format", "Importformat", "Format of an import", check Some("import_format_known");
    Json = "json", "JSON", "JSON";
    Ndjson = "ndjson", "JSON-rader", "JSON lines";
    Csv = "csv", "CSV", "CSV";
    Xlsx = "xlsx", "Excel", "Excel";
}

code_list! {
    /// Where an import stands.
    ImportState = "import-state", "Importtillstånd", "State of an import", check Some("import_state_known");
    Waiting = "waiting", "Väntar", "Waiting";
    Running = "running", "Pågår", "Running";
    /// What its counts say is written, or with a dry run would be.
    Done = "done", "Klar", "Done";
    /// Something in the file stood in the way; nothing is written.
    Refused = "refused", "Avvisad: inget skrevs", "Refused: nothing was written";
    /// A fault of the service, or a client that lost its rights. What its counts say is written.
    Failed = "failed", "Misslyckad", "Failed";
    /// What its counts say is written.
    Cancelled = "cancelled", "Avbruten", "Cancelled";
}

code_list! {
    /// What became of a row.
    RowOutcome = "row-outcome", "Utfall för en rad", "Outcome of a row", check Some("import_row_outcome_known");
    Created = "created", "Skapad", "Created";
    Updated = "updated", "Ändrad", "Changed";
    /// It says what is there already; no new version.
    Unchanged = "unchanged", "Oförändrad", "Unchanged";
    Deleted = "deleted", "Borttagen", "Deleted";
    /// Something else is there than the row expects.
    Conflict = "conflict", "Krockar", "Conflict";
    Invalid = "invalid", "Ogiltig", "Invalid";
    /// Outside the areas of the client.
    Forbidden = "forbidden", "Utanför behörigheten", "Forbidden";
    /// It was deleted before.
    Gone = "gone", "Redan borttagen", "Gone";
    /// A good row, but the import was refused or cancelled as a whole.
    NotWritten = "not_written", "Inte skriven", "Not written";
}

impl ImportState {
    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

impl RowOutcome {
    /// Whether the row was refused.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Conflict | Self::Invalid | Self::Forbidden | Self::Gone
        )
    }
}
