//! Tests over HTTP: a real server on a random port, a real PostgreSQL, a database for each test.
//!
//! Every answer is held against the OpenAPI document by the client, so each test is a contract test too.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

mod about;
mod access;
mod agreement;
mod areas;
mod attack;
mod attack_elsewhere;
mod audit;
mod changes;
mod checkpoints;
mod code_lists;
mod collaborations;
mod copies;
mod culture_schools;
mod every_resource;
mod exports;
mod golden;
mod histories;
mod history;
mod idempotency;
mod imports;
mod imports_abreast;
mod imports_again;
mod imports_compared;
mod imports_contacts;
mod imports_measures;
mod imports_populations;
mod imports_rows;
mod imports_submit;
mod manners;
mod overlap;
mod participation;
mod partners;
mod partnerships;
mod projects;
mod publications;
mod questions;
mod rows;
mod statistics;
mod statistics_network;
mod transactions;
