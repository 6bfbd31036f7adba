//! Imports: many rows at once, from spreadsheets and from programs.

pub mod columns;
pub mod types;
