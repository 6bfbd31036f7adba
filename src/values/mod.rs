//! Values with a rule of their own: texts, months, dates as sources give them, area codes, organisation numbers,
//! links, and closed vocabularies. One definition serves bodies, parameters, the database and the document.

mod codes;
mod day;
mod persons;
pub mod rules;
mod texts;

pub use codes::{Code, CodeList, ParseCodeError};
pub use day::Day;
pub use persons::{is_personal_number, without_personal_numbers};
pub use texts::{
    AgeBand, AreaCode, Faulty, Line, MeasureCode, Month, OrgNumber, PartialDate, Prose, RuleText,
    Scheme, WebAddress, has_hidden, rule_text,
};
