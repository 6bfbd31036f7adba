//! Measures: what a number means.
//!
//! A share names what it counts (numerator) and what it is a share of (denominator), so two percentages are comparable
//! only if they say the same of both. A measure also knows where its series breaks and what a reader must be told.

pub mod api;
pub mod model;
pub mod remarks;
pub mod store;
