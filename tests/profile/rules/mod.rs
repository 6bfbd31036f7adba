//! The rules, by what they look at. Each is a pure function from a document to its findings.

pub mod addresses;
pub mod answers;
pub mod documentation;
pub mod errors;
pub mod names;
pub mod queries;
pub mod security;
