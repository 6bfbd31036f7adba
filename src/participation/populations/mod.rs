//! Populations: the denominators. How many people of some ages live in an area, at a date, according to a source.
//!
//! Parts need not add up to totals: SCB moves every value by a small random number since reference year 2025.

pub mod api;
pub mod model;
pub mod store;
