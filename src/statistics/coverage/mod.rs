//! `/statistics/coverage`: who has an approved report in a publication and who has not, by area and period.
//!
//! All of it is counted from the list of reports that the publication has frozen, in memory.

pub mod answer;
pub mod api;
pub mod count;
pub mod selection;

#[cfg(test)]
mod tests;
