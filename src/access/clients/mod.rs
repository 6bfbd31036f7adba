//! Clients: the machines (a front end, an office, an analyst) that the service gives tokens to.
//!
//! A client has permissions, areas in which they hold, and up to two secrets at a time, so that a new one can be
//! rolled out before the old one goes. Whoever administers clients gives away no more than they have themselves:
//! neither another permission nor another area.
//!
//! A client is never deleted, only revoked, since the history names it. Whatever takes something from a client (it is
//! revoked, loses a permission, an area or a secret) also refuses the tokens it has, everywhere within seconds.

pub mod admin;
pub mod api;
pub mod model;
mod past;
pub mod secrets;
pub mod store;
