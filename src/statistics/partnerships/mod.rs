//! `/statistics/partnerships`: how many partners and partnerships, where, of what kind, and how many go on.
//!
//! All of it is counted from the network that a publication has frozen, in memory. Organisations are counted, not
//! children, so nothing is rounded.

pub mod answer;
pub mod api;
pub mod choice;
pub mod count;
pub mod selection;
pub mod summary;

#[cfg(test)]
mod tests;
