//! Samverkan: partnership and participation data around Sweden's municipal culture schools.
//!
//! The map of the house, ground floor first; imports run downwards only.

pub mod access;
pub mod clock;
pub mod db;
pub mod formats;
pub mod http;
pub mod problem;
pub mod registry;
pub mod schema;
pub mod telemetry;
pub mod values;
