//! Observations: the numbers of a report, each a measure of an area, split by gender, age, subject and form.
//!
//! An observation lives in exactly one report and shares its fate: its version, its state, who may see it. It is
//! written with its report; across reports it can only be read.

pub mod api;
pub mod check;
pub mod model;
pub mod of_report;
pub mod past;
pub mod store;
