//! Samverkan: partnership and participation data around Sweden's municipal culture schools.
//!
//! The map of the house. The ground floor knows nothing of culture schools; imports run downwards only.

// The roof: the program, the app, and what the API says of itself.
pub mod about;
pub mod app;
pub mod cli;
pub mod code_lists;
pub mod config;
pub mod demo;
pub mod health;
pub mod openapi;
pub mod server;
pub mod synth;

// The office's own tool: a client of the API, in the same program.
pub mod office;

// The sync wing: how data moves between offices, and what it was before.
pub mod sync;

// The statistics wing: what can be said of it.
pub mod statistics;

// The participation wing: what was reported.
pub mod participation;

// The registry wing: what exists.
pub mod registry;

// The ground floor.
pub mod access;
pub mod background;
pub mod clock;
pub mod db;
pub mod formats;
pub mod http;
pub mod problem;
pub mod schema;
pub mod telemetry;
pub mod values;
