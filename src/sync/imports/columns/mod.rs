//! The columns of each kind of row: what they are called, what stands in them, and where that goes.
//!
//! A file of ours has the names of the members as headings; an office writes Swedish or English ones. Case, blanks,
//! hyphens, underscores and a trailing `*` do not matter. A column whose heading begins with `_` is nobody's business but the
//! office's: it is passed over. So is what we export and cannot be written, such as the name of an area beside its code.

mod ages;
mod cells;
mod headings;
mod mapping;
mod measures;
mod numbers;
mod objects;
mod participation;
mod places;
mod registry;
mod rejected;
mod template;
#[cfg(test)]
mod tests;

pub use mapping::{CellFault, Demand, Mapped, Mapping, Unmapped};
pub use measures::Measures;
pub use objects::of_object;
pub use rejected::{Rejected, RejectedRow, rejected};
pub use template::template;

use super::types::ImportType;
use crate::problem::{Text, text};
use crate::values::CodeList;

/// What stands in the cells of a column.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text as it is.
    Text,
    /// A text that is a code of digits or a period: a spreadsheet must not make a number or a day of it.
    Label,
    /// Ages from and to: `6-19`, also as people write it, or `all`.
    Ages,
    /// The code of an area, or the name of a county or municipality.
    Area,
    /// Codes of areas, joined by `|` or `;`.
    Areas,
    /// A code of a closed list, or its label in either language.
    Code(CodeList),
    /// Several of them, joined by `|` or `;`.
    Codes(CodeList),
    /// The code of a measure, or its label in either language.
    Measure,
    /// A number, with a decimal point or comma.
    Number,
    /// A whole number.
    Whole,
    /// `YYYY-MM-DD`.
    Day,
    /// `YYYY-MM`.
    Month,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    PartialDate,
    /// Yes or no.
    Bool,
    /// A row of another resource: its id, or what it is called.
    Reference(Reference),
    /// JSON of a list of objects.
    Json(Json),
    /// An id (UUID).
    Id,
    /// A moment, RFC 3339.
    Moment,
}

/// What a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A partner: id, organisation number or name.
    Partner,
    /// A project: id or title.
    Project,
    /// A collaboration: id or name.
    Collaboration,
    /// A culture school: id or name; the municipality follows from the area of the row, or stands before the name.
    CultureSchool,
    /// A source: id, address or title.
    Source,
}

/// What the JSON of a cell is, where we export more than can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// As it is written.
    Same,
    /// Objects with members that are only read; these are taken out.
    Without(&'static [&'static str]),
    /// Areas with `code` and `name`, of which the codes are written.
    Coded,
    /// One object, which may be spread over columns of its own: `targetGroup.text`.
    Object,
}

/// What an empty cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// Nothing: it must be filled in.
    Refused,
    /// That there is none: null.
    None,
    /// Nothing: what was there stays, and a new row has what is usual.
    Silent,
    /// An empty list.
    EmptyList,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A member of the row.
    Content,
    /// Which row is meant, and which version of it: `id`, `version`, `deletedAt`.
    Key,
    /// Says the same as the column of the named field, in words; counts where that is empty or not there.
    InsteadOf(&'static str),
    /// Is exported and cannot be written.
    ReadOnly,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The member, as our own CSV calls it; a member of an object after a dot.
    pub field: &'static str,
    /// The heading in Swedish.
    pub sv: &'static str,
    /// The heading in English.
    pub en: &'static str,
    /// What stands in its cells.
    pub kind: Kind,
    /// What an empty cell says.
    pub empty: Empty,
    /// What it is for.
    pub role: Use,
}

impl Column {
    /// Where its value stands in the JSON of the row (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> String {
        let field = match self.role {
            Use::InsteadOf(field) => field,
            _ => self.field,
        };
        format!("/{}", field.replace('.', "/"))
    }

    /// Whether its value is written.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        !matches!(self.role, Use::ReadOnly)
    }

    /// Whether a new row must have a value.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self.empty, Empty::Refused)
    }

    /// Its names: the field, and the headings in both languages.
    #[must_use]
    pub const fn names(&self) -> [&'static str; 3] {
        [self.field, self.sv, self.en]
    }

    /// What is to be written in it.
    #[must_use]
    pub fn explanation(&self) -> Text {
        if self.field == "report" {
            return text(
                "Rapportens id. Tomt: rapporten hittas på källa, område och period, eller görs ny.",
                "The id of the report. Empty: it is found by source, area and period, or made anew.",
            );
        }
        explanation(self.kind)
    }
}

/// The columns of a kind of row, in the order of our own CSV.
#[must_use]
pub fn columns(resource: ImportType) -> &'static [Column] {
    match resource {
        ImportType::CultureSchools => registry::CULTURE_SCHOOLS,
        ImportType::Partners => registry::PARTNERS,
        ImportType::Projects => registry::PROJECTS,
        ImportType::Collaborations => registry::COLLABORATIONS,
        ImportType::Partnerships => registry::PARTNERSHIPS,
        ImportType::Districts => registry::DISTRICTS,
        ImportType::Measures => participation::MEASURES,
        ImportType::Sources => participation::SOURCES,
        ImportType::Observations => participation::OBSERVATIONS,
        ImportType::Populations => participation::POPULATIONS,
    }
}

/// The members of a row of observations that are its report's, not the observation's. `report` is the id of an existing
/// one; `reportArea` is the report's area, which without it is the area of the row; `ifVersion` is the version that the
/// report must have.
pub const REPORT_MEMBERS: &[&str] = &[
    "report",
    "source",
    "reportArea",
    "periodKind",
    "period",
    "firstDay",
    "lastDay",
    "ifVersion",
];

/// A heading or a word as it is compared: lower case, without blanks, hyphens, underscores and asterisks.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*' | '\u{feff}' | '\u{ad}'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn explanation(kind: Kind) -> Text {
    match kind {
        Kind::Text => text("Text.", "A text."),
        Kind::Label => text(
            "Text. Formatera kolumnen som text, så att kalkylprogrammet inte gör tal eller datum av den.",
            "A text. Format the column as text, so that the spreadsheet does not make numbers or dates of it.",
        ),
        Kind::Ages => text(
            "Ålder från och till, 6-19, eller en enda ålder, 6; all för alla åldrar. Formatera kolumnen som text, så att kalkylprogrammet inte gör datum av den.",
            "Ages from and to, 6-19, or a single age, 6; all for all ages. Format the column as text, so that the spreadsheet does not make dates of it.",
        ),
        Kind::Area => text(
            "Områdeskod: SE, två siffror (län), fyra siffror (kommun) eller en stadsdels kod. Länets eller kommunens namn går också.",
            "Area code: SE, two digits (county), four digits (municipality), or the code of a district. The name of a county or municipality will do.",
        ),
        Kind::Areas => text(
            "Områdeskoder åtskilda med | eller semikolon.",
            "Area codes separated by | or semicolons.",
        ),
        Kind::Code(_) => text(
            "En kod ur listan, eller dess svenska eller engelska namn.",
            "A code of the list, or its Swedish or English name.",
        ),
        Kind::Codes(_) => text(
            "Koder ur listan, eller deras namn, åtskilda med | eller semikolon.",
            "Codes of the list, or their names, separated by | or semicolons.",
        ),
        Kind::Measure => text(
            "Måttets kod, eller dess svenska eller engelska namn.",
            "The code of a measure, or its Swedish or English name.",
        ),
        Kind::Number => text(
            "Ett tal, med decimalkomma eller decimalpunkt.",
            "A number, with a decimal comma or point.",
        ),
        Kind::Whole => text("Ett heltal.", "A whole number."),
        Kind::Day => text("Ett datum, ÅÅÅÅ-MM-DD.", "A date, YYYY-MM-DD."),
        Kind::Month => text("En månad, ÅÅÅÅ-MM.", "A month, YYYY-MM."),
        Kind::PartialDate => text(
            "ÅÅÅÅ, ÅÅÅÅ-MM eller ÅÅÅÅ-MM-DD, så noga som källan anger det.",
            "YYYY, YYYY-MM or YYYY-MM-DD, as precise as the source is.",
        ),
        Kind::Bool => text("Ja eller nej.", "Yes or no."),
        Kind::Reference(Reference::Partner) => text(
            "Samarbetspartens id, organisationsnummer eller namn.",
            "The partner's id, organisation number or name.",
        ),
        Kind::Reference(Reference::Project) => {
            text("Projektets id eller titel.", "The project's id or title.")
        }
        Kind::Reference(Reference::Collaboration) => text(
            "Samverkans id eller namn.",
            "The collaboration's id or name.",
        ),
        Kind::Reference(Reference::CultureSchool) => text(
            "Kulturskolans id eller namn. Ligger radens område inte i en kommun skrivs kommunens kod först: 1880 Örebro kulturskola.",
            "The culture school's id or name. If the area of the row is not in a municipality, its code comes first: 1880 Örebro kulturskola.",
        ),
        Kind::Reference(Reference::Source) => text(
            "Källans id, webbadress eller titel.",
            "The source's id, web address or title.",
        ),
        Kind::Json(Json::Object) => text("JSON: ett objekt.", "JSON: an object."),
        Kind::Json(_) => text("JSON: en lista.", "JSON: a list."),
        Kind::Id => text(
            "Radens id. Tomt för en ny rad.",
            "The id of the row. Empty for a new one.",
        ),
        Kind::Moment => text("Tidpunkt (UTC).", "A moment (UTC)."),
    }
}
