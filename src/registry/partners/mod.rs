//! Partners: the organisations that culture schools work with.
//!
//! Civil society first (associations, communities), and the public bodies, funds and councils that take part. A
//! partner may be *collective*: a kind of associations that a source names without naming its members.

pub mod api;
pub mod model;
pub mod network;
pub mod reference;
pub mod store;
