//! Collaborations: regional collaborations of municipal culture schools.
//!
//! A collaboration is not a county: it has members, each for a time, and one of them may be its administrative host.
//! Memberships of the past stay, so that a collaboration can be read as it was on any day.

pub mod api;
pub mod content;
pub mod model;
pub mod reference;
pub mod store;
