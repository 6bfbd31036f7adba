//! The closed vocabularies of statistics.

use crate::code_list;
use crate::values::CodeList;

/// All of them, for `/code-lists`.
pub const LISTS: &[CodeList] = &[
    PublicationState::LIST,
    PublicationPhase::LIST,
    Severity::LIST,
    CellStatus::LIST,
    Level::LIST,
];

code_list! {
    /// Where a publication stands.
    PublicationState = "publication-state", "Publiceringstillstånd", "State of a publication", check Some("publication_state_known");
    /// Is being frozen; nobody can read it yet.
    Making = "making", "Görs", "Being made";
    /// Immutable from now on.
    Published = "published", "Publicerad", "Published";
    /// Could not be made; nothing of it was kept but the reason.
    Failed = "failed", "Misslyckad", "Failed";
    /// Turned out to be wrong; the reason and the successor are stated.
    Withdrawn = "withdrawn", "Återkallad", "Withdrawn";
}

code_list! {
    /// What the making of a publication is doing.
    PublicationPhase = "publication-phase", "Steg i publiceringen", "Phase of a publication", check Some("publication_phase_known");
    Waiting = "waiting", "Väntar", "Waiting";
    Validating = "validating", "Granskar", "Validating";
    Protecting = "protecting", "Skyddar små tal", "Protecting small numbers";
    Writing = "writing", "Skriver", "Writing";
    Done = "done", "Klar", "Done";
}

code_list! {
    /// How much a finding weighs.
    Severity = "finding-severity", "Allvarsgrad", "Severity of a finding", check Some("publication_finding_severity_known");
    /// Blocks the publication.
    Error = "error", "Fel", "Error";
    /// Must be acknowledged.
    Warning = "warning", "Varning", "Warning";
    /// Worth knowing.
    Information = "information", "Upplysning", "Information";
}

code_list! {
    /// What kind of area a number is of, from the whole to the parts.
    Level = "area-level", "Nivå", "Level of area", check Some("protection_policy_level_known");
    Country = "country", "Riket", "Country";
    Region = "region", "Län", "Region";
    Municipality = "municipality", "Kommun", "Municipality";
    District = "district", "Stadsdel", "District";
}

code_list! {
    /// Whether a cell of an answer has a value, how good it is, or why it has none.
    CellStatus = "cell-status", "Cellstatus", "Status of a cell", check None;
    Reported = "reported", "Rapporterad", "Reported";
    Provisional = "provisional", "Preliminär", "Provisional";
    Estimated = "estimated", "Uppskattad", "Estimated";
    /// Some parts of the area are missing in the number; `coverage` says how many.
    Partial = "partial", "Ofullständig", "Partial";
    MissingNotSubmitted = "missing_not_submitted", "Saknas: inte inlämnad", "Missing: not submitted";
    NotCollected = "not_collected", "Inte insamlad", "Not collected";
    NotYetPublished = "not_yet_published", "Ännu inte publicerad", "Not yet published";
    NotApplicable = "not_applicable", "Inte tillämplig", "Not applicable";
    /// The numbers exist, but not by what was asked for.
    NotAvailable = "not_available", "Finns inte med den indelningen", "Not available in this breakdown";
    /// The number of residents that a share needs is not in the publication.
    NoDenominator = "no_denominator", "Nämnaren saknas", "The denominator is missing";
    /// Two numbers that mean different things; the reason is stated.
    NotComparable = "not_comparable", "Inte jämförbar", "Not comparable";
}

impl Level {
    /// From 0 for the country to 3 for a district, as kept in the tables.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Country => 0,
            Self::Region => 1,
            Self::Municipality => 2,
            Self::District => 3,
        }
    }

    /// The level of an area by its code: `SE`, two digits, four digits, anything else.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match (
            code,
            code.len(),
            code.bytes().all(|byte| byte.is_ascii_digit()),
        ) {
            ("SE", ..) => Self::Country,
            (_, 2, true) => Self::Region,
            (_, 4, true) => Self::Municipality,
            _ => Self::District,
        }
    }
}
