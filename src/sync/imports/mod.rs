//! Imports: many rows at once, from spreadsheets and from programs.
//!
//! A file is spooled ([`spool`]), read ([`payload`], [`parts`], [`columns`]) and written ([`run`], [`rows`], [`observations`]), each row
//! through the same rules as a single write; what became of it is told row by row ([`outcome`]). A large one is a [`job`].

pub mod api;
pub mod codes;
pub mod columns;
mod events;
mod files;
pub mod forms;
pub mod job;
pub mod kinds;
mod many;
pub mod model;
pub mod observations;
pub mod outcome;
pub mod parts;
pub mod payload;
pub mod plan;
mod replace;
pub mod resources;
pub mod rows;
pub mod run;
pub mod spool;
pub mod store;
pub mod types;
pub mod work;
mod worker;
