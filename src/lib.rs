//! Samverkan: partnership and participation data around Sweden's municipal culture schools.
//!
//! The map of the house. The ground floor knows nothing of culture schools; imports run downwards only.

pub mod app;
pub mod openapi;

pub mod about;

// The ground floor.
pub mod access;
pub mod clock;
pub mod db;
pub mod formats;
pub mod http;
pub mod problem;
pub mod schema;
pub mod telemetry;
pub mod values;

// The registry wing: what exists.
pub mod registry;

// The participation wing: what was reported.
pub mod participation;
