//! What the tests stand on.

pub mod app;
pub mod client;
pub mod cluster;
pub mod conform;
pub mod statistics;

pub use app::TestApp;
pub use client::{Caller, Reply};
