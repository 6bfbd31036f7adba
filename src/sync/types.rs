//! What is synced, and what can become of it.

use crate::access::Permission;
use crate::code_list;

code_list! {
    /// A kind of row that is synced, by the path of its resource.
    EntityType = "entity-type", "Slag av rad", "Kind of row", check None;
    Districts = "districts", "Distrikt", "Districts";
    CultureSchools = "culture-schools", "Kulturskolor", "Culture schools";
    Partners = "partners", "Aktörer", "Partners";
    Projects = "projects", "Projekt", "Projects";
    Collaborations = "collaborations", "Samverkan", "Collaborations";
    Partnerships = "partnerships", "Partnerskap", "Partnerships";
    Measures = "measures", "Mått", "Measures";
    Sources = "sources", "Källor", "Sources";
    Populations = "populations", "Folkmängd", "Populations";
    /// With their observations.
    Reports = "reports", "Rapporter", "Reports";
}

code_list! {
    /// What became of a row.
    ChangeOp = "change-op", "Vad som hände med raden", "What became of a row", check Some("change_op_known");
    /// It is there, with this content.
    Upsert = "upsert", "Finns", "Is there";
    /// It was deleted.
    Delete = "delete", "Borttagen", "Deleted";
    /// It exists, but the client may not see it any more, or not from where it was.
    Leave = "leave", "Inte längre synlig", "No longer visible";
}

impl EntityType {
    /// All of them, in an order in which a copy can store them: a row refers to earlier ones only, or to its own kind.
    pub const ALL: [Self; 10] = [
        Self::Districts,
        Self::CultureSchools,
        Self::Partners,
        Self::Projects,
        Self::Collaborations,
        Self::Partnerships,
        Self::Measures,
        Self::Sources,
        Self::Populations,
        Self::Reports,
    ];

    /// The table, which carries the trigger of the feed.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Districts => "areas",
            Self::CultureSchools => "culture_schools",
            Self::Partners => "partners",
            Self::Projects => "projects",
            Self::Collaborations => "collaborations",
            Self::Partnerships => "partnerships",
            Self::Measures => "measures",
            Self::Sources => "sources",
            Self::Populations => "populations",
            Self::Reports => "reports",
        }
    }

    /// What a client must be allowed to read, besides following changes.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Reports => Permission::ParticipationRead,
            _ => Permission::RegistryRead,
        }
    }
}
